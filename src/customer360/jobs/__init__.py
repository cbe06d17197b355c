"""Work that takes a while: done in a shop's night or when somebody asks for it, and logged."""

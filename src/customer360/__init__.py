"""Customer 360: one profile per person, from every signal a shop receives."""

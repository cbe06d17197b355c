"""Which profiles may be one person, by names, addresses and other words? Only ever suggestions for people to judge."""

"""The crowd's half of the data: pseudonymous facts, copied from the profile store, that can always be rebuilt."""

"""Benchmarks that a user can run: a figure, the physical limit of the same machine in the same run, and their ratio."""

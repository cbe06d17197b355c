"""Models and scores, on arrays."""

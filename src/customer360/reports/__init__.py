"""Questions about all customers over time, each a file of its own."""

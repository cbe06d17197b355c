"""The one place that decides whether a message may leave now."""

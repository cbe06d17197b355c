"""The living profile: aggregates per fragment, orders, sessions, and how they combine into one person."""

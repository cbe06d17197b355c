"""Named rules over profiles: one tree for the builder, the text form and the API, and what it means."""

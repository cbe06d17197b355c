"""Who may do what: shops, their keys, the people who work there, and what each plan allows."""

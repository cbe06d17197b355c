"""The HTTP doors for programs: signals in, answers out, and the state of the installation."""

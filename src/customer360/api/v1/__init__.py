"""The answers of one shop to its programs: `/api/v1`."""

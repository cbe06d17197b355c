"""The suite. It mirrors the tree of the package; conftest.py says what the tests stand on."""

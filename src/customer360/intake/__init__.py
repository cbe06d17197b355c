"""Signals in: the durable inbox, the worker's batches, files, and what could not be used."""

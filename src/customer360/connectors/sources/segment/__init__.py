"""Calls of Segment-compatible SDKs and servers."""

"""Profiles of other systems are people like customers are; only the file was called otherwise."""

from __future__ import annotations

from customer360.connectors.sources.files.customers import translate

__all__ = ["translate"]

"""How is a value of an attribute written in a cell? Pure."""

from __future__ import annotations

from typing import Any


def text_of(value: Any) -> str:
    """The value as the API writes it, as text; a list with commas, yes and no as true and false, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

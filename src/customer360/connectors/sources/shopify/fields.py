"""How does Shopify write ids, tokens and times? Each reader gives the value where it is usable, else nothing."""

from __future__ import annotations

from typing import Any

from customer360.clock import Instant, parse_instant
from customer360.connectors.sources.payload import Json, text
from customer360.errors import InvalidTime

# Shopify's ids have 64 bits; whatever is longer than this was never an id.
MAX_ID_DIGITS = 40


def id_text(value: Any) -> str:
    """The id as text: 123, "123" and "gid://shopify/Order/123" are all "123"; empty when it is no id.

    A float is no id: it has lost digits above 2^53.
    """
    if type(value) is int:
        return str(value) if 0 < value < 10**MAX_ID_DIGITS else ""
    written = token(value)
    return written if written != "0" and len(written) <= MAX_ID_DIGITS else ""


def own_id(body: Json) -> str:
    """The id of an object, by its number or else by its gid."""
    return id_text(body.get("id")) or id_text(body.get("admin_graphql_api_id"))


def token(value: Any) -> str:
    """The token of a cart or checkout as every API writes it, without the gid's path and the key that may follow."""
    written = text(value)
    if written.startswith("gid://"):
        written = written.rpartition("/")[2]
    return written.partition("?")[0]


def instant(value: Any, zone_name: str) -> Instant | None:
    """The time, or None when it cannot be read; without a zone it is in the shop's."""
    try:
        return parse_instant(value, zone_name)
    except InvalidTime:
        return None


def filled(properties: Json) -> Json:
    """The properties that say something."""
    return {name: value for name, value in properties.items() if value not in ("", None, [])}

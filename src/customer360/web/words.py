"""The names of things in words: sources, channels, identifiers, reasons."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from customer360.connectors.sources import SOURCES
from customer360.identities.naming import WORDS
from customer360.web.formats import in_words, upper_first

Kind = Literal["customer", "visitor"]

_CHANNELS = {"email": "E-mail", "sms": "SMS", "whatsapp": "WhatsApp", "push": "Push"}

_REASONS = {
    "malformed_json": (
        "Not JSON",
        "The sender must send valid JSON; after a repair there, send it again.",
    ),
    "missing_type": (
        "No type",
        "The signal does not say what it is; the sender must add its type.",
    ),
    "invalid_time": (
        "Unreadable time",
        "A time could not be read; ISO 8601 is safe, for example 2026-01-31T09:30:00Z.",
    ),
    "too_large": (
        "Too large",
        "One event was over the limit; the sender must leave something out, or C360_MAX_EVENT_BYTES be raised.",
    ),
}


def source_label(name: str) -> str:
    """The source's name on pages."""
    return next((source.label for source in SOURCES if source.name == name), in_words(name))


def channel_label(name: str) -> str:
    """The channel's name on pages."""
    return _CHANNELS.get(name, in_words(name))


def identifier_label(name: str) -> str:
    """The identifier type's name on pages."""
    return upper_first(WORDS[name])


def reason_label(name: str) -> str:
    """Why a signal was rejected, in two or three words."""
    return _REASONS[name][0] if name in _REASONS else in_words(name)


def reason_advice(name: str) -> str:
    """What to do about it; "" where the detail says it all."""
    return _REASONS[name][1] if name in _REASONS else ""


_FIELDS = {"email": "E-mail", "zip": "ZIP", "accepts_email": "Accepts e-mail"}


def field_label(name: str) -> str:
    """A field of an imported file on pages."""
    return _FIELDS.get(name, in_words(name))


_RULES = {
    "known_identifiers": (
        "Identifiers in all",
        "Above it nothing is linked to a profile by itself any more.",
    ),
    "hub_customer_ids": (
        "Shared above this many customer ids",
        "An address, number or device of more people than this links nobody.",
    ),
    "hub_profiles": ("Shared above this many profiles", "The same, counted in known profiles."),
    "stale_months": (
        "Months until a phone or cookie is nobody's",
        "Whoever uses it after such a silence is somebody new.",
    ),
    "placeholders": (
        "Placeholders",
        "Values that identify nobody in this shop, such as an address at the till; separated by commas.",
    ),
}


def rule_label(name: str) -> str:
    """A rule of identity; a limit by the identifier that it limits."""
    return _RULES[name][0] if name in _RULES else f"{identifier_label(name)}, per profile"


def rule_help(name: str) -> str:
    """What it does, "" where the label says it all."""
    return _RULES[name][1] if name in _RULES else ""


def title_of(name: str, contacts: Sequence[str], profile_id: int, kind: Kind = "visitor") -> str:
    """What a profile is called: its name, else an address, else what it is and the end of its id."""
    return name or next(iter(contacts), "") or f"{kind.capitalize()} {str(profile_id)[-6:]}"


def folded(text: str) -> str:
    """The text without case, accents and double spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(
        "".join(character for character in plain if not unicodedata.combining(character)).split()
    )


def hub_title(hub: str) -> str:
    """The heading of pairs that stand together: by the identifier that many share, if one alone made them."""
    return f"Many share {hub}" if hub else "Pairs by their own evidence"


FILTERS = {
    "hub_title": hub_title,
    "source_label": source_label,
    "channel_label": channel_label,
    "field_label": field_label,
    "identifier_label": identifier_label,
    "reason_label": reason_label,
    "rule_label": rule_label,
    "reason_advice": reason_advice,
}

"""How does each advertising platform want written what it compares? Pure; docs/exports.md has the table."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from itertools import chain, islice, repeat

_GMAIL = ("gmail.com", "googlemail.com")
# Punctuation, symbols and what cannot be seen; letters keep their accents.
_NO_PART_OF_A_NAME = "PSC"


def digest(text: str) -> str:
    """SHA-256 in hexadecimal; nothing stays nothing."""
    return sha256(text.encode("utf-8", "replace")).hexdigest() if text else ""


def repeated(values: Iterable[str], columns: int) -> list[str]:
    """The cells of columns that repeat: the first different values, and empty ones where there are fewer."""
    return list(islice(chain(dict.fromkeys(filter(None, values)), repeat("")), columns))


def lowered(text: str) -> str:
    """In lower case without outer blanks."""
    return text.strip().lower()


def google_email(text: str) -> str:
    """In lower case; a Gmail mailbox without its dots and what follows a plus, both of which Gmail ignores."""
    mailbox, at, domain = lowered(text).rpartition("@")
    if domain in _GMAIL:
        mailbox = mailbox.partition("+")[0].replace(".", "")
    return f"{mailbox}{at}{domain}"


def digits(phone: str) -> str:
    """A phone number with its country code, without plus and leading zeros."""
    return "".join(one for one in phone if one.isascii() and one.isdigit()).lstrip("0")


def name(text: str) -> str:
    """In lower case without punctuation: O'Neill is oneill."""
    kept = (
        one
        for one in text.lower()
        if one.isspace() or unicodedata.category(one)[0] not in _NO_PART_OF_A_NAME
    )
    return " ".join("".join(kept).split())


def place(text: str) -> str:
    """A city or state as `name` has it, without blanks: New York is newyork."""
    return name(text).replace(" ", "")


def zip_code(text: str, country: str) -> str:
    """In lower case without blanks and dashes; of one in the United States the first five digits."""
    code = "".join(one for one in text.lower() if one.isalnum())
    return code[:5] if country == "US" else code


def country_code(text: str) -> str:
    """The two letters of ISO 3166 in upper case; empty where a source wrote something else."""
    code = text.strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""

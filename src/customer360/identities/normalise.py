"""Which identifiers of an event may point at a person, and how are they written?

Pure. What does not parse, what is a placeholder and what a marketplace relays never identifies;
what is left, sorted, is the event's evidence. The lists that decide this stand at the top, as data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import phonenumbers

from customer360.events.model import Identifier, IdentifierType, Trust

_T = IdentifierType

STRENGTH: dict[str, int] = {
    **dict.fromkeys((_T.SHOPIFY_CUSTOMER_ID, _T.USER_ID, _T.POS_CUSTOMER), 0),
    **dict.fromkeys((_T.AMAZON_BUYER, _T.EBAY_BUYER, _T.TIKTOK_BUYER), 0),
    **dict.fromkeys((_T.EMAIL, _T.KLAVIYO_ID), 1),
    **dict.fromkeys((_T.PHONE, _T.WHATSAPP), 2),
    _T.COOKIE: 3,
    _T.CART_TOKEN: 4,
    _T.CHECKOUT_TOKEN: 5,
}
"""How strongly a type identifies: 0 is strongest, and equal numbers are ties."""

ANONYMOUS: frozenset[str] = frozenset({_T.COOKIE, _T.CART_TOKEN, _T.CHECKOUT_TOKEN})
KNOWN: frozenset[str] = frozenset(STRENGTH) - ANONYMOUS
SINGLE_PER_PROFILE: frozenset[str] = frozenset(type for type, tier in STRENGTH.items() if tier == 0)
"""The ids of which a person has one."""

PUBLIC_MAY_ASSERT: frozenset[str] = ANONYMOUS | {_T.USER_ID, _T.EMAIL, _T.PHONE}
"""What is believed of a browser, which can claim anything."""

PLACEHOLDERS: frozenset[str] = frozenset(
    {
        # What the product's specification names.
        *("", "guest", "null", "undefined", "unknown", "none", "anonymous", "[object object]"),
        *("0", "-1", "test@test.com"),
        # What programs besides write where a value is missing.
        *("nil", "nan", "n/a", "(null)", "(none)", "not set", "(not set)", "true", "false"),
        *("not_authenticated", "distinct_id", "distinctid"),
    }
)
PLACEHOLDER_MAILBOXES: frozenset[str] = frozenset(
    ("noemail", "no-email", "no_email", "no.email", "null", "undefined")
)
"""Mailbox names that stand for "has no e-mail", at any domain."""

RELAY_DOMAINS: tuple[str, ...] = (
    "marketplace.amazon.*",
    "members.ebay.*",
    "scs.tiktokw.us",
    "relay.walmart.com",
    "allegromail.*",
    "verkopen.bol.com",
    "mail.mercadolibre.*",
)
"""Where marketplaces make up an address for each order or buyer; `*` is any top-level domain.
Apple's relay is not among them: its addresses belong to one person and receive."""

# Longer values are no identifiers anybody issues, and would not fit an index of the database.
MAX_LENGTH = 255

_MAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]+@[^\s@<>()\[\],;:\"\\.]+(?:\.[^\s@<>()\[\],;:\"\\.]+)+")
_RELAY = re.compile(
    r"(?:.+\.)?(?:"
    + "|".join(re.escape(d).replace(r"\*", r"[a-z]{2,3}(?:\.[a-z]{2})?") for d in RELAY_DOMAINS)
    + ")"
)
_NUMBERS = frozenset({_T.PHONE, _T.WHATSAPP})


def normalise(
    identifiers: Sequence[Identifier],
    *,
    country: str,
    trust: Trust,
    till: bool,
    placeholders: frozenset[str] = frozenset(),
) -> tuple[Identifier, ...]:
    """The evidence: distinct usable identifiers, cleaned and sorted.

    country: ISO 3166 alpha-2, for phone numbers without a country code. placeholders: the shop's
    own list, in any case. Phone and WhatsApp numbers come out as type phone, one number space.
    """
    usable = set()
    for identifier in identifiers:
        if till and identifier.type in ANONYMOUS:
            continue
        if trust is Trust.PUBLIC and identifier.type not in PUBLIC_MAY_ASSERT:
            continue
        cleaned = _cleaned(identifier.type, identifier.value, country)
        if cleaned is None:
            continue
        if placeholders and _is_of_list(identifier.value, cleaned.value, placeholders, country):
            continue
        usable.add((cleaned.type, cleaned.value, cleaned))
    # Sorted as plain texts, which is several times faster than comparing structs.
    return tuple([entry[2] for entry in sorted(usable)])


def normalise_one(type: str, value: str, country: str) -> str | None:
    """The value as it is stored and looked up, or None when it can identify nobody."""
    cleaned = _cleaned(type, value, country)
    return cleaned.value if cleaned else None


def identifies(identifier: Identifier, placeholders: frozenset[str]) -> bool:
    """Whether what was stored may still point at a person: lists of placeholders grow, the shop's and ours.

    placeholders: the shop's own list, in lower case.
    """
    text = identifier.value.lower()
    if text in placeholders or _is_placeholder(text):
        return False
    return identifier.type != _T.EMAIL or text.partition("@")[0] not in PLACEHOLDER_MAILBOXES


def is_relay_email(address: str) -> bool:
    """Whether a marketplace made this address up: it neither identifies nor receives."""
    return _RELAY.fullmatch(address.rpartition("@")[2].strip().lower()) is not None


@lru_cache(maxsize=1 << 14)
def fold_parts(first: str, last: str) -> tuple[str, str]:
    """Both parts of a full name without case, accents and order; two empty ones unless both are real.

    Placeholder words are no name, nor is one that a marketplace masked with asterisks.
    """
    one, other = sorted((_folded(first), _folded(last)))
    if any(part in PLACEHOLDERS or "*" in part or not _has_letter(part) for part in (one, other)):
        return ("", "")
    return (one, other)


def fold_name(first: str, last: str) -> str:
    """A full name as `fold_parts` has it, in one text; "" unless both parts are real."""
    return " ".join(fold_parts(first, last)).strip()


# As many as a busy day's visitors; an entry takes some 400 bytes.
@lru_cache(maxsize=1 << 16)
def _cleaned(type: str, value: str, country: str) -> Identifier | None:
    """The identifier as it is stored, or None when it cannot identify."""
    text = value.strip()
    if type not in STRENGTH or _is_placeholder(text) or not _is_printable(text):
        return None
    if type in _NUMBERS:
        number = _e164(text, country, international=type == _T.WHATSAPP)
        return Identifier(_T.PHONE.value, number) if number else None
    if type == _T.EMAIL:
        address = _email(text)
        return Identifier(_T.EMAIL.value, address) if address else None
    if text.startswith("gid://"):
        # Shopify writes one id both bare and as gid://shopify/Customer/1.
        return _cleaned(type, text.rpartition("/")[2], country)
    return Identifier(str(type), text)


def _is_placeholder(text: str) -> bool:
    # All-zero ids come as 000 and as 00000000-0000-0000-0000-000000000000.
    return text.lower() in PLACEHOLDERS or not text.strip("0-.:_ +()")


def _is_printable(text: str) -> bool:
    """No control characters, halves of characters or endless values, which no database keeps."""
    if len(text) > MAX_LENGTH or text.isprintable():
        return len(text) <= MAX_LENGTH
    return not any(unicodedata.category(character) in {"Cc", "Cs", "Cn"} for character in text)


def _email(text: str) -> str | None:
    # Lower-casing may leave parts that compose again, so the form is taken last.
    address = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower()).strip()
    if len(address) > MAX_LENGTH or not _MAIL.fullmatch(address) or _is_placeholder(address):
        return None
    mailbox, _, domain = address.rpartition("@")
    return None if mailbox in PLACEHOLDER_MAILBOXES or _RELAY.fullmatch(domain) else address


def _e164(text: str, country: str, *, international: bool) -> str | None:
    """The number as +353871234567, if it could be dialled.

    A WhatsApp id is international and has no plus; its type allows none but such.
    """
    if international:
        digits = text.removeprefix("whatsapp:").partition("@")[0].lstrip("+ ")
        text, country = f"+{digits}", ""
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    # Possible, not valid: numbering plans change faster than libraries, and a number that was
    # given twice identifies even where a plan has not heard of it yet.
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE or not number.national_number:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_of_list(raw: str, cleaned: str, placeholders: frozenset[str], country: str) -> bool:
    listed = _as_listed(placeholders, country)
    return raw.strip().lower() in listed or cleaned.lower() in listed


@lru_cache(maxsize=256)
def _as_listed(placeholders: frozenset[str], country: str) -> frozenset[str]:
    """A shop's own list in lower case, and its phone numbers also the way they are stored."""
    texts = {entry.strip().lower() for entry in placeholders}
    numbers = {_e164(text, country, international=False) for text in texts}
    return frozenset(texts | {number for number in numbers if number})


def _folded(part: str) -> str:
    bare = unicodedata.normalize("NFKD", part.translate(_STROKES)).casefold()
    return " ".join("".join(c for c in bare if not unicodedata.combining(c)).split())


# Letters whose mark Unicode does not take apart.
_STROKES = str.maketrans("øØłŁđĐħĦıŧŦ’", "oOlLdDhHitT'")


def _has_letter(part: str) -> bool:
    return any(character.isalpha() for character in part)

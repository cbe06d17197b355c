"""Which text may enter the warehouse, and as what? Pure; every string passes here, ten thousand in some milliseconds.

What looks like an e-mail address or a telephone number becomes null wherever it stands, also inside a longer text;
so do the identifiers and names of the person whose row it is. Answers are remembered, as shops repeat themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

LONGEST_CUSTOM = 64
"""Custom strings longer than this are prose or payloads, not something to count by."""
LONGEST_LISTED = 255
"""Longest text of a property that the vocabulary lists: Shopify's longest title."""
LONGEST_PLACE = 64

_REMEMBERED = 1 << 16

_EMAIL = re.compile(r"\S(?:@|＠|%40)\S")
# Digits with what people write between those of a telephone number.
_NUMBER = re.compile(r"\+?\d(?:[\s().\-–/]{0,3}\d){6,}")
_AMOUNT = re.compile(r"-?\d+\.\d{1,2}")
_DATE = re.compile(
    r"(?<![\d+-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?![\d-])"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
)
_AROUND_NUMBER = " \t()+-."
# Numbers this long are somebody's even inside a text: shorter ones are sizes, years and prices.
_DIGITS_INSIDE = 9
# 13 digits that begin with 1 are milliseconds since 1970; telephone numbers that begin with 1 have 11.
_MILLISECONDS = re.compile(r"1\d{12}")
_WORDS = re.compile(r"\w+")
_PIECES = re.compile(r"[\s/?&=,;:\"'()<>|\[\]{}]+")
# Shorter digits are no telephone number and no customer id of a shop system; a product may well be number 42.
_SHORT_CODE = 9
# Part of a long name, such as the last of "van der Berg", names somebody; "van" does not.
_NAME_PART = 4

_PERSONAL_NAME = re.compile(
    r"^name$|(?:first|last|middle|full|given|family|sur|nick|user|maiden|display|legal|customer|recipient|contact"
    r"|shipping|billing|buyer|guest|person)[ _.-]?name"
    r"|e-?mail|phone|mobile|whatsapp|^(?:tel|fax|cell)$"
    r"|street|address|^line[ _]?[12]$"
    r"|birth|^dob$|^ip$|ip[ _-]?addr|user[ _-]?agent"
    r"|cookie|token|password|passwd|secret|^(?:ssn|iban|vat|bic|pan)$|card[ _-]?number|latitude|longitude"
    r"|(?:anonymous|user|customer|client|device|visitor|external|buyer|contact|profile|session)[ _-]?ids?$"
    r"|^(?:gclid|fbclid|fbp|fbc|_fbp|_fbc|_ga|ttclid|msclkid)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(_REMEMBERED)
def looks_personal(value: str) -> bool:
    """Whether an e-mail address or a telephone number is, or is in, the text."""
    if _EMAIL.search(value):
        return True
    if sum(map(str.isdigit, value)) < 7 or _AMOUNT.fullmatch(value):
        return False
    text = _DATE.sub(" ", value)
    whole = text.strip(_AROUND_NUMBER)
    for found in _NUMBER.finditer(text):
        number = found[0]
        if number.startswith("+") or number.strip(_AROUND_NUMBER) == whole:
            return True
        if sum(map(str.isdigit, number)) >= _DIGITS_INSIDE:
            return True
    return False


@lru_cache(_REMEMBERED)
def scrub_text(value: str) -> str | None:
    """Text of a listed property."""
    return None if not value or len(value) > LONGEST_LISTED or looks_personal(value) else value


@lru_cache(_REMEMBERED)
def scrub_code(value: str) -> str | None:
    """An id of the catalogue: all digits are fine, as Shopify's ids are as long as telephone numbers."""
    return value if value.isascii() and value.isdigit() and len(value) <= 20 else scrub_text(value)


@lru_cache(_REMEMBERED)
def scrub_custom(value: str) -> str | None:
    """The value of a property that only the shop knows."""
    return None if not value or len(value) > LONGEST_CUSTOM or looks_personal(value) else value


@lru_cache(_REMEMBERED)
def scrub_place(value: str) -> str | None:
    """A country, region, city, ZIP, language or time zone; ZIP+4 has nine digits."""
    if not value or len(value) > LONGEST_PLACE or _EMAIL.search(value) or value.startswith("+"):
        return None
    return value if sum(map(str.isdigit, value)) <= 9 else None


@lru_cache(_REMEMBERED)
def scrub_path(url: str) -> str | None:
    """The path of a URL: what follows it names campaigns, which are columns, or people."""
    try:
        path = urlsplit(url).path.partition(";")[0]
    except ValueError:
        return None
    return scrub_text(path) if scrub_text(unquote(path)) else None


@lru_cache(_REMEMBERED)
def scrub_host(url: str) -> str | None:
    """The host of a URL, without its port and without whoever is logged in there."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return scrub_text(host) if host else None


@lru_cache(_REMEMBERED)
def may_be_named(name: str) -> bool:
    """Whether a custom property of this name may enter; those that say they are personal may not."""
    words = _CAMEL.sub("_", name).casefold()
    return bool(scrub_custom(name)) and not _PERSONAL_NAME.search(words)


def scrub_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The custom properties that may enter: scalars and lists of scalars under harmless names."""
    kept: dict[str, Any] = {}
    for name, value in properties.items():
        if value is None or not may_be_named(name):
            continue
        clean = (
            [one for one in map(_scalar, value) if one is not None]
            if isinstance(value, list)
            else _scalar(value)
        )
        if clean is not None and clean != []:
            kept[name] = clean
    return kept


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return scrub_custom(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return None if _number_looks_personal(value) else value
    return None


def _number_looks_personal(value: float) -> bool:
    if abs(value) < 10 ** (_DIGITS_INSIDE - 1) or value != int(value):
        return False
    return not _MILLISECONDS.fullmatch(str(int(value)))


@lru_cache(_REMEMBERED)
def fold(value: str) -> str:
    """The text without case, accents and outer blanks, so that ÁINE is Aine."""
    if value.isascii():
        return value.strip().casefold()
    spread = unicodedata.normalize("NFKD", value.strip())
    return "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()


@lru_cache(_REMEMBERED)
def whole_of(value: str) -> frozenset[str]:
    """What of an id or a title must not be the person's own: all of it."""
    folded = fold(value)
    short = folded.isdigit() and len(folded) < _SHORT_CODE
    return frozenset() if short else frozenset((folded,))


@lru_cache(_REMEMBERED)
def words_of(value: str) -> frozenset[str]:
    """What of a text that people write must not be the person's own: all of it, and each of its words."""
    folded = fold(value)
    return frozenset((folded, *_PIECES.split(folded), *_WORDS.findall(folded))) - {""}


@lru_cache(_REMEMBERED)
def words_of_path(value: str) -> frozenset[str]:
    """The same of the path of a URL."""
    return words_of(unquote(value))


def own_words(identifiers: Iterable[str], names: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The words that give a person away: identifiers, telephone numbers also without plus, and (first, last) names."""
    found: set[str] = set()
    for identifier in map(fold, identifiers):
        found.update((identifier, identifier.removeprefix("+")))
    for first, last in names:
        one, other = fold(first), fold(last)
        whole = {one, other, f"{one} {other}", f"{other} {one}", f"{other}, {one}"}
        parts = {part for part in _WORDS.findall(f"{one} {other}") if len(part) >= _NAME_PART}
        found.update(word.strip(" ,") for word in whole | parts)
    # A single letter is an initial at most.
    return frozenset([word for word in found if len(word) > 1])

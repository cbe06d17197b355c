"""Who is meant by a call, and what does it tell of them: identifiers and traits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from customer360.connectors.sources.payload import (
    Json,
    currency_code,
    first_text,
    record,
    records,
    text,
    texts,
)
from customer360.connectors.sources.segment.call import Call
from customer360.connectors.sources.segment.consents import CONSENT_FIELDS, CONSENT_TEXTS
from customer360.events.model import Address, Identifier, IdentifierType, Traits

_IN_BAGS = ("email", "phone", "cart_token", "checkout_token")
_TYPES = {type.value: type.value for type in IdentifierType}
_NOTHING = Traits()
# Address books of more than this belong to a business or a robot.
_MOST_ADDRESSES = 20
_SCALARS = frozenset({str, int, float, bool})

_FIRST_NAMES = ("first_name", "firstName", "firstname")
_LAST_NAMES = ("last_name", "lastName", "lastname")
PLACED_TRAITS: frozenset[str] = frozenset(
    {
        *_FIRST_NAMES,
        *_LAST_NAMES,
        *_IN_BAGS,
        *CONSENT_FIELDS,
        *CONSENT_TEXTS,
        *("name", "address", "addresses", "language", "locale", "timezone", "currency"),
        *("country", "country_code", "countryCode", "region", "state", "city"),
        *("zip", "postal_code", "postalCode", "tags"),
        *("id", "userId", "user_id", "anonymousId", "anonymous_id"),
    }
)
"""Traits that have a place of their own; the others stay custom traits."""


def identifiers_of(call: Call, *bags: Json) -> tuple[Identifier, ...]:
    """What the call says of who is meant, in the order said; `bags`: traits or properties of that person."""
    message, context = call.message, call.context
    found = []
    if user := text(message.get("userId")):
        found.append(Identifier("user_id", user))
    if visitor := text(message.get("anonymousId")):
        found.append(Identifier("cookie", visitor))
    for bag in (*bags, context.get("traits")):
        if bag and type(bag) is dict:
            for name in _IN_BAGS:
                if name in bag and (value := text(bag[name])):
                    found.append(Identifier(name, value))
    # Segment says externalIds, RudderStack externalId.
    for name in ("externalIds", "externalId"):
        if name in context:
            found += _external(context[name])
    return tuple(found)


def previous_identifier(call: Call) -> tuple[Identifier, ...]:
    """Whom an alias call names as its previous id.

    SDKs send the anonymous id there, so it is read as a cookie: as a second user id it could never link, since
    a person has one. Where it is an e-mail address, it is that.
    """
    previous = text(call.message.get("previousId"))
    if not previous:
        return ()
    return (Identifier("email" if "@" in previous else "cookie", previous),)


def traits_of(call: Call, told: Json | None = None) -> Traits | None:
    """The person's traits: what was told, and of `context.traits` what that leaves open."""
    context = call.context
    if shared := record(context.get("traits")):
        told = {**shared, **told} if told else shared
    language, timezone = text(context.get("locale")), text(context.get("timezone"))
    located = record(context.get("location")) if "location" in context else {}
    if not told and not located:
        return _traits_of_browser(language, timezone)
    return _or_none(_traits(told or {}, language, timezone, located))


# Most events tell no more of a person than this, in few ways.
@lru_cache(maxsize=1024)
def _traits_of_browser(language: str, timezone: str) -> Traits | None:
    return _or_none(Traits(language=language, timezone=timezone))


def _traits(told: Json, language: str, timezone: str, located: Json) -> Traits:
    addresses = _addresses(told)
    # A place told by hand is better than one guessed from an IP address.
    home = addresses[0] if addresses else Address()
    first, last, name = _names(told)
    return Traits(
        first_name=first,
        last_name=last,
        name=name,
        language=first_text(told, "language", "locale") or language,
        timezone=first_text(told, "timezone") or timezone,
        currency=currency_code(told.get("currency")),
        country=_country(told) or home.country or _country(located),
        region=first_text(told, "region", "state") or home.region or first_text(located, "region"),
        city=first_text(told, "city") or home.city or first_text(located, "city"),
        zip=first_text(told, "zip", "postal_code", "postalCode") or home.zip,
        addresses=addresses,
        tags=texts(told["tags"]) if type(told.get("tags")) in (str, list) else None,
        custom=_custom(told),
    )


def _or_none(traits: Traits) -> Traits | None:
    return None if traits == _NOTHING else traits


def _external(listed: object) -> Iterable[Identifier]:
    """The identifiers of `context.externalIds`; types that are none of ours point at nobody."""
    for entry in records(listed):
        type_ = text(entry.get("type"))
        value = text(entry.get("id"))
        if value and type_ in _TYPES:
            yield Identifier(type_, value)


def _names(told: Json) -> tuple[str, str, str]:
    """First, last and whole name; a whole name alone is split at its first space, or at "Last, First"."""
    first, last = first_text(told, *_FIRST_NAMES), first_text(told, *_LAST_NAMES)
    whole = " ".join(text(told.get("name")).split())
    if first or last or not whole:
        return first, last, whole
    if ", " in whole:
        last, _, first = whole.partition(", ")
        return first, last, f"{first} {last}"
    # One word alone may be either name; it stays the whole.
    first, _, last = whole.partition(" ")
    return (first, last, whole) if last else ("", "", whole)


def _addresses(told: Json) -> tuple[Address, ...]:
    given = [told.get("address"), *records(told.get("addresses"))[:_MOST_ADDRESSES]]
    return tuple(dict.fromkeys(address for one in given if (address := _address(one))))


def _address(value: object) -> Address | None:
    """A postal address; a text is a street."""
    if type(value) is str:
        return Address(street=text(value)) if value.strip() else None
    place = record(value)
    address = Address(
        street=first_text(place, "street", "street1", "address1", "line1"),
        street2=first_text(place, "street2", "address2", "line2"),
        city=first_text(place, "city"),
        region=first_text(place, "region", "state", "province"),
        zip=first_text(place, "zip", "postal_code", "postalCode"),
        country=_country(place),
        company=first_text(place, "company"),
        name=first_text(place, "name"),
        phone=first_text(place, "phone"),
    )
    located = address.street or address.city or address.region or address.zip or address.country
    return address if located else None


def _country(place: Json) -> str:
    """The ISO code, or the name where only that is told."""
    country = first_text(place, "country_code", "countryCode", "country")
    return country.upper() if len(country) == 2 else country


def _custom(told: Json) -> dict[str, str | int | float | bool]:
    """All other traits that are single values; a number beyond 64 bits is a text."""
    custom: dict[str, str | int | float | bool] = {}
    for name, value in told.items():
        if type(value) not in _SCALARS or name in PLACED_TRAITS or value == "":
            continue
        is_text = type(value) is str or (type(value) is int and abs(value) >= 1 << 63)
        custom[name.replace("\0", "")] = text(value) if is_text else value
    return custom

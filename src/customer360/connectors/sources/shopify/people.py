"""Who is meant: identifiers and traits from a customer object and from what stands around it.

Only what is the person's own identifies: their account, the e-mail address and phone number that they gave for
the order, checkout or account. Addresses may be somebody else's (a gift), so the phone numbers in them never
identify, and an address under another name is not kept.
"""

from __future__ import annotations

from typing import Any

from customer360.connectors.sources.payload import Json, currency_code, record, records, text, texts
from customer360.connectors.sources.shopify.fields import id_text, own_id, token
from customer360.events.model import Address, Identifier, IdentifierType, Traits


def identifiers(kind: IdentifierType, *values: str) -> tuple[Identifier, ...]:
    """One identifier for each distinct value that is not empty."""
    return tuple(Identifier(kind, value) for value in dict.fromkeys(values) if value)


def account(value: Any) -> tuple[Identifier, ...]:
    """The shop customer id, from a number, a text or a gid."""
    return identifiers(IdentifierType.SHOPIFY_CUSTOMER_ID, id_text(value))


def of_customer(customer: Json) -> tuple[Identifier, ...]:
    """The identifiers of a customer object."""
    return (
        *identifiers(IdentifierType.SHOPIFY_CUSTOMER_ID, own_id(customer)),
        *identifiers(IdentifierType.EMAIL, text(customer.get("email"))),
        *identifiers(IdentifierType.PHONE, text(customer.get("phone"))),
    )


def of_buyer(body: Json) -> tuple[Identifier, ...]:
    """The known identifiers of an order or checkout, its customer's included."""
    customer = record(body.get("customer"))
    emails = (body.get("email"), body.get("contact_email"), customer.get("email"))
    phones = (body.get("phone"), body.get("sms_marketing_phone"), customer.get("phone"))
    return (
        *identifiers(IdentifierType.SHOPIFY_CUSTOMER_ID, own_id(customer)),
        *identifiers(IdentifierType.EMAIL, *map(text, emails)),
        *identifiers(IdentifierType.PHONE, *map(text, phones)),
    )


def of_browser(cart_token: Any, checkout_token: Any) -> tuple[Identifier, ...]:
    """The anonymous identifiers that tie an order or checkout to a browser."""
    return (
        *identifiers(IdentifierType.CART_TOKEN, token(cart_token)),
        *identifiers(IdentifierType.CHECKOUT_TOKEN, token(checkout_token)),
    )


def customer_traits(customer: Json) -> Traits | None:
    """What a customer object tells of the person; the merchant's note is not kept."""
    default = record(customer.get("default_address"))
    return _traits(customer, [default, *records(customer.get("addresses"))])


def buyer_traits(body: Json) -> Traits | None:
    """What an order or checkout tells of the person who bought."""
    customer = record(body.get("customer"))
    default = record(customer.get("default_address"))
    billing, shipping = record(body.get("billing_address")), record(body.get("shipping_address"))
    named = next(
        (entry for entry in (customer, default, billing, shipping) if _folded_name(entry)), {}
    )
    person = _folded_name(named)
    own = [place for place in (billing, shipping) if _folded_name(place) in ("", person)]
    buyer = {
        "first_name": named.get("first_name"),
        "last_name": named.get("last_name"),
        "name": named.get("name"),
        "locale": body.get("customer_locale"),
    }
    return _traits({**buyer, **_told(customer)}, [default, *own])


def _told(customer: Json) -> Json:
    """The fields of a customer that say something."""
    return {
        name: value for name, value in customer.items() if value not in (None, "") or name == "tags"
    }


def _traits(customer: Json, places: list[Json]) -> Traits | None:
    """None when nothing is told. The person lives at the first of the places."""
    addresses = tuple(dict.fromkeys(address for place in places if (address := _address(place))))
    home = addresses[0] if addresses else Address()
    first_name, last_name = text(customer.get("first_name")), text(customer.get("last_name"))
    traits = Traits(
        first_name=first_name,
        last_name=last_name,
        name="" if first_name or last_name else text(customer.get("name")),
        language=text(customer.get("locale")),
        currency=currency_code(customer.get("currency")),
        country=home.country,
        region=home.region,
        city=home.city,
        zip=home.zip,
        addresses=addresses,
        tags=texts(customer["tags"]) if isinstance(customer.get("tags"), str | list) else None,
        account_state=text(customer.get("state")),
    )
    return None if traits == Traits() else traits


def _address(place: Json) -> Address | None:
    """The postal address, or None where there is not even a country."""
    address = Address(
        street=text(place.get("address1")),
        street2=text(place.get("address2")),
        city=text(place.get("city")),
        region=text(place.get("province_code")) or text(place.get("province")),
        zip=text(place.get("zip")),
        country=_country(place),
        company=text(place.get("company")),
        name=text(place.get("name")) or _full_name(place),
        phone=text(place.get("phone")),
    )
    located = address.street or address.city or address.region or address.zip or address.country
    return address if located else None


def _country(place: Json) -> str:
    """The ISO code, or the name where only that is told."""
    country = text(place.get("country_code")) or text(place.get("country"))
    return country.upper() if len(country) == 2 else country


def _full_name(named: Json) -> str:
    return f"{text(named.get('first_name'))} {text(named.get('last_name'))}".strip()


def _folded_name(named: Json) -> str:
    """The name to compare by."""
    return " ".join((_full_name(named) or text(named.get("name"))).casefold().split())

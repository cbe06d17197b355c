"""Files of people: Shopify's customers export, Klaviyo's profiles, and mapped files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from customer360.clock import Instant
from customer360.connectors.sources.files import cells
from customer360.connectors.sources.files.addresses import Columns, address, traits
from customer360.connectors.sources.files.row import read_row, row_key
from customer360.events.model import (
    Address,
    Channel,
    ConsentReport,
    Event,
    Identifier,
    IdentifierType,
    ShopContext,
    Signal,
    Traits,
    Unusable,
)

_DECODER = msgspec.json.Decoder(Columns)
# Columns of a profile beyond these belong to another system's bookkeeping, or to an attack.
_MOST_CUSTOM = 100


class _Person(msgspec.Struct, frozen=True):
    """What a row tells of one person, whatever its format."""

    identifiers: tuple[Identifier, ...]
    traits: Traits | None
    consents: tuple[ConsentReport, ...]
    properties: dict[str, object] = {}


def translate(signal: Signal, shop: ShopContext) -> Sequence[Event]:
    """One contact_updated, as of the import. Raises Unusable."""
    row = read_row(signal, _DECODER)
    read = _READERS.get(str(signal.envelope.get("format")), _mapped)
    person = read(row, signal.received_at, shop)
    if not person.identifiers:
        raise Unusable(
            "missing_identifier", "The row has no customer id, e-mail address or phone number."
        )
    event = Event(
        type="contact_updated",
        occurred_at=signal.received_at,
        dedupe_key=f"row:{row_key(signal)}",
        identifiers=person.identifiers,
        traits=person.traits,
        properties=person.properties,
        consents=person.consents,
    )
    return (event,)


def _mapped(row: Columns, at: Instant, _shop: ShopContext) -> _Person:
    email = row.get("email", "")
    place = Address(
        city=cells.text(row.get("city", "")),
        region=cells.text(row.get("region", "")),
        zip=cells.zip_code(row.get("zip", "")),
        country=cells.country(row.get("country", "")),
    )
    told = traits(
        cells.text(row.get("first_name", "")),
        cells.text(row.get("last_name", "")),
        "",
        [place] if place != Address() else [],
        tags=cells.tags(row.get("tags")),
    )
    return _Person(
        cells.identifiers(row.get("customer_id", ""), email, row.get("phone", "")),
        told,
        cells.consent("email", row.get("accepts_email"), email, at, dated=False),
    )


def _shopify(row: Columns, at: Instant, _shop: ShopContext) -> _Person:
    row = _named(row, _SHOPIFY_NAMES)
    email, phone = row.get("Email", ""), row.get("Phone", "")
    home = address(row, "Default Address ") or address(row, "")
    told = traits(
        cells.text(row.get("First Name", "")),
        cells.text(row.get("Last Name", "")),
        "",
        [home] if home else [],
        tags=cells.tags(row.get("Tags")),
    )
    consents = (
        *cells.consent("email", row.get("Accepts Email Marketing"), email, at, dated=False),
        *cells.consent("sms", row.get("Accepts SMS Marketing"), phone, at, dated=False),
    )
    shown = {"total_spent": row.get("Total Spent"), "total_orders": row.get("Total Orders")}
    return _Person(
        cells.identifiers(row.get("Customer ID", ""), email, phone),
        told,
        consents,
        {name: cells.text(value) for name, value in shown.items() if value},
    )


def _klaviyo(row: Columns, at: Instant, shop: ShopContext) -> _Person:
    row = _named(row, _KLAVIYO_NAMES)
    email, phone = row.get("Email", ""), row.get("Phone Number", "")
    klaviyo_id = cells.text(row.get("Klaviyo ID", ""))
    home = address(row, "")
    told = traits(
        cells.text(row.get("First Name", "")),
        cells.text(row.get("Last Name", "")),
        "",
        [home] if home else [],
        timezone=cells.text(row.get("Timezone", "")),
        custom=_custom(row),
    )
    own_id = (Identifier(IdentifierType.KLAVIYO_ID, klaviyo_id),) if klaviyo_id else ()
    return _Person(
        cells.identifiers("", email, phone) + own_id,
        told,
        (
            *_klaviyo_consent("email", row, email, at, shop),
            *_klaviyo_consent("sms", row, phone, at, shop),
        ),
    )


def _klaviyo_consent(
    channel: Channel, row: Columns, to: str, at: Instant, shop: ShopContext
) -> tuple[ConsentReport, ...]:
    """Klaviyo tells subscribed and unsubscribed, mostly with the time; blank is never, which says nothing new."""
    column = _KLAVIYO_CONSENTS[channel]
    since = row.get(f"{column} Timestamp", "")
    told_at = cells.instant(since, shop.timezone) if since else at
    return cells.consent(channel, row.get(column), to, told_at, dated=bool(since))


def _custom(row: Columns) -> dict[str, str | int | float | bool]:
    """The columns that have no place of their own."""
    others = {name: cells.text(cell) for name, cell in row.items() if name not in _KLAVIYO_PLACED}
    return dict(list(others.items())[:_MOST_CUSTOM])


def _named(row: Columns, names: dict[str, str]) -> Columns:
    """The row with its known columns under their usual names, however the export writes them."""
    return {names.get(name.lower(), name): cell for name, cell in row.items()}


_KLAVIYO_CONSENTS: dict[Channel, str] = {
    "email": "Email Marketing Consent",
    "sms": "SMS Marketing Consent",
}
_KLAVIYO_PLACED = frozenset(
    {
        *("Email", "Phone Number", "Klaviyo ID", "First Name", "Last Name", "Timezone"),
        *(column + end for column in _KLAVIYO_CONSENTS.values() for end in ("", " Timestamp")),
        *("Address", "Address1", "Address 2", "Address2", "City", "State / Region", "State/Region"),
        *(
            "Region",
            "State",
            "Zip Code",
            "ZIP Code",
            "Zip",
            "Postal Code",
            "Country",
            "Country Code",
        ),
        *("Organization", "Company"),
    }
)
_KLAVIYO_NAMES = {name.lower(): name for name in _KLAVIYO_PLACED} | {
    "email address": "Email",
    "phone": "Phone Number",
    "profile id": "Klaviyo ID",
    "id": "Klaviyo ID",
}
# "Accepts Marketing" is the name before Shopify had text messages.
_SHOPIFY_NAMES = {
    **{name.lower(): name for name in ("Email", "Phone", "First Name", "Last Name", "Customer ID")},
    "accepts marketing": "Accepts Email Marketing",
    "accepts email marketing": "Accepts Email Marketing",
    "accepts sms marketing": "Accepts SMS Marketing",
    "id": "Customer ID",
}
_READERS: dict[str, Callable[[Columns, Instant, ShopContext], _Person]] = {
    "shopify": _shopify,
    "klaviyo": _klaviyo,
    "generic": _mapped,
}

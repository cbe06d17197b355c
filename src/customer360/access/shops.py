"""Shops: made, found, renamed, uninstalled, deleted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import phonenumbers
from babel.numbers import is_currency
from sqlalchemy import (
    Connection,
    Row,
    TableClause,
    column,
    delete,
    insert,
    inspect,
    select,
    table,
    tuple_,
    update,
)

from customer360.access.keys import issue_key
from customer360.access.plans import DEFAULT_PLAN
from customer360.access.tables import (
    api_keys,
    memberships,
    organisations,
    shopify_links,
    shops,
)
from customer360.clock import Instant, zone
from customer360.errors import InvalidInput, InvalidTime, ShopNotFound
from customer360.storage.metadata import shop_clock
from customer360.values import new_ids

LONGEST_NAME = 200


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant; nothing crosses shops."""

    shop_id: int
    organisation_id: int
    name: str
    currency: str
    """ISO 4217."""
    timezone: str
    """IANA."""
    country: str
    """ISO 3166 alpha-2."""
    plan: str
    state: Literal["active", "uninstalled"]
    uninstalled_at: Instant | None
    digest_key: bytes
    """Keys the digests of this shop's identifiers, so that they mean nothing elsewhere."""
    created_at: Instant
    settings: dict[str, Any]


class NewShop(msgspec.Struct, frozen=True):
    """A shop just made, and its keys, which are shown this once."""

    shop: Shop
    pixel_key: str
    write_key: str
    api_key: str
    webhook_secret: str


def create_shop(
    connection: Connection,
    *,
    name: str,
    currency: str,
    timezone: str,
    country: str,
    now: Instant,
    organisation_id: int | None = None,
) -> NewShop:
    """Make a shop with one key of each kind; without an organisation it joins the oldest one.

    Raises InvalidInput for a name, currency, time zone or country that is none.
    """
    name = _name(name)
    shop = Shop(
        shop_id=new_ids.next(),
        organisation_id=organisation_id or first_organisation(connection, now),
        name=name,
        currency=_currency(currency),
        timezone=_timezone(timezone),
        country=_country(country),
        plan=DEFAULT_PLAN,
        state="active",
        uninstalled_at=None,
        digest_key=secrets.token_bytes(32),
        created_at=now,
        settings={},
    )
    row = msgspec.structs.asdict(shop) | {"settings": json.dumps(shop.settings)}
    connection.execute(insert(shops).values(row))
    connection.execute(insert(shop_clock).values(shop_id=shop.shop_id))
    return NewShop(
        shop,
        issue_key(connection, shop.shop_id, "pixel", now),
        issue_key(connection, shop.shop_id, "write", now),
        issue_key(connection, shop.shop_id, "api", now),
        issue_key(connection, shop.shop_id, "webhook", now),
    )


def first_organisation(connection: Connection, now: Instant) -> int:
    """The oldest organisation; one is made in an installation that has none yet."""
    oldest = (
        select(organisations.c.organisation_id).order_by(organisations.c.organisation_id).limit(1)
    )
    found = connection.execute(oldest).scalar_one_or_none()
    return int(found) if found is not None else new_organisation(connection, "Customer 360", now)


def new_organisation(connection: Connection, name: str, now: Instant) -> int:
    """Make an organisation and return its id."""
    made = new_ids.next()
    connection.execute(
        insert(organisations).values(organisation_id=made, name=name, created_at=now)
    )
    return made


def find_shop(connection: Connection, shop_id: int) -> Shop | None:
    """The shop with this id, if there is one."""
    row = connection.execute(select(shops).where(shops.c.shop_id == shop_id)).one_or_none()
    return None if row is None else shop_of(row)


def get_shop(connection: Connection, shop_id: int) -> Shop:
    """The shop with this id; raises ShopNotFound."""
    shop = find_shop(connection, shop_id)
    if shop is None:
        raise ShopNotFound
    return shop


def list_shops(connection: Connection) -> list[Shop]:
    """Every shop, oldest first."""
    return [shop_of(row) for row in connection.execute(select(shops).order_by(shops.c.shop_id))]


def change_shop(
    connection: Connection,
    shop_id: int,
    *,
    name: str | None = None,
    currency: str | None = None,
    timezone: str | None = None,
    country: str | None = None,
    settings: dict[str, Any] | None = None,
) -> Shop:
    """Change what is given and keep the rest; raises InvalidInput, ShopNotFound."""
    checked: dict[str, str | None] = {
        "name": None if name is None else _name(name),
        "currency": None if currency is None else _currency(currency),
        "timezone": None if timezone is None else _timezone(timezone),
        "country": None if country is None else _country(country),
        "settings": None if settings is None else json.dumps(settings),
    }
    changes = {key: value for key, value in checked.items() if value is not None}
    if changes:
        connection.execute(update(shops).where(shops.c.shop_id == shop_id).values(changes))
    return get_shop(connection, shop_id)


def uninstall_shop(connection: Connection, shop_id: int, now: Instant) -> None:
    """The shop has removed the app: intake stops and its 30 days begin, once."""
    connection.execute(
        update(shops)
        .where(shops.c.shop_id == shop_id, shops.c.state == "active")
        .values(state="uninstalled", uninstalled_at=now)
    )


def reinstall_shop(connection: Connection, shop_id: int) -> None:
    """The shop is back; its data is kept."""
    connection.execute(
        update(shops).where(shops.c.shop_id == shop_id).values(state="active", uninstalled_at=None)
    )


def close_shop(connection: Connection, shop_id: int) -> None:
    """Delete the shop itself with its keys and its clock: nobody finds it or writes to it from now on.

    `delete_some` then deletes the rest, in as many transactions as it takes, so that nobody waits long.
    Raises ShopNotFound.
    """
    get_shop(connection, shop_id)
    for gone in (shops, api_keys, shopify_links, memberships, shop_clock):
        connection.execute(delete(gone).where(gone.c.shop_id == shop_id))


def delete_some(connection: Connection, shop_id: int, most: int = 20_000) -> int:
    """Delete at most so many rows of a shop; 0 when none is left."""
    for rows in _tables_of_shops(connection):
        some = select(*rows.c).where(rows.c.shop_id == shop_id).limit(most)
        deleted = connection.execute(delete(rows).where(tuple_(*rows.c).in_(some))).rowcount
        if deleted:
            return deleted
    return 0


def has_rows(connection: Connection, shop_id: int) -> bool:
    """Whether anything of a shop is left, be it that its deletion was interrupted."""
    return any(
        connection.execute(select(rows).where(rows.c.shop_id == shop_id).limit(1)).first()
        for rows in _tables_of_shops(connection)
    )


def _tables_of_shops(connection: Connection) -> Iterator[TableClause]:
    """The keys of whatever tables the database has for shops, known to this process or not."""
    inspector = inspect(connection)
    for name in inspector.get_table_names():
        key = inspector.get_pk_constraint(name)["constrained_columns"]
        if key[:1] == ["shop_id"]:
            yield table(name, *(column(part) for part in key))


def shop_of(row: Row[Any]) -> Shop:
    """The shop of a row that holds every column of `shops`."""
    values = {name: getattr(row, name) for name in Shop.__struct_fields__}
    return Shop(**values | {"settings": json.loads(row.settings)})


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"A shop needs a name of at most {LONGEST_NAME} characters.", "name")
    return name


def _currency(text: str) -> str:
    code = text.strip().upper()
    if not is_currency(code):
        raise InvalidInput(f"{text!r} is no ISO 4217 currency, for example EUR.", "currency")
    return code


def _timezone(text: str) -> str:
    try:
        name = zone(text.strip()).key
    except InvalidTime as error:
        raise InvalidInput(str(error), "timezone") from error
    if (
        name == "Factory"
    ):  # stands for "not set" in the zone database, and is a zone to Python alone
        raise InvalidInput(
            "Factory is no time zone of a place, for example Europe/Dublin.", "timezone"
        )
    return name


def _country(text: str) -> str:
    code = text.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidInput(
            f"{text!r} is no ISO 3166 country of two letters, for example IE.", "country"
        )
    return code

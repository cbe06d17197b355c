"""Which Shopify shop is which of ours, and which app secrets may have signed its webhooks."""

from __future__ import annotations

import re

from sqlalchemy import Connection, Row, delete, insert, select, update

from customer360.access.seal import seal, unseal
from customer360.access.shops import Shop, get_shop, reinstall_shop, shop_of
from customer360.access.tables import shopify_links, shops
from customer360.clock import HOUR, Instant
from customer360.errors import Conflict, InvalidInput

# Shopify may sign with the old secret for so long after a rotation.
ROTATION: Instant = HOUR

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9.-]{0,250}\.[a-z]{2,63}")


def link_shopify(
    connection: Connection, shop_id: int, *, domain: str, secret: str, secret_key: str, now: Instant
) -> None:
    """Take webhooks of this Shopify shop, signed with its app's secret.

    Linking again rotates the secret, and a shop that had uninstalled the app is active again.
    Raises InvalidInput, ShopNotFound, and Conflict where the domain belongs to another shop.
    """
    get_shop(connection, shop_id)
    name = shopify_domain(domain)
    if not secret.strip():
        raise InvalidInput(
            "Give the app's client secret; Shopify shows it with the app's keys.", "secret"
        )
    link = connection.execute(
        select(shopify_links).where(shopify_links.c.domain == name)
    ).one_or_none()
    sealed = seal(secret.strip(), secret_key)
    if link is None:
        row = {"shop_id": shop_id, "domain": name, "secret": sealed, "linked_at": now}
        connection.execute(insert(shopify_links).values(row))
    elif link.shop_id != shop_id:
        raise Conflict(f"{name} is linked to another shop; unlink it there first.")
    elif unseal(link.secret, secret_key) != secret.strip():
        _rotate(connection, name, sealed, link.secret, now)
    reinstall_shop(connection, shop_id)


def unlink_shopify(connection: Connection, shop_id: int, domain: str) -> None:
    """Take no more webhooks of this Shopify shop."""
    connection.execute(
        delete(shopify_links).where(
            shopify_links.c.shop_id == shop_id, shopify_links.c.domain == shopify_domain(domain)
        )
    )


def shopify_domains(connection: Connection, shop_id: int) -> list[str]:
    """The Shopify shops that are linked to this shop, by name."""
    mine = select(shopify_links.c.domain).where(shopify_links.c.shop_id == shop_id)
    return list(connection.execute(mine.order_by(shopify_links.c.domain)).scalars())


def shopify_secrets(
    connection: Connection, domain: str, now: Instant, secret_key: str
) -> tuple[Shop, tuple[str, ...]] | None:
    """The shop of a Shopify domain and the secrets that may sign now, newest first.

    None when nobody has linked the domain.
    """
    try:
        name = shopify_domain(domain)
    except InvalidInput:
        return None
    row = connection.execute(
        select(
            shops,
            shopify_links.c.secret,
            shopify_links.c.previous_secret,
            shopify_links.c.rotated_at,
        )
        .join(shopify_links, shopify_links.c.shop_id == shops.c.shop_id)
        .where(shopify_links.c.domain == name)
    ).one_or_none()
    if row is None:
        return None
    return shop_of(row), tuple(unseal(sealed, secret_key) for sealed in _valid_secrets(row, now))


def shopify_domain(text: str) -> str:
    """The domain as it is compared: lower case, without scheme and slash. Raises InvalidInput."""
    name = text.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    if not _DOMAIN.fullmatch(name):
        raise InvalidInput(f"{text!r} is no domain, for example my-shop.myshopify.com.", "domain")
    return name


def _valid_secrets(row: Row[tuple[object, ...]], now: Instant) -> tuple[bytes, ...]:
    if row.previous_secret is not None and now < row.rotated_at + ROTATION:
        return (row.secret, row.previous_secret)
    return (row.secret,)


def _rotate(
    connection: Connection, domain: str, sealed: bytes, previous: bytes, now: Instant
) -> None:
    connection.execute(
        update(shopify_links)
        .where(shopify_links.c.domain == domain)
        .values(secret=sealed, previous_secret=previous, rotated_at=now)
    )

"""Settings, Identity: how far linking goes in this shop, who changed it, and whether everybody is resolved by it."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

from customer360.errors import InvalidInput
from customer360.identities.rules import (
    NAMES,
    as_told,
    change_rules,
    changes_of,
    choice_told,
    present_version,
    versions_of,
)
from customer360.web.deciding import actor_of
from customer360.web.door import Door, Page
from customer360.web.settings import settings_page
from customer360.web.visit import Visit
from customer360.web.words import rule_help, rule_label


class Field(NamedTuple):
    """A rule as the form shows it."""

    name: str
    label: str
    help: str
    value: str


def show(_door: Door, visit: Visit) -> Page:
    """The shop's rules in a form, how far they have reached, and every change of them."""
    return _page(visit, {})


def change(door: Door, visit: Visit) -> Page | Response:
    """Saves them; the worker then resolves everybody anew."""
    told = {name: visit.field(name) for name in NAMES}
    shop = visit.shop
    try:
        with visit.app.database.write() as connection:
            before = present_version(connection, shop.shop_id)
            made = change_rules(
                connection,
                shop.shop_id,
                choice_told(before.choice, told),
                shop.country,
                actor=actor_of(visit),
                now=visit.now,
            )
    except InvalidInput as error:
        return _page(visit, told, error)
    said = "Nothing was changed." if made == before else "Saved. Everybody is being resolved anew."
    return door.redirect(f"{visit.root}/settings/identity", said)


def _page(visit: Visit, told: dict[str, str], error: InvalidInput | None = None) -> Page:
    with visit.app.database.read() as connection:
        versions = versions_of(connection, visit.shop.shop_id)
    values = as_told(versions[0].choice) | told
    *numbers, placeholders = (
        Field(name, rule_label(name), rule_help(name), values[name]) for name in NAMES
    )
    return settings_page(
        "settings/identity.html",
        visit,
        422 if error else 200,
        numbers=numbers,
        placeholders=placeholders,
        present=versions[0],
        changes=changes_of(versions),
        error=str(error) if error else "",
        error_field=error.path if error else "",
    )

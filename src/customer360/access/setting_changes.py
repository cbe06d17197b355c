"""Parts of a shop's settings: changed one at a time, and every change kept with who made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from customer360.access.shops import change_shop
from customer360.access.tables import setting_changes, shops
from customer360.clock import Instant
from customer360.errors import ShopNotFound
from customer360.values import new_ids


class SettingChange(msgspec.Struct, frozen=True):
    """One setting that somebody set otherwise."""

    name: str
    before: Any
    after: Any
    actor: str
    at: Instant


def lock_settings(connection: Connection, shop_id: int) -> dict[str, Any]:
    """All settings of a shop, which nobody else changes until this transaction ends; raises ShopNotFound."""
    query = select(shops.c.settings).where(shops.c.shop_id == shop_id).with_for_update()
    stored = connection.execute(query).scalar_one_or_none()
    if stored is None:
        raise ShopNotFound
    settings: dict[str, Any] = json.loads(stored)
    return settings


def change_settings(
    connection: Connection,
    shop_id: int,
    settings: Mapping[str, Any],
    part: str,
    before: Mapping[str, Any],
    changed: Mapping[str, Any],
    *,
    actor: str,
    now: Instant,
) -> None:
    """Set what changed in a part of the locked settings, and keep who changed it from what; all others stay."""
    if not changed:
        return
    told = {**settings.get(part, {}), **changed}
    change_shop(connection, shop_id, settings={**settings, part: told})
    rows = [
        {
            "shop_id": shop_id,
            "change_id": new_ids.next(),
            "part": part,
            "name": name,
            "before": json.dumps(before[name]),
            "after": json.dumps(value),
            "actor": actor,
            "made_at": now,
        }
        for name, value in changed.items()
    ]
    connection.execute(insert(setting_changes), rows)


def setting_changes_of(connection: Connection, shop_id: int, part: str) -> list[SettingChange]:
    """Everything that was ever changed in a part, newest first."""
    mine = (setting_changes.c.shop_id == shop_id, setting_changes.c.part == part)
    query = select(setting_changes).where(*mine).order_by(setting_changes.c.change_id.desc())
    return [
        SettingChange(
            row.name, json.loads(row.before), json.loads(row.after), row.actor, row.made_at
        )
        for row in connection.execute(query)
    ]

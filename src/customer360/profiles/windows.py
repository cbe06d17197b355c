"""The windows of a shop: what it chose, and every change with who made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from customer360.access.setting_changes import (
    SettingChange,
    change_settings,
    lock_settings,
    setting_changes_of,
)
from customer360.clock import Instant
from customer360.errors import Conflict
from customer360.profiles.stages import (
    WINDOWS_PART,
    Windows,
    as_settings,
    check_windows,
    windows_of,
)


def change_windows(
    connection: Connection,
    shop_id: int,
    told: Mapping[str, Any],
    *,
    seen: Windows | None = None,
    actor: str,
    now: Instant,
) -> Windows:
    """Let these windows hold from now on, the others stay; what then holds.

    seen: what the person had before their eyes, if that is known. Raises InvalidInput, ShopNotFound, and Conflict
    where somebody has changed the windows since they were seen.
    """
    settings = lock_settings(connection, shop_id)
    present = windows_of(settings)
    if seen is not None and seen != present:
        raise Conflict("Somebody changed the windows meanwhile; this is what holds now.")
    before = as_settings(present)
    wanted = check_windows(windows_of({WINDOWS_PART: {**before, **told}}))
    after = as_settings(wanted)
    changed = {name: value for name, value in after.items() if value != before[name]}
    change_settings(
        connection, shop_id, settings, WINDOWS_PART, before, changed, actor=actor, now=now
    )
    return wanted


def window_changes(connection: Connection, shop_id: int) -> list[SettingChange]:
    """Everything that was ever changed, newest first."""
    return setting_changes_of(connection, shop_id, WINDOWS_PART)

"""How fresh is what a page shows?"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, exists, select

from customer360.intake.tables import inbox
from customer360.storage.metadata import shop_clock


class Freshness(NamedTuple):
    """Whether signals wait for the worker, and whether lists lack changes that profiles have already."""

    is_waiting: bool
    is_behind: bool

    @property
    def of_profiles(self) -> str:
        """In words, for a page about one person."""
        return "catching up" if self.is_waiting else "up to date"

    @property
    def of_lists(self) -> str:
        """In words, for a page about many: lists follow the profiles within seconds."""
        return "catching up" if self.is_waiting or self.is_behind else "up to date"


def freshness(connection: Connection, shop_id: int) -> Freshness:
    """What the shop's two stores say of themselves."""
    waiting = select(exists().where(inbox.c.shop_id == shop_id))
    behind = select(shop_clock.c.synced < shop_clock.c.change).where(
        shop_clock.c.shop_id == shop_id
    )
    return Freshness(
        bool(connection.execute(waiting).scalar_one()),
        bool(connection.execute(behind).scalar_one()),
    )

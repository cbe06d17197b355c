"""Sources: where did every signal go, and how is a source connected?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from customer360.access.keys import pixel_key
from customer360.access.shopify import shopify_domains
from customer360.clock import Instant
from customer360.intake.balance import SourceBalance, balance, last_received
from customer360.web.door import Door, Page
from customer360.web.visit import Visit


class SourceRow(NamedTuple):
    """One source's balance; the shares are of what was received."""

    name: str
    received: int
    stored: int
    duplicate: int
    rejected: int
    waiting: int
    last_at: Instant | None

    def share(self, count: int) -> float | None:
        """The part of all that was received."""
        return count / self.received if self.received else None


def show(_door: Door, visit: Visit) -> Page:
    """The balance of every source, and the ways to connect one."""
    shop_id = visit.shop.shop_id
    with visit.app.database.read() as connection:
        counted = balance(connection, shop_id)
        last_at = last_received(connection, shop_id)
        key = pixel_key(connection, shop_id)
        domains = shopify_domains(connection, shop_id)
    newest = max(last_at.values(), default=None)
    return Page(
        "sources/list.html",
        {
            "rows": [_row(name, part, last_at) for name, part in counted.sources.items()],
            "total": _row("", counted.total, {"": newest} if newest is not None else {}),
            "holds": counted.total.holds,
            "public_url": visit.app.settings.resolved_public_url,
            "pixel_key": key,
            "shopify_domains": domains,
        },
    )


def _row(name: str, part: SourceBalance, last_at: Mapping[str, Instant]) -> SourceRow:
    return SourceRow(
        name,
        part.received,
        part.stored,
        part.duplicate,
        sum(part.rejected.values()),
        part.waiting,
        last_at.get(name),
    )

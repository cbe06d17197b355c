"""Alerts: customers who link no further by themselves, until somebody has seen to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from customer360.identities.alerts import AlertRow, acknowledge, count_alerts, list_alerts
from customer360.values import parse_id
from customer360.web.deciding import actor_of, came_from, tabs, titles
from customer360.web.door import Door, Page
from customer360.web.paging import part_of
from customer360.web.visit import Visit

_PAGE_ROWS = 25


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert with what its customer is called."""

    row: AlertRow
    title: str


def show(_door: Door, visit: Visit) -> Page | Response:
    """A page of the alerts that have not ended, newest first."""
    shop_id, before = visit.shop.shop_id, parse_id(visit.query.get("before", ""))
    with visit.app.database.read() as connection:
        found = list_alerts(connection, shop_id, before=before, limit=_PAGE_ROWS + 1)
        part = part_of(visit, found, lambda row: row.alert_id, _PAGE_ROWS)
        values: dict[str, object] = {
            "tabs": tabs(connection, visit),
            "alerts": _shown(connection, shop_id, part.rows),
            "total": count_alerts(connection, shop_id),
            "part": part,
        }
    if part.is_past_the_end:
        return RedirectResponse(part.newest, 303)
    return Page("duplicates/alerts.html", values)


def see(door: Door, visit: Visit) -> Response:
    """Note that somebody has seen it."""
    alert_id, shop_id = visit.id_of("alert_id"), visit.shop.shop_id
    with visit.app.database.write() as connection:
        acknowledge(connection, shop_id, alert_id, actor=actor_of(visit), now=visit.now)
    return door.redirect(came_from(visit), "Noted. The alert ends when the customer links again.")


def _shown(connection: Connection, shop_id: int, rows: Sequence[AlertRow]) -> list[Shown]:
    called = titles(connection, shop_id, (row.profile_id for row in rows))
    return [Shown(row, called[row.profile_id]) for row in rows]

"""What should people know of some profiles? And say that it was seen."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from customer360.api.v1.asked import Asking, id_of
from customer360.api.v1.cursors import cut_page, decode_cursor
from customer360.api.v1.fields import Paging
from customer360.api.v1.identity_models import AlertItem, AlertList
from customer360.api.v1.merges import ACTOR
from customer360.clock import to_iso
from customer360.errors import AlertNotFound
from customer360.identities.alerts import AlertRow, acknowledge, count_alerts, list_alerts


class AlertQuestion(Paging):
    """Which alerts are wanted."""

    state: Literal["open", "ended"] = Field(
        "open", description="`ended`: the profile links further again"
    )


def list_all_alerts(asked: Asking, question: Annotated[AlertQuestion, Query()]) -> AlertList:
    """What people should know of some profiles, newest first: that they link no further by themselves."""
    before = decode_cursor(question.cursor, int)[0] if question.cursor is not None else None
    with asked.doors.database.read() as connection:
        found = list_alerts(
            connection,
            asked.shop_id,
            state=question.state,
            before=before,
            limit=question.limit + 1,
        )
        total = count_alerts(connection, asked.shop_id, state=question.state)
    page, next_cursor = cut_page(found, lambda row: (row.alert_id,), question.limit)
    return AlertList(items=[_item(row) for row in page], next_cursor=next_cursor, total=total)


def acknowledge_alert(asked: Asking, alert_id: str) -> AlertItem:
    """Say that somebody has seen it; it stays until the profile links further again."""
    number = id_of(alert_id, AlertNotFound)
    with asked.doors.database.write() as connection:
        row = acknowledge(
            connection, asked.shop_id, number, actor=ACTOR, now=asked.doors.clock.now()
        )
    return _item(row)


def _item(row: AlertRow) -> AlertItem:
    return AlertItem(
        alert_id=str(row.alert_id),
        kind=row.kind,
        profile_id=str(row.profile_id),
        made_at=str(to_iso(row.made_at)),
        acknowledged_at=to_iso(row.acknowledged_at),
        acknowledged_by=row.acknowledged_by or None,
        ended_at=to_iso(row.ended_at),
    )

"""Where in the lifecycle were people, and when?"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import Field

from customer360.api.v1.asked import Asking
from customer360.api.v1.cursors import page_of
from customer360.api.v1.fields import Answer, Listing, Paging
from customer360.profiles.stage_history import stage_history
from customer360.profiles.stages import shop_calendar


class StageSpanItem(Answer):
    """A stage, and the shop's calendar days at whose ends the person was in it."""

    stage: str = Field(examples=["converted"])
    since: date = Field(description="The first of the days")
    until: date | None = Field(description="The last of the days; null while they are in it")


class StageSpanList(Listing[StageSpanItem]):
    """One page of stages."""


def list_profile_stages(
    asked: Asking, profile_id: str, paging: Annotated[Paging, Query()]
) -> StageSpanList:
    """Every stage that this person was in, newest first. It follows from what they did, so late events change it."""
    calendar = shop_calendar(asked.shop.timezone, asked.shop.settings)
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        spans = stage_history(connection, asked.shop_id, present, calendar, asked.doors.clock.now())
    page, next_cursor = page_of(
        spans, lambda span: (-span.since.toordinal(),), paging.cursor, paging.limit
    )
    items = [StageSpanItem(stage=span.stage, since=span.since, until=span.until) for span in page]
    return StageSpanList(items=items, next_cursor=next_cursor, total=len(spans))

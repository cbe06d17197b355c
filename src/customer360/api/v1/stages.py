"""Where in the lifecycle were people, and when?"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from customer360.access.shops import get_shop
from customer360.api.v1.asked import Asking
from customer360.api.v1.cursors import page_of
from customer360.api.v1.fields import Answer, Listing, Paging
from customer360.api.v1.merges import ACTOR
from customer360.profiles.stage_history import stage_history
from customer360.profiles.stages import Windows, shop_calendar, windows_of
from customer360.profiles.windows import change_windows
from customer360.reports.stage_flow import between_days, stage_flow


class StageSpanItem(Answer):
    """A stage, and the shop's calendar days at whose ends the person was in it."""

    stage: str = Field(examples=["converted"])
    since: date = Field(description="The first of the days")
    until: date | None = Field(description="The last of the days; null while they are in it")


class StageSpanList(Listing[StageSpanItem]):
    """One page of stages."""


class Days(BaseModel):
    """Between which days; others are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: date | None = Field(
        None, alias="from", description="The first day; 30 days before the last one unless told"
    )
    last: date | None = Field(None, alias="to", description="The last day; today unless told")


class StageMove(Answer):
    """How many went from one stage to another, or stayed in theirs."""

    was: str = Field(
        description="At the end of the first day; `not_yet` of who was not heard of by then"
    )
    became: str = Field(description="At the end of the last day")
    people: int


class StageFlow(Answer):
    """Where today's customers were at the end of one day, and where at the end of another."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    timezone: str
    total: int = Field(description="Customers who had been heard of by the end of the last day")
    items: list[StageMove] = Field(description="Pairs of stages that somebody has")


def get_stage_flow(asked: Asking, days: Annotated[Days, Query()]) -> StageFlow:
    """How customers moved between stages from the end of one day to the end of another."""
    calendar = shop_calendar(asked.shop.timezone, asked.shop.settings)
    between = between_days(days.first, days.last, asked.doors.clock.now(), calendar)
    flow = stage_flow(asked.doors.warehouse, asked.shop_id, between)
    items = [
        StageMove(was=was, became=became, people=n) for (was, became), n in sorted(flow.items())
    ]
    return StageFlow(
        first=between.first,
        last=between.last,
        timezone=asked.shop.timezone,
        total=sum(flow.values()),
        items=items,
    )


class WindowsAnswer(Answer):
    """After how many silent days people are at risk or churned, and which recency scores what in RFM."""

    at_risk_days: int
    churned_days: int
    rfm_recency_days: list[int] = Field(
        min_length=4,
        max_length=4,
        description="A last order up to so many days ago scores 5, 4, 3 or 2, an older one 1",
    )


class AskedWindows(BaseModel):
    """The windows to set; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    at_risk_days: int | None = None
    churned_days: int | None = None
    rfm_recency_days: list[int] | None = Field(None, min_length=4, max_length=4)


def get_windows(asked: Asking) -> WindowsAnswer:
    """How the shop tells stages and RFM recency apart."""
    with asked.doors.database.read() as connection:
        settings = get_shop(connection, asked.shop_id).settings
    return _windows(windows_of(settings))


def set_windows(asked: Asking, told: Annotated[AskedWindows, Body()]) -> WindowsAnswer:
    """Change windows: all stages follow at once, RFM with the next run."""
    with asked.doors.database.write() as connection:
        wanted = change_windows(
            connection,
            asked.shop_id,
            told.model_dump(exclude_none=True),
            actor=ACTOR,
            now=asked.doors.clock.now(),
        )
    asked.doors.directory.forget()
    return _windows(wanted)


def _windows(windows: Windows) -> WindowsAnswer:
    return WindowsAnswer(
        at_risk_days=windows.at_risk_days,
        churned_days=windows.churned_days,
        rfm_recency_days=list(windows.rfm_recency_days),
    )


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

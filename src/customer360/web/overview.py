"""The Overview: is the base growing, returning, buying, leaving, and where to click?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from starlette.responses import Response

from customer360.enrichment.standing import standing
from customer360.intake.balance import last_received
from customer360.profiles.browse import Today, count_stages
from customer360.profiles.stages import shop_calendar
from customer360.reports.activity import REPORT as ACTIVITY
from customer360.reports.asking import write_filter
from customer360.reports.stage_flow import STAGES
from customer360.reports.week import Week, Weeks, weeks
from customer360.web import filters, formats
from customer360.web.attention import attention
from customer360.web.door import Door, Page
from customer360.web.filters import CustomerFilter
from customer360.web.formats import counted
from customer360.web.reports import Answered, Asked, answered, shown
from customer360.web.tier_cards import tier_cards
from customer360.web.visit import Visit

# What most people want to know first: more than before, or less?
REPORT = replace(ACTIVITY, usual_compare="previous")


class StageShare(NamedTuple):
    """A stage with its customers, and the address that lists them."""

    name: str
    people: int
    share: float
    url: str


class Sentence(NamedTuple):
    """What changed, as people say it; `direction` is up, down or "" where nothing did."""

    text: str
    direction: str
    is_good: bool | None
    url: str


def show(_door: Door, visit: Visit) -> Page | Response:
    """The page, as the address asks for it."""
    found = answered(visit, REPORT)
    if not isinstance(found, Answered):
        return found
    values = shown(visit, found) | _crowd(visit, found.asked)
    return found.page("overview/overview.html", values)


def _crowd(visit: Visit, asked: Asked) -> dict[str, object]:
    """Everything but the activity: how customers stand today."""
    calendar = shop_calendar(visit.shop.timezone, visit.shop.settings)
    stages = count_stages(visit.app.warehouse, visit.shop.shop_id, Today(visit.now, calendar))
    with visit.app.database.read() as connection:
        scored = standing(connection, visit.shop.shop_id)
        notices = attention(visit, connection, asked.segments, scored)
        heard = last_received(connection, visit.shop.shop_id)
    return {
        "stages": _stages(visit, stages),
        "customers": sum(stages.values()),
        "tiers": tier_cards(visit, CustomerFilter()),
        "notices": notices,
        "last_signal_at": max(heard.values(), default=None),
        "computed_at": scored.computed_at,
        "sentences": sentences(visit, weeks(asked.question)) if heard else [],
    }


def _stages(visit: Visit, counts: Mapping[str, int]) -> list[StageShare]:
    everybody = sum(counts.values())
    return [
        StageShare(
            stage,
            counts.get(stage, 0),
            counts.get(stage, 0) / everybody if everybody else 0,
            f"{visit.root}/customers{filters.write(CustomerFilter(stages=(stage,)))}",
        )
        for stage in STAGES
    ]


def sentences(visit: Visit, found: Weeks) -> list[Sentence]:
    """Both weeks beside each other, in one sentence each."""
    now, before, currency = found.now, found.before, visit.shop.currency
    asked = found.question.filter
    visitors = (
        f"{visit.root}/reports/{ACTIVITY.name}{write_filter(asked, ACTIVITY, visit.shop.timezone)}"
    )
    bought = CustomerFilter(
        bought_from=asked.first, bought_to=asked.last, segment_id=asked.segment_id
    )
    buyers = f"{visit.root}/customers{filters.write(bought)}"
    return [
        _compared(
            now.users,
            before.users,
            counted(now.users, "person", "people") + " visited",
            visitors,
        ),
        _compared(
            now.new_buyers,
            before.new_buyers,
            counted(now.new_buyers, "customer") + " bought for the first time",
            buyers,
        ),
        _compared(
            now.returning_buyers,
            before.returning_buyers,
            counted(now.returning_buyers, "customer") + " came back to buy again",
            buyers,
        ),
        _revenue(now, before, currency, buyers),
    ]


def _compared(now: int, before: int, says: str, url: str) -> Sentence:
    if now == before:
        return Sentence(f"{says}, as many as the week before.", "", None, url)
    difference = formats.number(abs(now - before))
    word = "more" if now > before else "fewer"
    direction = "up" if now > before else "down"
    return Sentence(
        f"{says}, {difference} {word} than the week before.", direction, now > before, url
    )


def _revenue(now: Week, before: Week, currency: str, url: str) -> Sentence:
    total = formats.money_full(now.revenue, currency)
    says = f"{counted(now.orders, 'order')} brought {total}"
    if not before.revenue or now.revenue == before.revenue:
        return Sentence(
            f"{says}, after {formats.money_full(before.revenue, currency)} the week before.",
            "",
            None,
            url,
        )
    change = formats.percent(abs(now.revenue - before.revenue) / before.revenue)
    is_more = now.revenue > before.revenue
    word = "more" if is_more else "less"
    return Sentence(
        f"{says}, {change} {word} than the week before.", "up" if is_more else "down", is_more, url
    )

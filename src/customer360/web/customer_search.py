"""Whom All customers shows: the filter of the address, and the people who fit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from customer360.clock import Instant, local_date, start_of_day
from customer360.profiles.browse import COLUMNS, Found, Today, Wanted, browse
from customer360.profiles.hydrate import Summary, hydrate, search
from customer360.profiles.stages import shop_calendar
from customer360.segments.model import Segment
from customer360.segments.store import list_segments
from customer360.web import filters
from customer360.web.filters import CustomerFilter
from customer360.web.visit import Visit

# A search that finds more says little; the list shows the first ones.
_MOST_FOUND = 5000
_READ = (
    *COLUMNS,
    *("tier", "lifecycle_stage", "rfm_group", "churn_band", "churn_risk", "ltv"),
)


class Asked(NamedTuple):
    """What an address asks for; `segment` is the chosen one of the shop's `segments`."""

    chosen: CustomerFilter
    segments: Sequence[Segment]
    segment: Segment | None


def asked(visit: Visit) -> Asked:
    """The filter of the address; a segment that the shop has not made is left out as all else that makes no sense."""
    chosen = filters.read(visit.query)
    with visit.app.database.read() as connection:
        own = [one for one in list_segments(connection, visit.shop.shop_id) if not one.built_in]
    segment = next((one for one in own if one.segment_id == chosen.segment_id), None)
    return Asked(chosen if segment else replace(chosen, segment_id=None), own, segment)


def find(
    visit: Visit, chosen: CustomerFilter, limit: int, offset: int
) -> tuple[Found, dict[int, Summary]]:
    """The warehouse says which; the profile store says who."""
    shop_id = visit.shop.shop_id
    with visit.app.database.read() as connection:
        ids = (
            tuple(search(connection, shop_id, chosen.search, _MOST_FOUND))
            if chosen.search
            else None
        )
    found = browse(
        visit.app.warehouse,
        shop_id,
        _wanted(visit, chosen, ids),
        sort=chosen.sort_attribute,
        descending=chosen.descending,
        limit=limit,
        offset=offset,
        columns=_READ,
        today=Today(visit.now, shop_calendar(visit.shop.timezone, visit.shop.settings)),
    )
    with visit.app.database.read() as connection:
        people = hydrate(connection, shop_id, [row["profile_id"] for row in found.rows])
    return found, {person.profile_id: person for person in people}


def _wanted(visit: Visit, chosen: CustomerFilter, profile_ids: tuple[int, ...] | None) -> Wanted:
    """What the filter means at this time, its days being those of the shop."""
    today, next_day = local_date(visit.now, visit.shop.timezone), timedelta(days=1)

    def begin(day: date | None) -> Instant | None:
        return None if day is None else start_of_day(day, visit.shop.timezone)

    seen = None if chosen.seen_days is None else today - timedelta(days=chosen.seen_days)
    return Wanted(
        kind="all" if chosen.kind == "any" else chosen.kind,
        countries=chosen.countries,
        places=chosen.places,
        stages=chosen.stages,
        tiers=chosen.tiers,
        rfm_groups=chosen.rfm_groups,
        churn_bands=chosen.churn_bands,
        has_email=chosen.has_email,
        orders_min=chosen.orders_min,
        spend_min=chosen.spend_min,
        seen_since=begin(seen),
        bought_since=begin(chosen.bought_from),
        bought_before=begin(chosen.bought_to and chosen.bought_to + next_day),
        segment_id=chosen.segment_id,
        profile_ids=profile_ids,
    )

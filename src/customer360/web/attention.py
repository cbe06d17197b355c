"""What needs somebody's attention just now, and where to see to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from customer360.enrichment.standing import Standing
from customer360.identities.alerts import count_alerts
from customer360.identities.candidates import count_candidates
from customer360.intake.dead_letters import count_letters
from customer360.segments.model import Segment
from customer360.web import filters
from customer360.web.filters import CustomerFilter
from customer360.web.formats import counted
from customer360.web.visit import Visit

_DRIFTING = ("drifting", "at_risk", "likely_lost")


class Notice(NamedTuple):
    """One thing to see to."""

    icon: str
    text: str
    action: str
    url: str
    is_bad: bool = False


def attention(
    visit: Visit, connection: Connection, segments: list[Segment], scored: Standing
) -> list[Notice]:
    """The most urgent first; none where nothing needs anybody."""
    return [
        *_of_signals(visit, connection),
        *_of_segments(visit, segments),
        *_of_runs(visit, scored),
        *_of_people(visit, scored),
        *_of_identities(visit, connection),
    ]


def _of_signals(visit: Visit, connection: Connection) -> Iterator[Notice]:
    letters = count_letters(connection, visit.shop.shop_id)
    if letters:
        yield Notice(
            "archive-box-x-mark",
            f"{counted(letters, 'signal')} could not be used",
            "See why, and replay",
            f"{visit.root}/dead-letters",
            is_bad=True,
        )


def _of_segments(visit: Visit, segments: list[Segment]) -> Iterator[Notice]:
    failed = [one for one in segments if one.state == "failed"]
    if len(failed) == 1:
        url = f"{visit.root}/segments/{failed[0].segment_id}"
        yield Notice(
            "rectangle-group", f"The segment {failed[0].name} failed", "See why", url, is_bad=True
        )
    elif failed:
        url = f"{visit.root}/segments"
        yield Notice(
            "rectangle-group",
            f"{counted(len(failed), 'segment')} failed",
            "See why",
            url,
            is_bad=True,
        )


def _of_runs(visit: Visit, scored: Standing) -> Iterator[Notice]:
    if scored.last is not None and scored.last.state == "failed":
        yield Notice(
            "scale", "The last run of scores failed", "See why", f"{visit.root}/models", is_bad=True
        )


def _of_people(visit: Visit, scored: Standing) -> Iterator[Notice]:
    if scored.card is None:
        return
    marks = ", ".join("?" * len(_DRIFTING))
    sql = (
        "select count(*) as n from scores join profiles using (profile_id)"
        f" where kind = 'customer' and tier = 'vip' and churn_band in ({marks})"
    )
    found = visit.app.warehouse.query(visit.shop.shop_id, sql, _DRIFTING).to_pylist()[0]["n"]
    if found:
        query = filters.write(CustomerFilter(tiers=("vip",), churn_bands=_DRIFTING))
        yield Notice(
            "arrow-trending-down",
            f"{counted(found, 'VIP is', 'VIPs are')} drifting away",
            "See who",
            f"{visit.root}/customers{query}",
        )


def _of_identities(visit: Visit, connection: Connection) -> Iterator[Notice]:
    pairs = count_candidates(connection, visit.shop.shop_id)
    if pairs:
        text = f"{counted(pairs, 'pair')} of profiles may be one person"
        yield Notice("document-duplicate", text, "Compare them", f"{visit.root}/duplicates")
    alerts = count_alerts(connection, visit.shop.shop_id)
    if alerts:
        text = f"{counted(alerts, 'profile')} took in too many identifiers"
        yield Notice(
            "exclamation-triangle", text, "Look at them", f"{visit.root}/duplicates/alerts"
        )

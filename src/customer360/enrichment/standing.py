"""How is the enrichment of a shop doing: when was it last computed, what came of it, does it run just now?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from customer360.clock import Instant
from customer360.enrichment.card import ModelCard
from customer360.enrichment.run import ENRICHMENT, Report
from customer360.jobs.log import Run, ask_for_run, last_run


@dataclass(frozen=True, slots=True)
class Standing:
    """The run that was begun or asked for last, and what came of the last one that went well."""

    last: Run | None
    computed_at: Instant | None
    report: Report | None

    @property
    def card(self) -> ModelCard | None:
        """What the present scores rest on."""
        return self.report.card if self.report else None

    @property
    def under_way(self) -> bool:
        """Whether the scores are about to be computed anew."""
        return self.last is not None and self.last.state in ("asked", "running")


def standing(connection: Connection, shop_id: int) -> Standing:
    """How it is doing."""
    last = last_run(connection, shop_id, ENRICHMENT)
    good = last
    if last is not None and last.state != "done":
        good = last_run(connection, shop_id, ENRICHMENT, state="done")
    if good is None:
        return Standing(last, None, None)
    return Standing(last, good.ended_at, good.reported(Report))


def ask(connection: Connection, shop_id: int, now: Instant) -> None:
    """Have a worker compute the scores anew; one that is asked for or under way is enough."""
    ask_for_run(connection, shop_id, ENRICHMENT, now)

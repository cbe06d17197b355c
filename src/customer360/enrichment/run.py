"""One run of enrichment for a shop: read the warehouse, compute every score, write what changed.

It reads and writes set by set in short transactions, so nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import pyarrow as pa
from sqlalchemy import Connection

from customer360.access.shops import Shop
from customer360.clock import Clock, Instant
from customer360.enrichment.card import ModelCard, model_card, origin_days
from customer360.enrichment.reading import (
    Calendar,
    read_bought,
    read_buyers,
    read_engagement,
    read_people,
    read_titles,
)
from customer360.enrichment.reorders import Reorders, reorders
from customer360.enrichment.scores import as_table, due_lists, score
from customer360.enrichment.store import difference, forget, keep, known_scores, rows_of
from customer360.jobs.log import last_run
from customer360.jobs.under_way import UnderWay
from customer360.profiles.browse import WarehouseQuery
from customer360.profiles.stages import windows_of
from customer360.storage.database import Database

ENRICHMENT = "enrichment"
"""The kind of run in the log."""

Progress = Callable[[str, int, int], None]
"""Called with the stage, and how much of how much is done."""

# While they are written, who makes profiles waits: some ten milliseconds.
_WRITTEN_AT_ONCE = 2_000


class Warehouse(WarehouseQuery, Protocol):
    """What is asked, and told that there is news."""

    def sync(self, shop_id: int) -> object: ...


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did: of how many there are scores, how many were written, and of how many there are none any more."""

    people: int
    written: int
    removed: int
    card: ModelCard
    reorders: Reorders


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Enrichment:
    """What every run works with. `noted` is told of changed scores in the last transaction of a run.

    What a run that died had written is told of by the next one.
    """

    database: Database
    warehouse: Warehouse
    clock: Clock
    noted: Callable[[Connection, int], None] = field(default=lambda _connection, _shop_id: None)

    def run(
        self, shop: Shop, *, night: Instant | None = None, progress: Progress = silent
    ) -> Report:
        """Compute the scores of a shop; raises RunUnderWay, ShopNotFound, and WarehouseBusy."""
        with self.database.read() as connection:
            last = last_run(connection, shop.shop_id, ENRICHMENT)
        untold = last is not None and last.state != "done"
        with UnderWay(self.database, self.clock, shop.shop_id, ENRICHMENT, night) as run:
            run.begin()

            def show(stage: str, done: int = 0, total: int = 0) -> None:
                run.progress(stage, done, total)
                progress(stage, done, total)

            show("Reading")
            self.warehouse.sync(shop.shop_id)
            calendar = Calendar.at(self.clock.now(), shop.timezone)
            found, card, upcoming = self._found(shop, calendar, show)
            written, removed = self._write(shop.shop_id, found, show)
            report = Report(
                people=len(found), written=written, removed=removed, card=card, reorders=upcoming
            )
            with self.database.write() as connection:
                if written or removed or untold:
                    self.noted(connection, shop.shop_id)
                run.end(connection, report)
        if written or removed:
            self.warehouse.sync(shop.shop_id)
        return report

    def _found(
        self, shop: Shop, calendar: Calendar, show: Callable[[str], None]
    ) -> tuple[pa.Table, ModelCard, Reorders]:
        """The scores of everybody as of today, what they rest on, and which products will be ordered again."""
        shop_id, today, windows = shop.shop_id, calendar.today, windows_of(shop.settings)
        origins = origin_days(today, windows.churned_days)
        buyers = read_buyers(self.warehouse, shop_id, calendar, origins)
        bought = read_bought(self.warehouse, shop_id, calendar)
        engaged = read_engagement(self.warehouse, shop_id, calendar)
        people = read_people(self.warehouse, shop_id)
        names = read_titles(self.warehouse, shop_id)
        show("Computing")
        scored = score(buyers.orders, buyers.acts, today, windows)
        titles = [names.get(one, one) for one in bought.product_ids]
        due = due_lists(bought.orders, bought.profile_ids, titles, today)
        found = as_table(buyers.profile_ids, scored, due, engaged, calendar.starts)
        show("Looking back")
        card = model_card(
            buyers.orders,
            buyers.acts,
            today,
            windows.churned_days,
            people=people,
            facts=scored.facts,
            told=scored.forecast,
            learned=scored.learned,
            tiers=scored.tiers,
            rfm=scored.rfm,
            recency_days=windows.rfm_recency_days,
            expected=scored.next,
        )
        upcoming = reorders(bought.product_ids, titles, bought.orders, today)
        return found, card, upcoming

    def _write(self, shop_id: int, found: pa.Table, show: Progress) -> tuple[int, int]:
        """Write what differs from what the warehouse knows; returns how many rows, and how many were removed."""
        changed, gone = difference(known_scores(self.warehouse, shop_id), found)
        total = len(changed) + len(gone)
        done = 0
        for rows in rows_of(changed, _WRITTEN_AT_ONCE):
            # The last transaction puts all of them on the disk; what is lost before is found again.
            with self.database.write(settled=False) as connection:
                keep(connection, shop_id, rows)
            done += len(rows)
            show("Writing", done, total)
        for start in range(0, len(gone), _WRITTEN_AT_ONCE):
            with self.database.write(settled=False) as connection:
                forget(connection, shop_id, gone[start : start + _WRITTEN_AT_ONCE])
        return len(changed), len(gone)

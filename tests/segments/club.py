"""Segments over people who are put straight into the warehouse: what the worker has to make of one the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import insert, select

from customer360.access.shops import Shop
from customer360.clock import FixedClock
from customer360.identities.tables import profiles
from customer360.segments.ast import Rule
from customer360.segments.members import changes_since
from customer360.segments.model import Move, Segment
from customer360.segments.moves import MOST_MOVES
from customer360.segments.refresh import Refresher
from customer360.segments.store import create_segment, get_segment
from customer360.segments.tables import segment_members
from customer360.segments.warehouse import MIRRORS
from customer360.storage.database import Database
from customer360.storage.metadata import profile_changes, shop_clock
from customer360.storage.mirror import Schema
from customer360.warehouse.query import LocalWarehouse
from tests.segments.shop import CALENDAR, NOW, SCHEMA, TIMEZONE, Person, tables_of
from tests.warehouse.store import AT, Store, open_engine

Answer = TypeVar("Answer")

SHOP = Shop(
    shop_id=1,
    organisation_id=1,
    name="Shop",
    currency="EUR",
    timezone=TIMEZONE,
    country="IE",
    plan="open",
    state="active",
    uninstalled_at=None,
    digest_key=b"",
    created_at=AT,
    settings={"enrichment": asdict(CALENDAR.windows)},
)


class Club:
    """A shop whose people are in the warehouse alone, as tests say; the profile store has its segments."""

    def __init__(self, database: Database, folder: Path) -> None:
        Store(database, SHOP.shop_id)
        self.open(database, folder)

    def open(self, database: Database, folder: Path, most_moves: int = MOST_MOVES) -> None:
        """Go on with the shop that there is."""
        self.store = Store.__new__(Store)
        self.store.database, self.store.shop_id = database, SHOP.shop_id
        self.shop = SHOP
        self.clock = FixedClock(NOW)
        self.engine = open_engine(folder, SCHEMA)
        # Only membership comes from the profile store.
        self.warehouse = LocalWarehouse(database, self.engine, Schema(MIRRORS))
        self.refresher = self.new_refresher(most_moves)

    def new_refresher(self, most_moves: int = MOST_MOVES) -> Refresher:
        """One that begins with nothing, as a worker that was just started."""
        return Refresher(self.store.database, self.warehouse, self.clock, most_moves=most_moves)

    def do(self, step: Callable[..., Answer], *arguments: Any, **named: Any) -> Answer:
        """A step of the profile store in a transaction of its own."""
        with self.store.database.write() as connection:
            return step(connection, self.shop.shop_id, *arguments, **named)

    def make(self, name: str, rule: Rule) -> int:
        """A segment; its id."""
        return self.do(create_segment, name, rule, self.clock.now(), limit=None).segment_id

    def segment(self, segment_id: int) -> Segment:
        return self.do(get_segment, segment_id)

    def fill(self, people: Sequence[Person]) -> None:
        """Put these people in the place of whoever was there."""
        with self.engine.transaction(self.shop.shop_id) as transaction:
            for name, rows in tables_of(people).items():
                if name != "segment_members":
                    transaction.execute(f"delete from {name}")
                    transaction.append(name, rows)

    def note(self, profile_ids: Iterable[int], cause: str | None = None) -> None:
        """Say that these people changed, as whoever changed them does."""
        with self.store.changing() as (connection, change):
            rows = [
                {"shop_id": 1, "change": change, "profile_id": one, "cause": cause}
                for one in profile_ids
            ]
            connection.execute(insert(profile_changes), rows)

    def merge_away(self, profile_id: int, into: int) -> None:
        """Have the profile store know that one is part of another."""
        row = {"shop_id": 1, "profile_id": profile_id, "merged_into": into, "founded_by": 1}
        with self.store.database.write() as connection:
            connection.execute(insert(profiles).values(**row, known=True, created_at=0))

    def refresh(self) -> None:
        """Everything that is due."""
        self.refresher.finish(self.shop)

    def members(self, segment_id: int) -> set[int]:
        """Who is in it, by the profile store; the count and the warehouse say the same."""
        self.warehouse.sync(self.shop.shop_id)
        query = select(segment_members.c.profile_id).where(
            segment_members.c.segment_id == segment_id
        )
        with self.store.database.read() as connection:
            found = set(connection.scalars(query))
        sql = "select profile_id from segment_members where segment_id = ? order by 1"
        copied = self.engine.query(self.shop.shop_id, sql, [segment_id]).column(0).to_pylist()
        assert copied == sorted(found)
        assert self.segment(segment_id).members == len(found)
        return found

    def moves(self, after: int = 0) -> list[Move]:
        """Who came and went."""
        return self.do(changes_since, after, 1_000_000)

    def told(self, after: int = 0) -> list[tuple[int, int, bool, str]]:
        """The moves without their times: segment, profile, whether they came, cause."""
        return [
            (one.segment_id, one.profile_id, one.entered, one.cause) for one in self.moves(after)
        ]

    def last_change(self) -> int:
        with self.store.database.read() as connection:
            return int(connection.execute(select(shop_clock.c.change)).scalar_one())

    def close(self) -> None:
        self.engine.close()

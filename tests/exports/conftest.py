"""A shop whose people leave as files, on both databases."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customer360.exports.export import Export, format_named
from customer360.exports.scope import Scope, scope
from customer360.segments.model import ALL_CUSTOMERS_ID, Segment, all_customers
from tests.house import House


class Exporter:
    """Sends people into a shop and reads the files that they leave in."""

    def __init__(self, house: House) -> None:
        self.house = house

    def person(self, user_id: str, **traits: Any) -> None:
        """Tell of a customer."""
        self.house.segment({"type": "identify", "userId": user_id, "traits": traits})

    def export(self, format: str, segment: Segment | None = None, **options: Any) -> Export:
        """An export that has not begun."""
        options = {"clock": self.house.clock, "actor": "ann@shop.example", **options}
        app = self.house.app
        return Export(
            app.database,
            app.warehouse,
            self.house.shop,
            segment or all_customers(),
            format_named(format),
            **options,
        )

    def file(self, format: str, segment: Segment | None = None, **options: Any) -> bytes:
        """All of it."""
        return b"".join(self.export(format, segment, **options).pieces())

    def table(self, format: str, **options: Any) -> list[list[str]]:
        """Its cells, with the header."""
        text = self.file(format, **options).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline="")))

    def rows(self, format: str, **options: Any) -> list[dict[str, str]]:
        """Its rows by header; of repeated columns the first."""
        header, *rows = self.table(format, **options)
        return [dict(reversed(list(zip(header, row, strict=True)))) for row in rows]

    def scope(self, format: str, segment_id: int = ALL_CUSTOMERS_ID, **options: Any) -> Scope:
        """What it would come to."""
        app, shop_id = self.house.app, self.house.shop.shop_id
        return scope(app.warehouse, shop_id, segment_id, format_named(format), **options)


@pytest.fixture
def exporter(database_url: str, tmp_path: Path) -> Iterator[Exporter]:
    """An empty shop on each database."""
    house = House(database_url, tmp_path)
    yield Exporter(house)
    house.close()


@pytest.fixture
def quick(sqlite_url: str, tmp_path: Path) -> Iterator[Exporter]:
    """An empty shop on SQLite, for what does not depend on the database."""
    house = House(sqlite_url, tmp_path)
    yield Exporter(house)
    house.close()

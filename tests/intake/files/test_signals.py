"""Every row of a file becomes a signal that is known again at the next reading."""

import gzip
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customer360.intake.files.formats import Kind
from customer360.intake.files.ordinals import Ordinals
from customer360.intake.files.plan import plan_import
from customer360.intake.files.shopify_orders import MAX_LINES
from customer360.intake.files.signals import FileSignal, Plan, read_signals

MAPPED = ["order_id=order", "placed_at=at", "quantity=n"]
SHOPIFY = "Name,Id,Created at,Currency,Total,Notes,Lineitem quantity,Lineitem name,Lineitem price\n"


def plan_of(path: Path, kind: Kind = "orders", pairs: list[str] | None = None) -> Plan:
    return plan_import(path, kind, None, MAPPED if pairs is None else pairs)


def signals_of(path: Path, plan: Plan) -> list[FileSignal]:
    with read_signals(path, plan) as reading:
        return list(reading.signals)


def written(tmp_path: Path, content: str, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_text(content, newline="")
    return path


def keys(signals: list[FileSignal]) -> list[str]:
    return [json.loads(signal.envelope)["row_key"] for signal in signals if not signal.rejected]


def bodies(signals: list[FileSignal]) -> list[Any]:
    return [json.loads(signal.body) for signal in signals]


def test_a_row_is_a_compact_body_of_its_mapped_fields_and_a_small_envelope(tmp_path: Path) -> None:
    path = written(tmp_path, "order,at,n,colour,note\n7,2026-01-31,2,,x\n")

    (signal,) = signals_of(path, plan_of(path, pairs=[*MAPPED, "title=colour+note+at"]))

    assert signal.body == (
        b'{"order_id":"7","placed_at":"2026-01-31","quantity":"2","title":"x 2026-01-31"}'
    )
    assert json.loads(signal.envelope).keys() == {"format", "row", "row_key"}
    assert len(signal.envelope) < 70


def test_equal_rows_of_one_order_all_count(tmp_path: Path) -> None:
    rows = "7,2026-01-31,1\n7,2026-01-31,1\n8,2026-01-31,1\n"
    path = written(tmp_path, "order,at,n\n" + 2 * rows)

    found = keys(signals_of(path, plan_of(path)))

    assert len(set(found)) == 6
    assert [key.partition(".")[2] for key in found] == ["", "1", "", "2", "3", "1"]


@pytest.mark.parametrize(
    "again",
    [
        "order,at,n\n1,2026-01-01,1\n1,2026-01-01,1\n2,2026-01-02,5\n",
        # Other columns in front, another delimiter, other rows before and between.
        "n,order,at\n1,1,2026-01-01\n1,1,2026-01-01\n5,2,2026-01-02\n",
        "order;at;n\r\n1;2026-01-01;1\r\n1;2026-01-01;1\r\n2;2026-01-02;5",
        "order,at,n\n0,2025-01-01,9\n1,2026-01-01,1\n3,2026-01-03,1\n1,2026-01-01,1\n2,2026-01-02,5\n",
    ],
)
def test_an_overlapping_export_has_the_same_rows_again(tmp_path: Path, again: str) -> None:
    first = written(tmp_path, "order,at,n\n1,2026-01-01,1\n1,2026-01-01,1\n2,2026-01-02,5\n")
    second = written(tmp_path, again, "second.csv")

    known = keys(signals_of(first, plan_of(first)))

    assert set(known) <= set(keys(signals_of(second, plan_of(second))))


def test_another_mapping_does_not_make_another_row(tmp_path: Path) -> None:
    path = written(tmp_path, "order,at,n,mail\n1,2026-01-01,1,ann@example.com\n")

    without = keys(signals_of(path, plan_of(path)))

    assert keys(signals_of(path, plan_of(path, pairs=[*MAPPED, "email=mail"]))) == without


def test_a_file_of_orders_and_one_of_customers_have_rows_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path, "order,at,n,email\n1,2026-01-01,1,ann@example.com\n")

    orders = keys(signals_of(path, plan_of(path)))

    assert keys(signals_of(path, plan_of(path, "customers", ["email=email"]))) != orders


def test_a_broken_row_is_kept_with_its_cells_and_its_reason(tmp_path: Path) -> None:
    path = written(tmp_path, "order,at,n\n1,2026-01-01,1\n2,=1+1\n3,2026-01-03,1\n")

    signals = signals_of(path, plan_of(path))

    assert [signal.rejected and signal.rejected[0] for signal in signals] == [
        *(None, "too_few_columns", None),
    ]
    assert json.loads(signals[1].body) == {"cells": ["2", "=1+1"]}
    assert json.loads(signals[1].envelope) == {
        "format": "generic",
        "row": 2,
        "problem": "too_few_columns",
    }


def test_rows_of_another_encoding_are_kept_readable(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("order,at,n\nZoë,2026-01-01,1\n".encode() + b"Jos\xe9,2026-01-01,1\n")

    signals = signals_of(path, plan_of(path))

    assert signals[1].rejected == ("bad_encoding", "The row is not valid utf-8")
    assert json.loads(signals[1].body)["cells"][0] == "Jos�"


def test_known_exports_keep_every_column_that_says_something(tmp_path: Path) -> None:
    path = written(tmp_path, "Email,First Name,Email Marketing Consent,Shoe size\na@b.ie,Ann,,38\n")

    (signal,) = signals_of(path, plan_of(path, "profiles", []))

    assert json.loads(signal.body) == {"Email": "a@b.ie", "First Name": "Ann", "Shoe size": "38"}
    assert json.loads(signal.envelope)["format"] == "klaviyo"


def test_a_line_of_an_events_file_stays_as_it_is(tmp_path: Path) -> None:
    line = '{"type":"track",  "event":"A","messageId":"m1"}'
    path = written(tmp_path, f"\ufeff{line}\n\n  {line}\nno json\n", "events.jsonl")

    signals = signals_of(path, plan_of(path, "events", []))

    assert [signal.body for signal in signals] == [line.encode(), line.encode(), b"no json"]
    assert [json.loads(signal.envelope)["row"] for signal in signals] == [1, 2, 3]
    assert len(set(keys(signals))) == 3


def test_an_order_of_shopifys_export_is_whole_in_its_first_row(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        SHOPIFY + "#2,92,2026-01-02,EUR,30,gift,1,Cup,10\n#2,,2026-01-02,,,,2,Pot,10\n"
        "#1,91,2026-01-01,EUR,9,,1,Cup,9\n",
    )

    first, second, third = bodies(signals_of(path, plan_of(path, pairs=[])))

    lines = [
        {"Lineitem quantity": "1", "Lineitem name": "Cup", "Lineitem price": "10"},
        {"Lineitem quantity": "2", "Lineitem name": "Pot", "Lineitem price": "10"},
    ]
    assert first["order"]["Total"] == "30"
    assert first["order"]["Notes"] == "gift"
    assert first["lines"] == lines
    assert second["continues"]["Id"] == "92"
    assert second["line"] == lines[1]
    assert "order" not in second
    assert third["order"]["Name"] == "#1"


def test_a_changed_line_makes_its_order_another_row(tmp_path: Path) -> None:
    rows = "#2,92,2026-01-02,EUR,30,,1,Cup,10\n#2,,,,,,2,{},10\n#1,91,2026-01-01,EUR,9,,1,Cup,9\n"
    before = written(tmp_path, SHOPIFY + rows.format("Pot"))
    after = written(tmp_path, SHOPIFY + rows.format("Jug"), "after.csv")

    old, new = (keys(signals_of(path, plan_of(path, pairs=[]))) for path in (before, after))

    assert [one == other for one, other in zip(old, new, strict=True)] == [False, False, True]


@pytest.mark.parametrize(
    ("rows", "orders"),
    [
        # Two orders may have one name; their ids tell them apart.
        ("#1,91,2026-01-01,EUR,9,,1,Cup,9\n#1,92,2026-01-01,EUR,9,,1,Cup,9\n", 2),
        # Somebody filled every column down.
        ("#1,91,2026-01-01,EUR,9,,1,Cup,9\n#1,91,2026-01-01,EUR,9,,1,Cup,9\n", 1),
        # Rows without a name are nobody's, least of all each other's.
        (",,2026-01-01,EUR,9,,1,Cup,9\n,,2026-01-01,EUR,9,,1,Cup,9\n", 2),
    ],
)
def test_rows_of_one_order_are_told_by_name_and_id(tmp_path: Path, rows: str, orders: int) -> None:
    path = written(tmp_path, SHOPIFY + rows)

    found = bodies(signals_of(path, plan_of(path, pairs=[])))

    assert sum("order" in body for body in found) == orders


def test_an_order_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    rows = "#1,91,2026-01-01,EUR,9,,1,Cup,9\n" * (MAX_LINES + 2)
    path = written(tmp_path, SHOPIFY + rows)

    rejected = [signal.rejected for signal in signals_of(path, plan_of(path, pairs=[]))]

    assert Counter(rejected) == {
        None: MAX_LINES,
        ("too_many_lines", "The order has more than 1,000 lines"): 2,
    }


def test_ordinals_are_the_same_in_whatever_pieces_they_are_asked_for() -> None:
    wanted = [f"key {number * number % 7}".encode() for number in range(500)]
    seen: Counter[bytes] = Counter()
    expected = []
    for key in wanted:
        expected.append(seen[key])
        seen[key] += 1

    for size in (1, 7, 500):
        with Ordinals() as ordinals:
            pieces = [wanted[start : start + size] for start in range(0, 500, size)]
            assert [n for piece in pieces for n in ordinals.take(piece)] == expected


def lines_of(rows: int, words: int) -> Iterator[bytes]:
    yield b"order,at,n,note\n"
    for number in range(rows):
        yield b"%d,2026-01-31 10:00:00,1,%d %s\n" % (number // 3, number, b"words " * words)


@pytest.mark.parametrize(
    ("few", "many", "words"), [(6_000, 60_000, 20), (150, 1_500, 15_000)], ids=["long", "wide"]
)
def test_a_file_ten_times_as_large_needs_no_more_memory(
    tmp_path: Path, few: int, many: int, words: int
) -> None:
    peaks = []
    for rows in (few, many):
        path = tmp_path / f"{rows}.csv.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.writelines(lines_of(rows, words))
        plan = plan_of(path)
        tracemalloc.start()
        with read_signals(path, plan) as reading:
            assert sum(1 for _ in reading.signals) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 40 * 1024**2


def test_every_line_of_online_retail_is_known_by_itself_and_again(shared: Path) -> None:
    path = shared / "data" / "online_retail_2009_2010.csv.gz"
    plan = plan_of(path, pairs=["order_id=Invoice", "placed_at=InvoiceDate"])

    with read_signals(path, plan) as first, read_signals(path, plan) as second:
        known = set()
        for one, other in zip(first.signals, second.signals, strict=True):
            assert one == other
            known.add(one.envelope.rsplit(b'"', 2)[1])

    assert len(known) == 525_461

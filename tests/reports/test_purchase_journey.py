"""Every flow equals an independent count over the bare rows, and opens its people."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from customer360.errors import NotFound
from customer360.reports.purchase_journey import MOST, NO_FURTHER, OTHER, REPORT
from tests.reports.conftest import ZONES, Sample

DAYS = {"from_": "2025-09-10", "to": "2026-06-10"}
LINES = """
select f.profile_id, o.placed_at, o.order_id, {key}, l.unit_price * l.quantity
from orders o
join fragments f using (fragment_id)
join order_lines l using (order_id)
where o.placed_at is not null and o.cancelled_at is null and not o.test and f.profile_id is not null
    and l.quantity > 0
"""


def expected(sample: Sample, zone: str, key: str) -> Counter[tuple[int, str, str]]:
    """Told step by step, person by person."""
    orders: dict[int, dict[tuple[int, int], tuple[int, str]]] = defaultdict(dict)
    for person, at, order_id, name, value in sample.rows(LINES.format(key=key)):
        best = orders[person].get((at, order_id))
        if best is None or (-value, name) < best:
            orders[person][at, order_id] = (-value, name)
    journeys = []
    for bought in orders.values():
        first_at = min(bought)[0]
        day = datetime.fromtimestamp(first_at / 1e6, UTC).astimezone(ZoneInfo(zone)).date()
        if DAYS["from_"] <= str(day) <= DAYS["to"]:
            journeys.append([name for _, (_, name) in sorted(bought.items())][:3])
    shown = []
    for place in range(3):
        counts = Counter(one[place] for one in journeys if len(one) > place)
        shown.append(
            {name for name, _ in sorted(counts.items(), key=lambda it: (-it[1], it[0]))[:MOST]}
        )
    flows: Counter[tuple[int, str, str]] = Counter()
    for one in journeys:
        keys = [name if name in shown[place] else OTHER for place, name in enumerate(one)]
        keys += [NO_FURTHER] * (3 - len(keys))
        flows[1, keys[0], keys[1]] += 1
        if keys[1] != NO_FURTHER:
            flows[2, keys[1], keys[2]] += 1
    return flows


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("by", "key"), [("product", "l.product_id"), ("vendor", "l.vendor")])
def test_every_flow_equals_an_independent_count(sample: Sample, zone: str, by: str, key: str):
    answer = sample.ask(REPORT, **DAYS, timezone=zone, by=by).answer
    flows = expected(sample, zone, key)
    assert {
        (row["order"], row["product"], row["next_product"]): row["people"] for row in answer.rows
    } == flows
    first = sum(count for (number, *_), count in flows.items() if number == 1)
    again = sum(count for (number, *_), count in flows.items() if number == 2)
    assert answer.totals == {"people": first, "share": again / first}


def test_a_flow_and_a_node_open_their_people(sample: Sample):
    answer = sample.ask(REPORT, **DAYS).answer
    for row in answer.rows[::5]:
        who = {name: str(row[name]) for name in ("order", "product", "next_product")}
        assert sample.people(REPORT, {"of": "people", **who}, **DAYS) == row["people"]
    node = answer.rows[0]["product"]
    count = sum(r["people"] for r in answer.rows if (r["order"], r["product"]) == (1, node))
    assert sample.people(REPORT, {"of": "people", "order": "1", "product": node}, **DAYS) == count
    assert sample.people(REPORT, {"of": "people"}, **DAYS) == answer.totals["people"]


def test_products_are_told_by_their_titles(sample: Sample):
    rows = sample.ask(REPORT, **DAYS).answer.rows
    titles = dict(sample.rows("select distinct product_id, title from order_lines"))
    for row in rows:
        if row["product"] in titles:
            assert row["title"] == titles[row["product"]]
    assert "No further order" in {row["next_title"] for row in rows}


@pytest.mark.parametrize(
    "who", [{"order": "4"}, {"order": "x"}, {"order": "3", "next_product": "p"}]
)
def test_what_is_no_flow_has_no_people(sample: Sample, who: dict[str, str]):
    with pytest.raises(NotFound):
        sample.people(REPORT, {"of": "people", **who}, **DAYS)

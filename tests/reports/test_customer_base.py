"""Coverage and the repeat-purchase rate equal independent counts over the bare rows."""

from __future__ import annotations

import pytest

from customer360.errors import NotFound
from customer360.reports.customer_base import PARTS, REPORT
from tests.reports.conftest import Sample

# Written from the definitions alone: a customer has an order or a known identifier.
EXPECTED = """
with people as (
    select
        f.profile_id,
        bool_or(i.type not in ('cookie', 'cart_token', 'checkout_token')) as known,
        bool_or(i.type in ('email', 'phone', 'whatsapp')) as reached
    from fragments f
    left join fragment_identifiers i using (fragment_id)
    group by f.profile_id
),
visits as (
    select distinct profile_id from sessions join fragments using (fragment_id)
),
bought as (
    select profile_id, count(*) as orders
    from orders
    join fragments using (fragment_id)
    where placed_at is not null and cancelled_at is null and test = 0
    group by profile_id
),
customers as (
    select reached, v.profile_id is not null as visited, coalesce(orders, 0) as orders
    from people
    left join visits v using (profile_id)
    left join bought b using (profile_id)
    where known or orders > 0
)
select
    count(*),
    count(*) filter (where reached),
    count(*) filter (where visited),
    count(*) filter (where orders > 0),
    count(*) filter (where reached and visited and orders > 0),
    count(*) filter (where orders > 1)
from customers
"""


def test_every_figure_equals_an_independent_count(sample: Sample):
    answer = sample.ask(REPORT).answer
    (counts,) = sample.rows(EXPECTED)
    assert [row["people"] for row in answer.rows] == list(counts)
    shares = {row["part"]: row["share"] for row in answer.rows}
    assert shares["covered"] == counts[4] / counts[0]
    assert shares["repeat_buyers"] == counts[5] / counts[3]


@pytest.mark.parametrize("part", PARTS)
def test_a_number_opens_its_people_and_becomes_a_segment(sample: Sample, part: str):
    row = next(row for row in sample.ask(REPORT).answer.rows if row["part"] == part)
    who = {"of": "people", "part": part}
    assert sample.people(REPORT, who) == row["people"]
    assert sample.members(REPORT, who) == row["people"]


def test_what_is_no_part_has_no_people(sample: Sample):
    with pytest.raises(NotFound):
        sample.people(REPORT, {"of": "people", "part": "everybody"})

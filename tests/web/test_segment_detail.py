"""One segment: figures beside all customers, its people, who came and went, its files, and why somebody is in it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from customer360.segments.ast import Rule
from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment
from customer360.segments.tables import segments
from tests.web.conftest import Site, text_of


@pytest.fixture
def irish(site: Site) -> str:
    """The address of a segment with two of the shop's three customers."""
    house = site.house
    for number, country in enumerate(("IE", "IE", "GB")):
        who = {"userId": f"u{number}"}
        traits = {
            "firstName": "Ann",
            "lastName": f"N{number}",
            "email": f"ann{number}@people.example",
            "address": {"country": country, "street": "1 Quay"},
        }
        order = {"order_id": f"{number}", "total": f"{number}0.00"}
        bought = {"type": "track", "event": "Order Completed", "properties": order}
        house.segment({"type": "identify", **who, "traits": traits}, bought | who)
    segment_id = make(site, "Irish", parse_query("country = 'IE' AND orders_count >= 1"))
    house.drain()
    return f"{site.root}/segments/{segment_id}"


def make(site: Site, name: str, rule: Rule) -> int:
    """A segment with this rule."""
    house = site.house
    with house.app.database.write() as connection:
        made = create_segment(
            connection, house.shop.shop_id, name, rule, house.clock.now(), limit=None
        )
    return made.segment_id


def test_its_figures_stand_beside_those_of_all_customers(site: Site, irish: str) -> None:
    page = text_of(site.owner.get(irish).text)

    assert "Customers whose country is IE, and whose number of orders is at least 1." in page
    assert "2 All customers: 3" in page
    assert "€5.00 All customers: €10.00" in page
    assert "Order placed 0 0.0% 0.0%" in page


def test_its_members_lead_to_their_journey_and_to_why(site: Site, irish: str) -> None:
    page = site.owner.get(irish).text
    profile_id = site.house.profile_id("user_id:u1")

    assert f'href="{site.root}/customers/{profile_id}"' in page
    assert f'href="{site.root}/customers/{profile_id}/segments#segment-' in page
    assert "Ann N1 Why? ann1@people.example – 1 Quay, Ireland" in text_of(page)
    assert "Ann N2" not in text_of(page)


def test_members_are_sorted_by_their_headings(site: Site, irish: str) -> None:
    def first(query: str) -> str:
        page = text_of(site.owner.get(irish + query).text)
        return min(("Ann N0", "Ann N1"), key=lambda name: page.index(f"{name} Why?"))

    assert [first(""), first("?sort=total_spend"), first("?sort=nonsense")] == [
        "Ann N1",
        "Ann N0",
        "Ann N1",
    ]
    assert 'aria-sort="ascending"' in site.owner.get(f"{irish}?sort=total_spend").text


def test_a_page_behind_the_last_leads_to_the_last(site: Site, irish: str) -> None:
    assert site.owner.get(f"{irish}?page=9").status_code == 303


def test_who_came_is_told_with_the_cause(site: Site, irish: str) -> None:
    assert "Ann N1 Came in The segment was made" in text_of(site.owner.get(irish).text)


def test_all_customers_has_a_page_without_a_baseline(site: Site, irish: str) -> None:
    page = text_of(site.owner.get(f"{site.root}/segments/1").text)

    assert "Ann N2" in page
    assert "All customers: " not in page
    assert "Edit" not in page


def test_an_export_states_its_scope_and_whom_it_leaves_out(site: Site, irish: str) -> None:
    page = text_of(site.owner.get(f"{irish}/export").text)
    everybody = text_of(site.owner.get(f"{irish}/export?everybody=yes").text)

    assert "Export 2 customers (Spreadsheet)" in page
    assert "2 without consent – Nobody to export" in page
    assert "Export 2 customers (Meta)" in everybody


def test_an_export_waits_for_the_members_of_the_rule(site: Site, irish: str) -> None:
    with site.house.app.database.write() as connection:
        connection.execute(update(segments).values(state="syncing", progress=40))

    page = text_of(site.owner.get(f"{irish}/export").text)

    assert "Syncing 40%" in page
    assert "Not before it is updated" in page
    assert "Export 2 customers" not in page
    assert site.owner.get(f"{irish}/export.csv?format=basic").status_code == 409


def test_a_file_holds_the_members(site: Site, irish: str) -> None:
    answer = site.owner.get(f"{irish}/export.csv?format=basic")

    assert answer.headers["content-disposition"].startswith('attachment; filename="irish-basic-')
    assert answer.text.count("\r\n") == 3
    assert site.owner.get(f"{irish}/export.csv?format=nonsense").status_code == 422


def test_a_customer_is_told_why_of_each_segment(site: Site, irish: str) -> None:
    def told(who: str) -> str:
        root = f"{site.root}/customers/{site.house.profile_id(who)}"
        return text_of(site.owner.get(f"{root}/segments").text)

    assert "Holds: Whose country is IE · IE" in told("user_id:u1")
    assert "In it since" in told("user_id:u1")
    assert "Does not hold: Whose country is IE · GB" in told("user_id:u2")
    assert "Holds: Whose number of orders is at least 1 · 1" in told("user_id:u2")
    assert "Not in it" in told("user_id:u2")

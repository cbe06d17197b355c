"""The list of segments: size, share, state, and what can be done with each."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from customer360.access.tables import shops
from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment, list_segments
from customer360.segments.tables import segments
from tests.web.conftest import Site, text_of


def make(site: Site, name: str, query: str = "country = 'IE'", **state: object) -> int:
    """A segment, in a state that the worker would have brought it into."""
    house, shop_id = site.house, site.house.shop.shop_id
    with house.app.database.write() as connection:
        made = create_segment(
            connection, shop_id, name, parse_query(query), house.clock.now(), limit=None
        )
        if state:
            mine = segments.c.segment_id == made.segment_id
            connection.execute(update(segments).where(mine).values(**state))
    return made.segment_id


def names(site: Site) -> list[str]:
    """The segments that the shop made, by name."""
    with site.house.app.database.read() as connection:
        found = list_segments(connection, site.house.shop.shop_id)
    return sorted(one.name for one in found if not one.built_in)


def test_an_empty_shop_has_all_customers_and_templates(site: Site) -> None:
    page = text_of(site.owner.get(f"{site.root}/segments").text)

    assert "All customers Built in 0 – – – Always current" in page.replace(" Actions for", "")
    assert "Cart abandoners" in page


def test_each_state_is_told_and_a_failed_segment_can_be_tried_again(site: Site) -> None:
    now = site.house.clock.now()
    make(site, "Done", state="updated", refreshed_at=now)
    make(site, "Under way", state="syncing", progress=40)
    failed = make(site, "Broken", state="failed", failure="The disk is full.")

    page = site.owner.get(f"{site.root}/segments").text
    site.owner.post(f"{site.root}/segments/{failed}/retry")

    for words in ("Updated just now", "Syncing 40%", "Failed: The disk is full. Retry"):
        assert words in text_of(page)
    assert 'hx-trigger="every 2s"' in page
    assert "Broken" in text_of(site.owner.get(f"{site.root}/segments").text)
    assert "Failed" not in text_of(site.owner.get(f"{site.root}/segments").text)


def test_a_list_in_which_nothing_moves_is_not_fetched_again(site: Site) -> None:
    make(site, "Done", state="updated", refreshed_at=1)

    assert "every 2s" not in site.owner.get(f"{site.root}/segments").text


def test_the_list_is_searched_and_sorted_by_its_address(site: Site) -> None:
    for name, members in (("Águeda", 1), ("Bea", 3), ("Agnes", 2)):
        make(site, name, members=members)

    def shown(query: str) -> list[str]:
        page = text_of(site.owner.get(f"{site.root}/segments{query}").text)
        return sorted(("Águeda", "Bea", "Agnes"), key=lambda name: page.find(f" {name} "))

    found = text_of(site.owner.get(f"{site.root}/segments?q=águ").text)
    assert ("Águeda" in found, "Bea" in found) == (True, False)
    assert shown("?sort=name") == ["Agnes", "Águeda", "Bea"]
    assert shown("?sort=-members") == ["Bea", "Agnes", "Águeda"]


def test_a_deleted_segment_can_be_brought_back_from_the_toast(site: Site) -> None:
    segment_id = make(site, "Irish")

    page = site.owner.post(f"{site.root}/segments/{segment_id}/delete", follow=True).text
    gone = names(site)
    kept = page.split('name="kept" value="')[1].split('"')[0].replace("&#34;", '"')
    site.owner.post(f"{site.root}/segments/restore", {"kept": kept})

    assert "Irish is deleted." in text_of(page)
    assert (gone, names(site)) == ([], ["Irish"])


@pytest.mark.parametrize("kept", ["", "{}", '{"name": "x", "rule": {"sum": 1}}', "[]"])
def test_only_a_segment_can_be_brought_back(site: Site, kept: str) -> None:
    assert site.owner.post(f"{site.root}/segments/restore", {"kept": kept}).status_code == 422


def test_a_segment_that_another_asks_for_is_not_deleted(site: Site) -> None:
    asked = make(site, "Irish")
    make(site, "Loyal Irish", f"segments CONTAINS '{asked}' AND orders_count > 3")

    page = site.owner.post(f"{site.root}/segments/{asked}/delete", follow=True).text

    assert "Loyal Irish asks for this segment; change or delete that first." in text_of(page)
    assert "Used by Loyal Irish" in text_of(page)
    assert names(site) == ["Irish", "Loyal Irish"]


def test_a_copy_has_the_same_rule_and_a_name_of_its_own(site: Site) -> None:
    site.owner.post(f"{site.root}/segments/{make(site, 'Irish')}/duplicate")

    assert names(site) == ["Irish", "Irish (2)"]


def test_at_the_plans_limit_the_page_offers_what_to_delete(site: Site) -> None:
    house = site.house
    for number in range(5):
        make(site, f"Number {number}", members=5 - number)
    with house.app.database.write() as connection:
        connection.execute(update(shops).values(plan="starter"))
    house.app.directory.forget()

    page = text_of(site.owner.get(f"{site.root}/segments").text)
    refused = site.owner.post(
        f"{site.root}/segments/new", {"name": "Sixth", "query": "", "do": "save"}
    )

    assert "Your plan allows 5 segments of your own, and there are 5." in page
    assert "Delete Number 4 (1 customer)" in page
    assert "New segment" not in page
    assert refused.status_code == 422
    assert "The shop's plan allows 5 segments" in text_of(refused.text)


def test_segments_of_another_shop_are_nowhere(site: Site) -> None:
    segment_id = make(site, "Irish")
    elsewhere = f"/shops/{site.other_shop.shop_id}/segments/{segment_id}"

    assert site.stranger.get(f"{elsewhere}/edit").status_code == 404
    assert site.stranger.post(f"{elsewhere}/delete").status_code == 404
    assert names(site) == ["Irish"]

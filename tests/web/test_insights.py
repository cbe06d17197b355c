"""What the crowd tells: the RFM groups with their people, and the card of the models."""

from __future__ import annotations

import pytest

from customer360.clock import DAY, parse_instant, to_iso
from customer360.enrichment.run import ENRICHMENT
from customer360.jobs.log import ask_for_run, begin_run, fail_running, note_progress
from customer360.web.insights import ADVICE, GRID
from tests.house import NOW, House
from tests.web.conftest import Site, text_of

PAGES = ("/rfm", "/models")


def order(house: House, user: str, days_ago: int, total: float) -> None:
    at = to_iso(parse_instant(NOW) - days_ago * DAY)
    properties = {"order_id": f"{user}-{days_ago}", "total": total}
    call = {"type": "track", "event": "Order Completed", "userId": user, "properties": properties}
    house.segment({**call, "timestamp": at})


def crowd(house: House) -> None:
    """Ten who bought once long ago, one who buys much, and one who has not bought."""
    for number in range(10):
        order(house, f"u{number}", 200, 20)
    for days in (3, 40, 80):
        order(house, "best", days, 200)
    house.segment({"type": "identify", "userId": "prospect", "traits": {"email": "p@x.example"}})
    house.drain()
    house.app.enrichment.run(house.shop)


def page(site: Site, path: str) -> str:
    answer = site.owner.get(f"{site.root}{path}")
    assert answer.status_code == 200
    return text_of(answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_before_the_first_run_a_page_says_what_will_be_here_and_how(site: Site, path: str) -> None:
    said = page(site, path)
    assert "Compute now" in said
    assert "No scores yet" in said or "Nothing is computed yet" in said


def test_every_group_has_its_people_and_a_way_to_make_a_segment(site: Site) -> None:
    crowd(site.house)
    raw = site.owner.get(f"{site.root}/rfm").text
    said = text_of(raw)

    assert "Champions 1 customer 8.3% · €600.00" in said
    assert "Dormant 10 customers 83.3% · €200.00" in said
    assert "Prospects 1 " in said
    assert f'href="{site.root}/customers?rfm=champions"' in raw
    link = f"{site.root}/segments/new?name=RFM%3A+champions&amp;query=rfm_group+%3D+%27champions%27"
    assert link in raw
    made = text_of(site.owner.get(link.replace("&amp;", "&")).text)
    assert "RFM group" in made
    assert "Champions" in made


def test_the_grid_has_every_group_once_and_all_columns() -> None:
    placed = [place.name for row in GRID for place in row.places]
    assert sorted([*placed, "prospects"]) == sorted(ADVICE)
    assert {sum(place.columns for place in row.places) for row in GRID} == {5}


def test_the_card_tells_what_the_models_rest_on_and_why_they_are_silent(site: Site) -> None:
    crowd(site.house)
    said = page(site, "/models")

    assert "Buyers 11 Orders 13 First order 27 Nov 2025" in said
    assert "Not calibrated yet: 11 of at least 500 buyers" in said
    assert "The shop's means stand in for the models" in said
    assert "NaN" not in said


def test_a_run_under_way_shows_how_far_it_is_and_one_that_failed_why(site: Site) -> None:
    house, shop_id, now = site.house, site.house.shop.shop_id, site.house.clock.now()
    with house.app.database.write() as connection:
        ask_for_run(connection, shop_id, ENRICHMENT, now)
    assert "A worker begins in a moment" in page(site, "/rfm")

    with house.app.database.write() as connection:
        run_id, _ = begin_run(connection, shop_id, ENRICHMENT, now)
        note_progress(connection, shop_id, run_id, now, ("Writing", 1, 4))
    raw = site.owner.get(f"{site.root}/models").text
    assert "Writing 25%" in text_of(raw)
    assert 'hx-trigger="every 2s"' in raw

    with house.app.database.write() as connection:
        fail_running(connection, shop_id, ENRICHMENT, "It ran out of memory.", now, run_id=run_id)
    said = page(site, "/rfm")
    assert "The last run failed; the scores are those of before. It ran out of memory." in said

"""What a customer's page tells of their scores, and the button that has them computed."""

from __future__ import annotations

import re

import msgspec
import pytest
from sqlalchemy import update

from customer360.clock import DAY, parse_instant, to_iso
from customer360.enrichment.run import ENRICHMENT
from customer360.enrichment.standing import standing
from customer360.enrichment.tables import scores
from customer360.jobs.log import begin_run, end_run, note_progress
from tests.house import NOW, House
from tests.web.conftest import Site, text_of


def order(house: House, user: str, days_ago: int, total: float = 20) -> None:
    at = to_iso(parse_instant(NOW) - days_ago * DAY)
    items = [{"product_id": "p1", "name": "Tea", "price": total, "quantity": 1}]
    properties = {"order_id": f"{user}-{days_ago}", "total": total, "products": items}
    call = {"type": "track", "event": "Order Completed", "userId": user, "properties": properties}
    house.segment({**call, "timestamp": at})


@pytest.fixture
def shop(site: Site) -> Site:
    """One who buys tea every 28 days and is late, one who bought once, and one who has not bought."""
    house = site.house
    for days_ago in (94, 66, 38):
        order(house, "late", days_ago, 40)
    order(house, "once", 3)
    house.segment({"type": "identify", "userId": "prospect", "traits": {"email": "p@x.example"}})
    house.segment({"type": "page", "userId": "prospect", "timestamp": to_iso(house.clock.now())})
    house.drain()
    return site


def compute(house: House) -> None:
    house.drain()
    house.app.enrichment.run(house.shop)


def page(site: Site, user: str, tab: str = "/scores") -> str:
    profile_id = site.house.profile_id(f"user_id:{user}")
    answer = site.owner.get(f"{site.root}/customers/{profile_id}{tab}")
    assert answer.status_code == 200
    assert "NaN" not in answer.text
    return answer.text


def test_before_the_first_run_the_page_says_so_and_has_the_button(shop: Site) -> None:
    said = text_of(page(shop, "late", ""))
    assert "Scores are computed each night, from all customers together. There are none" in said
    assert "Compute now" in said
    assert "Ask for consent at the next visit or order" in said
    assert "Lifetime value" not in said


def test_a_buyer_has_every_score_with_what_it_is_made_of(shop: Site) -> None:
    compute(shop.house)
    raw = page(shop, "late")
    said = text_of(raw)

    # 38 of 90 silent days, and one of two buyers has fewer orders and spent less.
    assert "Drifting, risk 45.3%" in said
    assert "Recency 0.60 × 0.42" in said
    assert "Frequency 0.25 × 0.50 Monetary 0.15 × 0.50 Index = 0.45" in said
    assert "At risk, churn drifting, agreed to no messages." in said
    assert "Not calibrated yet: 2 of at least 500 buyers. The risk is the index itself." in said
    assert "€120.00 spent, and" in said
    assert "as your buyers spend on average, since only 1 of at least" in said
    assert "more than, 100.0% of buyers" in said
    assert "4-3-3 Active" in said
    assert "Due to order again: Tea." in said
    assert raw.count("<progress") == 5


def test_a_late_order_is_overdue_and_rolled_forward_by_whole_gaps(shop: Site) -> None:
    compute(shop.house)
    said = text_of(page(shop, "late"))
    assert "Overdue by 10 days" in said
    assert "expected on 5 Jun 2026, the next one about 3 Jul 2026." in said
    assert "Orders are 28 days apart on average." in said


def test_an_order_that_is_not_late_is_told_by_its_day(shop: Site) -> None:
    order(shop.house, "late", 10)
    compute(shop.house)
    said = text_of(page(shop, "late"))
    assert re.search(r"Next order .* 3 Jul 2026 8 in 10 come between", said)
    assert "Overdue" not in said


def test_every_tab_has_the_scores_in_short_and_the_tier_beside_the_name(shop: Site) -> None:
    compute(shop.house)
    for tab in ("", "/events", "/consents"):
        raw = page(shop, "once", tab)
        assert '<span class="chip info">New</span>' in raw
        assert raw.count('id="scores"') == 1
        assert re.search(
            r"Churn .* risk .* Lifetime value .* Next order .* RFM .* Engagement", text_of(raw)
        )
    assert page(shop, "once").count('id="scores"') == 1


def test_who_ordered_on_one_day_has_no_next_order(shop: Site) -> None:
    compute(shop.house)
    assert "It is told after orders on two days." in text_of(page(shop, "once"))


def test_who_has_not_ordered_has_a_stage_an_action_and_engagement(shop: Site) -> None:
    compute(shop.house)
    said = text_of(page(shop, "prospect"))
    assert "They have not ordered: churn, value, RFM and next order are told of buyers." in said
    assert "Next best action" in said
    assert re.search(r"Engagement .* \d+ of 100", said)
    assert "Lifetime value" not in said
    assert "Compute now" not in said


def test_an_order_since_the_run_is_said_not_to_be_in_the_scores(shop: Site) -> None:
    compute(shop.house)
    shop.house.clock.advance(2 * DAY)
    for user in ("late", "prospect"):
        order(shop.house, user, -1)
    shop.house.drain()

    said = text_of(page(shop, "late"))
    assert "They ordered since the scores were computed; the next run takes that in." in said
    assert "Overdue" not in said
    assert "Their newest order is not in it yet." in said
    assert "Scores of 15 Jun 2026" in said
    assert "the next run takes that in" in text_of(page(shop, "prospect"))


@pytest.mark.parametrize(
    ("risk", "told"), [(0.7249, "72"), (0.0004, "fewer than 1"), (0.9996, "more than 99")]
)
def test_a_calibrated_risk_is_told_of_a_hundred_customers(
    shop: Site, risk: float, told: str
) -> None:
    house, shop_id = shop.house, shop.house.shop.shop_id
    compute(house)
    now = house.clock.now()
    with house.app.database.write() as connection:
        report = standing(connection, shop_id).report
        assert report is not None
        learned = msgspec.structs.replace(report.card.churn_risk, not_calibrated=None)
        card = msgspec.structs.replace(report.card, churn_risk=learned)
        run_id, change = begin_run(connection, shop_id, ENRICHMENT, now)
        calibrated = msgspec.structs.replace(report, card=card)
        end_run(connection, shop_id, run_id, calibrated, change, now)
        connection.execute(update(scores).values(churn_risk=risk))

    said = text_of(page(shop, "late"))
    assert f"Of 100 customers like this, {told} do not order within 90 days." in said
    assert "Not calibrated" not in said


def test_the_button_asks_once_and_comes_back_with_a_word_of_it(shop: Site) -> None:
    here = f"{shop.root}/customers/{shop.house.profile_id('user_id:late')}"
    for _ in range(2):
        answer = shop.owner.post(f"{shop.root}/enrichment/run", {"next": here}, token_from=here)
        assert answer.headers["location"] == here
    said = text_of(shop.owner.get(here).text)
    assert "Scores are computed anew." in said
    assert "Compute now" not in said

    compute(shop.house)
    assert "Compute now" not in text_of(shop.owner.get(here).text)
    with shop.house.app.database.read() as connection:
        assert not standing(connection, shop.house.shop.shop_id).under_way


def test_the_button_leads_to_no_other_site(shop: Site) -> None:
    answer = shop.owner.post(
        f"{shop.root}/enrichment/run", {"next": "https://evil.example"}, token_from=shop.root
    )
    assert answer.headers["location"] == f"{shop.root}/customers"


def test_a_run_under_way_is_followed_with_its_stage_and_progress(shop: Site) -> None:
    house, shop_id, now = shop.house, shop.house.shop.shop_id, shop.house.clock.now()
    with house.app.database.write() as connection:
        run_id, _ = begin_run(connection, shop_id, ENRICHMENT, now)
        note_progress(connection, shop_id, run_id, now, ("Writing", 1, 4))
    for tab in ("", "/scores"):
        raw = page(shop, "late", tab)
        assert "Writing 25%" in text_of(raw)
        assert 'hx-trigger="every 2s" hx-target="this" hx-select="#scores"' in raw

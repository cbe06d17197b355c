import csv
import io
import re

import pytest

from tests.web.conftest import Site, text_of
from tests.web.shoppers import fill, names_on


@pytest.fixture
def filled(site: Site) -> Site:
    """Three customers and a visitor."""
    fill(site)
    return site


def test_all_customers_are_listed_last_seen_first(filled: Site) -> None:
    page = filled.owner.get(f"{filled.root}/customers").text
    assert names_on(page) == ["Cy Lee", "Bea Lee", "Ann Lee"]
    assert "3 customers" in text_of(page)
    assert "Export 3 customers (CSV)" in text_of(page)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?q=bea", ["Bea Lee"]),
        ("?q=ann%40people", ["Ann Lee"]),
        ("?q=nobody", []),
        ("?country=IE", ["Cy Lee", "Ann Lee"]),
        ("?country=IE&orders_min=2", ["Ann Lee"]),
        ("?spend_min=59.01", ["Bea Lee"]),
        ("?spend_min=59", ["Bea Lee", "Ann Lee"]),
        ("?place=online_only&sort=-orders_count", ["Ann Lee", "Bea Lee"]),
        ("?email=no", []),
        ("?seen_days=3", ["Cy Lee"]),
        ("?seen_days=4", ["Cy Lee", "Bea Lee"]),
        ("?bought_from=2026-06-11", ["Bea Lee"]),
        ("?bought_to=2026-06-10", ["Ann Lee"]),
        ("?bought_from=2026-06-10&bought_to=2026-06-11", ["Bea Lee", "Ann Lee"]),
        ("?bought_from=2026-06-12&bought_to=2026-06-14", []),
        ("?sort=-total_spend", ["Bea Lee", "Ann Lee", "Cy Lee"]),
        ("?sort=total_spend", ["Cy Lee", "Ann Lee", "Bea Lee"]),
    ],
)
def test_the_url_filters_and_sorts(filled: Site, query: str, expected: list[str]) -> None:
    page = filled.owner.get(f"{filled.root}/customers{query}")
    assert page.status_code == 200
    assert names_on(page.text) == expected


@pytest.fixture
def scored(filled: Site) -> Site:
    """The same with their scores: Bea spent most and ordered once, Ann ordered twice, Cy has not ordered."""
    filled.house.app.enrichment.run(filled.house.shop)
    return filled


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?tier=new", ["Bea Lee"]),
        ("?tier=new&tier=regular", ["Bea Lee", "Ann Lee"]),
        ("?tier=vip", []),
        ("?stage=loyal", ["Ann Lee"]),
        ("?stage=new&stage=converted", ["Cy Lee", "Bea Lee"]),
        ("?rfm=prospects", ["Cy Lee"]),
        ("?rfm=new&rfm=active", ["Bea Lee", "Ann Lee"]),
        ("?rfm=new&rfm=prospects&stage=new", ["Cy Lee"]),
        ("?band=drifting", ["Bea Lee", "Ann Lee"]),
        ("?band=healthy&band=at_risk", []),
        ("?sort=-ltv", ["Bea Lee", "Ann Lee", "Cy Lee"]),
        ("?sort=-churn_index", ["Bea Lee", "Ann Lee", "Cy Lee"]),
        ("?sort=tier", ["Bea Lee", "Ann Lee", "Cy Lee"]),
        ("?sort=-tier&tier=new&tier=regular&column=churn_band", ["Ann Lee", "Bea Lee"]),
    ],
)
def test_scores_filter_and_sort(scored: Site, query: str, expected: list[str]) -> None:
    page = scored.owner.get(f"{scored.root}/customers{query}")
    assert page.status_code == 200
    assert names_on(page.text) == expected


def test_tier_and_stage_stand_in_the_list(scored: Site) -> None:
    page = text_of(scored.owner.get(f"{scored.root}/customers").text)
    assert "Bea Lee bea@people.example New Converted United Kingdom 1 €150.00" in page
    assert "Cy Lee cy@people.example – New Ireland 0 –" in page


def test_other_columns_come_when_asked_for(scored: Site) -> None:
    address = f"{scored.root}/customers?column=shopping_place&column=ltv&column=churn_band"
    raw = scored.owner.get(address).text
    page = text_of(raw)
    assert "Customer Tier Shops Orders Total spent Lifetime value Churn Last seen" in page
    assert re.search(r"Ann Lee .* Regular Online only 2 €59.00 €59.00 Drifting", page)
    # They stay when a filter or a card is followed.
    assert "?tier=vip&amp;column=" not in raw
    assert "?tier=new&amp;column=shopping_place&amp;column=ltv&amp;column=churn_band" in raw


def test_cards_tell_how_many_each_tier_has_and_what_it_brings(scored: Site) -> None:
    raw = scored.owner.get(f"{scored.root}/customers?q=ann").text
    page = text_of(raw)
    assert "1 customer 50.0% of buyers, 71.8% of revenue" in page
    assert "1 customer 50.0% of buyers, 28.2% of revenue" in page
    assert "0 customers 0.0% of buyers, 0.0% of revenue" in page
    assert "Nobody: equal spends leave no top fifth of buyers." in page
    assert f'<a href="{scored.root}/customers?tier=regular">1 customer</a>' in raw


def test_before_the_first_run_there_are_no_cards(filled: Site) -> None:
    assert 'class="tiers"' not in filled.owner.get(f"{filled.root}/customers").text


def test_the_export_tells_the_scores(scored: Site) -> None:
    answer = scored.owner.get(f"{scored.root}/customers.csv?rfm=prospects&tier=new&stage=new")
    assert len(answer.text.splitlines()) == 1
    answer = scored.owner.get(f"{scored.root}/customers.csv")
    rows = {
        row["Name"]: row for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    }
    ann, cy = rows["Ann Lee"], rows["Cy Lee"]
    assert (ann["Tier"], ann["Stage"], ann["Churn band"]) == ("regular", "loyal", "drifting")
    assert (ann["RFM group"], cy["RFM group"]) == ("new", "prospects")
    assert (ann["Lifetime value"], ann["Churn risk"]) == ("59.00", "0.3083")
    assert [cy[name] for name in ("Tier", "Churn band", "Churn risk", "Lifetime value")] == [""] * 4


def test_visitors_are_listed_when_asked_for(filled: Site) -> None:
    visitors = names_on(filled.owner.get(f"{filled.root}/customers?kind=visitor").text)
    assert len(visitors) == 1
    assert visitors[0].startswith("Visitor ")
    assert len(names_on(filled.owner.get(f"{filled.root}/customers?kind=any").text)) == 4


def test_active_filters_are_counted_and_can_be_cleared(filled: Site) -> None:
    page = filled.owner.get(f"{filled.root}/customers?country=IE&orders_min=2").text
    assert 'aria-label="2 active"' in page
    assert "1 of 3 customers" in text_of(page)
    assert "Export 1 filtered customer (CSV)" in text_of(page)
    assert (
        f'href="{filled.root}/customers?orders_min=2" aria-label="Remove filter: Ireland"' in page
    )
    assert "Clear all" in page


def test_a_form_sent_without_scripts_ends_at_the_short_address(filled: Site) -> None:
    sent = "?q=&kind=customer&email=&seen_days=&orders_min=2&spend_min="
    answer = filled.owner.get(f"{filled.root}/customers{sent}")
    assert answer.headers["location"] == f"{filled.root}/customers?orders_min=2"
    part = filled.owner.get(f"{filled.root}/customers{sent}", headers={"hx-request": "true"})
    assert part.headers["hx-push-url"] == f"{filled.root}/customers?orders_min=2"


def test_the_sorted_column_says_so_and_turns_round(filled: Site) -> None:
    page = filled.owner.get(f"{filled.root}/customers?sort=-total_spend").text
    assert 'aria-sort="descending"' in page
    assert f'href="{filled.root}/customers?sort=total_spend"' in page
    assert (
        'aria-sort="ascending"'
        in filled.owner.get(f"{filled.root}/customers?sort=total_spend").text
    )


def test_a_page_after_the_last_leads_to_the_last(filled: Site) -> None:
    answer = filled.owner.get(f"{filled.root}/customers?page=9")
    assert answer.headers["location"] == f"{filled.root}/customers"


def test_twenty_five_customers_stand_on_a_page(site: Site) -> None:
    calls = [
        {"type": "identify", "userId": f"u{number}", "traits": {"name": f"N{number} Lee"}}
        for number in range(30)
    ]
    site.house.segment(*calls)
    site.house.drain()
    first = site.owner.get(f"{site.root}/customers").text
    second = site.owner.get(f"{site.root}/customers?page=2").text
    assert (len(names_on(first)), len(names_on(second))) == (25, 5)
    assert not set(names_on(first)) & set(names_on(second))
    assert f'href="{site.root}/customers?page=2" rel="next"' in first
    assert "26–30 of 30" in text_of(second)


def test_the_export_holds_what_the_list_shows(filled: Site) -> None:
    answer = filled.owner.get(f"{filled.root}/customers.csv?country=IE&sort=-total_spend")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="customers-2026-06-15.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["Name"], row["Total spent"], row["Orders"]) for row in rows] == [
        ("Ann Lee", "59.00", "2"),
        ("Cy Lee", "0.00", "0"),
    ]
    assert rows[0]["E-mail"] == "ann@people.example"
    assert rows[0]["Last order"] == "2026-06-10T09:00:00Z"


def test_the_export_has_the_columns_that_were_chosen(scored: Site) -> None:
    query = "?column=shopping_place&column=ltv&country=GB"
    answer = scored.owner.get(f"{scored.root}/customers.csv{query}")
    header, bea = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert header == [
        *("Profile id", "Name", "E-mail", "Phone", "Kind", "Tier", "Shops", "Orders"),
        *("Total spent", "Lifetime value", "Last seen", "Currency"),
    ]
    assert bea[5:] == [
        *("new", "online_only", "1", "150.00", "150.00", "2026-06-11T09:00:00Z", "EUR"),
    ]


def test_the_export_goes_on_where_its_first_part_ends(site: Site) -> None:
    site.house.segment(*({"type": "identify", "userId": f"u{number}"} for number in range(505)))
    site.house.drain()
    answer = site.owner.get(f"{site.root}/customers.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len({row["Profile id"] for row in rows}) == 505


def test_a_name_that_is_a_formula_is_harmless_in_a_spreadsheet(site: Site) -> None:
    site.house.segment(
        {"type": "identify", "userId": "u1", "traits": {"name": '=HYPERLINK("http://evil")'}}
    )
    site.house.drain()
    answer = site.owner.get(f"{site.root}/customers.csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert row["Name"] == '\'=HYPERLINK("http://evil")'


def test_markup_in_a_name_stays_text(site: Site) -> None:
    site.house.segment(
        {"type": "identify", "userId": "u1", "traits": {"name": "<script>alert(1)</script>"}}
    )
    site.house.drain()
    page = site.owner.get(f"{site.root}/customers").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_an_empty_shop_says_what_will_appear_and_how(site: Site) -> None:
    page = text_of(site.owner.get(f"{site.root}/customers").text)
    assert "Your customers appear here" in page
    assert "Connect a source" in page


def test_a_shop_with_visitors_only_offers_to_show_them(site: Site) -> None:
    site.house.segment({"type": "page", "anonymousId": "c9"})
    site.house.drain()
    assert "No customers yet" in site.owner.get(f"{site.root}/customers").text


def test_a_search_that_finds_nobody_can_be_cleared(filled: Site) -> None:
    page = filled.owner.get(f"{filled.root}/customers?q=zzz").text
    assert "No one matches" in page
    assert "Clear search and filters" in page

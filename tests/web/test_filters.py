from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from customer360.values import parse_amount
from customer360.web import filters
from customer360.web.customer_columns import OPTIONAL
from customer360.web.filters import CustomerFilter

chosen_filters = st.builds(
    CustomerFilter,
    search=st.text(max_size=50).map(str.strip),
    kind=st.sampled_from(["customer", "visitor", "any"]),
    countries=st.sets(st.sampled_from(["IE", "GB", "DE"])).map(lambda codes: tuple(sorted(codes))),
    **{
        one.part: st.sets(st.sampled_from(list(one.words))).map(
            lambda chosen, words=one.words: tuple(word for word in words if word in chosen)
        )
        for one in filters.CHOICES
    },
    columns=st.sets(st.sampled_from(list(OPTIONAL)), min_size=1).map(
        lambda chosen: tuple(name for name in OPTIONAL if name in chosen)
    ),
    has_email=st.none() | st.booleans(),
    orders_min=st.none() | st.integers(1, 10**9),
    spend_min=st.none() | st.integers(1, 10**15),
    seen_days=st.none() | st.integers(1, 3660),
    segment_id=st.none() | st.integers(1, 2**63 - 1),
    sort=st.sampled_from(filters.SORTS).flatmap(lambda name: st.sampled_from([name, f"-{name}"])),
    page=st.integers(1, 400_000),
)


some_days = st.none() | st.dates(date(1900, 1, 1), date(2199, 12, 31))


@given(chosen_filters, some_days, some_days)
def test_a_filter_comes_back_from_its_url_as_it_was(
    chosen: CustomerFilter, one: date | None, other: date | None
) -> None:
    first, last = sorted((one, other)) if one and other else (one, other)
    chosen = replace(chosen, bought_from=first, bought_to=last)
    query = filters.write(chosen)
    assert filters.read(QueryParams(query.removeprefix("?"))) == chosen


@given(st.text(max_size=300))
def test_no_url_is_too_odd_to_be_read(query: str) -> None:
    assert isinstance(filters.read(QueryParams(query)), CustomerFilter)


def test_the_default_filter_needs_no_url() -> None:
    assert filters.write(CustomerFilter()) == ""


@pytest.mark.parametrize(
    "query",
    [
        "sort=name%3B+drop+table",
        "orders_min=-3",
        "orders_min=many",
        "spend_min=nan",
        "country=IRL&country=1%27",
        "kind=robot",
        "page=0",
        "seen_days=999999",
        "place=moon",
        "tier=gold&stage=vip&rfm=new%27&band=churned&column=name",
        "email=maybe",
        "segment=vips",
        "bought_from=yesterday&bought_to=2026-02-30",
        "bought_from=0001-01-01&bought_to=9999-12-31",
        "q=+++",
    ],
)
def test_parts_that_make_no_sense_are_left_out(query: str) -> None:
    assert filters.read(QueryParams(query)) == CustomerFilter()


def test_pills_say_each_filter_and_link_to_the_list_without_it() -> None:
    chosen = CustomerFilter(
        search="ann",
        kind="any",
        countries=("GB", "IE"),
        places=("online_only",),
        stages=("at_risk",),
        tiers=("regular", "vip"),
        rfm_groups=("at_risk",),
        churn_bands=("at_risk",),
        has_email=True,
        orders_min=2,
        spend_min=parse_amount("19.9"),
        seen_days=30,
        bought_from=date(2026, 10, 1),
        bought_to=date(2026, 10, 31),
        segment_id=7,
        page=4,
    )
    pills = filters.pills(chosen, "EUR", "Big spenders")
    assert [pill.label for pill in pills] == [
        "In Big spenders",
        "Everyone",
        "United Kingdom",
        "Ireland",
        "Tier: Regular",
        "Tier: VIP",
        "Stage: At risk",
        "Churn: At risk",
        "RFM: At risk",
        "Online only",
        "Has e-mail",
        "Orders: 2 or more",
        "Spent: €19.90 or more",
        "Seen in the last 30 days",
        "Bought 1–31 Oct 2026",
    ]
    without_ireland = filters.read(QueryParams(pills[3].without.removeprefix("?")))
    assert without_ireland.countries == ("GB",)
    assert without_ireland.search == "ann"
    assert without_ireland.page == 1


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("bought_from=2026-10-01", "Bought from 1 Oct 2026 on"),
        ("bought_to=2026-10-31", "Bought up to 31 Oct 2026"),
        ("bought_from=2026-10-31&bought_to=2026-09-01", "Bought 1 Sept\u2009–\u200931 Oct 2026"),
    ],
)
def test_days_of_purchase_need_not_have_both_ends(query: str, label: str) -> None:
    (pill,) = filters.pills(filters.read(QueryParams(query)), "EUR")
    assert (pill.label, pill.without) == (label, "")


def test_search_and_order_are_no_filters() -> None:
    chosen = CustomerFilter(search="ann", sort="total_spend")
    assert filters.pills(chosen, "EUR") == []
    shown = CustomerFilter(search="ann", columns=("ltv",))
    assert filters.cleared(replace(shown, orders_min=2, tiers=("vip",))) == shown

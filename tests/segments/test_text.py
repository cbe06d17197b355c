"""The text form of a rule: Shopify's language and ours are read, refused by position, and written back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.errors import InvalidQuery
from customer360.segments.ast import EVERYONE, MAX_CONDITIONS, MAX_DEPTH, Rule
from customer360.segments.parse import line_and_column, parse_query
from customer360.segments.rule import read_rule, write_rule
from customer360.segments.shopify import FUNCTIONS, RENAMED, TERMS, UNSUPPORTED
from customer360.segments.write import write_query
from tests.examples import examples
from tests.segments.test_rule import EXAMPLE, attribute
from tests.segments.trees import RULES


def read(query: str) -> Rule | InvalidQuery:
    """The rule, or why it is refused."""
    try:
        return parse_query(query)
    except InvalidQuery as refused:
        return refused


def event(name: str, *where: tuple[str, str, Any], **more: Any) -> dict[str, Any]:
    """A condition on events in JSON; `where` as (property, operator, value)."""
    told: dict[str, Any] = {"event": name, **more}
    if where:
        told["where"] = [{"property": one, "op": op, "value": value} for one, op, value in where]
    return told


def purchases(*where: tuple[str, str, Any], **more: Any) -> dict[str, Any]:
    return event("order_placed", *where, **more)


SHOPIFY = [
    ("number_of_orders > 0", attribute("orders_count", "gt", 0)),
    ("amount_spent >= 500.00", attribute("total_spend", "gte", 500)),
    ("amount_spent BETWEEN 100 AND 200", attribute("total_spend", "between", [100, 200])),
    ("last_order_date < -90d", attribute("last_order_at", "lt", "-90d")),
    ("last_order_date > 2026-01-31", attribute("last_order_at", "gt", "2026-01-31")),
    ("last_order_date < 90_days_ago", attribute("last_order_at", "lt", "-90d")),
    ("first_order_date = today", attribute("first_order_at", "eq", "today")),
    ("last_order_date IS NULL", attribute("last_order_at", "is_empty")),
    ("customer_added_date >= -1m", attribute("first_seen_at", "gte", "-1m")),
    ("customer_tags CONTAINS 'VIP'", attribute("tags", "contains", "VIP")),
    ("customer_tags NOT CONTAINS 'wholesale'", attribute("tags", "not_contains", "wholesale")),
    ("customer_email_domain = 'gmail.com'", attribute("email_domain", "eq", "gmail.com")),
    ("customer_language != 'en'", attribute("language", "neq", "en")),
    ("email_subscription_status = 'SUBSCRIBED'", attribute("consent_email", "eq", "granted")),
    ("sms_subscription_status != 'NOT_SUBSCRIBED'", attribute("consent_sms", "neq", "never")),
    (
        "sms_subscription_status IN ('UNSUBSCRIBED', 'PENDING')",
        attribute("consent_sms", "in", ["withdrawn", "pending"]),
    ),
    ("rfm_group = 'AT_RISK'", attribute("rfm_group", "eq", "at_risk")),
    ("predicted_spend_tier = 'HIGH'", attribute("ltv_percentile", "gte", 80)),
    ("predicted_spend_tier != 'LOW'", {"not": attribute("ltv_percentile", "lt", 40)}),
    (
        "predicted_spend_tier IN ('LOW', 'MEDIUM')",
        {
            "any": [
                attribute("ltv_percentile", "lt", 40),
                {
                    "all": [
                        attribute("ltv_percentile", "gte", 40),
                        attribute("ltv_percentile", "lt", 80),
                    ]
                },
            ]
        },
    ),
    ("predicted_spend_tier IS NULL", attribute("ltv_percentile", "is_empty")),
    ("customer_countries CONTAINS 'IE'", attribute("country", "eq", "IE")),
    ("customer_countries NOT CONTAINS 'IE'", {"not": attribute("country", "eq", "IE")}),
    ("customer_countries IS NULL", attribute("country", "is_empty")),
    (
        "customer_regions CONTAINS 'US-NY'",
        {"all": [attribute("country", "eq", "US"), attribute("region", "eq", "NY")]},
    ),
    (
        "customer_cities CONTAINS 'US-CA-LosAngeles'",
        {
            "all": [
                attribute("country", "eq", "US"),
                attribute("region", "eq", "CA"),
                attribute("city", "in", ["LosAngeles", "Los Angeles"]),
            ]
        },
    ),
    (
        "customer_cities CONTAINS 'GB-ENG-Stoke-on-Trent'",
        {
            "all": [
                attribute("country", "eq", "GB"),
                attribute("region", "eq", "ENG"),
                attribute("city", "eq", "Stoke-on-Trent"),
            ]
        },
    ),
    ("abandoned_checkout_date > -7d", event("checkout_abandoned", within={"after": "-7d"})),
    (
        "abandoned_checkout_date <= -7d",
        {
            "all": [
                event("checkout_abandoned", within={"to": "-7d"}),
                event("checkout_abandoned", did=False, within={"after": "-7d"}),
            ]
        },
    ),
    (
        "abandoned_checkout_date < -7d",
        {
            "all": [
                event("checkout_abandoned", within={"before": "-7d"}),
                event("checkout_abandoned", did=False, within={"from": "-7d"}),
            ]
        },
    ),
    (
        "abandoned_checkout_date != today",
        {
            "not": {
                "all": [
                    event("checkout_abandoned", within={"from": "today", "to": "today"}),
                    event("checkout_abandoned", did=False, within={"after": "today"}),
                ]
            }
        },
    ),
    ("abandoned_checkout_date IS NULL", event("checkout_abandoned", did=False)),
    (
        "products_purchased(id: 2012162031638) = true",
        purchases(("product_id", "eq", "2012162031638")),
    ),
    (
        "products_purchased(id: (1012132033639, 2012162031638)) = false",
        purchases(("product_id", "in", ["1012132033639", "2012162031638"]), did=False),
    ),
    (
        "products_purchased(tag: 'sale', date: -30d) = true",
        purchases(("product_tag", "contains", "sale"), within={"last_days": 30}),
    ),
    (
        "products_purchased MATCHES (id = 2012162031638, date >= -90d, count >= 2, sum_quantity > 3)",
        purchases(
            ("product_id", "eq", "2012162031638"),
            within={"last_days": 90},
            count={"op": "gte", "value": 2},
            sum={"property": "quantity", "op": "gt", "value": 3},
        ),
    ),
    (
        "products_purchased NOT MATCHES (id IN (1012132033639, 2012162031638))",
        purchases(("product_id", "in", ["1012132033639", "2012162031638"]), did=False),
    ),
    ("products_purchased IS NOT NULL", purchases()),
    (
        "orders_placed MATCHES (amount >= 50, date > -6m, count > 3, sum_amount > 200, location_id = 7)",
        purchases(
            ("total", "gte", 50),
            ("location", "eq", "7"),
            within={"after": "-6m"},
            count={"op": "gt", "value": 3},
            sum={"property": "total", "op": "gt", "value": 200},
        ),
    ),
    (
        "storefront.product_viewed MATCHES (id = 2012162031638, date > -30d, count >= 3)",
        event(
            "product_viewed",
            ("product_id", "eq", "2012162031638"),
            within={"after": "-30d"},
            count={"op": "gte", "value": 3},
        ),
    ),
    (
        "storefront_event.collection_viewed MATCHES (id = 5, date BETWEEN 2026-01-01 AND -7d)",
        event(
            "collection_viewed",
            ("collection_id", "eq", "5"),
            within={"from": "2026-01-01", "to": "-7d"},
        ),
    ),
    (
        "shopify_email.opened MATCHES (activity_id = 5, date = yesterday)",
        event(
            "email_opened", ("campaign_id", "eq", "5"), within={"from": "yesterday", "to": "-1d"}
        ),
    ),
    ("shopify_email.delivered NOT MATCHES ()", event("email_received", did=False)),
]


@pytest.mark.parametrize(("query", "meant"), SHOPIFY, ids=[query for query, _ in SHOPIFY])
def test_a_query_of_shopifys_means_this_rule(query: str, meant: dict[str, Any]) -> None:
    assert parse_query(query) == read_rule(meant)


def test_and_binds_tighter_than_or() -> None:
    a, b, c = (attribute("city", "eq", name) for name in "abc")

    assert parse_query("city = 'a' OR city = 'b' AND city = 'c'") == read_rule(
        {"any": [a, {"all": [b, c]}]}
    )
    assert parse_query("(city = 'a' OR city = 'b') and city = 'c'") == read_rule(
        {"all": [{"any": [a, b]}, c]}
    )


def test_parentheses_around_a_group_keep_it_a_group() -> None:
    a, b, c = (attribute("city", "eq", name) for name in "abc")

    assert parse_query("(city = 'a' AND city = 'b') AND city = 'c'") == read_rule(
        {"all": [{"all": [a, b]}, c]}
    )
    assert parse_query("((city = 'a'))") == read_rule(a)


OURS = [
    ("has_email = true", attribute("has_email", "eq", True)),
    ("country IN ('IE', 'GB')", attribute("country", "in", ["IE", "GB"])),
    ("country NOT IN ('IE')", attribute("country", "not_in", ["IE"])),
    ("zip = 02134", attribute("zip", "eq", "02134")),
    ("city STARTS WITH 'St. '", attribute("city", "starts_with", "St. ")),
    ("city ends with 'burg'", attribute("city", "ends_with", "burg")),
    (r"city = 'Xi''an'", attribute("city", "eq", "Xi'an")),
    (r"city = 'Xi\'an \\ \n'", attribute("city", "eq", "Xi'an \\ \\n")),
    ("last_order_at IN LAST 30 DAYS", attribute("last_order_at", "in_last_days", 30)),
    ("last_order_at NOT IN LAST 1 DAY", attribute("last_order_at", "not_in_last_days", 1)),
    ("last_order_at BEFORE -2w", attribute("last_order_at", "before", "-2w")),
    ("last_order_at ON 2026-01-31", attribute("last_order_at", "on", "2026-01-31")),
    (
        "last_order_at >= 2026-01-31T09:30:00Z",
        attribute("last_order_at", "gte", "2026-01-31T09:30:00Z"),
    ),
    ("churn_risk <> -0.5", attribute("churn_risk", "neq", -0.5)),
    ("NOT country = 'IE'", {"not": attribute("country", "eq", "IE")}),
    ("segments CONTAINS '614519532646400001'", {"segment": "614519532646400001"}),
    ("segments NOT CONTAINS '7'", {"segment": "7", "member": False}),
    ("order_placed NOT MATCHES (date >= -30d)", purchases(did=False, within={"last_days": 30})),
    ("order_placed MATCHES (date IN LAST 30 DAYS)", purchases(within={"last_days": 30})),
    (
        "order_placed MATCHES (date >= -30d, date < today)",
        purchases(within={"from": "-30d", "before": "today"}),
    ),
    (
        "order_placed MATCHES (promo_codes CONTAINS 'X', place = 'in store')",
        purchases(("promo_codes", "contains", "X"), ("place", "eq", "in_store")),
    ),
    (
        "product_viewed MATCHES (property('colour') IN ('red', 5, true), variant = 'S')",
        event("product_viewed", ("colour", "in", ["red", 5, True]), ("variant", "eq", "S")),
    ),
    (
        "event('Quiz finished') MATCHES (property('count') > 3, sum('score') >= 100)",
        event(
            "Quiz finished",
            ("count", "gt", 3),
            sum={"property": "score", "op": "gte", "value": 100},
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "meant"), OURS, ids=[query for query, _ in OURS])
def test_a_query_of_ours_means_this_rule(query: str, meant: dict[str, Any]) -> None:
    assert parse_query(query) == read_rule(meant)


@pytest.mark.parametrize("query", ["", "  ", "FROM customers SHOW customer_name, orders"])
def test_no_condition_is_everyone(query: str) -> None:
    assert parse_query(query) == EVERYONE


def test_visitors_are_included_when_told() -> None:
    assert parse_query("INCLUDING VISITORS") == Rule(include_visitors=True)
    assert parse_query("sessions_count > 3 including visitors").include_visitors


def test_a_whole_query_of_shopifys_editor_is_read() -> None:
    editor = """FROM customers
SHOW customer_name, note, email_subscription_status, location, orders, amount_spent
WHERE number_of_orders > 0
ORDER BY updated_at DESC"""

    assert parse_query(editor) == parse_query("number_of_orders > 0")


REFUSED = [
    ("amount_spend > 100", 0, "did you mean amount_spent?"),
    ("orders_count > 1 AND\n totl_spend > 1", 22, "did you mean total_spend?"),
    ("number_of_orders >", 18, "the text ends"),
    ("number_of_orders", 16, "An operator is wanted"),
    ("number_of_orders 5", 17, "An operator is wanted"),
    ("customer_tags = 'VIP'", 14, "CONTAINS"),
    ("(amount_spent > 100", 19, ") is wanted"),
    ("amount_spent > 100)", 18, "AND, OR or the end"),
    ("amount_spent > 'a lot'", 15, "no number"),
    ("amount_spent > lots", 15, "A number is wanted"),
    ("amount_spent BETWEEN 1 OR 2", 23, "AND and a second value"),
    ("last_order_date < yesterdayish", 18, "yesterday"),
    ("last_order_date < 2026-02-30", 18, "no day"),
    ("last_order_date < -5q", 18, "no day"),
    ("last_order_at IN LAST 30", 24, "DAYS is wanted"),
    ("country = IE", 10, "single quotes"),
    ("country = 'IE", 10, "closing quote"),
    ("country IN ('IE', '')", 18, "1 to 255"),
    ("country IN ('IE' 'GB')", 17, ", is wanted"),
    ("country # 'IE'", 8, "means nothing"),
    ('country = "IE"', 10, "single quotes"),
    ("country = ‘IE’", 10, "single quotes"),
    ("has_email = yes", 12, "true or false"),
    ("rfm_group = 'CHAMPION'", 12, "did you mean champions?"),
    ("email_subscription_status = 'SUBSCRIBE'", 28, "did you mean subscribed?"),
    ("email_subscription_status IS NULL", 26, "cannot be compared"),
    ("customer_cities CONTAINS 'Dublin'", 25, "no place"),
    ("abandoned_checkout_date = 2026-01-31T09:30:00Z", 26, "no day"),
    ("anniversary(date: 'metafields.facts.birth_date') = today", 0, "metafields are not kept"),
    ("metafields.facts.birth_date = today", 0, "metafields are not kept"),
    ("customer_account_status = 'ENABLED'", 0, "not supported"),
    ("orders_placed MATCHES (app_id = 5)", 23, "not supported"),
    ("orders_placed MATCHES (ammount = 5)", 23, "did you mean amount?"),
    ("order_placed MATCHES (title = 'x', title2 = 'y')", 35, "did you mean title?"),
    ("order_placed MATCHES (property('colour') = 'x')", 22, "no property 'colour'"),
    ("order_placed MATCHES (sum_place > 5)", 22, "cannot be summed"),
    ("order_placed MATCHES (sum_totl > 5)", 22, "no property"),
    ("order_placed MATCHES (count > 1, count < 5)", 33, "told twice"),
    ("order_placed MATCHES (count > 1.5)", 30, "whole number"),
    ("order_placed MATCHES (date > -5d, date >= -3d)", 42, "either"),
    ("order_placed MATCHES (date > -5d, date > -3d)", 34, "told twice"),
    ("order_placed MATCHES (date != -5d)", 27, "cannot be compared"),
    ("order_placed MATCHES (5)", 22, "name of a property"),
    ("order_placed > 5", 13, "order_placed MATCHES"),
    ("event(quiz) MATCHES ()", 6, "single quotes"),
    ("event('') MATCHES ()", 0, "1 to 100"),
    ("segments CONTAINS 'VIPs'", 18, "string of digits"),
    ("AND", 0, "no attribute or event AND"),
    ("NOT", 3, "A condition is wanted"),
    ("ALL (country IS NULL", 20, ", is wanted"),
    ("(" * (MAX_DEPTH + 2), MAX_DEPTH + 1, "nested"),
    ("NOT " * 5000 + "country IS NULL", 4 * (MAX_DEPTH + 1), "nested"),
    (" OR ".join(["country IS NULL"] * (MAX_CONDITIONS + 1)), 0, "300"),
]


@pytest.mark.parametrize(
    ("query", "position", "said"), REFUSED, ids=[query[:50] for query, _, _ in REFUSED]
)
def test_what_is_no_query_is_refused_at_its_place(query: str, position: int, said: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        parse_query(query)

    assert (refused.value.position, said in str(refused.value)) == (position, True), refused.value


def test_a_place_is_told_as_line_and_column() -> None:
    assert line_and_column("orders_count > 1 AND\n totl_spend > 1", 22) == (2, 2)
    assert line_and_column("x", 0) == (1, 1)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", ""),
        ("number_of_orders > 0", "orders_count > 0"),
        ("ALL (country IS NULL)", "country IS NULL"),
        ("ALL (ALL (country IS NULL))", "ALL (ALL (country IS NULL))"),
        ("ANY ()", "ANY ()"),
        ("NOT (NOT country IS NULL)", "NOT NOT country IS NULL"),
        (
            "city = 'a' OR (city = 'b' AND NOT (city = 'c' or city = 'd')) INCLUDING VISITORS",
            "city = 'a' OR (city = 'b' AND NOT (city = 'c' OR city = 'd')) INCLUDING VISITORS",
        ),
        ("amount_spent > 10.50", "total_spend > 10.5"),
        ("orders_count >= 1000000", "orders_count >= 1000000"),
    ],
)
def test_a_rule_is_written_in_one_way(query: str, text: str) -> None:
    assert write_query(parse_query(query)) == text


def test_the_example_of_the_public_surface_as_text() -> None:
    assert write_query(read_rule(EXAMPLE)) == (
        "total_spend >= 200"
        " AND (country IN ('IE', 'GB') OR NOT last_touch_source = 'google')"
        " AND product_viewed MATCHES (product_id = 'p1', date >= -30d, count >= 3)"
        " AND order_placed NOT MATCHES (date >= -30d)"
        " AND order_placed MATCHES (date BETWEEN 2026-01-01 AND 2026-06-30, sum_total >= 100)"
        " AND segments CONTAINS '614519532646400001'"
    )


@examples(500)
@given(RULES)
def test_a_rule_comes_back_from_text_as_it_went(rule: Rule) -> None:
    assert parse_query(write_query(rule)) == rule


@pytest.mark.parametrize("query", [query for query, _ in (*SHOPIFY, *OURS)])
def test_a_query_that_was_read_comes_back_from_text_and_json(query: str) -> None:
    rule = parse_query(query)

    assert parse_query(write_query(rule)) == rule
    assert read_rule(write_rule(rule)) == rule


def test_the_queries_of_the_contract_are_read_or_refused_as_it_says(shared: Path) -> None:
    lines = (shared / "contracts/shopify_queries.txt").read_text().splitlines()
    queries = [line for line in lines if line and not line.startswith("#")]

    assert len(queries) > 30
    for query in queries:
        if query.startswith("!"):
            with pytest.raises(InvalidQuery):
                parse_query(query.removeprefix("!").strip())
        else:
            assert parse_query(write_query(parse_query(query))) == parse_query(query)


def test_no_name_of_shopifys_has_two_meanings() -> None:
    groups = (RENAMED, TERMS, FUNCTIONS, UNSUPPORTED)

    assert len(set().union(*groups)) == sum(map(len, groups))


PIECES = st.one_of(
    st.sampled_from(
        ("AND", "OR", "NOT", "(", ")", ",", "IN", "MATCHES", "BETWEEN", "=", ">=", ":", "'IE'", "'", "5", "-30d",
         "today", "true", "country", "orders_count", "last_order_at", "tags", "CONTAINS", "IS", "NULL", "date",
         "count", "order_placed", "products_purchased", "product_id", "id", "sum_total", "sum", "property", "event",
         "segments", "ALL", "ANY", "INCLUDING", "VISITORS", "FROM", "customers", "LAST", "DAYS", "metafields.x")
    ),
    st.text(max_size=3),
)  # fmt: skip


@examples(1500)
@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_whatever_is_typed_is_a_rule_or_is_refused(query: str) -> None:
    rule = read(query)

    if isinstance(rule, InvalidQuery):
        assert 0 <= rule.position <= len(query)
    else:
        assert parse_query(write_query(rule)) == rule


@examples(300)
@given(RULES, st.data())
def test_a_query_that_lost_or_gained_a_character_is_a_rule_or_is_refused(
    rule: Rule, data: st.DataObject
) -> None:
    query = write_query(rule)
    place = data.draw(st.integers(0, len(query)))
    broken = (
        query[:place] + data.draw(st.sampled_from(("", "'", ")", "x", "\\"))) + query[place + 1 :]
    )
    found = read(broken)

    if isinstance(found, InvalidQuery):
        assert 0 <= found.position <= len(broken)
    else:
        assert parse_query(write_query(found)) == found

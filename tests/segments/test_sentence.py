"""A rule is said in plain words."""

import re

import pytest
from hypothesis import given

from customer360.segments.ast import Rule
from customer360.segments.parse import parse_query
from customer360.segments.rule import read_rule
from customer360.segments.sentence import Speaker
from tests.examples import examples
from tests.segments.test_rule import EXAMPLE
from tests.segments.trees import RULES

SPEAKER = Speaker("EUR", {614519532646400001: "VIPs"})

SAID = [
    ("", "All customers."),
    ("INCLUDING VISITORS", "All customers and visitors."),
    ("ANY ()", "Nobody."),
    ("orders_count >= 2", "Customers whose number of orders is at least 2."),
    ("sessions_count > 1000", "Customers whose sessions are more than 1,000."),
    ("email_opened_count = 3", "Customers whose e-mails opened are 3."),
    ("sms_sent_count != 3", "Customers whose SMS sent are not 3."),
    ("total_spend BETWEEN 50 AND 99.5", "Customers whose total spend is between €50.00 and €99.50."),
    ("churn_risk < 0.35", "Customers whose churn risk is less than 0.35."),
    ("country = 'IE'", "Customers whose country is IE."),
    ("country IN ('IE', 'GB', 'FR')", "Customers whose country is IE, GB or FR."),
    (
        "zip IN ('1', '2', '3', '4', '5', '6', '7')",
        "Customers whose ZIP is 1, 2, 3, 4, 5 or 2 more.",
    ),
    ("city NOT IN ('Cork', 'New York')", "Customers whose city is none of Cork and “New York”."),
    ("city STARTS WITH 'St. '", "Customers whose city starts with “St. ”."),
    ("city IS NULL", "Customers whose city is not known."),
    ("tags CONTAINS 'VIP'", "Customers whose tags contain VIP."),
    ("tags NOT CONTAINS 'VIP'", "Customers whose tags do not contain VIP."),
    ("tags IS NOT NULL", "Customers whose tags are known."),
    ("rfm_group = 'at risk'", "Customers whose RFM group is at risk."),
    ("has_email = true", "Customers who have an e-mail."),
    ("has_phone != true", "Customers who do not have a phone."),
    ("has_name IS NULL", "Customers of whom it is not known whether they have a name."),
    ("last_order_at < -90d", "Customers whose last order is before 90 days ago."),
    ("last_order_at >= 2026-01-31", "Customers whose last order is 31 Jan 2026 or later."),
    ("last_order_at ON yesterday", "Customers whose last order is yesterday."),
    ("predicted_next_order_at <= +1w", "Customers whose predicted next order is in 1 week or earlier."),
    (
        "last_order_at > 2026-01-31T09:30:00Z",
        "Customers whose last order is after 31 Jan 2026, 09:30 UTC.",
    ),
    ("last_order_at IN LAST 30 DAYS", "Customers whose last order is in the last 30 days."),
    ("last_order_at NOT IN LAST 0 DAYS", "Customers whose last order is not today."),
    ("order_placed MATCHES ()", "Customers who have placed an order."),
    ("order_placed NOT MATCHES ()", "Customers who have never placed an order."),
    (
        "order_placed NOT MATCHES (date >= -30d)",
        "Customers who have not placed an order in the last 30 days.",
    ),
    (
        "product_viewed MATCHES (product_id = 'p1', price >= 20, count >= 3, date >= -30d)",
        "Customers who have viewed a product (product is p1, price is at least €20.00) at least 3 times"
        " in the last 30 days.",
    ),
    ("searched MATCHES (count = 1)", "Customers who have searched exactly once."),
    ("searched MATCHES (count > 1)", "Customers who have searched more than once."),
    ("searched MATCHES (count BETWEEN 2 AND 5)", "Customers who have searched between 2 and 5 times."),
    (
        "order_placed MATCHES (sum_total >= 100, date BETWEEN 2026-01-01 AND 2026-06-30)",
        "Customers who have placed an order with total of at least €100.00 altogether"
        " from 1 Jan 2026 to 30 Jun 2026.",
    ),
    ("email_sent MATCHES (date = yesterday)", "Customers who have been sent an e-mail yesterday."),
    ("searched MATCHES (date = 2026-01-31)", "Customers who have searched on 31 Jan 2026."),
    ("searched MATCHES (date >= 2026-01-31)", "Customers who have searched since 31 Jan 2026."),
    ("searched MATCHES (date < -2m)", "Customers who have searched before 2 months ago."),
    (
        "event('Quiz finished') MATCHES (property('score') > 3, property('passed') = true)",
        "Customers who have done “Quiz finished” (score is more than 3, passed is yes).",
    ),
    ("segments NOT CONTAINS '614519532646400001'", "Customers who are not in the segment “VIPs”."),
    ("segments CONTAINS '7'", "Customers who are in the segment “7”."),
    (
        "country = 'IE' OR (city = 'Cork' AND NOT tags CONTAINS 'VIP') INCLUDING VISITORS",
        "Customers and visitors whose country is IE, or (whose city is Cork, and who are not among those"
        " whose tags contain VIP).",
    ),
    ("ALL (ANY ()) AND NOT ALL ()", "Customers who are nobody, and who are not among those who are anybody."),
]  # fmt: skip


@pytest.mark.parametrize(("query", "sentence"), SAID, ids=[query for query, _ in SAID])
def test_a_rule_is_this_sentence(query: str, sentence: str) -> None:
    assert SPEAKER.sentence(parse_query(query)) == sentence


def test_the_example_of_the_public_surface_as_a_sentence() -> None:
    assert SPEAKER.sentence(read_rule(EXAMPLE)) == (
        "Customers whose total spend is at least €200.00,"
        " and (whose country is IE or GB, or who are not among those whose last touch source is google),"
        " and who have viewed a product (product is p1) at least 3 times in the last 30 days,"
        " and who have not placed an order in the last 30 days,"
        " and who have placed an order with total of at least €100.00 altogether from 1 Jan 2026"
        " to 30 Jun 2026,"
        " and who are in the segment “VIPs”."
    )


@examples(300)
@given(RULES)
def test_every_rule_is_one_sentence_without_a_word_of_the_machine(rule: Rule) -> None:
    said = SPEAKER.sentence(rule)

    assert said.endswith(".")
    assert not re.search(r"_|None|Decimal|  ", re.sub("sum_total|orders_count", "x", said))

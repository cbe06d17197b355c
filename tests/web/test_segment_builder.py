"""The builder's pages: a rule as a form and as text, what it means beside it, and the segment that comes of it."""

from __future__ import annotations

import pytest

from customer360.clock import SECOND
from customer360.segments.model import Segment
from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment, list_segments
from customer360.web.segment_form import read_form
from customer360.web.segment_rule import Drafted, rule_of_form
from tests.web.conftest import Site, text_of
from tests.web.forms import fields_of

IRISH = {"name": "Irish", "r.match": "all", "r.0.what": "attribute:country", "r.0.op": "eq"}

EVERYTHING = """
country IN ('IE', 'GB', 'a "b", c') AND NOT (NOT ALL (ANY (), ALL ())) AND tags CONTAINS 'x'
AND tier IN ('regular', 'vip') AND shopping_place = 'omnichannel' AND has_email = true AND zip IS NULL
AND last_order_at BETWEEN -2w AND 2026-01-31 AND first_order_at ON today AND orders_count BETWEEN 1 AND 3
AND last_order_at NOT IN LAST 30 DAYS AND last_seen_at >= '2026-01-31T09:30:00Z' AND total_spend > 19.90
AND order_placed MATCHES (vendor = 'A', place IN ('online'), count >= 2, sum_total BETWEEN 1 AND 9, date >= -90d)
AND order_placed NOT MATCHES (date > 2026-01-01, date < today) AND NOT product_viewed MATCHES (price <= 5)
AND event('Quiz') MATCHES (property('n') = 3, property('n') IN (1, 'a', true), sum('n') > 1, count = 1)
AND event('Quiz') MATCHES (property('a') = true, property('b') = '3', property('c') CONTAINS 'x', date <= -1y)
AND segments CONTAINS '614519532646400001' AND segments NOT CONTAINS '1'
INCLUDING VISITORS
"""


@pytest.fixture
def new(site: Site) -> str:
    """The address of a new segment, in a shop with three customers."""
    for number, country in enumerate(("IE", "IE", "GB")):
        traits = {
            "firstName": "Ann",
            "lastName": f"N{number}",
            "address": {"country": country},
        }
        site.house.segment({"type": "identify", "userId": f"u{number}", "traits": traits})
    site.house.drain()
    return f"{site.root}/segments/new"


def stored(site: Site) -> list[Segment]:
    """The segments that the shop made."""
    with site.house.app.database.read() as connection:
        return list_segments(connection, site.house.shop.shop_id)[1:]


def make(site: Site, name: str, query: str) -> Segment:
    """A segment with the rule that a text says."""
    house = site.house
    with house.app.database.write() as connection:
        return create_segment(
            connection, house.shop.shop_id, name, parse_query(query), house.clock.now(), limit=None
        )


def test_a_new_segment_begins_with_all_customers_and_offers_templates(site: Site, new: str) -> None:
    page = text_of(site.owner.get(new).text)

    assert "3 customers · 100.0%" in page
    assert "All customers." in page
    assert "Start from a template" in page


def test_a_template_fills_the_form(site: Site, new: str) -> None:
    page = site.owner.get(f"{new}?template=quiet_spenders").text

    assert dict(fields_of(page))["name"] == "High spend, no purchase in 30 days"
    assert rule_of_form(read_form(fields_of(page)), False).rule == parse_query(
        "total_spend > 200 AND order_placed NOT MATCHES (date >= -30d)"
    )


def test_a_text_becomes_a_form_of_the_same_rule_and_a_text_again(site: Site, new: str) -> None:
    rule = parse_query(EVERYTHING)

    form = fields_of(site.owner.post(new, {"query": EVERYTHING, "do": "builder"}).text)
    back = site.owner.post(new, {**_many(form), "do": "text"})

    assert rule_of_form(read_form(form), rule.include_visitors) == Drafted(rule, {})
    assert dict(form)["include_visitors"] == "yes"
    assert parse_query(dict(fields_of(back.text))["query"]) == rule


def test_every_choice_of_a_condition_is_offered_by_the_catalogue(site: Site, new: str) -> None:
    page = site.owner.post(new, {"r.match": "all", "do": "add r"}).text

    for name in ("attribute:engagement_score", "event:whatsapp_read", "segment:"):
        assert f'value="{name}"' in page


def test_the_panel_tells_the_rule_its_people_and_how_to_reach_them(site: Site, new: str) -> None:
    page = text_of(site.owner.post(new, {**IRISH, "r.0.value": "IE"}).text)

    assert "2 customers · 66.7%" in page
    assert "Customers whose country is IE." in page
    assert "Ann N0 0 orders · €0.00" in page
    assert "E-mail 0 2 without an address" in page


def test_at_zero_the_panel_tells_what_hides_everybody(site: Site, new: str) -> None:
    more = {"r.0.value": "IE", "r.1.what": "attribute:orders_count", "r.1.value": "9"}

    page = text_of(site.owner.post(new, {**IRISH, **more}).text)

    assert "without those whose number of orders is at least 9, it would be 2" in page


def test_what_is_not_finished_is_left_out_of_the_panel_and_refused_on_saving(
    site: Site, new: str
) -> None:
    shown = text_of(site.owner.post(new, IRISH).text)
    refused = site.owner.post(new, {**IRISH, "do": "save"})

    assert "1 condition is not finished and left out." in shown
    assert "Fill this in" not in shown
    assert refused.status_code == 422
    assert 'aria-describedby="r-0-value-error"' in refused.text
    assert stored(site) == []


def test_a_segment_is_saved_from_the_form(site: Site, new: str) -> None:
    answer = site.owner.post(new, {**IRISH, "r.0.value": "IE", "do": "save"})

    (saved,) = stored(site)
    assert (saved.name, saved.rule) == ("Irish", parse_query("country = 'IE'"))
    assert answer.headers["location"] == f"{site.root}/segments/{saved.segment_id}"


def test_a_segment_is_saved_from_its_text(site: Site, new: str) -> None:
    site.owner.post(new, {"name": "Irish", "query": "country = 'IE'", "do": "save"})

    assert [one.rule for one in stored(site)] == [parse_query("country = 'IE'")]


def test_a_name_that_cannot_be_is_told_beside_its_field(site: Site, new: str) -> None:
    for name in ("", "All customers", "x" * 151):
        answer = site.owner.post(new, {**IRISH, "r.0.value": "IE", "name": name, "do": "save"})

        assert answer.status_code == 422
        assert 'aria-describedby="name-error"' in answer.text


def test_a_text_that_is_none_is_told_with_its_place_and_what_was_meant(
    site: Site, new: str
) -> None:
    answer = site.owner.post(new, {"name": "x", "query": "orders_count > 1\nAND contry = 'IE'"})

    assert "did you mean country?" in text_of(answer.text)
    assert "AND <mark>contry = &#39;IE&#39;</mark>" in answer.text
    assert "Line 2, column 5" in text_of(answer.text)


def test_a_text_that_is_none_stays_as_it_is(site: Site, new: str) -> None:
    answer = site.owner.post(new, {"name": "x", "query": "ctry = 'IE'", "do": "builder"})

    assert dict(fields_of(answer.text))["query"] == "ctry = 'IE'"


def test_an_edited_segment_keeps_its_id(site: Site, new: str) -> None:
    segment = make(site, "Irish", "country = 'IE'")
    edit = f"{site.root}/segments/{segment.segment_id}/edit"

    form = _many(fields_of(site.owner.get(edit).text))
    site.owner.post(edit, {**form, "r.0.value": "GB", "do": "save"})

    (changed,) = stored(site)
    assert changed.segment_id == segment.segment_id
    assert changed.rule == parse_query("country = 'GB'")


def test_who_saves_after_somebody_else_is_told_and_may_save_again(site: Site, new: str) -> None:
    segment = make(site, "Irish", "country = 'IE'")
    edit = f"{site.root}/segments/{segment.segment_id}/edit"
    form = _many(fields_of(site.owner.get(edit).text))
    site.house.clock.advance(SECOND)
    site.owner.post(edit, {**form, "r.0.value": "DE", "do": "save"})

    answer = site.owner.post(edit, {**form, "r.0.value": "GB", "do": "save"})

    assert answer.status_code == 409
    assert "Somebody changed this segment meanwhile" in text_of(answer.text)
    assert stored(site)[0].rule == parse_query("country = 'DE'")
    again = _many(fields_of(answer.text))
    assert again["r.0.value"] == ["GB"]
    site.owner.post(edit, {**again, "do": "save"})
    assert stored(site)[0].rule == parse_query("country = 'GB'")


def test_a_segment_cannot_ask_for_itself(site: Site, new: str) -> None:
    one = make(site, "One", "country = 'IE'")
    make(site, "Two", f"segments CONTAINS '{one.segment_id}'")
    two = stored(site)[0] if stored(site)[0].name == "Two" else stored(site)[1]
    edit = f"{site.root}/segments/{one.segment_id}/edit"

    answer = site.owner.post(
        edit,
        {"name": "One", "query": f"segments CONTAINS '{two.segment_id}'", "do": "save"},
    )

    assert answer.status_code == 422
    assert "A segment cannot depend on itself" in text_of(answer.text)


def test_all_customers_cannot_be_edited(site: Site, new: str) -> None:
    assert site.owner.get(f"{site.root}/segments/1/edit").status_code == 409


def test_values_of_the_shop_are_offered_with_how_many_have_them(site: Site, new: str) -> None:
    values = f"{site.root}/segments/values"

    page = site.owner.get(values, params={"of": "attribute:country", "r.0.value": "i"}).text

    assert page.split() == ["<option", 'value="IE">2', "customers</option>"]


def test_of_what_is_unknown_nothing_is_offered(site: Site, new: str) -> None:
    asked = ("", "attribute:nothing", "event:order_placed:", "what")

    pages = [site.owner.get(f"{site.root}/segments/values", params={"of": of}) for of in asked]

    assert [page.text.strip() for page in pages] == [""] * len(asked)


def _many(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The fields as a client sends them, repeated ones too, without the buttons' own."""
    sent: dict[str, list[str]] = {}
    for name, value in fields:
        sent.setdefault(name, []).append(value)
    return {name: values for name, values in sent.items() if name not in ("csrf", "next", "do")}

"""Segments, as programs make, ask and change them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update

from customer360.access.tables import shops
from customer360.exports.store import list_exports
from customer360.segments.model import Cause
from customer360.segments.parse import parse_query
from customer360.segments.store import create_segment
from customer360.segments.tables import segment_members, segment_moves, segments
from customer360.segments.templates import TEMPLATES
from customer360.storage.database import next_change
from customer360.values import new_ids
from tests.api.v1.conftest import Desk, fill, identify, order

IRISH = {"all": [{"attribute": "country", "op": "eq", "value": "IE"}]}
BUYERS = "orders_count >= 1"


def make(desk: Desk, name: str = "Irish", **told: Any) -> dict[str, Any]:
    body = {"name": name, **(told or {"rule": IRISH})}
    made: dict[str, Any] = desk.told("/segments", method="POST", json=body)
    return made


def enter(desk: Desk, segment_id: str, *users: str) -> None:
    """Make these people members, as the worker does when the rule comes to mean them."""
    shop_id = desk.house.shop.shop_id
    with desk.house.app.database.write() as connection:
        change = next_change(connection, shop_id)
        for user in users:
            row = {"shop_id": shop_id, "segment_id": int(segment_id), "change": change}
            row["profile_id"] = desk.house.profile_id(f"user_id:{user}")
            now = desk.house.clock.now()
            member = {"member_id": new_ids.next(), "entered_at": now}
            connection.execute(insert(segment_members).values(row | member))
            move = {"entered": True, "cause": Cause.CREATED, "occurred_at": now}
            connection.execute(insert(segment_moves).values(row | move))
        connection.execute(
            update(segments)
            .where(segments.c.shop_id == shop_id, segments.c.segment_id == int(segment_id))
            .values(members=len(users), state="updated")
        )
    desk.house.app.warehouse.sync(shop_id)


def test_a_segment_is_made_of_a_rule_and_said_in_three_forms(desk: Desk) -> None:
    fill(desk)

    made = make(desk)

    assert made == {
        "segment_id": made["segment_id"],
        "name": "Irish",
        "rule": {**IRISH, "include_visitors": False},
        "query": "country = 'IE'",
        "sentence": "Customers whose country is IE.",
        "state": "waiting",
        "progress": 0,
        "failure": None,
        "members": 0,
        "share": 0.0,
        "built_in": False,
        "created_at": "2026-06-15T12:00:00Z",
        "edited_at": "2026-06-15T12:00:00Z",
        "refreshed_at": None,
        "used_by": [],
    }
    assert desk.told(f"/segments/{made['segment_id']}") == made
    assert make(desk, "The same", query="country = 'IE'")["rule"] == made["rule"]


def test_all_customers_comes_first_and_counts_everybody(quick_desk: Desk) -> None:
    fill(quick_desk)
    made = make(quick_desk)

    first, second = quick_desk.page("/segments")["items"]

    assert (first["segment_id"], first["name"], first["built_in"]) == ("1", "All customers", True)
    assert (first["members"], first["share"], first["sentence"]) == (3, 1.0, "All customers.")
    assert second == made
    assert quick_desk.walk("/segments", limit=1) == [first, second]


@pytest.mark.parametrize(
    ("body", "path", "word"),
    [
        ({"rule": {"all": [{"attribute": "contry", "op": "eq", "value": "x"}]}}, "rule.all.0.attribute", "country?"),
        (
            {"rule": {"all": [{"event": "searched", "count": {"op": "gte", "value": "x"}}]}},
            "rule.all.0.count.value", "no number",
        ),
        ({"rule": {}}, "rule", "keys all, any"),
        ({"rule": {"segment": "99"}}, "rule", "no segment 99"),
        ({"query": "segments CONTAINS '99'"}, "query", "no segment 99"),
        ({"query": "orders_count >= 1 AND\ncontry = 'IE'"}, "query", "Line 2, column 1: "),
        ({"query": "orders_count >= 1 AND\ncontry = 'IE'"}, "query", "country?"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_used_says_where_and_what_was_meant(
    full_desk: Desk, body: dict[str, Any], path: str, word: str
) -> None:
    for address, asked in (("/segments", {"name": "x", **body}), ("/segments/preview", body)):
        answer = full_desk.ask(address, method="POST", json=asked)

        (error,) = full_desk.problem(answer, 422)["errors"]
        assert error["path"] == path
        assert word in error["message"]


def test_trouble_in_a_text_has_its_position(full_desk: Desk) -> None:
    body = {"query": "orders_count >= 1 AND contry = 'IE'"}

    answer = full_desk.ask("/segments/preview", method="POST", json=body)

    (error,) = full_desk.problem(answer, 422)["errors"]
    assert error["position"] == 22


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "x"}, "rule"),
        ({"name": "x", "rule": IRISH, "query": "country = 'IE'"}, "rule"),
        ({"name": " ", "rule": IRISH}, "name"),
        ({"name": "a" * 151, "rule": IRISH}, "name"),
        ({"name": "all customers", "rule": IRISH}, "name"),
        ({"rule": IRISH}, "name"),
        ({"name": "x", "rule": IRISH, "colour": "red"}, "colour"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    full_desk: Desk, body: dict[str, Any], path: str
) -> None:
    answer = full_desk.ask("/segments", method="POST", json=body)

    problem = full_desk.problem(answer, 422)
    assert [error["path"] for error in problem["errors"]] == [path]


def test_a_segment_is_renamed_and_its_rule_changed(quick_desk: Desk) -> None:
    made = make(quick_desk)
    address = f"/segments/{made['segment_id']}"

    renamed = quick_desk.told(address, method="PATCH", json={"name": "From Ireland"})
    changed = quick_desk.told(address, method="PATCH", json={"query": BUYERS})

    assert renamed == made | {"name": "From Ireland"}
    assert (changed["name"], changed["query"]) == ("From Ireland", BUYERS)


def test_a_duplicate_has_the_rule_and_a_name_with_a_number(quick_desk: Desk) -> None:
    made = make(quick_desk)

    twin = quick_desk.told(f"/segments/{made['segment_id']}/duplicate", method="POST")

    assert twin["name"] == "Irish (2)"
    assert twin["rule"] == made["rule"]
    assert twin["segment_id"] != made["segment_id"]


def test_a_segment_that_others_ask_for_is_not_deleted(desk: Desk) -> None:
    made = make(desk)
    other = make(desk, "Irish buyers", query=f"segments CONTAINS '{made['segment_id']}'")
    address = f"/segments/{made['segment_id']}"

    assert desk.told(address)["used_by"] == [
        {"segment_id": other["segment_id"], "name": "Irish buyers"}
    ]
    assert other["sentence"] == "Customers who are in the segment “Irish”."
    problem = desk.problem(desk.ask(address, method="DELETE"), 409)
    assert "Irish buyers" in problem["detail"]

    deleted = desk.told(f"/segments/{other['segment_id']}", method="DELETE")

    assert deleted == {"segment_id": other["segment_id"], "state": "deleted"}
    assert desk.told(address, method="DELETE")["state"] == "deleted"
    desk.problem(desk.ask(address), 404)


def test_all_customers_is_neither_changed_nor_deleted(full_desk: Desk) -> None:
    for method, options in (("PATCH", {"json": {"name": "x"}}), ("DELETE", {})):
        full_desk.problem(full_desk.ask("/segments/1", method=method, **options), 409)
    full_desk.problem(full_desk.ask("/segments/1/retry", method="POST"), 409)


def test_the_plan_limits_how_many_segments_a_shop_makes(quick_desk: Desk) -> None:
    with quick_desk.house.app.database.write() as connection:
        connection.execute(update(shops).values(plan="starter"))
    quick_desk.house.app.directory.forget()
    for number in range(5):
        made = make(quick_desk, f"Segment {number}")

    answers = (
        quick_desk.ask("/segments", method="POST", json={"name": "One more", "rule": IRISH}),
        quick_desk.ask(f"/segments/{made['segment_id']}/duplicate", method="POST"),
    )

    for answer in answers:
        assert "plan allows 5 segments" in quick_desk.problem(answer, 409)["detail"]


def test_a_segment_that_failed_is_tried_again(quick_desk: Desk) -> None:
    made = make(quick_desk)
    with quick_desk.house.app.database.write() as connection:
        failed = {"state": "failed", "failure": "The disk is full."}
        connection.execute(update(segments).values(failed))
    address = f"/segments/{made['segment_id']}"
    before = quick_desk.told(address)

    tried = quick_desk.told(f"{address}/retry", method="POST")

    assert (before["state"], before["failure"]) == ("failed", "The disk is full.")
    assert (tried["state"], tried["failure"]) == ("waiting", None)


def test_a_preview_counts_shows_and_says(full_desk: Desk) -> None:
    found = full_desk.told("/segments/preview", method="POST", json={"query": BUYERS})

    by_rule = full_desk.told("/segments/preview", method="POST", json={"rule": found["rule"]})
    assert found == by_rule
    assert (found["count"], found["everyone"], found["share"]) == (2, 3, 2 / 3)
    assert found["sentence"] == "Customers whose number of orders is at least 1."
    assert found["samples"] == [
        {
            "profile_id": str(full_desk.house.profile_id(f"user_id:{user}")),
            "name": name,
            "orders_count": count,
            "total_spend": spend,
        }
        for user, name, count, spend in (
            ("u2", "Bob Carr", 1, "19.90"),
            ("u1", "Ann Byrne", 2, "59.00"),
        )
    ]
    assert found["reachable"] == {"email": 0, "sms": 0, "whatsapp": 0, "push": 0}
    assert found["bottleneck"] is None


def test_a_preview_of_nobody_says_what_hides_people(full_desk: Desk) -> None:
    query = "country = 'IE' AND orders_count > 9 AND NOT email_domain = 'ann@x.example'"

    found = full_desk.told("/segments/preview", method="POST", json={"query": query})

    assert found["count"] == 0
    assert found["bottleneck"] == {
        "path": [1],
        "condition": {"attribute": "orders_count", "op": "gt", "value": 9},
        "says": "whose number of orders is more than 9",
        "count": 1,
    }
    (notice,) = found["notices"]
    assert notice["condition"]["attribute"] == "email_domain"
    assert "are not kept for segments" in notice["text"]


def test_members_are_listed_with_their_columns(quick_desk: Desk) -> None:
    fill(quick_desk)
    made = make(quick_desk, query=BUYERS)
    enter(quick_desk, made["segment_id"], "u1", "u2")
    address = f"/segments/{made['segment_id']}/members"

    first, second = quick_desk.page(address, sort="-total_spend")["items"]

    assert first == {
        "profile_id": str(quick_desk.house.profile_id("user_id:u1")),
        "name": "Ann Byrne",
        "email": "ann@x.example",
        "phone": "+353871234567",
        "address": "1 Quay Street, Galway, IE",
        "zip": None,
        "currency": "EUR",
        "orders_count": 2,
        "total_spend": "59.00",
        "average_order_value": "29.50",
        "last_order_at": "2026-06-15T08:20:00Z",
        "days_since_last_order": 0,
        "discount_received": "0.00",
        "promo_codes_count": 0,
        "negative_feedback_count": 0,
        "returned_items_count": 0,
        "last_touch_source": None,
        "last_touch_medium": None,
        "last_touch_url": None,
    }
    assert second["name"] == "Bob Carr"
    assert quick_desk.walk(address, sort="-total_spend", limit=1) == [first, second]
    assert len(quick_desk.walk("/segments/1/members", limit=2)) == 3
    assert quick_desk.refused(address, sort="tags") == ["sort"]


def test_profiles_are_narrowed_to_a_segment(desk: Desk) -> None:
    fill(desk)
    made = make(desk, query=BUYERS)
    enter(desk, made["segment_id"], "u1", "u2")

    def found(**question: Any) -> list[str]:
        by_address = desk.page("/profiles", **question)
        assert desk.search(**question).json() == by_address
        return sorted(item["name"] or "" for item in by_address["items"])

    segment = made["segment_id"]
    assert found(segment=segment) == ["Ann Byrne", "Bob Carr"]
    assert found(segment=segment, country=["GB"]) == ["Bob Carr"]
    assert found(segment=segment, identifier="user_id:u1") == ["Ann Byrne"]
    assert found(segment=segment, identifier="user_id:u3") == []
    assert found(segment="1") == ["Ann Byrne", "Bob Carr", "Eve"]
    assert found(segment="1", kind="visitor") == []
    assert found(segment="1", identifier="user_id:u3") == ["Eve"]
    desk.problem(desk.ask("/profiles", params={"segment": "99"}), 404)


def test_detail_sets_a_segment_beside_all_customers(quick_desk: Desk) -> None:
    fill(quick_desk)
    cookie = {"anonymousId": "c1", "userId": "u1"}
    quick_desk.house.segment(
        {"type": "page", "timestamp": "2026-06-15T08:01:00Z", **cookie, "properties": {"url": "https://s.example/"}},
        {"type": "track", "timestamp": "2026-06-15T08:02:00Z", "event": "Checkout Started", **cookie},
        identify("u4", email="dan@x.example"),
        order("u4", "1004", "1.10", 30),
    )  # fmt: skip
    quick_desk.house.drain()
    made = make(quick_desk, query="country IN ('IE', 'GB')")
    enter(quick_desk, made["segment_id"], "u1", "u2")

    found = quick_desk.told(f"/segments/{made['segment_id']}/detail")

    assert found == {
        "segment_id": made["segment_id"],
        "currency": "EUR",
        "members": {
            "people": 2,
            "orders": 3,
            "revenue": "78.90",
            "average_order_value": "26.30",
            "revenue_per_person": "39.45",
            "funnel": [
                {"step": "visited_site", "people": 1, "share": 0.5},
                {"step": "checkout_started", "people": 1, "share": 0.5},
                {"step": "order_placed", "people": 1, "share": 0.5},
            ],
        },
        "all_customers": found["all_customers"],
    }
    everybody = found["all_customers"]
    assert (everybody["people"], everybody["orders"], everybody["revenue"]) == (4, 4, "80.00")
    assert [step["share"] for step in everybody["funnel"]] == [0.25, 0.25, 0.25]
    assert quick_desk.told("/segments/1/detail")["members"] == everybody


def test_who_came_and_went_is_a_stream(desk: Desk) -> None:
    fill(desk)
    made = make(desk, query=BUYERS)
    enter(desk, made["segment_id"], "u1")
    enter(desk, made["segment_id"], "u2")
    address = f"/segments/{made['segment_id']}/changes"

    first, second = desk.walk(address, limit=1)

    assert first == {
        "change": first["change"],
        "profile_id": str(desk.house.profile_id("user_id:u1")),
        "entered": True,
        "cause": "created",
        "occurred_at": "2026-06-15T12:00:00Z",
    }
    assert desk.page(address, after=first["change"]) == {
        "items": [second],
        "next_cursor": None,
        "total": 1,
    }
    assert desk.page("/segments/1/changes")["items"] == []


def test_a_persons_segments_say_why(quick_desk: Desk) -> None:
    fill(quick_desk)
    query = "country = 'IE' AND (order_placed MATCHES (sum_total > 50) OR NOT total_spend < 10)"
    made = make(quick_desk, "Good", query=query)
    make(quick_desk, "British", query="country = 'GB'")
    enter(quick_desk, made["segment_id"], "u1")
    address = f"/profiles/{quick_desk.house.profile_id('user_id:u1')}/segments"

    (good,) = quick_desk.page(address)["items"]
    found = quick_desk.walk(address, others=True, limit=1)

    assert (good["name"], good["member"], good["kind_fits"]) == ("Good", True, True)
    assert good["entered_at"] == "2026-06-15T12:00:00Z"
    country, either = good["why"]["parts"]
    assert (country["says"], country["holds"], country["value"]) == (
        "whose country is IE",
        True,
        "IE",
    )
    assert country["condition"] == {"attribute": "country", "op": "eq", "value": "IE"}
    assert (either["group"], either["holds"]) == ("any", True)
    bought, negation = either["parts"]
    assert bought["events"] == {"count": 2, "total": "59.00", "last_at": "2026-06-15T08:20:00Z"}
    assert (negation["group"], negation["parts"][0]["value"]) == ("not", "59.00")
    british = next(one for one in found if one["name"] == "British")
    assert (british["member"], british["entered_at"]) == (False, None)
    assert [(one["holds"], one["value"]) for one in british["why"]["parts"]] == [(False, "IE")]
    assert len(found) == 2


def test_templates_can_be_made_into_segments(quick_desk: Desk) -> None:
    found = quick_desk.page("/segments/templates")["items"]

    assert len(found) == len(TEMPLATES)
    made = make(quick_desk, found[0]["name"], rule=found[0]["rule"])
    assert made["query"] == found[0]["query"]


@pytest.mark.parametrize("format", ["csv", "csv_excel", "extended", "meta"])
def test_members_leave_as_a_file(quick_desk: Desk, format: str) -> None:
    fill(quick_desk)
    made = make(quick_desk, query=BUYERS)
    enter(quick_desk, made["segment_id"], "u1", "u2")
    address = f"/segments/{made['segment_id']}/export"

    answer = quick_desk.ask(address, params={"format": format})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert f'filename="irish-{format}-2026-06-15.csv"' in answer.headers["content-disposition"]
    left_out = int(answer.headers["x-left-out"])
    assert left_out == (2 if format == "meta" else 0)
    assert len(answer.text.strip().splitlines()) == 1 + 2 - left_out
    everybody = quick_desk.ask(address, params={"format": format, "everybody": True})
    assert len(everybody.text.strip().splitlines()) == 3


@pytest.mark.parametrize("state", ["waiting", "syncing", "failed"])
def test_no_file_leaves_before_the_members_are_those_of_the_rule(
    quick_desk: Desk, state: str
) -> None:
    fill(quick_desk)
    segment_id = make(quick_desk, query=BUYERS)["segment_id"]
    enter(quick_desk, segment_id, "u1")
    with quick_desk.house.app.database.write() as connection:
        connection.execute(update(segments).values(state=state))

    answer = quick_desk.ask(f"/segments/{segment_id}/export", params={"format": "csv"})

    assert (answer.status_code, answer.json()["title"]) == (409, "Segment unsettled")
    with quick_desk.house.app.database.read() as connection:
        assert list_exports(connection, quick_desk.house.shop.shop_id) == []


def test_an_unknown_format_is_refused(full_desk: Desk) -> None:
    assert full_desk.refused("/segments/1/export", format="excel") == ["format"]
    assert full_desk.refused("/segments/1/export") == ["format"]


def test_what_is_another_shops_does_not_exist(quick_desk: Desk) -> None:
    house, neighbour = quick_desk.house, quick_desk.neighbour
    with house.app.database.write() as connection:
        foreign = create_segment(
            connection,
            neighbour.shop.shop_id,
            "Theirs",
            parse_query(""),
            house.clock.now(),
            limit=None,
        )
    for number in (str(foreign.segment_id), "99", "nonsense"):
        for method, path in (
            ("GET", ""), ("DELETE", ""), ("GET", "/members"), ("GET", "/detail"), ("GET", "/changes"),
            ("POST", "/duplicate"), ("POST", "/retry"), ("GET", "/export?format=csv"),
        ):  # fmt: skip
            answer = quick_desk.ask(f"/segments/{number}{path}", method=method)
            assert "Theirs" not in quick_desk.problem(answer, 404)["detail"]
        changed = quick_desk.ask(f"/segments/{number}", method="PATCH", json={"name": "Mine"})
        quick_desk.problem(changed, 404)
    asking = {"query": f"segments CONTAINS '{foreign.segment_id}'"}
    assert quick_desk.ask("/segments/preview", method="POST", json=asking).status_code == 422

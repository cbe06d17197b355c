"""Lists of profiles: found by identifier, searched, filtered, sorted, paged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from customer360.api.v1.models import ProfileItem
from customer360.app import build_app
from customer360.profiles.browse import COLUMNS
from customer360.server import create_server
from tests.api.conftest import Client
from tests.api.v1.conftest import Desk, fill, view


def names(page: dict[str, Any]) -> list[str | None]:
    return [item["name"] for item in page["items"]]


def test_an_item_says_who_it_is_and_what_they_are_worth(desk: Desk) -> None:
    fill(desk)

    item = desk.page("/profiles", q="ann")["items"][0]

    assert item == {
        "profile_id": str(desk.house.profile_id("email:ann@x.example")),
        "kind": "customer",
        "name": "Ann Byrne",
        "email": "ann@x.example",
        "phone": "+353871234567",
        "currency": "EUR",
        "orders_count": 2,
        "items_count": 2,
        "total_spend": "59.00",
        "average_order_value": "29.50",
        "refunded_total": "0.00",
        "first_order_at": "2026-06-15T08:10:00Z",
        "last_order_at": "2026-06-15T08:20:00Z",
        "last_seen_at": "2026-06-15T08:20:00Z",
        "country": "IE",
        "city": "Galway",
        "shopping_place": "online_only",
        "sessions_count": 0,
    }


@pytest.mark.parametrize(
    "identifier",
    ["email:ANN@x.example ", "phone:+353871234567", "whatsapp:353871234567", "user_id:u1"],
)
def test_an_identifier_finds_its_one_profile(desk: Desk, identifier: str) -> None:
    fill(desk)

    by_address = desk.page("/profiles", identifier=identifier, limit=1)
    by_body = desk.search(identifier=identifier).json()

    assert names(by_address) == ["Ann Byrne"]
    assert by_address == by_body == desk.page("/profiles", q="ann byrne")


def test_what_is_asked_in_the_body_is_what_is_asked_in_the_address(desk: Desk) -> None:
    fill(desk)
    question = {"country": ["IE", "GB"], "kind": "customer", "sort": "-total_spend", "limit": 1}

    by_address = desk.page("/profiles", **question)
    by_body = desk.search(**question).json()
    rest = desk.search(**question, cursor=by_body["next_cursor"]).json()

    assert by_address == by_body
    assert names(rest) == ["Bob Carr"]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({"identifier": "email:nobody@x.example"}, []),
        ({"identifier": "email:not an e-mail"}, []),
        ({"identifier": "email:ann@x.example", "country": "GB"}, []),
        ({"identifier": "email:ann@x.example", "kind": "visitor"}, []),
        ({"identifier": "cookie:visitor-1"}, [None]),
        ({"q": "nobody"}, []),
        ({"q": "BYRNE"}, ["Ann Byrne"]),
        ({"q": "%"}, []),
        ({"q": "087123", "country": "IE"}, []),
        ({"q": "+35387"}, ["Ann Byrne"]),
        ({"q": "b", "country": "gb"}, ["Bob Carr"]),
        ({"kind": "visitor"}, [None]),
        ({"kind": "customer", "sort": "total_spend"}, ["Eve", "Bob Carr", "Ann Byrne"]),
        ({"kind": "customer", "sort": "-total_spend"}, ["Ann Byrne", "Bob Carr", "Eve"]),
        ({"kind": "customer", "sort": "-country"}, ["Ann Byrne", "Bob Carr", "Eve"]),
        ({"kind": "customer", "sort": "country"}, ["Bob Carr", "Ann Byrne", "Eve"]),
        ({"country": ["IE", "GB"], "sort": "country"}, ["Bob Carr", "Ann Byrne"]),
        ({}, [None, "Bob Carr", "Ann Byrne", "Eve"]),
    ],
)
def test_a_question_finds_exactly_those_who_fit(
    full_desk: Desk, question: dict[str, Any], found: list[str | None]
) -> None:
    page = full_desk.page("/profiles", **question)

    assert (names(page), page["total"]) == (found, len(found))


def test_pages_have_everybody_once_in_the_order_of_the_whole(quick_desk: Desk) -> None:
    fill(quick_desk)
    quick_desk.house.segment(*(view(f"visitor-{number}", 40) for number in range(2, 7)))
    quick_desk.house.drain()

    for attribute in (
        *("last_seen_at", "total_spend", "average_order_value", "first_order_at"),
        *("orders_count", "country", "first_touch_source"),
    ):
        for sort in (attribute, f"-{attribute}"):
            whole = quick_desk.page("/profiles", sort=sort)
            walked = quick_desk.walk("/profiles", sort=sort, limit=2)

            assert walked == whole["items"], sort
            assert len({item["profile_id"] for item in walked}) == whole["total"] == 9


def test_a_list_is_narrowed_by_stage_and_tier_and_sorted_by_scores(quick_desk: Desk) -> None:
    fill(quick_desk)
    quick_desk.house.app.enrichment.run(quick_desk.house.shop)

    def found(**question: Any) -> list[str | None]:
        page = quick_desk.page("/profiles", **question)
        assert page["total"] == len(page["items"])
        return names(page)

    assert found(stage="loyal") == ["Ann Byrne"]
    assert found(stage=["converted", "new"], sort="-total_spend") == ["Bob Carr", None, "Eve"]
    assert found(tier="new") == ["Bob Carr"]
    assert found(tier=["new", "vip"], stage="loyal") == []
    assert found(sort="-ltv", kind="customer") == ["Ann Byrne", "Bob Carr", "Eve"]
    assert found(sort="ltv", stage=["loyal", "converted"]) == ["Bob Carr", "Ann Byrne"]
    assert found(identifier="email:bob@y.example", tier="new", stage="converted") == ["Bob Carr"]
    assert found(identifier="email:bob@y.example", tier="vip") == []
    assert found(identifier="email:bob@y.example", stage="loyal") == []
    for sort in ("ltv", "-churn_index", "predicted_next_order_at"):
        walked = quick_desk.walk("/profiles", sort=sort, limit=1)
        assert walked == quick_desk.page("/profiles", sort=sort)["items"], sort


def test_a_newcomer_moves_nobody_between_pages(quick_desk: Desk) -> None:
    fill(quick_desk)
    first = quick_desk.page("/profiles", limit=2)
    quick_desk.house.segment(view("visitor-2", 50))
    quick_desk.house.drain()

    second = quick_desk.page("/profiles", limit=2, cursor=first["next_cursor"])

    assert names(second) == ["Ann Byrne", "Eve"]


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        ({"tier": ["VIP"]}, ["tier.0"]),
        ({"stage": ["new", "sleepy"]}, ["stage.1"]),
        ({"segment": ""}, ["segment"]),
        ({"q": "a", "identifer": "email:ann@x.example"}, ["identifer"]),
        ({"limit": 0}, ["limit"]),
        ({"limit": 501}, ["limit"]),
        ({"limit": "many"}, ["limit"]),
        ({"kind": "robot"}, ["kind"]),
        ({"country": "Ireland"}, ["country.0"]),
        ({"sort": "name; drop table profiles"}, ["sort"]),
        ({"sort": "days_since_last_order"}, ["sort"]),
        ({"sort": "tags"}, ["sort"]),
        ({"identifier": "ann@x.example"}, ["identifier"]),
        ({"identifier": "passport:1"}, ["identifier"]),
        ({"identifier": "email:"}, ["identifier"]),
        ({"identifier": "email: "}, ["identifier"]),
        ({"identifier": "email:ann@x.example", "q": "ann"}, ["identifier"]),
        ({"q": "a\x00b"}, ["q"]),
        ({"q": ""}, ["q"]),
        ({"cursor": "x"}, ["cursor"]),
        ({"cursor": "é€"}, ["cursor"]),
        ({"cursor": "W10"}, ["cursor"]),
        ({"cursor": "W1tbW1tbW11dXV1dXV0"}, ["cursor"]),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_name(
    full_desk: Desk, question: dict[str, Any], wrong: list[str]
) -> None:
    assert full_desk.refused("/profiles", **question) == wrong
    answer = full_desk.search(
        **{name: [value] if name == "country" else value for name, value in question.items()}
    )
    assert [error["path"] for error in answer.json()["errors"]] == wrong


def test_a_refused_value_is_not_repeated(full_desk: Desk) -> None:
    answer = full_desk.ask(
        "/profiles", params={"ann@x.example": 1, "kind": "ann@x.example", "limit": "ann@x.example"}
    )
    assert full_desk.problem(answer, 422)["errors"][-1]["message"] == "unknown parameter"
    assert answer.text.count("ann@x.example") == 1


def test_a_cursor_continues_no_other_question(full_desk: Desk) -> None:
    cursor = full_desk.page("/profiles", limit=1, sort="total_spend")["next_cursor"]

    assert full_desk.refused("/profiles", cursor=cursor) == ["cursor"]
    assert full_desk.refused("/profiles", cursor=cursor, sort="-total_spend") == ["cursor"]
    assert full_desk.refused("/profiles", cursor=cursor, sort="total_spend", kind="customer") == [
        "cursor"
    ]


def test_without_a_worker_a_list_is_refused_and_an_identifier_still_answers(desk: Desk) -> None:
    fill(desk)
    desk.house.app.warehouse.close()
    server = build_app(desk.house.settings, clock=desk.house.clock, role="server")
    try:
        alone = replace(desk, client=Client(create_server(server), desk.client.portal))

        problem = alone.problem(alone.ask("/profiles"), 503)

        assert "start one with `c360 serve` or `c360 worker`" in problem["detail"]
        assert alone.ask("/profiles").headers["retry-after"] == "5"
        assert names(alone.page("/profiles", identifier="email:ann@x.example")) == ["Ann Byrne"]
    finally:
        server.close()


def test_a_list_shows_the_columns_of_every_list() -> None:
    who = {"profile_id", "kind", "name", "email", "phone", "currency"}
    assert set(ProfileItem.model_fields) - who == set(COLUMNS)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 60_000, 400),
        (b'{"q":"' + b"x" * 70_000 + b'"}', 413),
        (b'{"q":"\\ud800"}', 422),
        (b'{"limit":1e999}', 422),
        (b'{"limit":' + b"9" * 5000 + b"}", 400),
    ],
)
def test_a_hostile_body_is_refused_politely(full_desk: Desk, body: bytes, status: int) -> None:
    headers = {
        "Authorization": f"Bearer {full_desk.house.new_shop.api_key}",
        "Content-Type": "application/json",
    }
    answer = full_desk.client.post("/api/v1/profiles/search", content=body, headers=headers)
    full_desk.problem(answer, status)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b'{"q":"ann"}'),
        ("text/plain", b'{"q":"ann"}'),
        ("application/json", b"[]"),
    ],
)
def test_what_is_no_json_object_is_told_what_to_send(
    full_desk: Desk, kind: str, body: bytes
) -> None:
    headers = {
        "Authorization": f"Bearer {full_desk.house.new_shop.api_key}",
        "Content-Type": kind,
    }
    answer = full_desk.client.post("/api/v1/profiles/search", content=body, headers=headers)
    (error,) = full_desk.problem(answer, 422)["errors"]
    assert error == {
        "path": "body",
        "message": "is no JSON object; send one, with the header Content-Type: application/json",
    }

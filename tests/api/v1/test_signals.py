"""Where signals went, those that could not be used, and the catalogue of attributes."""

from __future__ import annotations

import msgspec
import pytest

from customer360.profiles.attributes import ATTRIBUTES, OPERATORS
from customer360.segments.catalogue import EVENTS
from tests.api.v1.conftest import Desk, fill

# What a rule may say, in the words of the rule language.
ALL_OPERATORS = {
    *("eq", "neq", "gt", "gte", "lt", "lte", "between", "in", "not_in", "contains", "not_contains"),
    *("starts_with", "ends_with", "is_empty", "is_not_empty"),
    *("before", "after", "on", "in_last_days", "not_in_last_days"),
}


def test_the_balance_accounts_for_every_signal(desk: Desk) -> None:
    fill(desk)
    desk.house.segment({"type": "track", "userId": "u9", "event": "Waiting"})

    balance = desk.told("/ingest/balance")

    counted = {
        "received": 9,
        "stored": 7,
        "duplicate": 0,
        "rejected": {"missing_event": 1},
        "waiting": 1,
    }
    assert balance == {"total": counted, "sources": {"segment": counted}}


def test_a_shop_without_signals_has_a_balance_of_nothing(desk: Desk) -> None:
    nothing = {"received": 0, "stored": 0, "duplicate": 0, "rejected": {}, "waiting": 0}
    assert desk.told("/ingest/balance") == {"total": nothing, "sources": {}}


def test_a_dead_letter_says_why(desk: Desk) -> None:
    fill(desk)

    (letter,) = desk.page("/dead-letters")["items"]

    assert letter.pop("dead_letter_id").isdigit()
    assert '"event": 7' in letter.pop("excerpt")
    assert letter.pop("detail")
    assert letter == {
        "source": "segment",
        "reason": "missing_event",
        "received_at": "2026-06-15T12:00:00Z",
        "failed_at": "2026-06-15T12:00:00Z",
        "attempts": 1,
        "retry_at": None,
        "import_id": None,
    }


def test_dead_letters_are_filtered_and_paged_newest_first(desk: Desk) -> None:
    fill(desk)
    desk.house.segment(
        {"type": "track", "userId": "u1"},
        {"type": "dance", "userId": "u1"},
        {"type": "track", "userId": "u2"},
    )
    desk.house.drain()

    whole = desk.walk("/dead-letters", limit=1)
    ids = [int(letter["dead_letter_id"]) for letter in whole]
    missing = desk.walk("/dead-letters", reason="missing_event", limit=2)

    assert len(ids) == 4
    assert ids == sorted(ids, reverse=True)
    assert missing == [letter for letter in whole if letter["reason"] == "missing_event"]
    assert len(missing) == 3
    assert desk.page("/dead-letters", source="shopify")["total"] == 0
    assert desk.page("/dead-letters", reason="nothing")["items"] == []


def test_a_replayed_dead_letter_waits_again(desk: Desk) -> None:
    fill(desk)
    dead_letter_id = desk.page("/dead-letters")["items"][0]["dead_letter_id"]
    path = f"/dead-letters/{dead_letter_id}/replay"

    answer = desk.told(path, method="POST")

    assert answer == {"dead_letter_id": dead_letter_id, "state": "waiting"}
    assert desk.page("/dead-letters")["total"] == 0
    assert desk.told("/ingest/balance")["total"]["waiting"] == 1
    desk.problem(desk.ask(path, method="POST"), 404)


def test_an_event_over_the_limit_cannot_be_replayed(desk: Desk) -> None:
    row = desk.house.row("segment", b"x" * 40_000)
    row = msgspec.structs.replace(row, rejected=("too_large", "An event may have 32,768 bytes"))
    desk.house.app.inbox.accept([row])
    (letter,) = desk.page("/dead-letters")["items"]

    answer = desk.ask(f"/dead-letters/{letter['dead_letter_id']}/replay", method="POST")

    assert "C360_MAX_EVENT_BYTES" in desk.problem(answer, 409)["detail"]
    assert desk.page("/dead-letters")["total"] == 1
    assert desk.told("/ingest/balance")["total"]["waiting"] == 0


@pytest.mark.parametrize("odd", ["0", "abc", "-1", "9" * 30, "%00"])
def test_what_is_no_id_of_a_dead_letter_is_not_found(full_desk: Desk, odd: str) -> None:
    full_desk.problem(full_desk.ask(f"/dead-letters/{odd}/replay", method="POST"), 404)


@pytest.mark.parametrize(
    "params", [{"kind": "x"}, {"reason": "a\x00"}, {"cursor": "WyIxIl0"}, {"limit": "1e3"}]
)
def test_a_wrong_question_about_dead_letters_is_refused(
    full_desk: Desk, params: dict[str, str]
) -> None:
    assert full_desk.refused("/dead-letters", **params) == list(params)


def test_the_catalogue_has_every_attribute_with_what_a_rule_may_do(desk: Desk) -> None:
    items = desk.page("/attributes")["items"]

    assert [item["name"] for item in items] == [attribute.name for attribute in ATTRIBUTES]
    assert all(item["operators"] and item["help"] for item in items)
    assert items == desk.walk("/attributes", limit=10)
    assert next(item for item in items if item["name"] == "consent_email") == {
        "name": "consent_email",
        "label": "Consent to email",
        "type": "choice",
        "operators": ["eq", "neq", "in", "not_in", "is_empty", "is_not_empty"],
        "choices": ["never", "pending", "granted", "withdrawn"],
        "help": "Consent of the address that e-mails would go to",
        "computed": True,
    }
    assert all(item["computed"] for item in items)


def test_the_catalogue_has_every_event_with_its_properties(full_desk: Desk) -> None:
    items = full_desk.page("/events")["items"]

    assert [item["name"] for item in items] == [entry.type.name for entry in EVENTS]
    assert items == full_desk.walk("/events", limit=7)
    placed = next(item for item in items if item["name"] == "order_placed")
    assert (placed["label"], placed["phrase"], placed["open"]) == (
        "Purchased",
        "placed an order",
        False,
    )
    by_name = {each["name"]: each for each in placed["properties"]}
    assert by_name["place"]["choices"] == ["online", "in_store", "marketplace"]
    assert (by_name["title"]["of_line"], by_name["total"]["of_line"]) == (True, False)
    assert (by_name["collection"]["told"], by_name["title"]["told"]) == (False, True)


def test_every_operator_of_the_rule_language_serves_some_type() -> None:
    assert {name for names in OPERATORS.values() for name in names} == ALL_OPERATORS
    assert set(OPERATORS) == {attribute.type for attribute in ATTRIBUTES}

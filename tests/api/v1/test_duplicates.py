"""Possible duplicates, merges and undo, as programs ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from customer360.clock import DAY, SECOND
from tests.api.v1.conftest import Desk, fill, identify, view


@pytest.fixture
def pair(desk: Desk) -> Desk:
    """The filled shop, where an account came to name the address of another one."""
    fill(desk)
    desk.house.segment(identify("u3", 50, email="bob@y.example"))
    desk.house.drain()
    return desk


def ids(desk: Desk, *identifiers: str) -> list[str]:
    return [str(desk.house.profile_id(one)) for one in identifiers]


def post(desk: Desk, path: str, **body: Any) -> Any:
    return desk.told(path, method="POST", **({"json": body} if body else {}))


def test_a_duplicate_says_who_and_why(pair: Desk) -> None:
    (found,) = pair.page("/duplicates")["items"]

    bob, eve = sorted(ids(pair, "user_id:u2", "user_id:u3"))
    assert found.pop("candidate_id").isdigit()
    assert 0 < found.pop("score") < 1
    assert found == {
        "profile_ids": [bob, eve],
        "profiles": [
            {"profile_id": bob, "name": "Bob Carr", "email": "bob@y.example", "phone": None},
            {"profile_id": eve, "name": "Eve", "email": "eve@z.example", "phone": None},
        ],
        "origin": "evidence",
        "weak": False,
        "evidence": [
            {
                "word": "account_ids",
                "text": "both have an id of their own",
                "agrees": True,
                "type": "email",
                "value": "bob@y.example",
                "at": "2026-06-15T08:50:00Z",
            }
        ],
        "hub": None,
        "state": "open",
        "made_at": "2026-06-15T12:00:00Z",
        "decided_at": None,
        "decided_by": None,
    }


def test_a_duplicate_is_merged_and_the_merge_undone(pair: Desk) -> None:
    (found,) = pair.page("/duplicates")["items"]
    kept, gone = found["profile_ids"]
    before = pair.told(f"/profiles/{gone}")

    merge = post(pair, f"/duplicates/{found['candidate_id']}/merge")

    assert (merge["kept_id"], merge["gone_id"]) == (kept, gone)
    assert (merge["kind"], merge["actor"], merge["state"]) == ("by_hand", "API", "standing")
    assert merge["undo_until"] == "2026-06-22T12:00:00Z"
    answer = pair.ask(f"/profiles/{gone}")
    assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
    assert answer.headers["location"] == f"/api/v1/profiles/{kept}"
    assert pair.page("/duplicates")["total"] == 0
    assert pair.page("/duplicates", state="merged")["total"] == 1
    assert pair.page(f"/profiles/{kept}/merges")["items"] == [merge]
    assert pair.page("/merges")["items"] == [merge]

    undone = post(pair, f"/merges/{merge['merge_id']}/undo")

    assert (undone["state"], undone["ended_by"], undone["undo_until"]) == ("undone", "API", None)
    assert pair.told(f"/profiles/{gone}") == before
    pair.house.drain()
    listed = pair.page("/profiles", kind="customer")["items"]
    assert {kept, gone} <= {item["profile_id"] for item in listed}


def test_a_merged_profile_leaves_the_list_of_customers(pair: Desk) -> None:
    kept, gone = sorted(ids(pair, "user_id:u1", "user_id:u2"))
    post(pair, "/merges", profile_ids=[gone, kept])
    pair.house.drain()

    listed = pair.page("/profiles", kind="customer")["items"]

    (item,) = [item for item in listed if item["profile_id"] in (kept, gone)]
    assert (item["profile_id"], item["orders_count"], item["total_spend"]) == (kept, 3, "78.90")


def test_a_dismissed_duplicate_is_gone_for_good(pair: Desk) -> None:
    (found,) = pair.page("/duplicates")["items"]
    path = f"/duplicates/{found['candidate_id']}"

    for _ in range(2):
        assert post(pair, f"{path}/dismiss") == {
            "candidate_id": found["candidate_id"],
            "state": "dismissed",
        }

    assert pair.page("/duplicates")["total"] == 0
    (dismissed,) = pair.page("/duplicates", state="dismissed")["items"]
    assert (dismissed["decided_by"], dismissed["state"]) == ("API", "dismissed")
    problem = pair.problem(pair.ask(f"{path}/merge", method="POST"), 409)
    assert "not the same" in problem["detail"]


def test_a_merge_is_refused_with_a_reason(pair: Desk) -> None:
    one, other = ids(pair, "user_id:u1", "user_id:u2")

    def refused(status: int, *profile_ids: str) -> dict[str, Any]:
        answer = pair.ask("/merges", method="POST", json={"profile_ids": list(profile_ids)})
        seen = pair.ask("/merges/preview", method="POST", json={"profile_ids": list(profile_ids)})
        assert seen.status_code == status
        return pair.problem(answer, status)

    merge = post(pair, "/merges", profile_ids=[one, other])
    assert refused(409, one, other)["detail"] == "These two are one profile already."
    assert refused(404, one, "7")["type"] == refused(404, one, "x")["type"]
    assert refused(422, one, one)["errors"][0]["path"] == "profile_ids"
    assert refused(422, one)["errors"]
    pair.house.clock.advance(7 * DAY + SECOND)
    problem = pair.problem(pair.ask(f"/merges/{merge['merge_id']}/undo", method="POST"), 409)
    assert "7 days" in problem["detail"]
    assert pair.page("/merges")["items"][0]["undo_until"] is None
    pair.house.clock.advance(-SECOND)
    assert post(pair, f"/merges/{merge['merge_id']}/undo")["state"] == "undone"


def test_a_preview_says_what_a_merge_would_do(pair: Desk) -> None:
    two = ids(pair, "user_id:u1", "user_id:u2")

    found = post(pair, "/merges/preview", profile_ids=two)

    assert found == {
        "profile_ids": sorted(two),
        "orders": 3,
        "emails": ["ann@x.example", "bob@y.example"],
        "phones": ["+353871234567"],
        "identifiers": 5,
        "consents": [],
        "sentence": "3 orders, 2 e-mails, 1 phone",
    }
    assert pair.page("/merges")["total"] == 0


def test_the_log_of_merges_is_paged_and_filtered(desk: Desk) -> None:
    fill(desk)
    desk.house.segment(view("visitor-1", 50, userId="u3"))
    desk.house.drain()
    one, two, three = ids(desk, "user_id:u1", "user_id:u2", "user_id:u3")
    first = post(desk, "/merges", profile_ids=[one, two])
    desk.house.clock.advance(SECOND)
    second = post(desk, "/merges", profile_ids=[one, three])
    post(desk, f"/merges/{first['merge_id']}/undo")

    whole = desk.walk("/merges", limit=1)

    assert [each["kind"] for each in whole] == ["by_hand", "by_hand", "automatic"]
    assert whole[0]["merge_id"] == second["merge_id"]
    assert whole[2]["evidence"] == ["user_id:u3", "cookie:visitor-1"]
    assert desk.page("/merges", kind="automatic")["items"] == whole[2:]
    assert desk.page("/merges", state="undone")["items"] == [whole[1]]
    assert desk.refused("/merges", cursor="x") == ["cursor"]


def test_a_profile_shows_the_chain_of_its_evidence(pair: Desk) -> None:
    (ann,) = ids(pair, "user_id:u1")

    found = pair.walk(f"/profiles/{ann}/evidence", limit=1)

    (link,) = found
    assert link["kind"] == "event"
    assert link["identifiers"] == ["user_id:u1", "email:ann@x.example", "phone:+353871234567"]
    assert link["text"].endswith("in one event on 15 June 2026")
    (bob,) = ids(pair, "user_id:u2")
    post(pair, "/merges", profile_ids=[ann, bob])
    links = pair.page(f"/profiles/{ann}/evidence")["items"]
    assert [(each["kind"], each["actor"]) for each in links] == [
        ("event", None),
        ("event", None),
        ("merge", "API"),
    ]


def test_a_neighbour_finds_merges_undoes_and_dismisses_nothing(pair: Desk) -> None:
    (found,) = pair.page("/duplicates")["items"]
    merge = post(pair, "/merges", profile_ids=ids(pair, "user_id:u1", "user_id:u2"))
    key = pair.neighbour.api_key
    paths = [
        f"/duplicates/{found['candidate_id']}/merge",
        f"/duplicates/{found['candidate_id']}/dismiss",
        f"/merges/{merge['merge_id']}/undo",
    ]

    for path in paths:
        pair.problem(pair.ask(path, key=key, method="POST"), 404)
    for path in ("/merges", "/merges/preview"):
        body = {"profile_ids": found["profile_ids"]}
        pair.problem(pair.ask(path, key=key, method="POST", json=body), 404)
    for path in ("/merges", "/duplicates"):
        assert pair.ask(path, key=key).json()["items"] == []
    assert pair.page("/duplicates")["total"] == 1
    assert pair.page("/merges")["items"] == [merge]

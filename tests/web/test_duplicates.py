"""Pairs to decide and the log of merges, as pages and forms."""

import re
from typing import Any

import pytest

from customer360.clock import DAY, MINUTE
from customer360.events.model import IdentifierType
from customer360.identities.candidates import CandidateRow, list_candidates
from customer360.identities.merge_log import MergeRow, list_merges
from customer360.identities.naming import WORDS
from customer360.identities.scan_log import SCAN, Found
from customer360.identities.throngs import LARGEST_COMPONENT
from customer360.intake import merging
from customer360.jobs.log import begin_run, end_run, fail_running
from tests.house import House, at
from tests.web.conftest import Site, text_of


def identify(minute: float, user: str = "", **traits: Any) -> dict[str, Any]:
    call: dict[str, Any] = {"type": "identify", "timestamp": at(minute), "traits": traits}
    return call | ({"userId": user} if user else {})


def conflict(house: House, number: int) -> None:
    """Two accounts, of which one names the address of the other."""
    shared = f"anne{number}@y.example"
    house.segment(
        identify(
            0, f"a{number}", email=f"ann{number}@x.example", name="Ann Byrne", phone="0871234567"
        ),
        identify(1, f"b{number}", email=shared, name="Ánn  byrne"),
        identify(2, f"a{number}", email=shared),
        {
            **identify(3, f"b{number}"),
            "type": "track",
            "event": "Order Completed",
            "properties": {"order_id": f"o{number}", "total": "20.00", "currency": "EUR"},
        },
    )
    house.work_off()


def open_pairs(house: House) -> list[CandidateRow]:
    with house.app.database.read() as connection:
        return list_candidates(connection, house.shop.shop_id)


def log(house: House) -> list[MergeRow]:
    with house.app.database.read() as connection:
        return list_merges(connection, house.shop.shop_id)


@pytest.fixture
def page(site: Site) -> str:
    """The address of a page with one pair."""
    conflict(site.house, 1)
    return f"{site.root}/duplicates"


def path_of(page: str, pair: CandidateRow, action: str) -> str:
    return f"{page}/{pair.candidate_id}/{action}"


def test_a_shop_without_pairs_says_what_appears_here(site: Site) -> None:
    page = site.owner.get(f"{site.root}/duplicates")
    assert "No pairs to decide" in page.text
    assert "No merges yet" in site.owner.get(f"{site.root}/duplicates/merges").text


def test_a_pair_stands_side_by_side_with_what_agrees_and_what_differs(
    site: Site, page: str
) -> None:
    words = text_of(site.owner.get(page).text)
    assert "1 pair to decide" in words
    assert "Name Same Ann Byrne Ánn byrne" in words
    assert "E-mail Differs ann1@x.example anne1@y.example" in words
    assert "Phone +353871234567 –" in words
    assert "Account Differs User id a1 User id b1" in words
    assert "Orders 0 1" in words
    assert "Score 50 of 100" in words
    assert "For: E-mail anne1@y.example is told of both; both have an id of their own." in words


def test_what_a_merge_would_do_is_said_before_it_happens(site: Site, page: str) -> None:
    assert "As one customer: 1 order, 2 e-mails, 1 phone" in text_of(site.owner.get(page).text)


def test_a_merge_makes_one_customer_and_the_toast_takes_it_back(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    answer = site.owner.post(path_of(page, pair, "merge"), token_from=page, follow=True)
    assert "are one customer now." in answer.text
    assert "No pairs to decide" in answer.text
    assert site.house.profile_id("user_id:a1") == site.house.profile_id("user_id:b1")
    assert [row.actor for row in log(site.house)] == ["ann@shop.example"]

    (merge_id,) = re.findall(r'name="merge" value="(\d+)"', answer.text)
    undone = site.owner.post(f"{page}/merges/undo", {"merge": merge_id}, follow=True)
    assert "both profiles are there again" in undone.text
    assert site.house.profile_id("user_id:a1") != site.house.profile_id("user_id:b1")


def test_not_the_same_is_never_suggested_again(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    answer = site.owner.post(path_of(page, pair, "dismiss"), token_from=page, follow=True)
    assert "are not suggested again" in answer.text
    assert open_pairs(site.house) == []
    assert site.house.profile_id("user_id:a1") != site.house.profile_id("user_id:b1")


@pytest.mark.parametrize("action", ["merge", "dismiss"])
def test_the_chosen_pairs_are_decided_together(site: Site, page: str, action: str) -> None:
    for number in (2, 3):
        site.house.segment(
            identify(0, f"a{number}", email=f"eve{number}@x.example", first_name="Eve"),
            identify(1, f"b{number}", email=f"eva{number}@y.example"),
            identify(2, f"a{number}", email=f"eva{number}@y.example"),
        )
    site.house.work_off()
    ids = [str(pair.candidate_id) for pair in open_pairs(site.house)]
    assert len(ids) == 3
    answer = site.owner.post(f"{page}/{action}", {"id": ids[:2]}, token_from=page, follow=True)
    said = {"merge": "2 merges done.", "dismiss": "2 pairs stay apart"}[action]
    assert said in answer.text
    assert [str(pair.candidate_id) for pair in open_pairs(site.house)] == ids[2:]
    merges = re.findall(r'name="merge" value="(\d+)"', answer.text)
    assert len(merges) == (2 if action == "merge" else 0)
    if merges:
        undone = site.owner.post(f"{page}/merges/undo", {"merge": merges}, follow=True)
        assert "2 merges undone" in undone.text
        assert {row.state for row in log(site.house)} == {"undone"}


def test_choosing_none_is_told(site: Site, page: str) -> None:
    answer = site.owner.post(f"{page}/merge", token_from=page)
    assert answer.status_code == 422
    assert "Choose at least one pair" in answer.text


def test_a_pair_that_was_decided_meanwhile_is_told_as_a_sentence(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    site.owner.post(path_of(page, pair, "merge"), token_from=page)
    again = site.owner.post(path_of(page, pair, "merge"), token_from=page, follow=True)
    assert again.status_code == 200
    assert "These two are one profile already." in again.text


def test_a_form_without_its_token_changes_nothing(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    for action in ("merge", "dismiss"):
        assert site.owner.send(path_of(page, pair, action), {}).status_code == 403
        assert (
            site.owner.send(f"{page}/{action}", {"id": str(pair.candidate_id)}).status_code == 403
        )
    assert open_pairs(site.house) == [pair]


def test_nothing_of_another_shop_is_decided_or_undone(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    theirs = f"/shops/{site.other_shop.shop_id}/duplicates"
    ids = {"id": str(pair.candidate_id)}
    for action in ("merge", "dismiss"):
        assert site.stranger.post(path_of(theirs, pair, action)).status_code == 404
        assert site.stranger.post(f"{theirs}/{action}", ids).status_code == 404
    assert open_pairs(site.house) == [pair]
    site.owner.post(path_of(page, pair, "merge"), token_from=page)
    (row,) = log(site.house)
    assert site.stranger.post(f"{theirs}/merges/{row.merge_id}/undo").status_code == 404
    named = {"merge": str(row.merge_id)}
    assert site.stranger.post(f"{theirs}/merges/undo", named).status_code == 404
    assert log(site.house) == [row]


def test_an_answer_leads_back_to_our_own_pages_only(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    sent = {"next": "https://evil.example/"}
    answer = site.owner.post(path_of(page, pair, "dismiss"), sent, token_from=page)
    assert answer.headers["location"] == page


def test_further_pairs_stand_on_further_pages(site: Site) -> None:
    for number in range(12):
        site.house.segment(
            identify(0, f"a{number}", email=f"eve{number}@x.example"),
            identify(1, f"b{number}", email=f"eva{number}@y.example"),
            identify(2, f"a{number}", email=f"eva{number}@y.example"),
        )
    site.house.work_off()
    first = site.owner.get(f"{site.root}/duplicates").text
    further = re.search(r'href="([^"]+)" rel="next"', first)
    assert further
    second = site.owner.get(further[1]).text
    seen = [re.findall(r'data-pair="(\d+)"', each) for each in (first, second)]
    assert [len(each) for each in seen] == [10, 2]
    assert len({*seen[0], *seen[1]}) == 12
    for pair in seen[1]:
        path = f"{site.root}/duplicates/{pair}/dismiss"
        answer = site.owner.post(path, {"next": further[1]}, token_from=further[1], follow=True)
    assert "10 pairs to decide" in answer.text


def test_pairs_of_an_identifier_that_many_share_stand_together(site: Site) -> None:
    for number in range(5):
        when = at(number)
        told = {"email": "info@school.example", "created_at": when, "updated_at": when}
        site.house.shopify("customers/create", {"id": 500 + number, **told})
    conflict(site.house, 1)
    page = site.owner.get(f"{site.root}/duplicates").text
    headings = re.findall(r'<h2 class="hub">(?:<svg.*?</svg>)?([^<]+)</h2>', page, re.DOTALL)
    assert headings == ["Pairs by their own evidence", "Many share e-mail info@school.example"]


def test_the_last_scan_is_told_with_what_it_found_or_why_it_failed(site: Site) -> None:
    page, shop_id = f"{site.root}/duplicates", site.house.shop.shop_id

    def words() -> str:
        return text_of(site.owner.get(page).text)

    assert "Names and addresses" not in words()
    with site.house.app.database.write() as connection:
        scan_id, change = begin_run(connection, shop_id, SCAN, site.house.clock.now())
    assert "Comparing names and addresses began just now" in words()
    site.house.clock.advance(MINUTE)
    found = Found(people=9, candidates=1, new=0, ended=0, learned=True)
    with site.house.app.database.write() as connection:
        end_run(connection, shop_id, scan_id, found, change, site.house.clock.now())
    said = "Names and addresses compared just now : 1 pair alike, 0 of them new, by weights learned from your customers"
    assert f"{said}, in 1 min." in words()
    with site.house.app.database.write() as connection:
        now = site.house.clock.now()
        scan_id, _ = begin_run(connection, shop_id, SCAN, now)
        fail_running(connection, shop_id, SCAN, "It ran out of memory.", now, run_id=scan_id)
    said = "Comparing names and addresses failed just now and is tried again with the next scan."
    assert f"{said} It ran out of memory." in words()


def link_by_an_event(site: Site) -> MergeRow:
    site.house.segment(identify(0, email="ann@x.example"), identify(1, phone="0871234567"))
    site.house.work_off()
    site.house.segment(identify(2, email="ann@x.example", phone="0871234567"))
    site.house.work_off()
    (row,) = log(site.house)
    return row


def test_the_log_says_what_became_one_why_and_how_long_it_can_be_undone(site: Site) -> None:
    link_by_an_event(site)
    words = text_of(site.owner.get(f"{site.root}/duplicates/merges").text)
    assert "1 merge, newest first" in words
    assert "E-mail ann@x.example and phone +353871234567 in one event" in words
    assert "By evidence" in words
    assert "Standing 1 wk left to undo" in words


def test_the_log_calls_whoever_is_gone_by_the_name_they_were_founded_with(site: Site) -> None:
    for call in (
        identify(0, "u1", email="ann@x.example", name="Ann Byrne"),
        identify(-1, "u2", email="zoe@x.example", name="Zoë Quick"),
        identify(2, "u3"),
    ):
        site.house.segment(call)
        site.house.work_off()
    ids = [site.house.profile_id(f"user_id:u{number}") for number in (1, 2, 3)]
    with site.house.app.database.write() as connection:
        for gone in ids[1:]:
            now = site.house.clock.now()
            merging.merge(connection, site.house.shop.shop_id, (ids[0], gone), actor="", now=now)
    words = text_of(site.owner.get(f"{site.root}/duplicates/merges").text)
    for gone in ("Zoë Quick", "User id u3"):
        assert f"Ann Byrne {gone} Somebody said so" in words


def test_nobody_is_called_by_a_cookie(site: Site) -> None:
    house = site.house
    visit = {"type": "page", "timestamp": at(0)}
    house.segment({**visit, "anonymousId": "c1"}, {**visit, "anonymousId": "c2"})
    house.work_off()
    gone = house.profile_id("cookie:c2")
    pair = (house.profile_id("cookie:c1"), gone)
    with house.app.database.write() as connection:
        merging.merge(connection, house.shop.shop_id, pair, actor="", now=house.clock.now())
    log_page = f"{site.root}/duplicates/merges"
    visitors = f"Visitor {str(pair[0])[-6:]} Visitor {str(gone)[-6:]} Somebody said so"
    assert visitors in text_of(site.owner.get(log_page).text)

    bought = {"type": "track", "event": "Order Completed", "anonymousId": "c1"}
    house.segment({**bought, "timestamp": at(1), "properties": {"order_id": "o1", "total": "20"}})
    house.work_off()

    words = text_of(site.owner.get(log_page).text)
    assert f"Customer {str(pair[0])[-6:]} Visitor {str(gone)[-6:]} Somebody said so" in words


def test_one_word_stands_for_one_type_of_identifier(site: Site) -> None:
    when = at(0)
    told = {"email": "ann@x.example", "created_at": when, "updated_at": when}
    site.house.shopify("customers/create", {"id": 500, **told})
    site.house.work_off()
    number = site.house.profile_id("email:ann@x.example")
    for page in (f"/customers/{number}/identity", "/settings/identity"):
        words = text_of(site.owner.get(site.root + page).text)
        assert "Customer id" in words
        assert "Shopify customer" not in words
    assert set(WORDS) == set(IdentifierType)


def test_two_whom_an_event_told_late_shows_as_one_from_the_start_are_so_explained(
    site: Site,
) -> None:
    site.house.segment(identify(10, email="ann@x.example"), identify(11, phone="0871234567"))
    site.house.work_off()
    site.house.segment(identify(0, email="ann@x.example", phone="0871234567"))
    site.house.work_off()
    (row,) = log(site.house)
    assert row.bridges == ()
    words = text_of(site.owner.get(f"{site.root}/duplicates/merges").text)
    assert "An event told late shows that both began as one" in words


def test_a_merge_of_the_log_is_undone_and_stays_in_it(site: Site) -> None:
    row = link_by_an_event(site)
    page = f"{site.root}/duplicates/merges"
    sent = {"next": page}
    answer = site.owner.post(f"{page}/{row.merge_id}/undo", sent, token_from=page, follow=True)
    words = text_of(answer.text)
    assert "Undone: both profiles are there again" in words
    assert "Undone just now by ann@shop.example" in words
    again = site.owner.post(f"{page}/{row.merge_id}/undo", sent, token_from=page, follow=True)
    assert "This merge was undone already" in again.text


def test_after_its_time_a_merge_cannot_be_undone_and_the_page_says_why(site: Site) -> None:
    row = link_by_an_event(site)
    site.house.clock.advance(merging.undo_window(site.house.shop) + 1)
    page = f"{site.root}/duplicates/merges"
    assert "too late to undo" in site.owner.get(page).text
    answer = site.owner.post(f"{page}/{row.merge_id}/undo", follow=True)
    assert answer.status_code == 200
    assert "that time is over" in answer.text
    assert log(site.house)[0].state == "standing"


def test_the_log_is_narrowed_to_a_kind_and_pages_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customer360.web.merges._PAGE_ROWS", 1)
    row = link_by_an_event(site)
    site.house.segment(identify(5, "u1"), identify(6, "u2"))
    site.house.work_off()
    ids = (site.house.profile_id("user_id:u1"), site.house.profile_id("user_id:u2"))
    site.house.clock.advance(DAY)
    with site.house.app.database.write() as connection:
        now = site.house.clock.now()
        merging.merge(connection, site.house.shop.shop_id, ids, actor="bob@x.example", now=now)
    page = f"{site.root}/duplicates/merges"
    first = site.owner.get(page).text
    assert "2 merges, newest first" in first
    assert "Somebody said so" in first
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older
    assert f"/merges/{row.merge_id}/undo" in site.owner.get(older[1]).text
    narrowed = text_of(site.owner.get(f"{page}?kind=automatic").text)
    assert "1 merge, newest first" in narrowed
    assert "bob@x.example" not in narrowed
    assert "No merge of this kind" in site.owner.get(f"{page}?kind=shopify").text


def test_the_identity_tab_says_what_holds_the_person_together(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = link_by_an_event(site)
    tab = f"{site.root}/customers/{row.kept_id}/identity"
    words = text_of(site.owner.get(tab).text)
    assert "What holds it together 1 link, oldest first" in words
    assert "E-mail ann@x.example and phone +353871234567 in one event on 15 June 2026" in words

    monkeypatch.setattr("customer360.web.customer._MOST_LINKS", 1)
    site.house.segment(identify(3, "u1", phone="0871234567"))
    site.house.work_off()
    words = text_of(site.owner.get(tab).text)
    assert "What holds it together 2 links, oldest first" in words
    assert "The oldest 1 are shown" in words
    assert "User id u1 and phone" not in words


def test_the_identity_tab_shows_the_merges_of_the_person(site: Site) -> None:
    row = link_by_an_event(site)
    tab = f"{site.root}/customers/{row.kept_id}/identity"
    assert "Merge history 1 merge" in text_of(site.owner.get(tab).text)
    path = f"{site.root}/duplicates/merges/{row.merge_id}/undo"
    answer = site.owner.post(path, {"next": tab}, token_from=tab)
    assert answer.headers["location"] == tab
    assert "Undone just now" in text_of(site.owner.get(tab).text)


def till(site: Site) -> int:
    """An account with so many identifiers that it links no further by itself."""
    more = [{"type": "klaviyo_id", "id": f"k{number}"} for number in range(60)]
    calls = [
        {**identify(number, "till"), "context": {"externalIds": [one]}}
        for number, one in enumerate(more)
    ]
    site.house.segment(*calls, identify(100, "ann", email="ann@x.example"))
    site.house.drain()
    return site.house.profile_id("user_id:till")


def test_a_profile_with_too_many_identifiers_says_that_nothing_is_linked_any_more(
    site: Site,
) -> None:
    number, ann = till(site), site.house.profile_id("user_id:ann")
    said = "This profile has 50 identifiers, so no further one is linked to it by itself"
    words = text_of(site.owner.get(f"{site.root}/customers/{number}").text)
    assert said in words
    assert "the alert was not seen by anybody yet." in words
    assert "is linked to it" not in site.owner.get(f"{site.root}/customers/{ann}").text


def test_an_alert_is_told_among_the_pairs_until_somebody_has_seen_it(site: Site) -> None:
    page = f"{site.root}/duplicates/alerts"
    assert "No alerts" in site.owner.get(page).text
    number = till(site)
    pairs = text_of(site.owner.get(f"{site.root}/duplicates").text)
    assert "1 customer has so many identifiers that it links no further by itself" in pairs
    listed = site.owner.get(page).text
    (path,) = re.findall(r'action="([^"]+/see)"', listed)

    answer = site.owner.post(path, {"next": page}, token_from=page, follow=True)

    assert "Seen just now by ann@shop.example" in text_of(answer.text)
    assert f"/customers/{number}/identity" in answer.text
    assert "so many identifiers" not in site.owner.get(f"{site.root}/duplicates").text
    words = text_of(site.owner.get(f"{site.root}/customers/{number}").text)
    assert "the alert was seen by ann@shop.example." in words


def test_alerts_and_told_apart_pairs_page_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alerts", "apart"):
        monkeypatch.setattr(f"customer360.web.{name}._PAGE_ROWS", 1)
    for user in ("kiosk", "till"):
        more = [[{"type": "klaviyo_id", "id": f"{user}{number}"}] for number in range(60)]
        site.house.segment(*(identify(1, user) | {"context": {"externalIds": x}} for x in more))
    for number in (1, 2):
        site.house.segment(
            identify(0, f"a{number}", email=f"eve{number}@x.example"),
            identify(1, f"b{number}", email=f"eva{number}@y.example"),
            identify(2, f"a{number}", email=f"eva{number}@y.example"),
        )
    site.house.work_off()
    page = f"{site.root}/duplicates"
    ids = [str(pair.candidate_id) for pair in open_pairs(site.house)]
    site.owner.post(f"{page}/dismiss", {"id": ids}, token_from=page)
    for name in ("alerts", "apart"):
        first = site.owner.get(f"{page}/{name}").text
        older = re.search(r'href="([^"]+)" rel="next"', first)
        assert older
        second = site.owner.get(older[1]).text
        seen = [set(re.findall(r"/customers/(\d+)", each)) for each in (first, second)]
        assert seen[0]
        assert seen[1]
        assert seen[0].isdisjoint(seen[1])
        assert 'rel="next"' not in second


def test_the_toast_takes_back_that_a_pair_is_not_the_same(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    told = site.owner.post(path_of(page, pair, "dismiss"), token_from=page, follow=True).text
    (decision_id,) = re.findall(r'name="decision" value="(\d+)"', told)
    sent = {"decision": decision_id}

    answer = site.owner.post(f"{page}/apart/undo", sent, follow=True)

    assert "Taken back: the pair is to be decided again." in answer.text
    assert open_pairs(site.house) == [pair]
    again = site.owner.post(f"{page}/apart/undo", sent)
    assert again.status_code == 404
    assert "it was taken back already" in again.text
    assert site.owner.post(f"{page}/apart/undo").status_code == 422


def test_what_another_shop_said_of_a_pair_is_not_found(site: Site, page: str) -> None:
    (pair,) = open_pairs(site.house)
    told = site.owner.post(path_of(page, pair, "dismiss"), token_from=page, follow=True).text
    (decision_id,) = re.findall(r'name="decision" value="(\d+)"', told)
    theirs = f"/shops/{site.other_shop.shop_id}/duplicates/apart"

    for path, sent in (("undo", {"decision": decision_id}), (f"{decision_id}/merge", {})):
        assert site.stranger.post(f"{theirs}/{path}", sent).status_code == 404

    assert "1 pair that somebody told apart" in text_of(site.owner.get(f"{page}/apart").text)


def test_a_pair_that_was_told_apart_can_be_merged_after_all(site: Site, page: str) -> None:
    assert "Nobody was told apart" in site.owner.get(f"{page}/apart").text
    (pair,) = open_pairs(site.house)
    site.owner.post(path_of(page, pair, "dismiss"), token_from=page)
    listed = site.owner.get(f"{page}/apart").text
    words = text_of(listed)
    assert "1 pair that somebody told apart, newest first" in words
    assert "ann@shop.example of a pair to decide, just now" in words
    (path,) = re.findall(r'action="([^"]+/merge)"', listed)

    answer = site.owner.post(path, {"next": f"{page}/apart"}, token_from=page, follow=True)

    assert "are one customer now." in answer.text
    assert "Nobody was told apart" in answer.text
    assert site.house.profile_id("user_id:a1") == site.house.profile_id("user_id:b1")


def told_apart(site: Site, page: str) -> str:
    """The pairs that are not the same, after one was told apart."""
    (pair,) = open_pairs(site.house)
    site.owner.post(path_of(page, pair, "dismiss"), token_from=page)
    return site.owner.get(f"{page}/apart").text


def test_two_of_one_name_are_told_from_each_other_by_what_they_are_known_by(
    site: Site, page: str
) -> None:
    words = text_of(told_apart(site, page))
    assert "Ann Byrne ann1@x.example +353871234567 User id a1" in words
    assert "Ánn byrne anne1@y.example User id b1" in words


def test_what_a_merge_after_all_would_do_is_said_before_it_happens(site: Site, page: str) -> None:
    listed = told_apart(site, page)
    (preview,) = re.findall(r'<span id="(preview-\d+)">1 order, 2 e-mails, 1 phone</span>', listed)
    assert f'after all" aria-describedby="{preview}"' in listed


def test_a_second_click_on_merge_after_all_finds_what_it_asks_for_done(
    site: Site, page: str
) -> None:
    (path,) = re.findall(r'action="([^"]+/merge)"', told_apart(site, page))
    sent = {"next": f"{page}/apart"}
    site.owner.post(path, sent, token_from=page)

    again = site.owner.post(path, sent, token_from=page, follow=True)

    assert again.status_code == 200
    assert "These two are one customer already." in again.text
    assert len(log(site.house)) == 1


def test_buttons_lead_back_and_say_what_to_do_where_one_value_links_a_crowd(
    site: Site, page: str
) -> None:
    house = site.house
    house.segment(identify(4, "w0"), identify(4, "w1"))
    house.work_off()
    pair, now = (house.profile_id("user_id:w0"), house.profile_id("user_id:w1")), house.clock.now()
    with house.app.database.write() as connection:
        row = merging.merge(connection, house.shop.shop_id, pair, actor="ann", now=now)
    (merge,) = re.findall(r'action="([^"]+/merge)"', told_apart(site, page))
    crowd = [identify(5, f"w{n}", phone="0871234567") for n in range(LARGEST_COMPONENT + 1)]
    house.segment(*crowd)
    house.work_off()

    for path in (merge, f"{page}/merges/{row.merge_id}/undo"):
        answer = site.owner.post(path, token_from=page, follow=True)
        assert answer.status_code == 200
        assert "Phone +353871234567 links more people than can be looked at" in answer.text
    assert log(house)[-1].state == "standing"


def test_a_page_whose_rows_are_all_gone_leads_to_the_newest(site: Site, page: str) -> None:
    told_apart(site, page)
    more = [[{"type": "klaviyo_id", "id": f"k{number}"}] for number in range(50)]
    site.house.segment(*(identify(1, "till") | {"context": {"externalIds": x}} for x in more))
    site.house.work_off()
    for name in ("apart", "alerts"):
        newest = f"{page}/{name}"
        assert "Newest" not in site.owner.get(newest).text
        answer = site.owner.get(f"{newest}?before=1")
        assert (answer.status_code, answer.headers["location"]) == (303, newest)


def test_no_score_is_told_as_certain(site: Site, page: str) -> None:
    with site.house.app.database.write() as connection:
        connection.exec_driver_sql("update candidates set score = 999")

    assert "Score 99 of 100" in text_of(site.owner.get(page).text)

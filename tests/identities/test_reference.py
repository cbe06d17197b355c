"""The slow reference says what product.md section 4 says, on cases that can be worked out by hand."""

from tests.identities.histories import histories
from tests.identities.reference import Decision, Event, Outcome, Rules, reference

from customer360.clock import DAY
from customer360.events.model import Identifier, SourceRank, Trust

TYPES = {
    "id": "shopify_customer_id",
    "u": "user_id",
    "e": "email",
    "p": "phone",
    "c": "cookie",
    "k": "cart_token",
}


def event(key: str, day: int, told: str, name: str = "", *, public: bool = False) -> Event:
    """told: identifiers such as "id:1 e:ann c:7". name: first and last."""
    pairs = (word.split(":") for word in told.split())
    identifiers = tuple(sorted(Identifier(TYPES[kind], value) for kind, value in pairs))
    first, _, last = name.partition(" ")
    trust, rank = (Trust.PUBLIC, SourceRank.PIXEL) if public else (Trust.FULL, SourceRank.SERVER)
    return Event(key, day * DAY, identifiers, (first, last), trust, rank)


def profiles(outcome: Outcome) -> list[str]:
    """Each profile as its events' keys (a letter each), sorted."""
    return sorted("".join(sorted(one)) for one in outcome.profiles)


def candidates(outcome: Outcome) -> dict[str, bool]:
    """Each open pair as "ab-c", and whether it is weak."""
    return {
        "-".join(sorted("".join(sorted(side)) for side in pair)): weak
        for pair, weak in outcome.candidates.items()
    }


def owner(outcome: Outcome, told: str) -> tuple[str, str]:
    """The state of an identifier and the events of its owner."""
    kind, value = told.split(":")
    state, profile = outcome.owners[Identifier(TYPES[kind], value)]
    return state, "".join(sorted(profile or ()))


def test_an_email_joins_what_a_phone_and_a_customer_id_began() -> None:
    outcome = reference([event("a", 0, "p:1"), event("b", 1, "id:1"), event("c", 2, "id:1 p:1")])

    assert profiles(outcome) == ["abc"]


def test_two_customer_ids_never_merge_by_themselves() -> None:
    history = [event("a", 0, "id:1 e:x"), event("b", 1, "id:2 e:x"), event("c", 2, "e:x")]

    outcome = reference(history)

    assert profiles(outcome) == ["ac", "b"]
    assert candidates(outcome) == {"ac-b": False}


def test_a_sixth_email_of_a_profile_stays_unowned() -> None:
    history = [event(str(n), n, f"id:1 e:{n}") for n in range(6)]

    outcome = reference(history)

    assert owner(outcome, "e:4") == ("owned", "012345")
    assert owner(outcome, "e:5") == ("unowned", "")


def test_a_full_side_may_meet_one_that_adds_nothing_to_it() -> None:
    history = [event("a", 0, "e:x"), event("b", 1, "e:y"), event("c", 3, "id:1")]
    merged = [Decision(1, "merged", "a", "b", 2 * DAY)]
    bridge = event("d", 4, "id:1 e:x")

    assert profiles(reference([*history, bridge], merged, Rules(limits={"email": 1}))) == ["abcd"]


def test_another_name_at_an_email_is_somebody_else_and_is_found_again() -> None:
    history = [
        event("a", 0, "e:x", "ann murphy"),
        event("b", 1, "e:x", "bob ross"),
        event("c", 2, "e:x", "ross bob"),
        event("d", 3, "e:x"),
    ]

    outcome = reference(history)

    assert profiles(outcome) == ["ad", "bc"]
    assert candidates(outcome) == {"ad-bc": False}


def test_a_customer_id_joins_whatever_the_names() -> None:
    history = [event("a", 0, "id:1", "ann murphy"), event("b", 1, "id:1", "bob ross")]

    assert profiles(reference(history)) == ["ab"]


def test_one_shared_part_is_no_conflict() -> None:
    history = [event("a", 0, "e:x", "ann murphy"), event("b", 1, "e:x", "ann kelly")]

    assert profiles(reference(history)) == ["ab"]


def test_visits_before_the_first_login_are_of_whom_logs_in() -> None:
    history = [event("a", 0, "c:1"), event("b", 1, "c:1 k:1"), event("c", 2, "e:x c:1")]

    assert profiles(reference(history)) == ["abc"]


def test_a_second_login_takes_the_later_visits_only() -> None:
    history = [
        event("a", 0, "c:1"),
        event("b", 1, "e:x c:1"),
        event("c", 2, "c:1"),
        event("d", 3, "e:y c:1"),
        event("f", 4, "c:1"),
    ]

    outcome = reference(history)

    assert profiles(outcome) == ["abc", "df"]
    assert candidates(outcome) == {"abc-df": True}


def test_two_customers_at_one_device_are_no_candidate() -> None:
    history = [event("a", 0, "id:1 c:1"), event("b", 1, "id:2 c:1"), event("c", 2, "c:1")]

    outcome = reference(history)

    assert (profiles(outcome), candidates(outcome)) == (["a", "bc"], {})


def test_a_visit_at_the_instant_of_a_login_follows_it() -> None:
    login = event("b", 1, "e:y c:1", public=True)

    outcome = reference([event("a", 0, "e:x c:1"), login, event("c", 1, "c:1")])

    assert profiles(outcome) == ["a", "bc"]


def test_a_cookie_of_last_year_belongs_to_nobody() -> None:
    history = [event("a", 0, "e:x c:1"), event("b", 366, "c:1"), event("c", 367, "e:x c:1")]

    assert profiles(reference(history)) == ["abc"]
    assert profiles(reference(history[:2])) == ["a", "b"]


def test_a_phone_given_to_somebody_new_makes_a_weak_candidate() -> None:
    history = [event("a", 0, "p:1", "ann murphy"), event("b", 366, "e:y p:1", "bob ross")]

    outcome = reference(history)

    assert owner(outcome, "p:1") == ("owned", "b")
    assert candidates(outcome) == {"a-b": True}


def test_a_browser_never_merges_two_known_profiles() -> None:
    history = [event("a", 0, "e:x"), event("b", 1, "p:1"), event("c", 2, "e:x p:1", public=True)]

    outcome = reference(history)

    assert profiles(outcome) == ["ac", "b"]
    assert candidates(outcome) == {"ac-b": False}


def test_trusted_evidence_takes_over_what_a_browser_claimed() -> None:
    history = [event("a", 0, "e:evil p:1", public=True), event("b", 1, "id:1 p:1")]

    before, after = reference(history[:1]), reference(history)

    assert owner(before, "p:1") == ("unverified", "a")
    assert owner(after, "p:1") == ("owned", "b")
    assert candidates(after) == {"a-b": False}


def test_a_browsers_claim_is_taken_over_by_an_owner_of_weaker_evidence() -> None:
    history = [
        event("a", 0, "u:evil e:x", public=True),
        event("b", 1, "p:1"),
        event("c", 2, "e:x p:1"),
    ]

    outcome = reference(history)

    assert profiles(outcome) == ["a", "bc"]
    assert owner(outcome, "e:x") == ("owned", "bc")


def test_a_browser_does_not_name_a_known_profile() -> None:
    history = [
        event("a", 0, "e:x"),
        event("b", 1, "e:x", "bob ross", public=True),
        event("c", 2, "e:x", "ann murphy"),
        event("d", 3, "e:x", "bob stone"),
    ]

    assert profiles(reference(history)) == ["abc", "d"]


def test_an_address_of_many_customers_stops_linking() -> None:
    customers = [event(str(n), n, f"id:{n} e:info") for n in range(4)]
    history = [*customers, event("a", 8, "e:info"), event("b", 9, "c:1 e:info")]

    outcome = reference(history)

    assert profiles(outcome) == ["0a", "1", "2", "3", "b"]
    assert owner(outcome, "e:info") == ("shared", "0a")
    assert (outcome.candidates, len(outcome.hub_candidates)) == ({}, 2)


def test_a_merge_by_hand_can_end_a_hub() -> None:
    history = [event(str(n), n, f"id:{n} e:info") for n in range(4)]

    outcome = reference(history, [Decision(1, "merged", "0", "1", 9 * DAY)])

    assert profiles(outcome) == ["01", "2", "3"]
    assert owner(outcome, "e:info") == ("owned", "01")


def test_the_visits_of_a_shared_cookie_are_one_visitor() -> None:
    logins = [event(str(n), 2 * n, f"id:{n} c:till") for n in range(4)]
    visits = [event("a", 1, "c:till"), event("b", 3, "c:till"), event("d", 9, "c:till")]

    assert profiles(reference([*logins, *visits])) == ["0", "1", "2", "3", "abd"]


def test_a_merge_by_hand_acts_at_its_time_and_beyond_limits() -> None:
    history = [event("a", 0, "id:1 c:1"), event("b", 1, "id:2"), event("c", 5, "id:2")]

    assert profiles(reference(history, [Decision(1, "merged", "a", "b", 2 * DAY)])) == ["abc"]


def test_what_was_undone_never_happened() -> None:
    history = [event("a", 0, "id:1"), event("b", 1, "e:x"), event("c", 2, "id:1 e:x")]

    outcome = reference(history, [Decision(1, "undone", "a", "b")])

    assert (profiles(outcome), candidates(outcome)) == (["ac", "b"], {})


def test_not_the_same_holds_for_every_later_bridge_and_for_merges_by_hand() -> None:
    history = [event("a", 0, "id:1"), event("b", 1, "e:x"), event("c", 2, "p:1 e:x")]
    bridge = event("d", 3, "id:1 p:1")
    decisions = [Decision(1, "merged", "a", "b", 2 * DAY), Decision(2, "not_same", "b", "a")]

    assert profiles(reference([*history, bridge], decisions)) == ["ad", "bc"]


def test_above_the_limit_of_identifiers_nothing_more_is_linked() -> None:
    history = [
        event("a", 0, "id:1 e:x"),
        event("b", 1, "u:2 e:y"),
        event("c", 3, "e:x c:1"),
        event("d", 4, "c:1"),
    ]
    merged = [Decision(1, "merged", "a", "b", 2 * DAY)]

    outcome = reference(history, merged, Rules(known_identifiers=3))

    assert profiles(outcome) == ["abc", "d"]


def test_the_order_in_which_events_are_given_does_not_matter() -> None:
    for one in histories(seed=3, n=200):
        forwards = sorted(one.events, key=lambda event: event.key)
        outcome = reference(one.events, one.decisions, one.rules)

        assert reference(forwards, one.decisions, one.rules) == outcome
        assert reference(forwards[::-1], one.decisions[::-1], one.rules) == outcome

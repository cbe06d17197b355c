"""Which observations become one person: named scenarios, and what holds for every history."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.identities.runs import Evidence, Occurrence, cut_runs

from customer360.clock import DAY
from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.model import (
    Decision,
    Observation,
    Resolution,
    Rules,
)
from customer360.identities.normalise import fold_parts, normalise
from customer360.identities.resolve import resolve

TYPES = {
    "id": "shopify_customer_id",
    "user": "user_id",
    "pos": "pos_customer",
    "amazon": "amazon_buyer",
    "ebay": "ebay_buyer",
    "klaviyo": "klaviyo_id",
    "cart": "cart_token",
    "check": "checkout_token",
}


def seen(
    day: float,
    told: str,
    name: str = "",
    *,
    public: bool = False,
    until: float | None = None,
    number: int | None = None,
    run: int = 0,
) -> Observation:
    """told: "id:1 email:ann@x.com cookie:c". The fragment is numbered as the day unless told otherwise."""
    pairs = (word.split(":", 1) for word in told.split())
    first, _, last = name.partition(" ")
    return Observation(
        fragment_id=int(day) if number is None else number,
        run=run,
        identifiers=tuple(sorted(Identifier(TYPES.get(kind, kind), text) for kind, text in pairs)),
        name=fold_parts(first, last),
        trust=Trust.PUBLIC if public else Trust.FULL,
        rank=SourceRank.PIXEL if public else SourceRank.SERVER,
        first_at=int(day * DAY),
        last_at=int((day if until is None else until) * DAY),
        events=1 if until is None else 2,
    )


def by_hand(day: float, one: Observation, other: Observation, number: int = 1) -> Decision:
    return _decision("merged", one, other, number, int(day * DAY))


def not_same(one: Observation, other: Observation, number: int = 1) -> Decision:
    return _decision("not_same", one, other, number)


def undone(one: Observation, other: Observation, number: int = 9) -> Decision:
    return _decision("undone", one, other, number)


def _decision(
    kind: str, one: Observation, other: Observation, number: int, acts_at: int = 0
) -> Decision:
    return Decision(
        decision_id=number,
        kind=kind,  # type: ignore[arg-type]
        fragment_a=one.fragment_id,
        at_a=one.first_at,
        fragment_b=other.fragment_id,
        at_b=other.first_at,
        acts_at=acts_at,
    )


def groups(outcome: Resolution) -> list[list[int]]:
    """The fragments of each group."""
    found: dict[int, list[int]] = {}
    for (fragment, _), number in sorted(outcome.profile_of.items()):
        found.setdefault(number, []).append(fragment)
    return [found[number] for number in sorted(found)]


def doubts(outcome: Resolution) -> list[str]:
    """Each candidate as "1-2 word word", a weak one as "1~2 word"."""
    return [
        f"{one.older}{'~' if one.weak else '-'}{one.younger} "
        + " ".join(dict.fromkeys(reason.word for reason in one.reasons))
        for one in outcome.candidates
    ]


def owner(outcome: Resolution, told: str) -> str:
    """Who owns an identifier now: "1 owned", or "nobody"."""
    kind, value = told.split(":", 1)
    wanted = Identifier(TYPES.get(kind, kind), value)
    for one in outcome.ownerships:
        if one.identifier == wanted and one.until is None:
            return f"{outcome.profile_of[one.fragment_id, one.run]} {one.state}"
    return "nobody"


@dataclass(frozen=True)
class Scenario:
    """What was seen and decided, and what comes of it; groups are numbered from 1 in the order listed."""

    name: str
    history: Sequence[Observation | Decision]
    groups: Sequence[Sequence[int]]
    doubts: Sequence[str] = ()
    owners: tuple[tuple[str, str], ...] = ()
    frozen: frozenset[int] = frozenset()


ANN, TOM = "Ann Murphy", "Tom Byrne"
FAMILY = "email:family@x.com"
fifty = [seen(1, " ".join(f"klaviyo:k{n:02}" for n in range(50)))]
tills = [seen(n, f"cookie:till phone:+{n}") for n in range(1, 51)]
accounts = [seen(n, f"id:{n} {FAMILY}") for n in range(1, 5)]

SCENARIOS = [
    Scenario("a visitor stays alone", [seen(1, "cookie:a"), seen(2, "cookie:b")], [[1], [2]]),
    Scenario(
        "anonymous, then known",
        [seen(1, "cookie:a"), seen(2, "cookie:a email:ann@x.com")],
        [[1, 2]],
        owners=(("cookie:a", "1 owned"), ("email:ann@x.com", "1 owned")),
    ),
    Scenario(
        "known, then anonymous",
        [seen(1, "cookie:a email:ann@x.com"), seen(2, "cookie:a")],
        [[1, 2]],
    ),
    Scenario(
        "anonymous on both sides of a login",
        [seen(3, "cookie:a"), seen(2, "cookie:a email:ann@x.com"), seen(1, "cookie:a")],
        [[1, 2, 3]],
    ),
    Scenario(
        "a visitor on two devices who logs in on both",
        [
            seen(1, "cookie:a"),
            seen(2, "cookie:b"),
            seen(3, "cookie:a user:u"),
            seen(4, "cookie:b user:u"),
        ],
        [[1, 2, 3, 4]],
    ),
    Scenario(
        "an order joins the cookie to the customer through the checkout token",
        [
            seen(1, "cookie:a check:t"),
            seen(2, "check:t email:ann@x.com id:7"),
            seen(3, "id:7"),
        ],
        [[1, 2, 3]],
    ),
    Scenario(
        "two anonymous visitors of one basket are one visitor",
        [seen(1, "cookie:a cart:k"), seen(2, "cookie:b"), seen(3, "cookie:b cart:k")],
        [[1, 2, 3]],
    ),
    Scenario(
        "two known people merge when a trusted source names both",
        [
            seen(1, "email:ann@x.com"),
            seen(2, "phone:+1"),
            seen(3, "email:ann@x.com phone:+1"),
        ],
        [[1, 2, 3]],
    ),
    Scenario(
        "two accounts that share an e-mail stay two",
        [seen(1, f"id:1 {FAMILY}"), seen(2, f"id:2 {FAMILY}"), seen(3, FAMILY)],
        [[1, 3], [2]],
        ["1-2 account_ids"],
        ((FAMILY, "1 owned"),),
    ),
    Scenario(
        "marketplace ids are one per marketplace, and two marketplaces are two",
        [
            seen(1, "amazon:a email:ann@x.com"),
            seen(2, "ebay:e email:ann@x.com"),
            seen(3, "amazon:b email:ann@x.com"),
        ],
        [[1, 2], [3]],
        ["1-2 account_ids"],
    ),
    Scenario(
        "family e-mail: another full name is somebody else, and is found again",
        [
            seen(1, FAMILY, ANN),
            seen(2, FAMILY, TOM),
            seen(3, FAMILY),
            seen(4, f"{FAMILY} id:4", TOM),
        ],
        [[1, 3], [2, 4]],
        ["1-2 names"],
        ((FAMILY, "1 owned"),),
    ),
    Scenario(
        "a shared last name is no conflict",
        [seen(1, FAMILY, ANN), seen(2, FAMILY, "Tom Murphy")],
        [[1, 2]],
    ),
    Scenario(
        "swapped parts are one name",
        [seen(1, FAMILY, ANN), seen(2, FAMILY, "Murphy Ann")],
        [[1, 2]],
    ),
    Scenario(
        "placeholder words are no name",
        [seen(1, FAMILY, ANN), seen(2, FAMILY, "Guest Guest")],
        [[1, 2]],
    ),
    Scenario(
        "names are no veto between ids",
        [seen(1, "id:1", ANN), seen(2, "user:u", TOM), seen(3, "id:1 user:u")],
        [[1, 2, 3]],
    ),
    Scenario(
        "names veto a merge by e-mail of what an id names",
        [seen(1, "id:1", ANN), seen(2, FAMILY, TOM), seen(3, f"id:1 {FAMILY}")],
        [[1, 3], [2]],
        ["1-2 names"],
    ),
    Scenario(
        "the vetoed newcomer does not become whose tablet it is",
        [
            seen(1, f"cookie:c {FAMILY}", TOM),
            seen(2, f"cookie:c {FAMILY}", ANN),
            seen(3, "cookie:c"),
        ],
        [[1], [2, 3]],
        ["1-2 names device"],
    ),
    Scenario(
        "shared tablet: visits before the second login stay, those after follow it",
        [
            seen(1, "cookie:tab"),
            seen(2, "cookie:tab user:ann"),
            seen(3, "cookie:tab"),
            seen(4, "cookie:tab user:tom"),
            seen(5, "cookie:tab"),
        ],
        [[1, 2, 3], [4, 5]],
        ["1~2 device"],
        (("cookie:tab", "2 owned"),),
    ),
    Scenario(
        "shared tablet: who logs in again has it again",
        [
            seen(1, "cookie:tab user:ann"),
            seen(2, "cookie:tab user:tom"),
            seen(3, "cookie:tab user:ann", number=1, run=1),
            seen(4, "cookie:tab"),
        ],
        [[1, 1, 4], [2]],
        ["1~2 device"],
    ),
    Scenario(
        "shared tablet: two accounts of the shop are no candidate",
        [seen(1, "cookie:tab id:1"), seen(2, "cookie:tab id:2")],
        [[1], [2]],
    ),
    Scenario(
        "a visit at the instant of a login belongs to it",
        [
            seen(1, "cookie:tab user:ann"),
            seen(2, "cookie:tab", number=7),
            seen(2, "cookie:tab user:tom"),
        ],
        [[1], [2, 7]],
        ["1~2 device"],
    ),
    Scenario(
        "without a login of its own a known person's cookie proves nothing",
        [
            seen(1, "cookie:a user:ann"),
            seen(2, "cart:k user:tom"),
            seen(3, "cookie:a cart:k"),
        ],
        [[1, 3], [2]],
        (),
        (("cart:k", "2 owned"),),
    ),
    Scenario(
        "a till's cookie with 50 phones is a hub: 50 people, and one visitor",
        [*tills, seen(60, "cookie:till"), seen(61, "cookie:till", number=61)],
        [*([n] for n in range(1, 51)), [60, 61]],
        [f"{n}~{n + 1} device" for n in range(1, 20)],
        (("cookie:till", "51 shared"),),
    ),
    Scenario(
        "a hub e-mail links nobody, and alone still means its owner",
        [*accounts, seen(5, FAMILY), seen(6, f"{FAMILY} cookie:c")],
        [[1, 5], [2], [3], [4], [6]],
        ["1-2 account_ids", "1-3 account_ids"],
        ((FAMILY, "1 shared"),),
    ),
    Scenario(
        "a merge by hand lowers a hub",
        [*accounts, seen(5, FAMILY), by_hand(9, accounts[0], accounts[1])],
        [[1, 2, 5], [3], [4]],
        ["1-2 account_ids", "1-3 account_ids"],
        ((FAMILY, "1 owned"),),
    ),
    Scenario(
        "a chain of 200 links is one person",
        [seen(n, f"cookie:c{n} cookie:c{n + 1}") for n in range(1, 201)],
        [list(range(1, 201))],
    ),
    Scenario(
        "a chain of e-mails stops at five",
        [seen(n, f"email:e{n} email:e{n + 1}") for n in range(1, 8)],
        [[1, 2, 3, 4, 5], [6, 7]],
        (),
        (("email:e5", "1 owned"), ("email:e6", "2 owned")),
    ),
    Scenario(
        "a phone reassigned after 14 months is somebody else's",
        [seen(1, "phone:+1", ANN), seen(430, "phone:+1"), seen(431, "phone:+1", TOM, number=431)],
        [[1], [430, 431]],
        ["1~2 phone_reused"],
        (("phone:+1", "2 owned"),),
    ),
    Scenario(
        "a phone within 12 months is not",
        [seen(1, "phone:+1"), seen(365, "phone:+1")],
        [[1, 365]],
    ),
    Scenario(
        "other events of a phone keep it from going stale",
        [seen(1, "phone:+1"), seen(300, "id:1 phone:+1"), seen(600, "phone:+1")],
        [[1, 300, 600]],
    ),
    Scenario(
        "a cookie of last year is nobody's, without a candidate",
        [seen(1, "cookie:c user:ann"), seen(400, "cookie:c")],
        [[1], [400]],
    ),
    Scenario(
        "a stale phone counts for no limit",
        [
            *(seen(n, f"id:1 phone:+{n}") for n in range(1, 6)),
            seen(390, "id:1 phone:+9", number=390),
        ],
        [[1, 2, 3, 4, 5, 390]],
        (),
        (("phone:+9", "1 owned"), ("phone:+1", "nobody")),
    ),
    Scenario(
        "guest checkouts of two people on one cookie",
        [
            seen(1, "cookie:c check:t1 email:ann@x.com", ANN),
            seen(2, "cookie:c"),
            seen(3, "cookie:c check:t2 email:tom@x.com", TOM),
            seen(4, "cookie:c", number=4),
            seen(5, "check:t1"),
        ],
        [[1, 2, 5], [3, 4]],
        ["1~2 device"],
    ),
    Scenario(
        "a browser never merges two known people",
        [
            seen(1, "email:ann@x.com"),
            seen(2, "user:u"),
            seen(3, "email:ann@x.com user:u", public=True),
        ],
        [[1], [2, 3]],
        ["1-2 trust"],
    ),
    Scenario(
        "what a browser adds to a known profile is unverified",
        [seen(1, "user:u email:ann@x.com", public=True)],
        [[1]],
        (),
        (("user:u", "1 owned"), ("email:ann@x.com", "1 unverified")),
    ),
    Scenario(
        "trusted evidence takes an unverified claim over, and never merges through it",
        [
            seen(1, "user:u email:ann@x.com", public=True),
            seen(2, "id:9 email:ann@x.com"),
            seen(3, "email:ann@x.com"),
        ],
        [[1], [2, 3]],
        ["1-2 taken_over"],
        (("email:ann@x.com", "2 owned"),),
    ),
    Scenario(
        "an owner of weaker evidence takes it over too",
        [
            seen(1, "user:u email:ann@x.com", public=True),
            seen(2, "phone:+1"),
            seen(3, "phone:+1 email:ann@x.com"),
        ],
        [[1], [2, 3]],
        ["1-2 taken_over"],
        (("email:ann@x.com", "2 owned"),),
    ),
    Scenario(
        "trusted evidence of the same owner verifies a claim",
        [
            seen(1, "user:u email:ann@x.com", public=True),
            seen(2, "email:ann@x.com"),
            seen(3, "user:u email:ann@x.com"),
            seen(4, "id:9 email:ann@x.com"),
        ],
        [[1, 2, 3, 4]],
        (),
        (("email:ann@x.com", "1 owned"),),
    ),
    Scenario(
        "a browser does not name a known profile",
        [seen(1, FAMILY, TOM, public=True), seen(2, FAMILY, ANN)],
        [[1, 2]],
    ),
    Scenario(
        "a browser names a visitor",
        [
            seen(1, "cookie:c", TOM, public=True),
            seen(2, f"cookie:c {FAMILY}"),
            seen(3, FAMILY, ANN),
        ],
        [[1, 2], [3]],
        ["1-2 names"],
    ),
    Scenario(
        "the fifty-first identifier stays unowned",
        [*fifty, seen(2, "klaviyo:k00 email:ann@x.com"), seen(3, "email:ann@x.com")],
        [[1, 2], [3]],
        (),
        (("email:ann@x.com", "2 owned"),),
        frozenset({1}),
    ),
    Scenario(
        "frozen at 50: another known profile becomes a candidate, a cookie still links",
        [
            *fifty,
            seen(2, "phone:+1"),
            seen(3, "klaviyo:k00 phone:+1 cookie:c"),
            seen(4, "cookie:c"),
        ],
        [[1, 3, 4], [2]],
        ["1-2 frozen"],
        (("cookie:c", "1 owned"),),
        frozenset({1, 2} - {2}),
    ),
    Scenario(
        "above 50 nothing links by itself any more",
        [
            *fifty,
            (other := seen(2, "phone:+1")),
            by_hand(3, fifty[0], other),
            seen(4, "klaviyo:k00 cookie:c"),
            seen(5, "cookie:c"),
        ],
        [[1, 2, 4], [5]],
        frozen=frozenset({1}),
    ),
    Scenario(
        "only a value added to a full side breaks a limit",
        [
            seen(1, "id:1 email:a email:b email:c email:d email:e"),
            seen(2, "phone:+1"),
            seen(3, "id:1 phone:+1"),
        ],
        [[1, 2, 3]],
    ),
    Scenario(
        "a merge by hand goes beyond limits",
        [(a := seen(1, "id:1")), (b := seen(2, "id:2")), by_hand(3, a, b), seen(4, "id:2")],
        [[1, 2, 4]],
    ),
    Scenario(
        "a merge by hand acts at its own time",
        [
            seen(1, "id:1 cookie:c"),
            (b := seen(2, "id:2 phone:+1")),
            by_hand(3, seen(1, "id:1"), b),
            seen(4, "id:1 phone:+1"),
        ],
        [[1, 2, 4]],
    ),
    Scenario(
        "not the same: a bridge does not merge them, and is no candidate",
        [
            (a := seen(1, "email:ann@x.com")),
            (b := seen(2, "phone:+1")),
            seen(3, "email:ann@x.com phone:+1"),
            not_same(a, b),
        ],
        [[1, 3], [2]],
    ),
    Scenario(
        "not the same ends a candidate",
        [(a := seen(1, f"id:1 {FAMILY}")), (b := seen(2, f"id:2 {FAMILY}")), not_same(a, b)],
        [[1], [2]],
    ),
    Scenario(
        "not the same holds for whom a third brings in",
        [
            (a := seen(1, "email:ann@x.com")),
            (b := seen(2, "phone:+1")),
            seen(3, "klaviyo:k phone:+1"),
            seen(4, "klaviyo:k email:ann@x.com"),
            not_same(a, b),
        ],
        [[1, 4], [2, 3]],
    ),
    Scenario(
        "a merge by hand after all lifts not the same",
        [
            (a := seen(1, "id:1")),
            (b := seen(2, "id:2")),
            not_same(a, b, 1),
            by_hand(3, a, b, 2),
        ],
        [[1, 2]],
    ),
    Scenario(
        "an undone merge by hand never was, and later evidence falls to its side",
        [
            (a := seen(1, "id:1 email:ann@x.com")),
            (b := seen(2, "id:2 phone:+1")),
            by_hand(3, a, b),
            seen(4, "phone:+1"),
            seen(5, "email:ann@x.com phone:+1"),
            undone(a, b),
        ],
        [[1, 5], [2, 4]],
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_people_come_together_as_the_rules_say(scenario: Scenario) -> None:
    observations = [one for one in scenario.history if isinstance(one, Observation)]
    decisions = [one for one in scenario.history if isinstance(one, Decision)]

    outcome = resolve(observations, decisions)

    assert groups(outcome) == [list(group) for group in scenario.groups]
    assert doubts(outcome) == list(scenario.doubts)
    assert [owner(outcome, told) for told, _ in scenario.owners] == [
        wanted for _, wanted in scenario.owners
    ]
    assert outcome.frozen == scenario.frozen


def cleaned(*told: tuple[str, str], till: bool = False) -> tuple[Identifier, ...]:
    return normalise(
        [Identifier(*pair) for pair in told], country="IE", trust=Trust.FULL, till=till
    )


@pytest.mark.parametrize("placeholder", ["guest", "0", "00000000-0000-0000-0000-000000000000"])
def test_a_placeholder_id_of_500_people_links_nobody(placeholder: str) -> None:
    observations = [
        msgspec.structs.replace(
            seen(n, ""),
            identifiers=cleaned(("user_id", placeholder), ("email", f"a{n}@x.com")),
        )
        for n in range(1, 501)
    ]

    outcome = resolve(observations)

    assert len(groups(outcome)) == 500
    assert not outcome.candidates


def test_two_marketplace_buyers_behind_relay_mail_stay_two() -> None:
    relay = ("email", "x1@marketplace.amazon.com")
    one = msgspec.structs.replace(seen(1, ""), identifiers=cleaned(("amazon_buyer", "A"), relay))
    other = msgspec.structs.replace(seen(2, ""), identifiers=cleaned(("amazon_buyer", "B"), relay))

    outcome = resolve([one, other])

    assert cleaned(relay) == ()
    assert groups(outcome) == [[1], [2]]
    assert not outcome.candidates


def test_a_merge_names_its_bridge_and_an_undo_takes_it_back() -> None:
    ann, phone = seen(1, "email:ann@x.com"), seen(2, "phone:+1")
    history = [ann, phone, seen(3, "email:ann@x.com phone:+1"), seen(4, "phone:+1", number=4)]

    (merge,) = resolve(history).merges
    assert merge.bridges is not None
    assert (merge.kept, merge.gone, merge.by) == ((1, 0), (2, 0), (3, 0))
    one, other = merge.bridges
    undo = Decision(
        decision_id=1,
        kind="undone",
        fragment_a=one.fragment_id,
        at_a=one.at,
        fragment_b=other.fragment_id,
        at_b=other.at,
    )

    outcome = resolve(history, [undo])

    assert groups(outcome) == [[1, 3], [2, 4]]
    assert [(one.fragment_id, one.word) for one in outcome.demoted] == [(3, "not_same")]
    assert not outcome.merges
    assert not outcome.candidates


def test_not_the_same_lets_a_phone_go_stale_as_it_did_before() -> None:
    ann = seen(1, "user:ann email:a phone:+1")
    tom = seen(400, "user:tom email:a")

    assert known(resolve([ann, tom], [not_same(ann, tom)]))[1] == known(resolve([ann, tom]))[1]


def test_merges_are_undone_in_either_order() -> None:
    a, b, c = seen(1, "id:1"), seen(2, "id:2"), seen(3, "id:3")
    merges = [by_hand(4, a, b, 1), by_hand(5, a, c, 2)]

    def after(*undos: Decision) -> list[list[int]]:
        return groups(resolve([a, b, c], [*merges, *undos]))

    assert after() == [[1, 2, 3]]
    assert after(undone(a, b, 3)) == [[1, 3], [2]]
    assert after(undone(a, c, 3)) == [[1, 2], [3]]
    assert (
        after(undone(a, b, 3), undone(a, c, 4))
        == after(undone(a, c, 3), undone(a, b, 4))
        == [[1], [2], [3]]
    )


def test_a_merge_of_what_the_same_event_began_is_not_logged() -> None:
    outcome = resolve([seen(1, "cookie:c"), seen(2, "cookie:c email:ann@x.com")])

    assert groups(outcome) == [[1, 2]]
    assert not outcome.merges


def test_an_ownership_ends_where_the_next_begins() -> None:
    outcome = resolve([seen(1, "cookie:c user:ann"), seen(2, "cookie:c user:tom")])

    spans = [
        (one.fragment_id, one.since // DAY, one.until and one.until // DAY)
        for one in outcome.ownerships
        if one.identifier.type == "cookie"
    ]
    assert spans == [(1, 1, 2), (2, 2, None)]


def test_a_hand_over_within_an_observation_asks_for_a_cut() -> None:
    logins = [seen(1, "cookie:c user:ann"), seen(4, "cookie:c user:tom")]
    visits = seen(2, "cookie:c", until=6)

    outcome = resolve([*logins, visits])

    assert outcome.cuts == ((2, 4 * DAY),)
    parts = [seen(2, "cookie:c", until=3), seen(5, "cookie:c", number=2, run=1)]
    outcome = resolve([*logins, *parts])
    assert outcome.cuts == ()
    assert outcome.profile_of == {(1, 0): 1, (2, 0): 1, (4, 0): 2, (2, 1): 2}


def test_what_lies_between_without_a_hand_over_needs_no_cut() -> None:
    visits = seen(1, "cookie:c", until=9)
    between = [seen(3, "cookie:c user:ann"), seen(5, "cookie:c cart:k")]

    outcome = resolve([visits, *between])

    assert outcome.cuts == ()
    assert groups(outcome) == [[1, 3, 5]]


def test_a_run_ends_at_anothers_event_on_a_shared_cookie_and_at_a_years_silence() -> None:
    told = {
        1: Evidence(identifiers=(Identifier("cookie", "c"),), trust=Trust.FULL),
        2: Evidence(
            identifiers=(Identifier("cookie", "c"), Identifier("email", "e")), trust=Trust.FULL
        ),
        3: Evidence(identifiers=(Identifier("email", "e"),), trust=Trust.FULL),
    }
    days = [(1, 1), (1, 2), (2, 3), (1, 4), (3, 5), (2, 6), (3, 7), (3, 372), (3, 373)]
    events = [
        Occurrence(fragment_id=fragment, at=day * DAY, rank=SourceRank.SERVER, key=str(day))
        for fragment, day in days
    ]
    random.Random(1).shuffle(events)

    runs = cut_runs(events, told)

    assert [
        (one.fragment_id, one.run, one.first_at // DAY, one.last_at // DAY, one.events)
        for one in runs
    ] == [
        (1, 0, 1, 2, 2),
        (2, 0, 3, 3, 1),
        (1, 1, 4, 4, 1),
        (3, 0, 5, 7, 2),
        (2, 1, 6, 6, 1),
        (3, 1, 372, 373, 2),
    ]


def test_limits_are_a_shops_own() -> None:
    history = [seen(1, "email:a klaviyo:k"), seen(2, "email:b klaviyo:k")]

    assert owner(resolve(history), "email:b") == "1 owned"
    assert owner(resolve(history, rules=Rules(limits={"email": 1})), "email:b") == "nobody"


# Small worlds in which everything meets. Rules as they are, but for hubs, which need crowds.
words = st.sampled_from(
    [
        *("id:1", "id:2", "user:1", "email:a", "email:b", "klaviyo:k", "phone:+1", "phone:+2"),
        *("cookie:1", "cookie:2", "cart:1", "check:1"),
    ]
)
told_names = st.sampled_from(["", "", "", ANN, TOM, "Ann Byrne"])
worlds = st.lists(
    st.tuples(st.sets(words, min_size=1, max_size=3), told_names, st.booleans(), st.integers(0, 3)),
    min_size=2,
    max_size=12,
).map(
    lambda world: [
        seen(
            day + gap * 0.25,
            " ".join(sorted(told)),
            name,
            public=public and not told & {"id:1", "id:2", "klaviyo:k"},
            number=day,
        )
        for day, (told, name, public, gap) in enumerate(world)
    ]
)
pairs = st.tuples(st.integers(0, 99), st.integers(0, 99))


def known(outcome: Resolution) -> tuple[object, ...]:
    """Everything but the log."""
    return (outcome.profile_of, outcome.ownerships, outcome.candidates, outcome.frozen)


def same_people(outcome: Resolution) -> tuple[object, ...]:
    return (outcome.profile_of, outcome.ownerships)


@given(worlds, st.lists(st.tuples(pairs, st.sampled_from("mnu")), max_size=3), st.randoms())
def test_the_order_of_input_does_not_matter(
    world: list[Observation], wishes: list[tuple[tuple[int, int], str]], chance: random.Random
) -> None:
    decisions = []
    for number, ((a, b), kind) in enumerate(wishes):
        one, other = world[a % len(world)], world[b % len(world)]
        decide = {"m": by_hand(20, one, other, number), "n": not_same(one, other, number)}
        decisions.append(decide.get(kind) or undone(one, other, number))
    shuffled, also = list(world), list(decisions)
    chance.shuffle(shuffled)
    chance.shuffle(also)

    assert resolve(world, decisions) == resolve(shuffled, also)


@given(worlds, pairs)
def test_a_merge_by_hand_that_was_undone_never_was(
    world: list[Observation], pair: tuple[int, int]
) -> None:
    one, other = world[pair[0] % len(world)], world[pair[1] % len(world)]
    before = resolve(world)
    apart = before.profile_of[one.fragment_id, 0] != before.profile_of[other.fragment_id, 0]

    back = resolve(world, [by_hand(30, one, other, 1), undone(one, other, 2)])

    assert known(back) == known(resolve(world, [undone(one, other, 2)]))
    if apart:
        assert same_people(back) == same_people(before)


@settings(max_examples=300)
@given(worlds)
def test_an_automatic_merge_that_was_undone_was_refused(world: list[Observation]) -> None:
    before = resolve(world)
    merges = [one for one in before.merges if one.bridges]
    if not merges:
        return
    merge = merges[-1]
    assert merge.bridges is not None
    one, other = merge.bridges
    undo = Decision(
        decision_id=1,
        kind="undone",
        fragment_a=one.fragment_id,
        at_a=one.at,
        fragment_b=other.fragment_id,
        at_b=other.at,
    )

    after = resolve(world, [undo])

    # The sides are two again, the bridge is demoted, and what was before the bridge is as it was.
    assert after.profile_of[merge.kept] != after.profile_of[merge.gone]
    assert any((told.fragment_id, told.run) == merge.by for told in after.demoted)
    earlier = [told for told in world if told.first_at < merge.at]
    assert same_people(resolve(earlier, [undo])) == same_people(resolve(earlier))


@given(worlds)
def test_a_group_is_named_by_when_it_began(world: list[Observation]) -> None:
    outcome = resolve(world)
    began: dict[int, int] = {}
    for told in world:
        number = outcome.profile_of[told.fragment_id, 0]
        began[number] = min(began.get(number, told.first_at), told.first_at)

    assert sorted(began) == list(range(1, len(began) + 1))
    assert [began[number] for number in sorted(began)] == sorted(began.values())

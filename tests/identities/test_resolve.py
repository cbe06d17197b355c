"""Which fragments become one profile: the rules of linking, without any database."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.resolve import Decision, Observation, State, attach, resolve


def seen(
    number: int, *identifiers: str, trust: Trust = Trust.FULL, at: int | None = None
) -> Observation:
    """Fragment `number`, with identifiers written "type:value", seen at its number unless told otherwise."""
    when = number if at is None else at
    return Observation(
        fragment_id=number,
        identifiers=tuple(sorted(Identifier(*text.split(":", 1)) for text in identifiers)),
        trust=trust,
        rank=SourceRank.SERVER,
        first_at=when,
        last_at=when,
        evidence=bytes([number % 256]),
    )


def groups(*observations: Observation, decisions: tuple[Decision, ...] = ()) -> set[frozenset[int]]:
    """The fragments that ended up together."""
    profile_of = resolve(observations, decisions).profile_of
    return {
        frozenset(fragment for fragment, profile in profile_of.items() if profile == wanted)
        for wanted in profile_of.values()
    }


PUBLIC = Trust.PUBLIC

CASES = {
    "an anonymous visitor stays alone": ([seen(1, "cookie:a"), seen(2, "cookie:b")], {(1,), (2,)}),
    "a visitor who logs in becomes that person": (
        [seen(1, "cookie:a"), seen(2, "cookie:a", "email:ann@x.com")],
        {(1, 2)},
    ),
    "an order joins the cookie to the customer through the checkout token": (
        [
            seen(1, "cookie:a", "checkout_token:t"),
            seen(2, "checkout_token:t", "email:ann@x.com", "shopify_customer_id:7"),
            seen(3, "shopify_customer_id:7"),
        ],
        {(1, 2, 3)},
    ),
    "two known people merge when a trusted source names both": (
        [
            seen(1, "email:ann@x.com"),
            seen(2, "phone:+353861234567"),
            seen(3, "email:ann@x.com", "phone:+353861234567"),
        ],
        {(1, 2, 3)},
    ),
    "a browser never merges two known people": (
        [
            seen(1, "email:ann@x.com"),
            seen(2, "user_id:u1"),
            seen(3, "email:ann@x.com", "user_id:u1", trust=PUBLIC),
        ],
        {(1,), (2, 3)},
    ),
    "two accounts that share an e-mail stay two; the event goes to the stronger identifier": (
        [
            seen(1, "shopify_customer_id:1", "email:family@x.com"),
            seen(2, "shopify_customer_id:2", "email:family@x.com"),
            seen(3, "email:family@x.com"),
        ],
        {(1, 3), (2,)},
    ),
    "a second login on a known person's device merges nobody": (
        [seen(1, "cookie:a", "user_id:u1"), seen(2, "cookie:a", "user_id:u2"), seen(3, "cookie:a")],
        {(1, 3), (2,)},
    ),
    "two anonymous visitors become one when a token joins them": (
        [seen(1, "cookie:a"), seen(2, "cookie:b"), seen(3, "cookie:a", "cookie:b")],
        {(1, 2, 3)},
    ),
    "what only a browser claimed gives way to a trusted source": (
        [
            seen(1, "user_id:u1", trust=PUBLIC),
            seen(2, "user_id:u1", "email:ann@x.com", trust=PUBLIC),
            seen(3, "shopify_customer_id:9", "email:ann@x.com"),
            seen(4, "email:ann@x.com"),
        ],
        {(1, 2), (3, 4)},
    ),
    "a chain of identifiers is one person": (
        [seen(n, f"email:a{n}@x.com", f"email:a{n + 1}@x.com") for n in range(1, 40)],
        {tuple(range(1, 40))},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_fragments_come_together_as_the_rules_say(name: str) -> None:
    observations, expected = CASES[name]

    assert groups(*observations) == {frozenset(group) for group in expected}


def test_a_merge_by_hand_goes_beyond_limits_and_acts_at_its_time() -> None:
    decision = Decision(decision_id=1, kind="merged", fragment_a=1, fragment_b=2, acts_at=10)

    joined = groups(
        seen(1, "shopify_customer_id:1"), seen(2, "shopify_customer_id:2"), decisions=(decision,)
    )

    assert joined == {frozenset({1, 2})}


def test_a_token_of_a_known_persons_device_stays_theirs() -> None:
    outcome = resolve([seen(1, "cookie:a", "user_id:u1"), seen(2, "cookie:a", "user_id:u2")])

    assert outcome.ownerships[Identifier("cookie", "a")].fragment_id == 1


def test_a_known_identifier_that_a_browser_adds_is_unverified() -> None:
    outcome = resolve(
        [seen(1, "user_id:u1", trust=PUBLIC), seen(2, "user_id:u1", "email:a@x.com", trust=PUBLIC)]
    )

    assert outcome.ownerships[Identifier("email", "a@x.com")].state == "unverified"


# One person a number, known by one e-mail: no limit, no second login and no shared device comes into play.
histories = st.lists(
    st.tuples(st.integers(0, 4), st.sets(st.integers(0, 4), min_size=1, max_size=3)),
    min_size=1,
    max_size=25,
)
_KINDS = ("cookie:first", "cookie:second", "email:mail", "cart_token:t", "checkout_token:t")


@given(histories, st.randoms(use_true_random=False))
def test_without_conflicts_the_order_of_arrival_does_not_matter(
    history: list[tuple[int, set[int]]], chance: object
) -> None:
    observations = [
        seen(number, *(f"{_KINDS[kind]}-{person}@x.com" for kind in kinds))
        for number, (person, kinds) in enumerate(history, start=1)
    ]
    shuffled = list(observations)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    late = [
        Observation(
            fragment_id=one.fragment_id,
            identifiers=one.identifiers,
            trust=one.trust,
            rank=one.rank,
            first_at=position,
            last_at=position,
            evidence=one.evidence,
        )
        for position, one in enumerate(shuffled)
    ]

    assert groups(*observations) == groups(*late)


def test_an_address_of_two_accounts_is_the_firsts_whichever_was_heard_of_first() -> None:
    seven = seen(1, "shopify_customer_id:7", "email:ann@x.com", at=5)
    eight = seen(2, "shopify_customer_id:8", "email:ann@x.com", at=3)
    for order in ((seven, eight), (eight, seven)):
        state, numbers = State(), count(1)
        for observation in order:
            attach(state, observation, numbers)
        assert state.owners[Identifier("email", "ann@x.com")].fragment_id == 2


def test_what_a_browser_claimed_is_owned_once_a_trusted_source_says_the_same() -> None:
    state, numbers = State(), count(1)
    attach(state, seen(1, "user_id:u1", "email:ann@x.com", at=1, trust=Trust.PUBLIC), numbers)
    address = Identifier("email", "ann@x.com")
    assert state.owners[address].state == "unverified"
    attach(state, seen(2, "email:ann@x.com", at=2), numbers)
    assert state.owners[address].state == "unverified"
    attach(state, seen(3, "user_id:u1", "email:ann@x.com", at=3), numbers)
    assert state.owners[address].state == "owned"

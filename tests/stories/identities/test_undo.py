"""Merges, undoes and signals in any order: an undo leaves no trace, and the shop stands as if all was known before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from customer360.clock import DAY, Instant, parse_instant
from customer360.errors import AlreadyOne, CannotUndo
from customer360.identities.candidates import dismiss_candidates, list_candidates
from customer360.identities.merge_log import MergeRow, list_merges
from customer360.identities.tables import ownerships
from customer360.intake import merging
from tests.examples import examples
from tests.house import House
from tests.stories.histories import rows
from tests.stories.identities import outcome
from tests.stories.identities.books import (
    everything_hangs_where_it_belongs,
    nothing_is_left_to_settle,
    survivors,
)
from tests.stories.identities.scenarios import Signal, call
from tests.stories.identities.test_identities import told, written

WORDS = (
    *("id:1", "id:2", "user:1", "user:2", "email:a", "email:b", "klaviyo:k", "phone:1", "phone:2"),
    *("cookie:1", "cookie:1", "cookie:2", "cart:1"),
)
TABLET = (
    (1, "cookie:1 user:1", "", False, {}),
    (3, "cookie:1", "", False, {"event": "Product Viewed", "traits": {"language": "de"}}),
    (9, "cookie:1", "", False, {"event": "Product Viewed", "traits": {"language": "fr"}}),
)
"""Who signs in on it on one of the days between parts what was one fragment."""
OFTEN = ("cookie:1", "cookie:1", "cookie:1 user:1", "cookie:1 user:2", "cart:1", "phone:1", "id:1")
"""Evidence that comes again and again."""
HAPPENED: tuple[dict[str, Any], ...] = (
    {"event": "Product Viewed"},
    {"traits": {"language": "de", "plan": "gold", "tags": ["a"]}},
    {"traits": {"language": "fr", "address": {"city": "Metz", "street": "1 Rue"}}},
    {"event": "Order Completed", "order_id": "o", "total": "9"},
    {"event": "Checkout Started"},
    {"event": "Consent Granted", "channel": "email"},
    {"event": "Consent Withdrawn", "channel": "sms"},
)
DAYS = st.one_of(st.integers(1, 12), st.sampled_from((400, 401, 500)))
"""So few days that events meet at one instant, and a silence of more than a year."""
HAPPENINGS = st.tuples(
    DAYS,
    st.one_of(
        st.sampled_from(OFTEN),
        st.sets(st.sampled_from(WORDS), min_size=1, max_size=3).map(sorted).map(" ".join),
    ),
    st.sampled_from(("", "", "", "Ann Murphy", "Tom Byrne")),
    st.booleans(),
    st.sampled_from(HAPPENED),
)
PLACES = st.integers(0, 30)
"""Which of some, counted round."""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with closing(House(database_url, tmp_path)) as house:
        yield house


class Life:
    """What happens in a shop, and what its people decide."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.open_shop()
        self.signals: list[Signal] = []

    def tell(self, happenings: Sequence[Any]) -> None:
        """Some signals at once, each with a name of its own."""
        batch = []
        for day, evidence, name, public, happened in happenings:
            mark = f"s{len(self.signals)}"
            told_of = dict(happened)
            if "order_id" in told_of:
                told_of["order_id"] = mark
            signal = call(mark, day, evidence, name, public=public, **told_of)
            self.signals.append(signal)
            batch.append(signal.draft)
        self.house.app.inbox.accept(rows(self.house, batch))
        self.house.work_off()
        assert not self.house.balance().rejected

    def merge(self, one: int, other: int, day: int | None = None) -> MergeRow | None:
        """Two of those who live now, counted round; at once, or as a shop system does, at a time of its own."""
        living = sorted(each for each, into in survivors(self.house).items() if into is None)
        if not living:
            return None
        acts_at: Instant | None = None
        if day is not None:
            acts_at = parse_instant(call("", day).happened_at, "UTC") + DAY // 2
        pair = (living[one % len(living)], living[other % len(living)])
        now = self.house.clock.now()
        with suppress(AlreadyOne), self.house.app.database.write() as connection:
            return merging.merge(
                connection, self.house.shop.shop_id, pair, actor="", now=now, acts_at=acts_at
            )
        return None

    def undo(self, merge_id: int) -> None:
        now = self.house.clock.now()
        with self.house.app.database.write() as connection:
            merging.undo(
                connection, self.house.shop.shop_id, merge_id, actor="", now=now, window=DAY
            )
        self.house.work_off()

    def try_to_undo(self, merge_id: int) -> str | None:
        """Why it is refused, if it is."""
        try:
            self.undo(merge_id)
        except CannotUndo as refused:
            return str(refused)
        return None

    def standing(self) -> list[MergeRow]:
        """The merges that can be undone, the first first."""
        with self.house.app.database.read() as connection:
            found = list_merges(connection, self.house.shop.shop_id, limit=1000)
        return sorted(
            (row for row in found if row.state == "standing"), key=lambda row: row.merge_id
        )

    def people(self) -> list[str]:
        """Everybody's pages, who owns what, and the open candidates, without the ids."""
        return [*written(self.house), *told(self.house, self.signals)]

    def books(self, but: frozenset[int] = frozenset()) -> Any:
        """Pages, ownerships with their times, and open candidates (but of one pair), all by profile id."""
        shop_id = self.house.shop.shop_id
        with self.house.app.database.read() as connection:
            profile_of = outcome.map_of(connection, shop_id)
            owned = connection.execute(select(ownerships).where(ownerships.c.shop_id == shop_id))
            owns = sorted(
                (
                    row.type,
                    row.value,
                    row.since,
                    row.until or 0,
                    row.state,
                    profile_of[row.fragment_id],
                )
                for row in owned
            )
            pairs = {
                frozenset(one.profile_ids): (one.weak, [each.word for each in one.reasons])
                for one in list_candidates(connection, shop_id, limit=1000)
            }
        pairs.pop(but, None)
        return written(self.house), owns, pairs


def test_whatever_is_told_merged_and_undone_the_shop_stands_as_if_all_was_known_before(
    house: House,
) -> None:
    class Days(RuleBasedStateMachine):
        @initialize(happenings=st.lists(HAPPENINGS, min_size=1, max_size=6))
        def begin(self, happenings: Sequence[Any]) -> None:
            self.life = Life(house)
            self.life.tell(TABLET)
            self.life.tell(happenings)

        @rule(happenings=st.lists(HAPPENINGS, min_size=1, max_size=4))
        def tell(self, happenings: Sequence[Any]) -> None:
            self.life.tell(happenings)

        @rule(one=PLACES, other=PLACES, day=st.none() | DAYS)
        def merge(self, one: int, other: int, day: int | None) -> None:
            self.life.merge(one, other, day)

        @rule(one=PLACES, other=PLACES, day=st.none() | DAYS)
        def merge_and_undo(self, one: int, other: int, day: int | None) -> None:
            known, before = survivors(house), self.life.books()
            row = self.life.merge(one, other, day)
            if row is None:
                return
            self.life.undo(row.merge_id)
            pair = frozenset((row.kept_id, row.gone_id))
            before[-1].pop(pair, None)
            assert self.life.books(but=pair) == before
            # A merge of an earlier time may have parted others; their ids lead back.
            now = survivors(house)
            assert {each: now[each] for each in known} == known
            assert all(into for each, into in now.items() if each not in known)

        @rule(place=PLACES)
        def undo(self, place: int) -> None:
            some = self.life.standing()
            if not some:
                return
            row = some[place % len(some)]
            before = self.life.books()
            reason = self.life.try_to_undo(row.merge_id)
            if reason is None:
                assert row not in self.life.standing()
            else:
                assert "Other evidence makes these two profiles one as well" in reason
                assert self.life.books() == before

        @rule(place=PLACES)
        def dismiss(self, place: int) -> None:
            shop_id, now = house.shop.shop_id, house.clock.now()
            with house.app.database.write() as connection:
                some = list_candidates(connection, shop_id)
                if some:
                    number = some[place % len(some)].candidate_id
                    dismiss_candidates(connection, shop_id, [number], actor="", now=now)

        @invariant()
        def stands(self) -> None:
            nothing_is_left_to_settle(house)
            everything_hangs_where_it_belongs(house)

    many = 40 if house.app.database.dialect == "sqlite" else 10
    run_state_machine_as_test(Days, settings=examples(many, steps=8))


def test_two_merges_are_undone_in_either_order(house: House) -> None:
    @examples(40 if house.app.database.dialect == "sqlite" else 10)
    @given(
        happenings=st.lists(HAPPENINGS, min_size=2, max_size=8),
        pairs=st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=3),
        later=st.lists(HAPPENINGS, max_size=3),
        chosen=st.tuples(PLACES, PLACES),
    )
    def check(
        happenings: Sequence[Any],
        pairs: Sequence[tuple[int, int]],
        later: Sequence[Any],
        chosen: tuple[int, int],
    ) -> None:
        ends = []
        for first, second in (chosen, chosen[::-1]):
            life = Life(house)
            life.tell([*TABLET, *happenings])
            for pair in pairs:
                life.merge(*pair)
            if later:
                life.tell(later)
            some = life.standing()
            if len(some) < 2 or first % len(some) == second % len(some):
                return
            if any(life.try_to_undo(some[place % len(some)].merge_id) for place in (first, second)):
                return
            ends.append(life.people())
        assert ends[0] == ends[1]

    check()

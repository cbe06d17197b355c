"""Does everything that is kept by fragment say what the fragment's events say?"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Table, select

from customer360.clock import Instant
from customer360.consent.tables import consents
from customer360.events.model import Identifier
from customer360.events.tables import events
from customer360.identities.eras import Cut
from customer360.identities.normalise import identifies
from customer360.identities.resolve import resolve
from customer360.identities.rules import rules_of
from customer360.identities.settle import Settlement, settle
from customer360.identities.stored import load
from customer360.identities.tables import (
    candidates,
    fragment_identifiers,
    fragments,
    observations,
    profiles,
)
from customer360.intake.eras import split_aggregate
from customer360.profiles.fold import decode
from customer360.profiles.tables import checkouts, orders, refunds, sessions
from customer360.values import new_ids
from tests.house import House
from tests.stories.identities import outcome

_EVER: Instant = 1 << 62


def survivors(house: House) -> dict[int, int | None]:
    """Every profile id with the one that it leads to."""
    with house.app.database.read() as connection:
        query = select(profiles.c.profile_id, profiles.c.merged_into).where(
            profiles.c.shop_id == house.shop.shop_id
        )
        return {row.profile_id: row.merged_into for row in connection.execute(query)}


def nothing_is_left_to_settle(house: House) -> None:
    """To resolve all that is stored anew, with all that was decided, would change nothing."""
    shop_id = house.shop.shop_id
    with house.app.database.read() as connection:
        mine = fragments.c.shop_id == shop_id
        components = connection.scalars(select(fragments.c.component).where(mine)).all()
        stored = load(connection, shop_id, components)
        open_pairs = select(candidates.c.fragment_a, candidates.c.fragment_b, candidates.c.weak)
        shown = connection.execute(
            open_pairs.where(
                candidates.c.shop_id == shop_id,
                candidates.c.origin == "evidence",
                candidates.c.state == "open",
            )
        ).all()
    resolution = resolve([each.observation for each in stored.members.values()], stored.decisions)
    done = settle(stored, stored.members, resolution, new_ids.next)

    assert not resolution.cuts
    assert {(row.fragment_a, row.fragment_b): row.weak for row in shown} == {
        pair: candidate.weak for pair, candidate in done.candidates.items()
    }
    assert done == Settlement(
        profile_of={each.fragment_id: each.profile_id for each in stored.members.values()},  # type: ignore[misc]
        candidates=done.candidates,
        founders=done.founders,
    )


def everything_hangs_where_it_belongs(house: House) -> None:
    """What is kept by fragment is what its events say, also where a fragment was cut into eras."""
    shop_id = house.shop.shop_id
    with house.app.database.read() as connection:

        def read(table: Table, names: str) -> list[Any]:
            columns = [table.c[name] for name in names.split()]
            return list(connection.execute(select(*columns).where(table.c.shop_id == shop_id)))

        living = set(outcome.living(connection, shop_id))
        placeholders = rules_of(connection, shop_id).placeholders
        eras = read(fragments, "fragment_id evidence begins_at component profile_id")
        happened = read(events, "fragment_id occurred_at type session_id")
        aggregate_of = {
            row.fragment_id: decode(row.aggregate)
            for row in read(observations, "fragment_id aggregate")
            if row.aggregate is not None
        }
        folded_anew = dict(aggregate_of)
        for fragment in aggregate_of:
            whole = Cut(fragment, outcome.NOBODY, _EVER, _EVER)
            split_aggregate(connection, shop_id, whole, folded_anew)
        folded_anew.pop(outcome.NOBODY, None)
        seen = {row.fragment_id: row for row in read(observations, "fragment_id first_at last_at")}
        carried = read(fragment_identifiers, "fragment_id type value")
        visits = {row.session_id: row for row in read(sessions, "session_id fragment_id events")}
        order_of = {row.order_key: row for row in read(orders, "order_key fragment_id")}
        refunded = read(refunds, "order_key fragment_id")
        hanging = {
            "event": happened,
            "session": read(sessions, "fragment_id first_at"),
            "order": read(orders, "fragment_id owner_at"),
            "checkout": read(checkouts, "fragment_id started_at"),
            # A STOP of the whole person is written to every fragment, whenever that was seen.
            "consent": [
                (fragment, at)
                for fragment, at, address in read(consents, "fragment_id occurred_at address")
                if address
            ],
        }

    assert {era.profile_id for era in eras} == living, (
        "profiles of no fragment, or gone ones of one"
    )

    begins = defaultdict(list)
    for era in eras:
        begins[era.evidence].append(era.begins_at)
    ends_at = {
        era.fragment_id: min(
            (at for at in begins[era.evidence] if at > era.begins_at), default=_EVER
        )
        for era in eras
    }
    begins_at = {era.fragment_id: era.begins_at for era in eras}
    assert seen.keys() == begins_at.keys()
    for what, some in hanging.items():
        for fragment, at, *_ in some:
            if fragment != outcome.NOBODY:
                assert begins_at[fragment] <= at < ends_at[fragment], f"{what} of another era"
                assert seen[fragment].first_at <= at <= seen[fragment].last_at, f"unseen {what}"

    assert aggregate_of == folded_anew, "sums that the events do not make"

    components = defaultdict(set)
    component_of = {era.fragment_id: era.component for era in eras}
    for one in carried:
        if identifies(Identifier(one.type, one.value), placeholders):
            components[one.type, one.value].add(component_of[one.fragment_id])
    assert all(len(of_one) == 1 for of_one in components.values()), "one component in two"

    members = defaultdict(list)
    for one in happened:
        if one.session_id is not None:
            members[one.session_id].append((one.occurred_at, one.fragment_id))
    assert members.keys() == visits.keys()
    for session_id, visit in visits.items():
        first_at = min(members[session_id])[0]
        assert visit.fragment_id in {each for at, each in members[session_id] if at == first_at}
        assert visit.events == len(members[session_id])

    for one in refunded:
        assert one.fragment_id == order_of[one.order_key].fragment_id, "a refund without its order"

"""What all pages about duplicates share: who decides, where they go back to, the tabs, and what people are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from customer360.events.model import Identifier
from customer360.identities.alerts import count_alerts
from customer360.identities.naming import named_as
from customer360.identities.normalise import KNOWN, STRENGTH
from customer360.identities.tables import fragment_identifiers, profiles
from customer360.profiles.card import kind_of
from customer360.profiles.facts import gather
from customer360.profiles.fold import names_of
from customer360.profiles.hydrate import hydrate
from customer360.profiles.members import aggregates_in
from customer360.web.access import local_path
from customer360.web.formats import upper_first
from customer360.web.visit import Visit
from customer360.web.words import title_of


class Tab(NamedTuple):
    """One of the pages, and how much there nobody has seen yet."""

    label: str
    url: str
    unseen: int = 0


def tabs(connection: Connection, visit: Visit) -> tuple[Tab, ...]:
    """The pages about duplicates."""
    root = f"{visit.root}/duplicates"
    unseen = count_alerts(connection, visit.shop.shop_id, unseen=True)
    return (
        Tab("To decide", root),
        Tab("Merge log", f"{root}/merges"),
        Tab("Not the same", f"{root}/apart"),
        Tab("Alerts", f"{root}/alerts", unseen),
    )


def actor_of(visit: Visit) -> str:
    """Whom the log names."""
    return visit.session.user.email if visit.session else ""


def came_from(visit: Visit, otherwise: str = "/duplicates") -> str:
    """The page that a form was on, as it says; another one of the shop where it says nothing of use."""
    said = local_path(visit.field("next"))
    return said if said.startswith(visit.root + "/") else visit.root + otherwise


def titles(connection: Connection, shop_id: int, profile_ids: Iterable[int]) -> dict[int, str]:
    """What each profile is called, where it has no name or address by the best id that it was founded with.

    One that leads to another is called by the name of its founding as well: nothing of that is kept beside, so an
    erasure of the person is one of the log of merges too. Nobody is called by a cookie.
    """
    ids = sorted(set(profile_ids))
    people = {each.profile_id: each for each in hydrate(connection, shop_id, ids)}
    nameless = [each for each, one in people.items() if not (one.name or one.email or one.phone)]
    founders = _founders(connection, shop_id, ids)
    gone = [founders[each] for each in ids if each not in people and each in founders]
    told = aggregates_in(connection, shop_id, gone)
    named = _best_identifiers(connection, shop_id, founders.values())
    facts = gather(connection, shop_id, [each for each in nameless if founders[each] not in named])
    called = {}
    for profile_id in ids:
        person, founder = people.get(profile_id), founders.get(profile_id, 0)
        names = names_of(told[founder]) if founder in told else None
        name = person.name if person else names.full if names else ""
        contacts = [one for one in (person.email, person.phone) if one] if person else []
        contacts += [named[founder]] if founder in named else []
        kind = kind_of(facts[profile_id]) if profile_id in facts else "visitor"
        called[profile_id] = title_of(name, contacts, profile_id, kind)
    return called


def _founders(connection: Connection, shop_id: int, profile_ids: list[int]) -> dict[int, int]:
    query = select(profiles.c.profile_id, profiles.c.founded_by).where(
        profiles.c.shop_id == shop_id, profiles.c.profile_id.in_(profile_ids)
    )
    return {row.profile_id: row.founded_by for row in connection.execute(query)}


def _best_identifiers(
    connection: Connection, shop_id: int, fragment_ids: Iterable[int]
) -> dict[int, str]:
    """The strongest known identifier of each fragment that has one, as people read it."""
    carried: dict[int, list[Identifier]] = defaultdict(list)
    query = select(fragment_identifiers).where(
        fragment_identifiers.c.shop_id == shop_id,
        fragment_identifiers.c.fragment_id.in_(set(fragment_ids)),
        fragment_identifiers.c.type.in_(sorted(KNOWN)),
    )
    for row in connection.execute(query):
        carried[row.fragment_id].append(Identifier(row.type, row.value))
    best = {
        fragment_id: named_as(min(some, key=lambda one: (STRENGTH[one.type], one)))
        for fragment_id, some in carried.items()
    }
    return {fragment_id: upper_first(text) for fragment_id, text in best.items()}

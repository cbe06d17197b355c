"""One row per profile for the warehouse: every attribute that only new facts change, and what stages follow from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from customer360.profiles.attributes import STORED
from customer360.profiles.card import (
    ReadContactPoints,
    contact_question,
    kind_of,
    stored_attributes,
)
from customer360.profiles.facts import Facts, gather
from customer360.storage.mirror import Field, Kind, Mirror, Rows, fetch

PROFILES_MIRROR = 1
"""Number of the profiles mirror."""

# Profiles combined at a time: some ten megabytes, whatever the shop's size.
_CHUNK = 2000

_KINDS: dict[str, Kind] = {
    "number": Kind.COUNT,
    "money": Kind.MONEY,
    "time": Kind.TIME,
    "boolean": Kind.FLAG,
    "choice": Kind.WORD,
    "list": Kind.TEXTS,
    "text": Kind.TEXT,
}
_KINDS_OF_TEXT: dict[str, Kind] = {
    **dict.fromkeys(
        ("country", "region", "city", "zip", "timezone", "currency", "language"), Kind.PLACE
    ),
    **dict.fromkeys(("first_touch_url", "last_touch_url"), Kind.PATH),
    **dict.fromkeys(("pos_location", "preferred_location"), Kind.CODE),
    "email_domain": Kind.WORD,
}

FIELDS: tuple[Field, ...] = (
    Field("profile_id", Kind.ID),
    Field("kind", Kind.WORD),
    *(
        Field(attribute.name, _KINDS_OF_TEXT.get(attribute.name, _KINDS[attribute.type]))
        for attribute in STORED
    ),
    # No attributes: the stage follows from them, and from orders and sessions.
    Field("last_acted_at", Kind.TIME),
    Field("opted_in_at", Kind.TIME),
    Field("product_views", Kind.COUNT),
)


_values = itemgetter(*(attribute.name for attribute in STORED))

FindOwnWords = Callable[[Iterable[str], Iterable[tuple[str, str]]], frozenset[str]]
"""How the warehouse names a person's own words, of their identifiers and names (first, last)."""


def profiles_mirror(read_contact_points: ReadContactPoints, own_words: FindOwnWords) -> Mirror:
    """The mirror of profiles; consents and own words come from the capabilities that know them."""
    return Mirror(
        table="profiles",
        number=PROFILES_MIRROR,
        fields=FIELDS,
        key="profile_id",
        changed_in="profile_changes",
        rows=partial(_rows, read_contact_points, own_words),
        owner="profile_id",
    )


def _rows(
    read_contact_points: ReadContactPoints,
    own_words: FindOwnWords,
    connection: Connection,
    shop_id: int,
    after: int,
    upto: int,
) -> Iterator[Rows]:
    which = fetch(connection, _CHANGED, (shop_id, after, upto))
    if not after:
        # A new warehouse: what changed before is no longer noted.
        which = fetch(connection, _ALL, (shop_id,))
    ids = [profile_id for batch in which for (profile_id,) in batch]
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        people = list(gather(connection, shop_id, part).values())
        points = read_contact_points(
            connection, shop_id, {facts.profile_id: contact_question(facts) for facts in people}
        )
        table = [
            (
                facts.profile_id,
                kind_of(facts),
                *_values(stored_attributes(facts, points.get(facts.profile_id, ()))),
                facts.acted_at,
                facts.opted_in_at,
                facts.product_views,
            )
            for facts in people
        ]
        columns: Sequence[Sequence[Any]] = (
            list(zip(*table, strict=True)) if table else [() for _ in FIELDS]
        )
        own = {
            facts.profile_id: own_words(
                (fact.identifier.value for fact in facts.identifiers), _names(facts)
            )
            for facts in people
        }
        yield Rows(keys=part, columns=columns, own_words=own)


_ALL = "select profile_id from profiles where shop_id = {} and merged_into is null"
_CHANGED = (
    "select distinct profile_id from profile_changes"
    " where shop_id = {} and change > {} and change <= {}"
)


def _names(facts: Facts) -> list[tuple[str, str]]:
    return [(names.first_name, names.last_name) for names in facts.aggregate.names.values()]

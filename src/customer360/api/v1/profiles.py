"""Which profiles are there? Found by identifier, by search, or browsed by what is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Body, Query
from pydantic import Field, StringConstraints
from sqlalchemy import Connection

from customer360.api.v1.asked import Asked, Asking, id_of
from customer360.api.v1.cursors import decode_cursor, encode_cursor, no_cursor
from customer360.api.v1.fields import Paging, Text
from customer360.api.v1.models import ProfileItem, ProfileList
from customer360.errors import InvalidInput, SegmentNotFound
from customer360.identities.normalise import STRENGTH
from customer360.profiles.attributes import AttributeValue
from customer360.profiles.browse import COLUMNS, SORTABLE, Position, Today, Wanted, browse
from customer360.profiles.card import Card, attributes_json
from customer360.profiles.hydrate import Summary, find_by_identifier, hydrate, search
from customer360.profiles.stages import shop_calendar
from customer360.segments.members import among, segments_of
from customer360.segments.model import Segment
from customer360.segments.store import get_segment

# A search that finds more says little; `total` says no more than this either.
MOST_FOUND = 5000

Country = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$", to_upper=True)]

Stage = Literal["new", "engaged", "converted", "loyal", "at_risk", "churned"]
Tier = Literal["new", "regular", "vip"]


class SortedPaging(Paging):
    """A list of profiles in the order of an attribute."""

    sort: str = Field(
        "-last_seen_at",
        max_length=100,
        description="An attribute, with a minus for largest or newest first; unknown values come last",
        examples=["-total_spend"],
    )

    @property
    def attribute(self) -> str:
        """The attribute to sort by; raises InvalidInput where it is none that orders."""
        name = self.sort.removeprefix("-")
        if name not in SORTABLE:
            raise InvalidInput(f"{name!r} is no attribute that orders a list", "sort")
        return name

    @property
    def descending(self) -> bool:
        """Whether the largest or newest come first."""
        return self.sort.startswith("-")

    def asked(self) -> tuple[object, ...]:
        """What tells this question from others."""
        return (self.sort,)

    def print(self) -> str:
        """Tells questions apart: a cursor continues the question that it came from, no other."""
        return blake2b(msgspec.json.encode(self.asked()), digest_size=6).hexdigest()

    def position(self) -> Position | None:
        """Where the page before ended; None for the first one."""
        if self.cursor is None:
            return None
        fingerprint, value, profile_id = decode_cursor(
            self.cursor, str, (str, int, float, type(None)), int
        )
        if fingerprint != self.print():
            raise no_cursor()
        return Position(value, profile_id)

    def cursor_after(self, row: Mapping[str, Any]) -> str:
        """The cursor of the page behind a row."""
        return encode_cursor(self.print(), row[self.attribute], row["profile_id"])


class ProfileQuestion(SortedPaging):
    """Which profiles are wanted."""

    identifier: Text | None = Field(
        None,
        description="`type:value`, for example `email:ann@x.com`; phone and whatsapp are the same number space."
        " Answers at once, also while no worker runs",
        examples=["email:ann@x.com"],
    )
    q: Text | None = Field(
        None,
        description=f"Part of a name, or how an e-mail, phone or id begins; at most {MOST_FOUND:,} are found",
    )
    country: list[Country] = Field(
        [], max_length=250, description="ISO 3166, two letters; several mean any of them"
    )
    kind: Literal["customer", "visitor", "all"] = Field(
        "all", description="A customer has an order or a known identifier"
    )
    stage: list[Stage] = Field(
        [], max_length=6, description="Lifecycle stages; several mean any of them"
    )
    tier: list[Tier] = Field(
        [], max_length=3, description="Customer tiers; several mean any of them"
    )
    segment: Text | None = Field(None, description="The id of a segment: its members alone")

    def asked(self) -> tuple[object, ...]:
        """What tells this question from others."""
        return (
            self.identifier,
            self.q,
            sorted(self.country),
            self.kind,
            sorted(self.stage),
            sorted(self.tier),
            *super().asked(),
            self.segment,
        )


def list_profiles(asked: Asking, question: Annotated[ProfileQuestion, Query()]) -> ProfileList:
    """Profiles by identifier, search or filter. A program that must not write an e-mail into an
    address uses POST /api/v1/profiles/search."""
    return _answer(asked, question)


def search_profiles(asked: Asking, question: Annotated[ProfileQuestion, Body()]) -> ProfileList:
    """The same as GET /api/v1/profiles, asked in the body, so that no personal data need stand in a URL."""
    return _answer(asked, question)


def _answer(asked: Asked, question: ProfileQuestion) -> ProfileList:
    sort = question.attribute
    segment = _segment(asked, question)
    if question.identifier is not None:
        return _identified(asked, question, question.identifier, segment)
    after = question.position()
    found_ids = _searched(asked, question)
    if found_ids == ():
        return ProfileList(items=[], next_cursor=None, total=0)
    shop = asked.shop
    wanted = Wanted(
        kind=question.kind,
        countries=tuple(question.country),
        stages=tuple(question.stage),
        tiers=tuple(question.tier),
        profile_ids=found_ids,
    )
    found = browse(
        asked.doors.warehouse,
        asked.shop_id,
        among(segment, wanted) if segment else wanted,
        sort=sort,
        descending=question.descending,
        # One more tells whether there is a next page.
        limit=question.limit + 1,
        after=after,
        today=Today(asked.doors.clock.now(), shop_calendar(shop.timezone, shop.settings)),
    )
    rows = found.rows[: question.limit]
    more = len(found.rows) > question.limit
    return ProfileList(
        items=_items(asked, rows),
        next_cursor=question.cursor_after(rows[-1]) if more else None,
        total=found.total,
    )


def _segment(asked: Asked, question: ProfileQuestion) -> Segment | None:
    """The segment that the question names; raises SegmentNotFound."""
    if question.segment is None:
        return None
    with asked.doors.database.read() as connection:
        return get_segment(connection, asked.shop_id, id_of(question.segment, SegmentNotFound))


def _identified(
    asked: Asked, question: ProfileQuestion, identifier: str, segment: Segment | None
) -> ProfileList:
    """At most one profile, from the profile store alone: there it is as soon as its signal is worked off."""
    type, colon, value = identifier.partition(":")
    if not colon or type not in STRENGTH:
        known = ", ".join(STRENGTH)
        raise InvalidInput(f"Write type:value; the types are {known}", "identifier")
    if not value.strip():
        raise InvalidInput(f"Write a value behind {type}:", "identifier")
    if question.q is not None or question.cursor is not None:
        raise InvalidInput("An identifier finds at most one; leave q and cursor out", "identifier")
    shop = asked.shop
    with asked.doors.database.read() as connection:
        profile_id = find_by_identifier(connection, shop.shop_id, shop.country, type, value)
        if profile_id is None:
            return ProfileList(items=[], next_cursor=None, total=0)
        card = asked.doors.card(connection, shop, profile_id)
        person = hydrate(connection, shop.shop_id, [profile_id])[0]
        belongs = segment is None or _is_member(connection, shop.shop_id, segment, card)
    items = [_item(person, card.kind, card.attributes, shop.currency)]
    fitting = [item for item in items if belongs and _fits(item, card, question)]
    return ProfileList(items=fitting, next_cursor=None, total=len(fitting))


def _is_member(connection: Connection, shop_id: int, segment: Segment, card: Card) -> bool:
    if segment.built_in:
        return card.kind == "customer"
    memberships = segments_of(connection, shop_id, card.profile_id)
    return segment.segment_id in {one.segment_id for one in memberships}


def _fits(item: ProfileItem, card: Card, question: ProfileQuestion) -> bool:
    return question.kind in ("all", item.kind) and all(
        not wanted or found in wanted
        for found, wanted in (
            (item.country, question.country),
            (card.attributes["lifecycle_stage"], question.stage),
            (card.attributes["tier"], question.tier),
        )
    )


def _searched(asked: Asked, question: ProfileQuestion) -> tuple[int, ...] | None:
    """The profiles that the search finds; None where there is nothing to search for."""
    if question.q is None:
        return None
    with asked.doors.database.read() as connection:
        return tuple(search(connection, asked.shop_id, question.q, MOST_FOUND))


def _items(asked: Asked, rows: Sequence[Mapping[str, Any]]) -> list[ProfileItem]:
    """The warehouse says which, the profile store says who; a merge is in the latter first, so one may lack."""
    ids = [row["profile_id"] for row in rows]
    with asked.doors.database.read() as connection:
        people = {person.profile_id: person for person in hydrate(connection, asked.shop_id, ids)}
    return [
        _item(people[row["profile_id"]], row["kind"], row, asked.shop.currency)
        for row in rows
        if row["profile_id"] in people
    ]


def _item(
    person: Summary,
    kind: Literal["customer", "visitor"],
    attributes: Mapping[str, AttributeValue],
    currency: str,
) -> ProfileItem:
    return ProfileItem(
        profile_id=str(person.profile_id),
        kind=kind,
        name=person.name or None,
        email=person.email or None,
        phone=person.phone or None,
        currency=currency,
        **attributes_json({name: attributes[name] for name in COLUMNS}, currency),
    )

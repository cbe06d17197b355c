"""Which profiles became one, and why? Make two one, see first what that would do, and take it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from customer360.api.v1.asked import Asked, Asking, id_of
from customer360.api.v1.cursors import cut_page, decode_cursor, page_of
from customer360.api.v1.fields import Paging, Text
from customer360.api.v1.identity_models import (
    ConsentChangeItem,
    EvidenceItem,
    EvidenceList,
    MergeItem,
    MergeList,
    MergePreview,
)
from customer360.clock import Instant, to_iso
from customer360.errors import InvalidInput, MergeNotFound, ProfileNotFound
from customer360.events.model import Identifier
from customer360.identities.evidence import Evidence, chain_of, described
from customer360.identities.merge_log import MergeRow, count_merges, list_merges, merges_of
from customer360.intake import merging

ACTOR = "API"
"""Whom the log names for what a program did with the shop's key."""


class MergeQuestion(Paging):
    """Which merges are wanted."""

    kind: list[Literal["automatic", "by_hand", "shopify"]] = Field(
        [], max_length=3, description="Several mean any of them"
    )
    state: Literal["standing", "undone", "dissolved"] | None = Field(
        None, description="Only those in this state"
    )


class TwoProfiles(BaseModel):
    """The two profiles to make one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile_ids: list[Text] = Field(
        min_length=2,
        max_length=2,
        description="Two ids; the older profile stays, and the other one leads to it",
        examples=[["614519532646400001", "614519532646400002"]],
    )


def list_merge_log(asked: Asking, question: Annotated[MergeQuestion, Query()]) -> MergeList:
    """Every merge there was, newest first: by evidence, by hand and by the shop system."""
    after = None
    if question.cursor is not None:
        recorded_at, merge_id = decode_cursor(question.cursor, int, int)
        after = (recorded_at, merge_id)
    with asked.doors.database.read() as connection:
        rows = list_merges(
            connection,
            asked.shop_id,
            kinds=question.kind,
            state=question.state,
            after=after,
            limit=question.limit + 1,
        )
        total = count_merges(connection, asked.shop_id, kinds=question.kind, state=question.state)
    page, next_cursor = cut_page(rows, lambda row: (row.recorded_at, row.merge_id), question.limit)
    return MergeList(items=_items(asked, page), next_cursor=next_cursor, total=total)


def list_profile_merges(
    asked: Asking, profile_id: str, paging: Annotated[Paging, Query()]
) -> MergeList:
    """The merges that this profile, or one that it took in, had a part in, newest first."""
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        rows = merges_of(connection, asked.shop_id, present)
    page, next_cursor = page_of(
        rows, lambda row: (-row.recorded_at, -row.merge_id), paging.cursor, paging.limit
    )
    return MergeList(items=_items(asked, page), next_cursor=next_cursor, total=len(rows))


def list_evidence(
    asked: Asking, profile_id: str, paging: Annotated[Paging, Query()]
) -> EvidenceList:
    """What holds this profile together: every event or decision that made two of its parts one, oldest first.

    409 names the value that links too many people to tell them apart while somebody waits."""
    with asked.doors.database.read() as connection:
        present = asked.present(connection, profile_id)
        links = chain_of(connection, asked.shop_id, present)
        page, next_cursor = page_of(links, lambda link: link.place, paging.cursor, paging.limit)
        page = described(connection, asked.shop_id, page)
    return EvidenceList(
        items=[_evidence(link) for link in page], next_cursor=next_cursor, total=len(links)
    )


def merge_profiles(asked: Asking, two: Annotated[TwoProfiles, Body()]) -> MergeItem:
    """Make two profiles one, beyond all limits; the answer is the merge, which can be undone."""
    now = asked.doors.clock.now()
    with asked.doors.database.write() as connection:
        row = merging.merge(connection, asked.shop_id, _ids(two), actor=ACTOR, now=now)
    return merge_item(row, merging.undo_window(asked.shop), now)


def preview_merge(asked: Asking, two: Annotated[TwoProfiles, Body()]) -> MergePreview:
    """What two profiles would be as one; nothing is changed."""
    with asked.doors.database.read() as connection:
        found = merging.preview(connection, asked.shop_id, _ids(two), asked.doors.clock.now())
    return MergePreview(
        profile_ids=[str(each) for each in found.profile_ids],
        orders=found.orders,
        emails=list(found.emails),
        phones=list(found.phones),
        identifiers=found.identifiers,
        consents=[
            ConsentChangeItem(
                channel=one.channel, address=one.address, before=one.before, after=one.after
            )
            for one in found.consents
        ],
        sentence=found.sentence,
    )


def undo_merge(asked: Asking, merge_id: str) -> MergeItem:
    """Take a merge back, in any order; both profiles are there again and count as not the same.

    409 says why where it cannot be: the time is over, it was undone already, or other evidence holds both together."""
    number = id_of(merge_id, MergeNotFound)
    now, window = asked.doors.clock.now(), merging.undo_window(asked.shop)
    with asked.doors.database.write() as connection:
        row = merging.undo(connection, asked.shop_id, number, actor=ACTOR, now=now, window=window)
    return merge_item(row, window, now)


def merge_item(row: MergeRow, window: Instant, now: Instant) -> MergeItem:
    """A merge as the API writes it."""
    until = row.undo_until(window)
    return MergeItem(
        merge_id=str(row.merge_id),
        kept_id=str(row.kept_id),
        gone_id=str(row.gone_id),
        kind=row.kind,
        actor=row.actor or None,
        evidence=[_text(bridge) for bridge in row.bridges],
        merged_at=str(to_iso(row.merged_at)),
        recorded_at=str(to_iso(row.recorded_at)),
        state=row.state,
        undo_until=None if until is None or until < now else to_iso(until),
        ended_at=to_iso(row.ended_at),
        ended_by=row.ended_by or None,
    )


def _items(asked: Asked, rows: Sequence[MergeRow]) -> list[MergeItem]:
    now, window = asked.doors.clock.now(), merging.undo_window(asked.shop)
    return [merge_item(row, window, now) for row in rows]


def _ids(two: TwoProfiles) -> tuple[int, int]:
    one, other = (id_of(each, ProfileNotFound) for each in two.profile_ids)
    if one == other:
        raise InvalidInput("Name two profiles, not one twice", "profile_ids")
    return one, other


def _evidence(link: Evidence) -> EvidenceItem:
    return EvidenceItem(
        kind=link.kind,
        at=str(to_iso(link.at)),
        text=link.sentence,
        identifiers=[_text(identifier) for identifier in link.identifiers],
        event_id=None if link.event_id is None else str(link.event_id),
        event_type=link.event_type or None,
        source=link.source or None,
        actor=link.actor or None,
    )


def _text(identifier: Identifier) -> str:
    return f"{identifier.type}:{identifier.value}"

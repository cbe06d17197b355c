"""Which profiles may be one person? And decide."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from customer360.api.v1.asked import Asking, id_of
from customer360.api.v1.cursors import cut_page, decode_cursor
from customer360.api.v1.fields import Paging
from customer360.api.v1.identity_models import (
    Dismissed,
    DuplicateItem,
    DuplicateList,
    MergeItem,
    PersonItem,
    ReasonItem,
)
from customer360.api.v1.merges import ACTOR, merge_item
from customer360.clock import to_iso
from customer360.errors import CandidateNotFound
from customer360.identities.candidates import (
    CandidateRow,
    count_candidates,
    dismiss_candidates,
    list_candidates,
)
from customer360.intake import merging
from customer360.profiles.hydrate import Summary, hydrate


class DuplicateQuestion(Paging):
    """Which pairs are wanted."""

    state: Literal["open", "dismissed", "merged", "ended"] = Field(
        "open", description="`ended`: later evidence has settled it"
    )


def list_duplicates(
    asked: Asking, question: Annotated[DuplicateQuestion, Query()]
) -> DuplicateList:
    """Pairs of profiles that may be one person, newest first; those of one shared identifier stand together."""
    after = None
    if question.cursor is not None:
        hub, made_at, candidate_id = decode_cursor(question.cursor, str, int, int)
        after = (hub, made_at, candidate_id)
    with asked.doors.database.read() as connection:
        found = list_candidates(
            connection,
            asked.shop_id,
            state=question.state,
            after=after,
            limit=question.limit + 1,
        )
        total = count_candidates(connection, asked.shop_id, state=question.state)
        page, next_cursor = cut_page(found, lambda one: one.position, question.limit)
        ids = {profile_id for one in page for profile_id in one.profile_ids}
        people = {
            person.profile_id: person for person in hydrate(connection, asked.shop_id, sorted(ids))
        }
    return DuplicateList(
        items=[_item(one, people) for one in page],
        next_cursor=next_cursor,
        total=total,
    )


def merge_duplicate(asked: Asking, candidate_id: str) -> MergeItem:
    """Make the two profiles of a pair one; the answer is the merge, which can be undone."""
    number = id_of(candidate_id, CandidateNotFound)
    now = asked.doors.clock.now()
    with asked.doors.database.write() as connection:
        (row,) = merging.merge_candidates(connection, asked.shop_id, [number], actor=ACTOR, now=now)
    return merge_item(row, merging.undo_window(asked.shop), now)


def dismiss_duplicate(asked: Asking, candidate_id: str) -> Dismissed:
    """Say that the two are not the same, for good: they are neither suggested nor linked again."""
    number = id_of(candidate_id, CandidateNotFound)
    with asked.doors.database.write() as connection:
        dismiss_candidates(
            connection, asked.shop_id, [number], actor=ACTOR, now=asked.doors.clock.now()
        )
    return Dismissed(candidate_id=str(number), state="dismissed")


def _item(candidate: CandidateRow, people: dict[int, Summary]) -> DuplicateItem:
    return DuplicateItem(
        candidate_id=str(candidate.candidate_id),
        profile_ids=[str(each) for each in candidate.profile_ids],
        profiles=[
            PersonItem(
                profile_id=str(person.profile_id),
                name=person.name or None,
                email=person.email or None,
                phone=person.phone or None,
            )
            for person in (people.get(each) for each in dict.fromkeys(candidate.profile_ids))
            if person is not None
        ],
        score=candidate.score / 1000,
        origin=candidate.origin,
        weak=candidate.weak,
        evidence=[
            ReasonItem(
                word=reason.word,
                text=reason.sentence,
                agrees=reason.agrees,
                type=reason.identifier.type if reason.identifier else None,
                value=reason.identifier.value if reason.identifier else None,
                at=to_iso(reason.at),
            )
            for reason in candidate.reasons
        ],
        hub=candidate.hub or None,
        state=candidate.state,
        made_at=str(to_iso(candidate.made_at)),
        decided_at=to_iso(candidate.decided_at),
        decided_by=candidate.decided_by or None,
    )

"""Pairs of profiles that may be one person: shown once, made one, or called "not the same" for good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, or_, select, update

from customer360.clock import Instant
from customer360.errors import AlreadyOne, CandidateNotFound, Conflict
from customer360.events.model import Identifier
from customer360.identities.merge_log import MergeRow
from customer360.identities.merges import Follow, add_decision, merge
from customer360.identities.model import Decision, FragmentId
from customer360.identities.stored import ProfileId
from customer360.identities.tables import candidates, decisions, fragments, observations
from customer360.storage.database import next_change
from customer360.values import new_ids

CandidateState = Literal["open", "dismissed", "merged", "ended"]
Position = tuple[str, Instant, int]
"""Where a page ended: the hub (empty for none), when the last candidate on it was made, and its id."""

SENTENCES: dict[str, str] = {
    "account_ids": "both have an id of their own",
    "limit": "one of them would have too many addresses or numbers",
    "frozen": "one of them has too many identifiers",
    "names": "the names differ",
    "trust": "only a browser says so",
    "taken_over": "a browser's claim gave way to a trusted source",
    "device": "both signed in on one device",
    "phone_reused": "the number was silent for a year in between",
}
"""What each kind of doubt means, after the identifier that both share."""

_WEIGHTS = {
    "trust": 800,
    "taken_over": 700,
    "limit": 700,
    "frozen": 600,
    "account_ids": 500,
    "names": 400,
    "phone_reused": 200,
    "device": 200,
}
"""How much each kind of evidence says that two are one person, in thousandths; an order, not a probability."""


class Doubtful(msgspec.Struct, frozen=True):
    """One reason why two profiles may be one; `identifier` is what both share."""

    word: str
    identifier: Identifier | None
    fragment_id: FragmentId | None
    at: Instant | None
    text: str = ""
    """What a comparison of names and addresses says of it."""
    agrees: bool = True
    """False where a comparison speaks against one person."""

    @property
    def sentence(self) -> str:
        """As people read it."""
        return self.text or SENTENCES.get(self.word, self.word.replace("_", " "))


class CandidateRow(msgspec.Struct, frozen=True, kw_only=True):
    """Two profiles that may be one person; `score` is in thousandths."""

    candidate_id: int
    profile_ids: tuple[ProfileId, ProfileId]
    origin: Literal["evidence", "similarity"]
    weak: bool
    score: int
    reasons: tuple[Doubtful, ...]
    hub: str
    state: CandidateState
    made_at: Instant
    decided_at: Instant | None
    decided_by: str
    fragment_a: FragmentId
    fragment_b: FragmentId

    @property
    def position(self) -> Position:
        """Where it stands in the list."""
        return self.hub, self.made_at, self.candidate_id


def list_candidates(
    connection: Connection,
    shop_id: int,
    *,
    state: CandidateState = "open",
    profile_id: ProfileId | None = None,
    after: Position | None = None,
    limit: int = 50,
) -> list[CandidateRow]:
    """A page of candidates: those of one hub stand together, after those of none; newest first."""
    query = _query().where(_shown(shop_id, state, profile_id))
    if after is not None:
        hub, made_at, candidate_id = after
        query = query.where(
            or_(
                candidates.c.hub > hub,
                and_(candidates.c.hub == hub, candidates.c.made_at < made_at),
                and_(
                    candidates.c.hub == hub,
                    candidates.c.made_at == made_at,
                    candidates.c.candidate_id < candidate_id,
                ),
            )
        )
    query = query.order_by(
        candidates.c.hub, candidates.c.made_at.desc(), candidates.c.candidate_id.desc()
    ).limit(limit)
    return [_read(row) for row in connection.execute(query)]


def count_candidates(
    connection: Connection,
    shop_id: int,
    *,
    state: CandidateState = "open",
    profile_id: ProfileId | None = None,
) -> int:
    """How many there are on all pages."""
    shown = _query().where(_shown(shop_id, state, profile_id)).subquery()
    return int(connection.execute(select(func.count()).select_from(shown)).scalar_one())


def get_candidates(
    connection: Connection, shop_id: int, candidate_ids: Sequence[int]
) -> list[CandidateRow]:
    """These candidates, in the order asked for; raises CandidateNotFound where one is missing."""
    wanted = list(dict.fromkeys(candidate_ids))
    query = _query().where(candidates.c.shop_id == shop_id, candidates.c.candidate_id.in_(wanted))
    found = {row.candidate_id: _read(row) for row in connection.execute(query)}
    if len(found) < len(wanted):
        raise CandidateNotFound
    return [found[candidate_id] for candidate_id in wanted]


def merge_candidates(
    connection: Connection,
    shop_id: int,
    candidate_ids: Sequence[int],
    *,
    actor: str,
    now: Instant,
    follow: Follow,
) -> list[MergeRow]:
    """Make the two profiles of each candidate one; all of them or, where one cannot be, none.

    Those that an earlier one of the list has made one meanwhile are left out.
    """
    made: list[MergeRow] = []
    for candidate_id in dict.fromkeys(candidate_ids):
        (candidate,) = get_candidates(connection, shop_id, [candidate_id])
        one, other = candidate.profile_ids
        if one == other and made:
            continue
        _refuse_unless_open(candidate)
        row = merge(
            connection,
            shop_id,
            (one, other),
            actor=actor,
            now=now,
            follow=follow,
        )
        _decide(connection, shop_id, candidate, "merged", actor, now)
        made.append(row)
    return made


def dismiss_candidates(
    connection: Connection, shop_id: int, candidate_ids: Sequence[int], *, actor: str, now: Instant
) -> list[int]:
    """Say of each pair that they are "not the same", for good; one that was dismissed before stays so.

    Returns the ids of the decisions that this makes.
    """
    next_change(connection, shop_id)
    made: list[int] = []
    for candidate in get_candidates(connection, shop_id, candidate_ids):
        if candidate.state == "dismissed":
            continue
        _refuse_unless_open(candidate)
        times = _first_seen(connection, shop_id, candidate)
        decision = Decision(
            decision_id=new_ids.next(),
            kind="not_same",
            fragment_a=candidate.fragment_a,
            at_a=times[candidate.fragment_a],
            fragment_b=candidate.fragment_b,
            at_b=times[candidate.fragment_b],
            acts_at=now,
        )
        add_decision(connection, shop_id, decision, actor, now)
        _decide(connection, shop_id, candidate, "dismissed", actor, now)
        made.append(decision.decision_id)
    return made


def _refuse_unless_open(candidate: CandidateRow) -> None:
    if candidate.profile_ids[0] == candidate.profile_ids[1]:
        raise AlreadyOne
    if candidate.state == "dismissed":
        raise Conflict(
            "Somebody said that these two are not the same; merge the profiles themselves to overrule it."
        )
    if candidate.state != "open":
        raise Conflict("Later evidence has settled this pair; load the list again.")


def _decide(
    connection: Connection,
    shop_id: int,
    candidate: CandidateRow,
    state: CandidateState,
    actor: str,
    now: Instant,
) -> None:
    """Of every origin: evidence and likeness speak of one pair. What has ended stays so, should this be taken back."""
    connection.execute(
        update(candidates)
        .where(
            candidates.c.shop_id == shop_id,
            candidates.c.fragment_a == candidate.fragment_a,
            candidates.c.fragment_b == candidate.fragment_b,
            candidates.c.state != "ended",
        )
        .values(state=state, decided_at=now, decided_by=actor)
    )


def _first_seen(
    connection: Connection, shop_id: int, candidate: CandidateRow
) -> dict[FragmentId, Instant]:
    query = select(observations.c.fragment_id, observations.c.first_at).where(
        observations.c.shop_id == shop_id,
        observations.c.fragment_id.in_((candidate.fragment_a, candidate.fragment_b)),
    )
    return {row.fragment_id: row.first_at for row in connection.execute(query)}


_one, _other = fragments.alias("one"), fragments.alias("other")


def _query() -> Any:
    return (
        select(
            candidates,
            _one.c.profile_id.label("profile_a"),
            _other.c.profile_id.label("profile_b"),
        )
        .join(
            _one,
            and_(
                _one.c.shop_id == candidates.c.shop_id,
                _one.c.fragment_id == candidates.c.fragment_a,
            ),
        )
        .join(
            _other,
            and_(
                _other.c.shop_id == candidates.c.shop_id,
                _other.c.fragment_id == candidates.c.fragment_b,
            ),
        )
    )


def _shown(
    shop_id: int, state: CandidateState, profile_id: ProfileId | None
) -> ColumnElement[bool]:
    conditions = [candidates.c.shop_id == shop_id, candidates.c.state == state]
    if profile_id is not None:
        conditions.append(or_(_one.c.profile_id == profile_id, _other.c.profile_id == profile_id))
    if state == "open":
        conditions += [_one.c.profile_id != _other.c.profile_id, ~_said(), ~_shown_as_evidence()]
    return and_(*conditions)


def _said() -> ColumnElement[bool]:
    """Somebody said "not the same" of these two profiles, maybe before other profiles joined them."""
    mine, others = fragments.alias("mine"), fragments.alias("others")
    return exists(
        select(decisions.c.decision_id)
        .select_from(mine)
        .join(
            decisions,
            and_(
                decisions.c.shop_id == mine.c.shop_id,
                or_(
                    decisions.c.fragment_a == mine.c.fragment_id,
                    decisions.c.fragment_b == mine.c.fragment_id,
                ),
            ),
        )
        .join(
            others,
            and_(
                others.c.shop_id == mine.c.shop_id,
                or_(
                    others.c.fragment_id == decisions.c.fragment_a,
                    others.c.fragment_id == decisions.c.fragment_b,
                ),
            ),
        )
        .where(
            mine.c.shop_id == candidates.c.shop_id,
            mine.c.profile_id == _one.c.profile_id,
            others.c.profile_id == _other.c.profile_id,
            decisions.c.kind.in_(("not_same", "undone")),
        )
    )


def _shown_as_evidence() -> ColumnElement[bool]:
    """A pair is shown once: what evidence says goes before what names and addresses suggest."""
    same = candidates.alias("same")
    return and_(
        candidates.c.origin != "evidence",
        exists(
            select(same.c.candidate_id).where(
                same.c.shop_id == candidates.c.shop_id,
                same.c.fragment_a == candidates.c.fragment_a,
                same.c.fragment_b == candidates.c.fragment_b,
                same.c.origin == "evidence",
                same.c.state == "open",
            )
        ),
    )


def _read(row: Row[Any]) -> CandidateRow:
    reasons = tuple(
        Doubtful(
            word=told.get("word", ""),
            identifier=Identifier(told["type"], told["value"]) if told.get("type") else None,
            fragment_id=int(told["fragment_id"]) if told.get("fragment_id") else None,
            at=told.get("at"),
            text=told.get("text", ""),
            agrees=told.get("agrees", True),
        )
        for told in json.loads(row.reasons or "[]")
    )
    older, younger = sorted((row.profile_a, row.profile_b))
    return CandidateRow(
        candidate_id=row.candidate_id,
        profile_ids=(older, younger),
        origin=row.origin,
        weak=bool(row.weak),
        score=_score(reasons) if row.score is None else row.score,
        reasons=reasons,
        hub=row.hub or "",
        state=row.state,
        made_at=row.made_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by or "",
        fragment_a=row.fragment_a,
        fragment_b=row.fragment_b,
    )


def _score(reasons: Sequence[Doubtful]) -> int:
    """Several reasons say more than the best of them."""
    left = 1.0
    for weight in {one.word: _WEIGHTS.get(one.word, 300) for one in reasons}.values():
        left *= 1 - weight / 1000
    return round(1000 * (1 - left))

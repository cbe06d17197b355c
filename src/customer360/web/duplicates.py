"""Possible duplicates: pairs side by side with what speaks for and against them; made one, or told apart for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from customer360.clock import Instant
from customer360.errors import CandidateNotFound, Conflict, InvalidInput
from customer360.events.model import Address, Identifier
from customer360.identities.candidates import (
    CandidateRow,
    Doubtful,
    Position,
    count_candidates,
    dismiss_candidates,
    get_candidates,
    list_candidates,
)
from customer360.identities.naming import named_as
from customer360.identities.normalise import STRENGTH
from customer360.identities.scan_log import SCAN, Found
from customer360.intake import merging
from customer360.jobs.log import last_run
from customer360.profiles.facts import Facts, gather
from customer360.values import parse_id
from customer360.web import formats
from customer360.web.deciding import actor_of, came_from, tabs, titles
from customer360.web.door import Door, Page
from customer360.web.formats import counted
from customer360.web.people import Cell, accounts, cell, title_of_person, values_of
from customer360.web.visit import Visit
from customer360.web.words import folded

# Each pair is shown with what its merge would do, which takes some milliseconds to find out.
_PAGE_PAIRS = 10

Verdict = Literal["same", "differs", ""]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the comparison; `verdict` is empty where one of the two has nothing to compare."""

    label: str
    cells: tuple[Cell, Cell]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Person:
    """One of the two."""

    profile_id: int
    title: str
    orders: int
    last_seen_at: Instant | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence as a sentence."""

    sentence: str
    agrees: bool
    at: Instant | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A candidate as the page shows it."""

    candidate_id: int
    people: tuple[Person, Person]
    names: Verdict
    lines: tuple[Line, ...]
    reasons: tuple[Reason, ...]
    score: int
    weak: bool
    preview: str
    """What the merge would make of both, in words."""

    @property
    def title(self) -> str:
        """Both by name."""
        return f"{self.people[0].title} and {self.people[1].title}"


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs that stand together: `hub` names the identifier that many share, empty for none."""

    hub: str
    pairs: tuple[Pair, ...]


def show(_door: Door, visit: Visit) -> Page | Response:
    """A page of the pairs to decide."""
    shop_id = visit.shop.shop_id
    with visit.app.database.read() as connection:
        after = _position(connection, visit)
        found = list_candidates(connection, shop_id, after=after, limit=_PAGE_PAIRS + 1)
        total = count_candidates(connection, shop_id)
        page = found[:_PAGE_PAIRS]
        groups = _groups(connection, shop_id, page, visit.now)
        around = tabs(connection, visit)
        scan = last_run(connection, shop_id, SCAN)
    if after is not None and not found:
        return RedirectResponse(f"{visit.root}/duplicates", 303)
    more = len(found) > _PAGE_PAIRS
    return Page(
        "duplicates/list.html",
        {
            "tabs": around,
            "scan": scan,
            "found": scan.reported(Found) if scan else None,
            "unseen": around[-1].unseen,
            "groups": groups,
            "total": total,
            "shown": len(page),
            "is_first": after is None,
            "further": urlencode({"after": page[-1].candidate_id}) if more else "",
        },
    )


def merge_one(door: Door, visit: Visit) -> Response:
    """Make the two of one pair one."""
    return _merge(door, visit, [visit.id_of("candidate_id")])


def merge_chosen(door: Door, visit: Visit) -> Response:
    """Make the two of each chosen pair one."""
    return _merge(door, visit, _chosen(visit))


def dismiss_one(door: Door, visit: Visit) -> Response:
    """Say of one pair that they are not the same."""
    return _dismiss(door, visit, [visit.id_of("candidate_id")])


def dismiss_chosen(door: Door, visit: Visit) -> Response:
    """Say of each chosen pair that they are not the same."""
    return _dismiss(door, visit, _chosen(visit))


def _merge(door: Door, visit: Visit, candidate_ids: list[int]) -> Response:
    shop_id = visit.shop.shop_id
    try:
        with visit.app.database.write() as connection:
            told = _names(connection, shop_id, candidate_ids)
            made = merging.merge_candidates(
                connection, shop_id, candidate_ids, actor=actor_of(visit), now=visit.now
            )
    except Conflict as error:
        return door.redirect(came_from(visit), str(error), bad=True)
    text = (
        f"{told} are one customer now."
        if len(candidate_ids) == 1
        else f"{counted(len(made), 'merge')} done."
    )
    return door.redirect(came_from(visit), text, undo=[row.merge_id for row in made])


def _dismiss(door: Door, visit: Visit, candidate_ids: list[int]) -> Response:
    shop_id = visit.shop.shop_id
    try:
        with visit.app.database.write() as connection:
            told = _names(connection, shop_id, candidate_ids)
            made = dismiss_candidates(
                connection, shop_id, candidate_ids, actor=actor_of(visit), now=visit.now
            )
    except Conflict as error:
        return door.redirect(came_from(visit), str(error), bad=True)
    text = (
        f"{told} stay two customers and are not suggested again."
        if len(candidate_ids) == 1
        else f"{formats.number(len(candidate_ids))} pairs stay apart and are not suggested again."
    )
    return door.redirect(came_from(visit), text, undo=made, undoes="decision")


def _names(connection: Connection, shop_id: int, candidate_ids: Sequence[int]) -> str:
    """Who the first pair is, as they are called before anything changes; raises CandidateNotFound."""
    candidate = get_candidates(connection, shop_id, candidate_ids)[0]
    called = titles(connection, shop_id, candidate.profile_ids)
    return " and ".join(called[each] for each in dict.fromkeys(candidate.profile_ids))


def _chosen(visit: Visit) -> list[int]:
    ids = [found for text in visit.fields("id") if (found := parse_id(text)) is not None]
    if not ids:
        raise InvalidInput("Choose at least one pair.", "id")
    return ids


def _position(connection: Connection, visit: Visit) -> Position | None:
    """Where the page begins: the address names the last pair of the one before, decided or not."""
    candidate_id = parse_id(visit.query.get("after", ""))
    if candidate_id is None:
        return None
    try:
        return get_candidates(connection, visit.shop.shop_id, [candidate_id])[0].position
    except CandidateNotFound:
        return None


def _groups(
    connection: Connection, shop_id: int, page: Sequence[CandidateRow], now: Instant
) -> list[Group]:
    ids = sorted({profile_id for one in page for profile_id in one.profile_ids})
    people = gather(connection, shop_id, ids)
    pairs = [(one.hub, _pair(connection, shop_id, one, people, now)) for one in page]
    return [
        Group(_hub_label(hub), tuple(pair for _, pair in some))
        for hub, some in groupby(pairs, key=lambda each: each[0])
    ]


def _pair(
    connection: Connection,
    shop_id: int,
    candidate: CandidateRow,
    people: dict[int, Facts],
    now: Instant,
) -> Pair:
    one, other = (people[profile_id] for profile_id in candidate.profile_ids)
    preview = merging.preview(connection, shop_id, candidate.profile_ids, now)
    return Pair(
        candidate_id=candidate.candidate_id,
        people=(_person(one), _person(other)),
        names=_verdict(_present(one.name), _present(other.name)),
        lines=tuple(_lines(one, other)),
        reasons=tuple(_reason(each) for each in candidate.reasons),
        # Rounded down: nothing is certain, so none has 100.
        score=candidate.score // 10,
        weak=candidate.weak,
        preview=preview.sentence,
    )


def _person(facts: Facts) -> Person:
    return Person(
        profile_id=facts.profile_id,
        title=title_of_person(facts),
        orders=sum(order.counts for order in facts.orders),
        last_seen_at=max(
            (count.last_at for count in facts.aggregate.sources.values()), default=None
        ),
    )


def _lines(one: Facts, other: Facts) -> Iterable[Line]:
    yield _line("E-mail", values_of(one, "email"), values_of(other, "email"))
    yield _line("Phone", values_of(one, "phone"), values_of(other, "phone"))
    addresses = _addresses(one), _addresses(other)
    if any(addresses):
        yield _line("Address", *addresses)
    ids = accounts(one), accounts(other)
    if any(ids):
        yield _line("Account", *ids)


def _line(label: str, one: list[str], other: list[str]) -> Line:
    mine, others = ({folded(value) for value in values} for values in (one, other))
    return Line(label, (cell(one, others), cell(other, mine)), _verdict(one, other))


def _verdict(one: list[str], other: list[str]) -> Verdict:
    """Whether the two have one value in common; nothing is said where one has none."""
    mine, others = ({folded(value) for value in values} for values in (one, other))
    if not mine or not others:
        return ""
    return "differs" if mine.isdisjoint(others) else "same"


def _present(name: str) -> list[str]:
    return [name] if name else []


def _addresses(facts: Facts) -> list[str]:
    newest = sorted(facts.aggregate.addresses.values(), key=lambda known: (-known.at, known.key))
    return [line for known in newest if (line := _on_one_line(known.address))]


def _on_one_line(address: Address) -> str:
    place = " ".join(part for part in (address.zip, address.city) if part)
    return ", ".join(part for part in (address.street, address.street2, place) if part)


def _reason(doubt: Doubtful) -> Reason:
    sentence = doubt.sentence
    if doubt.identifier is not None:
        sentence = f"{named_as(doubt.identifier)} is told of both; {sentence}"
    return Reason(formats.upper_first(sentence).rstrip(".") + ".", doubt.agrees, doubt.at)


def _hub_label(hub: str) -> str:
    kind, _, value = hub.partition(":")
    return named_as(Identifier(kind, value)) if kind in STRENGTH else hub

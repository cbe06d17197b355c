"""A whole shop resolved anew: what differs from what is stored is written, a few components at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from customer360.clock import Clock
from customer360.identities.differences import Findings, Part, find_differences
from customer360.identities.merges import linked
from customer360.identities.rules import note_progress, present_version
from customer360.identities.store import name_cause, write
from customer360.identities.stored import company_of, load_fragments
from customer360.intake.merging import follow
from customer360.storage.database import Database, Writes, next_change

# Fragments that one transaction resolves: some thirty milliseconds, so that no signal waits long.
_FRAGMENTS_AT_ONCE = 400


class Step(NamedTuple):
    """How far it is; `done` of the components that differ are written."""

    findings: Findings
    done: int

    @property
    def total(self) -> int:
        return len(self.findings.differing)


def check_shop(database: Database, shop_id: int) -> Findings:
    """What resolving everybody anew would change; nothing is written."""
    with database.read() as connection:
        return find_differences(connection, shop_id)


def resolve_shop(database: Database, clock: Clock, shop_id: int) -> Iterator[Step]:
    """Find what differs and write it, one short transaction a step; signals are worked off between.

    Each step reads what it writes under the shop's lock, so it does not matter what happened since. It ends early
    where the shop's rules were changed meanwhile: then everything is to be looked at again.
    """
    with database.read() as connection:
        version = present_version(connection, shop_id).version
        findings = find_differences(connection, shop_id)
    done = 0
    yield Step(findings, done)
    for some in _portions(findings.differing):
        with database.write() as connection:
            change = next_change(connection, shop_id)
            if present_version(connection, shop_id).version != version:
                return
            _resolve(connection, shop_id, change, clock, some)
            done += len(some)
            note_progress(connection, shop_id, version, done, len(findings.differing))
        yield Step(findings, done)
    with database.write() as connection:
        note_progress(connection, shop_id, version, done, done, clock.now())


def _resolve(
    connection: Connection, shop_id: int, change: int, clock: Clock, some: Sequence[Part]
) -> None:
    together = company_of(connection, shop_id, {each for part in some for each in part})
    stored = load_fragments(connection, shop_id, together)
    if not stored.members:
        return
    links = linked(connection, shop_id, stored)
    writes = Writes()
    write(writes, shop_id, change, links, clock.now())
    writes.run(connection)
    follow(connection, shop_id, change, links)
    name_cause(connection, shop_id, change, "rebuild")


def _portions(parts: Sequence[Part]) -> Iterator[list[Part]]:
    some: list[Part] = []
    for part in parts:
        some.append(part)
        if sum(len(each) for each in some) >= _FRAGMENTS_AT_ONCE:
            yield some
            some = []
    if some:
        yield some

"""Looks for profiles that may be one person, and keeps what it finds as candidates for people to judge.

A step of the background and a command; on a large shop it takes minutes, so it reads and writes page by page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from customer360.clock import Clock, Instant
from customer360.events.model import IdentifierType
from customer360.identities.scan_log import SCAN, Found
from customer360.identities.similarity.model import Person, Place
from customer360.identities.similarity.scan import Options, Progress, Scan, in_silence, scanning
from customer360.identities.similarity.store import end_others, keep
from customer360.jobs.under_way import UnderWay
from customer360.profiles.fold import Aggregate, combine, names_of
from customer360.profiles.members import aggregates_in, members_of
from customer360.storage.database import Database, rows_in
from customer360.storage.mirror import fetch

# People read in one snapshot: some megabytes.
_PAGE = 2_000
# Candidates written in one transaction, while others wait.
_WRITTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a scan of a shop did: candidates that are open now, those of them that are new, and those that ended."""

    scan: Scan
    candidates: int
    new: int
    ended: int


def scan_for_duplicates(
    database: Database,
    clock: Clock,
    shop_id: int,
    scratch: Path,
    options: Options | None = None,
    progress: Progress = in_silence,
    night: Instant | None = None,
    beat_seconds: float = 60.0,
) -> Report:
    """Compare the people of a shop with each other.

    scratch: the folder under which the shop's scan has its own while it runs. night: whose scan this is, where
    nobody began it. The log says how it went. Raises RunUnderWay, and ShopNotFound where the shop is deleted.
    """
    with UnderWay(database, clock, shop_id, SCAN, night, beat_seconds) as run:
        return _scan(database, clock, shop_id, run, scratch / str(shop_id), options, progress)


def _scan(
    database: Database,
    clock: Clock,
    shop_id: int,
    run: UnderWay,
    folder: Path,
    options: Options | None,
    progress: Progress,
) -> Report:
    def people() -> Iterator[list[Person]]:
        # Asked for once the folder is ours, so nobody else here scans the shop.
        run.begin()
        yield from people_of(database, shop_id)

    pairs, new, writes = set(), 0, 1
    with scanning(people(), folder, options, progress) as (scan, suggestions):
        for part in suggestions:
            for start in range(0, len(part), _WRITTEN_AT_ONCE):
                with database.write() as connection:
                    kept = keep(
                        connection, shop_id, part[start : start + _WRITTEN_AT_ONCE], clock.now()
                    )
                pairs |= kept.pairs
                new += kept.new
                writes += 1
    with database.write() as connection:
        ended = end_others(connection, shop_id, pairs, clock.now())
        found = Found(
            people=scan.people, candidates=len(pairs), new=new, ended=ended, learned=scan.learned
        )
        run.end(connection, found, writes)
    return Report(scan=scan, candidates=len(pairs), new=new, ended=ended)


def people_of(database: Database, shop_id: int) -> Iterator[list[Person]]:
    """The known people of a shop as they are compared, named by the fragment that founded their profile."""
    after = 0
    while True:
        with database.read() as connection:
            page = next(fetch(connection, _PROFILES, (shop_id, after, _PAGE)), [])
            people = _people(connection, shop_id, dict(page))
        if not page:
            return
        yield people
        after = page[-1][0]


_PROFILES = (
    "select profile_id, founded_by from profiles"
    " where shop_id = {} and profile_id > {} and merged_into is null and known order by profile_id limit {}"
)
_OWNED = (
    "select fragment_id, type, value, since from ownerships"
    " where shop_id = {} and until is null and fragment_id in {}"
)


def _people(connection: Connection, shop_id: int, founders: dict[int, int]) -> list[Person]:
    profile_of = members_of(connection, shop_id, founders)
    parts: dict[int, list[Aggregate]] = defaultdict(list)
    for fragment_id, aggregate in aggregates_in(connection, shop_id, profile_of).items():
        parts[profile_of[fragment_id]].append(aggregate)
    owned: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    for fragment_id, kind, value, since in rows_in(
        connection, _OWNED, (shop_id,), list(profile_of)
    ):
        owned[profile_of[fragment_id]].append((-since, kind, value))
    return [
        _person(founder, combine(parts[profile_id]), sorted(owned[profile_id]))
        for profile_id, founder in founders.items()
    ]


def _person(founder: int, told: Aggregate, owned: Sequence[tuple[int, str, str]]) -> Person:
    names = names_of(told)
    newest = sorted(told.addresses.values(), key=lambda known: (-known.at, known.key))
    return Person(
        person_id=founder,
        first_name=names.first_name if names else "",
        last_name=names.last_name if names else "",
        places=tuple(
            Place(each.address.street, each.address.street2, each.address.zip, each.address.city)
            for each in newest
        ),
        phones=tuple(value for _, kind, value in owned if kind == IdentifierType.PHONE),
        mailboxes=tuple(
            value.rpartition("@")[0] for _, kind, value in owned if kind == IdentifierType.EMAIL
        ),
        accounts=tuple(
            value for _, kind, value in owned if kind == IdentifierType.SHOPIFY_CUSTOMER_ID
        ),
        traits={
            name: str(trait.value)
            for name, trait in told.traits.items()
            # Flags and fractions tell nobody apart, and what all profiles have is compared already.
            if name.startswith("custom.") and not isinstance(trait.value, bool | float)
        },
    )

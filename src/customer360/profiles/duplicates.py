"""Looks for profiles that may be one person, and keeps what it finds as candidates for people to judge.

A step of the background and a command; on a large shop it takes minutes, so it reads and writes page by page.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from duckdb import OutOfMemoryException
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from customer360.access.shops import find_shop
from customer360.clock import Clock, Instant
from customer360.errors import Customer360Error, ScanUnderWay, ShopNotFound, place_of
from customer360.events.model import IdentifierType
from customer360.identities.scan_log import Found, begin_scan, end_scan, fail_running, note_moved
from customer360.identities.similarity.model import Person, Place
from customer360.identities.similarity.scan import Options, Progress, Scan, in_silence, scanning
from customer360.identities.similarity.store import end_others, keep
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
    nobody began it. The log says how it went. Raises ScanUnderWay, and ShopNotFound where the shop is deleted.
    """
    run = _Run(database, clock, shop_id, night, beat_seconds)
    try:
        with run:
            return _scan(run, scratch / str(shop_id), options, progress)
    except ScanUnderWay:
        raise
    except BaseException as error:
        with database.write() as connection:
            # Its rows and files go while we read them, so anything may have failed.
            if find_shop(connection, shop_id) is None:
                raise ShopNotFound("The shop was deleted, so the scan of it has ended.") from error
            fail_running(connection, shop_id, _reason(error), clock.now(), scan_id=run.scan_id)
        raise


class _Run:
    """A scan in the log; from when it began to the end of the `with` block it says every minute that it goes on."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        shop_id: int,
        night: Instant | None,
        beat_seconds: float,
    ) -> None:
        self.database = database
        self.clock = clock
        self.shop_id = shop_id
        self.scan_id = 0
        self.change = 0
        self._night = night
        self._beat_seconds = beat_seconds
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="scan", daemon=True)

    def begin(self) -> None:
        """Note that it begins; raises ScanUnderWay, and ShopNotFound."""
        with self.database.write() as connection:
            self.scan_id, self.change = begin_scan(
                connection, self.shop_id, self.clock.now(), self._night
            )
        self._beating.start()

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        if self._beating.is_alive():
            self._beating.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._beat_seconds):
            # A database that is away for a while is told a minute later.
            with suppress(SQLAlchemyError), self.database.write() as connection:
                note_moved(connection, self.shop_id, self.scan_id, self.clock.now())


def _scan(run: _Run, folder: Path, options: Options | None, progress: Progress) -> Report:
    database, clock, shop_id = run.database, run.clock, run.shop_id

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
        # What the scan itself wrote is no news to the next one.
        end_scan(connection, shop_id, run.scan_id, found, run.change + writes, clock.now())
    return Report(scan=scan, candidates=len(pairs), new=new, ended=ended)


def _reason(error: BaseException) -> str:
    """Why a scan failed, without what anybody told us."""
    if isinstance(error, Customer360Error):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Somebody stopped it."
    if isinstance(error, MemoryError | OutOfMemoryException):
        return "It ran out of memory."
    return place_of(error)


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

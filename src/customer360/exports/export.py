"""A segment's members as a file: streamed a page at a time, noted in the log, without whoever did not agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from customer360.access.shops import Shop
from customer360.clock import Clock, local_date
from customer360.errors import InvalidInput, SegmentUnsettled
from customer360.exports import FORMATS
from customer360.exports.members import members
from customer360.exports.model import Format, Person
from customer360.exports.people import people
from customer360.exports.store import note_end, note_start
from customer360.profiles.browse import WarehouseQuery
from customer360.profiles.card import attributes_json
from customer360.profiles.stages import shop_calendar
from customer360.segments.catalogue import nearest
from customer360.segments.model import Segment
from customer360.spreadsheet import as_csv
from customer360.storage.database import Database

# People looked up at a time: a read of the profile store lasts some tenths of a second.
PEOPLE = 2000
_NOT_IN_A_FILE_NAME = re.compile(r"[^a-z0-9]+")


def format_named(name: str) -> Format:
    """The format of this name; raises InvalidInput."""
    for format in FORMATS:
        if format.name == name:
            return format
    names = [format.name for format in FORMATS]
    meant = nearest(name, names) or f"; there are {', '.join(names)}"
    raise InvalidInput(f"{name!r} is no format of an export{meant}", "format")


class Export:
    """One export of a segment, to be streamed once: `pieces` are the file, the counts are right when it has ended.

    actor: whom the log names. everybody: also people without consent, where the format asks for it. Raises
    SegmentUnsettled where the members are not those of the rule: a file without them, or with others, looks complete.
    """

    def __init__(
        self,
        database: Database,
        warehouse: WarehouseQuery,
        shop: Shop,
        segment: Segment,
        format: Format,
        *,
        clock: Clock,
        actor: str,
        everybody: bool = False,
    ) -> None:
        if segment.state != "updated":
            raise SegmentUnsettled(segment.failure)
        self._database = database
        self._warehouse = warehouse
        self._shop = shop
        self._segment = segment
        self._format = format
        self._clock = clock
        self._actor = actor
        self._everybody = everybody
        self.written = 0
        self.without_consent = 0
        """Left out though they have a contact that the format could use: marketing may use none."""
        self.without_contact = 0

    @property
    def file_name(self) -> str:
        """Segment, format and the shop's day."""
        name = _NOT_IN_A_FILE_NAME.sub("-", self._segment.name.lower()).strip("-") or "segment"
        day = local_date(self._clock.now(), self._shop.timezone).isoformat()
        return f"{name[:60]}-{self._format.name}-{day}.csv"

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the file, a piece at a time; the log has it from the first, also when it is cut off."""
        shop_id, complete = self._shop.shop_id, False
        with self._database.write() as connection:
            export_id = note_start(
                connection,
                shop_id,
                segment_id=self._segment.segment_id,
                segment_name=self._segment.name,
                format=self._format.name,
                actor=self._actor,
                everybody=self._everybody or not self._format.needs_consent,
                started_at=self._clock.now(),
            )
        try:
            yield from as_csv(self._format.header, self._rows(), mark=self._format.mark)
            complete = True
        finally:
            with self._database.write() as connection:
                note_end(
                    connection,
                    shop_id,
                    export_id,
                    ended_at=self._clock.now(),
                    complete=complete,
                    written=self.written,
                    without_consent=self.without_consent,
                    without_contact=self.without_contact,
                )

    def _rows(self) -> Iterator[list[str]]:
        safe = self._format.safe or _as_it_is
        for person in self._people():
            if (reached := self._reached(person)) is not None:
                self.written += 1
                yield [safe(cell) if cell else "" for cell in self._format.row(reached)]

    def _people(self) -> Iterator[Person]:
        shop, attributes = self._shop, self._format.attributes
        now = self._clock.now()
        for page in members(
            self._warehouse,
            shop.shop_id,
            self._segment.segment_id,
            attributes,
            now,
            shop_calendar(shop.timezone, shop.settings),
        ):
            entries = iter(page.items())
            while part := dict(islice(entries, PEOPLE)):
                told = {
                    profile_id: attributes_json(raw, shop.currency)
                    for profile_id, raw in part.items()
                }
                with self._database.read() as connection:
                    found = people(connection, shop.shop_id, told)
                yield from found

    def _reached(self, person: Person) -> Person | None:
        """The person as the file may name them; None where it must not, which is counted."""
        format = self._format
        if not format.contacts:
            return person
        if not format.contacts_of(person):
            self.without_contact += 1
            return None
        if format.needs_consent and not self._everybody:
            person = person.with_consent()
            if not format.contacts_of(person):
                self.without_consent += 1
                return None
        return person


def _as_it_is(cell: str) -> str:
    return cell

"""Keeps what people agreed to, and tells the state of each contact point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, select

from customer360.clock import Instant
from customer360.consent.tables import consents
from customer360.events.model import Channel, ConsentReport, ConsentState, Identifier, Trust
from customer360.events.placed import PlacedEvent
from customer360.identities.normalise import MAX_LENGTH, normalise_one
from customer360.identities.tables import fragments
from customer360.storage.database import Writes, bulk
from customer360.values import new_ids

CHANNELS: tuple[Channel, ...] = ("email", "sms", "whatsapp", "push")

_ADDRESS_TYPE = {"email": "email", "sms": "phone", "whatsapp": "whatsapp"}
_IDENTIFIER_TYPE: dict[str, str] = {"email": "email", "sms": "phone", "whatsapp": "phone"}
"""Channel -> type of the identifier that its addresses are."""
_COLUMNS = tuple(column.name for column in consents.columns)
_KEEP_FIRST_KEY = (
    "(shop_id, channel, address, fragment_id, state, occurred_at) do update set"
    " text = excluded.text, source = excluded.source, evidence = excluded.evidence,"
    " dedupe_key = excluded.dedupe_key, change = excluded.change"
    " where excluded.dedupe_key < consents.dedupe_key"
)


class Consent(msgspec.Struct, frozen=True):
    """The state of one contact point on one channel; address "" stands for all of the person's."""

    channel: Channel
    address: str
    state: ConsentState
    text: str
    source: str
    occurred_at: Instant
    dedupe_key: str = ""

    @property
    def order(self) -> tuple[Instant, str]:
        """By time; the event's key settles a tie."""
        return (self.occurred_at, self.dedupe_key)


def rows_of(
    shop_id: int, country: str, change: int, placed: Iterable[PlacedEvent]
) -> list[tuple[object, ...]]:
    """The consent rows that a batch tells of. What a browser claims is pending at most."""
    rows: list[tuple[object, ...]] = []
    for one in placed:
        for number, report in enumerate(one.event.consents):
            address = _address(report, country)
            if report.address and not address:
                continue
            if not address and not one.fragment_id:
                continue
            state = (
                "pending"
                if one.trust is Trust.PUBLIC and report.state == "granted"
                else report.state
            )
            rows.append(
                (
                    shop_id,
                    new_ids.next(),
                    one.fragment_id,
                    report.channel,
                    address,
                    state,
                    report.text,
                    one.source,
                    report.evidence,
                    min(report.occurred_at or one.event.occurred_at, one.received_at),
                    f"{one.event.dedupe_key}#{number}",
                    change,
                )
            )
    return rows


def addresses_of(country: str, placed: Iterable[PlacedEvent]) -> set[tuple[Channel, str]]:
    """The addresses that a batch tells a consent of: it counts for whoever holds them."""
    return {
        (report.channel, address)
        for one in placed
        for report in one.event.consents
        if (address := _address(report, country))
    }


def as_identifiers(addresses: Iterable[tuple[Channel, str]]) -> set[Identifier]:
    """The identifiers that these addresses are."""
    return {
        Identifier(_IDENTIFIER_TYPE[channel], address)
        for channel, address in addresses
        if channel in _IDENTIFIER_TYPE
    }


def fragments_that_told_of(
    connection: Connection, shop_id: int, addresses: Iterable[tuple[Channel, str]]
) -> set[int]:
    """The fragments that ever told a consent of one of these addresses."""
    by_channel: dict[Channel, list[str]] = {}
    for channel, address in addresses:
        by_channel.setdefault(channel, []).append(address)
    found: set[int] = set()
    for channel, values in by_channel.items():
        query = select(consents.c.fragment_id).where(
            consents.c.shop_id == shop_id,
            consents.c.channel == channel,
            consents.c.address.in_(values),
        )
        found.update(connection.scalars(query))
    return found


def _address(report: ConsentReport, country: str) -> str:
    """The address as it is stored; empty when it is none."""
    if not report.address or report.channel not in _ADDRESS_TYPE:
        return report.address[:MAX_LENGTH]
    return normalise_one(_ADDRESS_TYPE[report.channel], report.address, country) or ""


def write(writes: Writes, rows: Sequence[tuple[object, ...]]) -> None:
    """Append consent rows. Of a word told several times the first event by key is kept, whichever came first."""
    writes.insert(consents, _COLUMNS, rows, on_conflict=_KEEP_FIRST_KEY)


def read(row: Row[Any]) -> Consent:
    """A row of the table."""
    return Consent(
        row.channel,
        row.address,
        row.state,
        row.text,
        row.source,
        row.occurred_at,
        row.dedupe_key,
    )


def newest(told: Iterable[Consent]) -> dict[tuple[Channel, str], Consent]:
    """The state per channel and address."""
    by_address: dict[tuple[Channel, str], list[Consent]] = {}
    for one in told:
        by_address.setdefault((one.channel, one.address), []).append(one)
    states = {key: state_after(None, words) for key, words in by_address.items()}
    return {key: state for key, state in states.items() if state is not None}


def state_after(state: Consent | None, told: Iterable[Consent]) -> Consent | None:
    """What holds for one contact point after these words: the last, but asking again takes no grant away."""
    for one in sorted(told, key=lambda word: word.order):
        if one.state != "pending" or state is None or state.state != "granted":
            state = one
    return state


def spread_stops(
    connection: Connection, shop_id: int, change: int, placed: Iterable[PlacedEvent]
) -> None:
    """Write a STOP that is about the person to every fragment of theirs, so that it stays on all after an undo.

    Called when the batch is written, in its transaction: the fragments are those of this moment.
    """
    told_by = {
        one.fragment_id
        for one in placed
        if one.fragment_id
        and any(not each.address and each.state == "withdrawn" for each in one.event.consents)
    }
    for fragment_id in sorted(told_by):
        stops = _stops(connection, shop_id, change, fragment_id)
        kin = _other_fragments(connection, shop_id, fragment_id)
        rows = [
            tuple(
                {**stop._mapping, "consent_id": new_ids.next(), "fragment_id": each}[name]
                for name in _COLUMNS
            )
            for stop in stops
            for each in kin
        ]
        bulk(connection, consents, _COLUMNS, rows, on_conflict=_KEEP_FIRST_KEY)


def _stops(
    connection: Connection, shop_id: int, change: int, fragment_id: int
) -> Sequence[Row[Any]]:
    """The withdrawals that this change wrote for all addresses of the fragment's person."""
    query = select(consents).where(
        consents.c.shop_id == shop_id,
        consents.c.fragment_id == fragment_id,
        consents.c.address == "",
        consents.c.state == "withdrawn",
        consents.c.change == change,
    )
    return connection.execute(query).all()


def _other_fragments(connection: Connection, shop_id: int, fragment_id: int) -> Sequence[int]:
    """The other fragments of the profile that has this one."""
    mine, other = fragments.alias("mine"), fragments.alias("other")
    same = and_(mine.c.shop_id == other.c.shop_id, mine.c.profile_id == other.c.profile_id)
    query = (
        select(other.c.fragment_id)
        .join(mine, same)
        .where(
            mine.c.shop_id == shop_id,
            mine.c.fragment_id == fragment_id,
            other.c.fragment_id != fragment_id,
        )
    )
    return connection.scalars(query).all()

"""Keeps what people agreed to, and tells the state of each contact point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, select

from customer360.clock import Instant
from customer360.consent.tables import consents
from customer360.events.model import Channel, ConsentState, Trust
from customer360.events.placed import PlacedEvent
from customer360.identities.normalise import normalise_one
from customer360.storage.database import bulk
from customer360.values import new_ids

CHANNELS: tuple[Channel, ...] = ("email", "sms", "whatsapp", "push")

_ADDRESS_TYPE = {"email": "email", "sms": "phone", "whatsapp": "whatsapp"}
_COLUMNS = tuple(column.name for column in consents.columns)


class Consent(msgspec.Struct, frozen=True):
    """The state of one contact point on one channel; address "" stands for all of the person's."""

    channel: Channel
    address: str
    state: ConsentState
    text: str
    source: str
    occurred_at: Instant


def rows_of(
    shop_id: int, country: str, change: int, placed: Iterable[PlacedEvent]
) -> list[tuple[object, ...]]:
    """The consent rows that a batch tells of. What a browser claims is pending at most."""
    rows: list[tuple[object, ...]] = []
    for one in placed:
        for number, report in enumerate(one.event.consents):
            address = report.address
            if address and report.channel in _ADDRESS_TYPE:
                address = normalise_one(_ADDRESS_TYPE[report.channel], address, country) or ""
                if not address:
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
                    report.occurred_at or one.event.occurred_at,
                    f"{one.event.dedupe_key}#{number}",
                    change,
                )
            )
    return rows


def write(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Append consent rows; what was told already stays as it was."""
    bulk(connection, consents, _COLUMNS, rows, ignore_conflicts=True)


def consents_of(
    connection: Connection, shop_id: int, fragment_ids: Sequence[int]
) -> dict[int, list[Consent]]:
    """Every consent row of these fragments, newest last (by time, then by key), by fragment."""
    query = (
        select(consents)
        .where(consents.c.shop_id == shop_id, consents.c.fragment_id.in_(fragment_ids))
        .order_by(consents.c.occurred_at, consents.c.dedupe_key)
    )
    found: dict[int, list[Consent]] = {}
    for row in connection.execute(query):
        found.setdefault(row.fragment_id, []).append(
            Consent(row.channel, row.address, row.state, row.text, row.source, row.occurred_at)
        )
    return found


def newest(told: Iterable[Consent]) -> dict[tuple[Channel, str], Consent]:
    """The state per channel and address, of rows in the order of `consents_of`."""
    states: dict[tuple[Channel, str], Consent] = {}
    for one in sorted(told, key=lambda row: row.occurred_at):
        key = (one.channel, one.address)
        # Asking again for what was granted takes nothing away.
        if one.state != "pending" or key not in states or states[key].state != "granted":
            states[key] = one
    return states

"""From signals that wait to new events with their evidence: translated, told from duplicates, normalised."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from customer360.access.shops import Shop
from customer360.events.model import (
    Event,
    Identifier,
    ShopContext,
    Signal,
    SourceRank,
    Trust,
    Unusable,
)
from customer360.events.placed import PlacedEvent
from customer360.events.vocabulary import OUR_DOING
from customer360.identities.model import NO_NAME, Name
from customer360.identities.normalise import fold_parts, normalise
from customer360.identities.sightings import Digest, Sighting, evidence_digest
from customer360.intake.accepted import AcceptedSignals, digest_of
from customer360.intake.bounds import bounded
from customer360.intake.waiting import Failed, Waiting
from customer360.intake.work import Work
from customer360.values import new_ids

logger = logging.getLogger(__name__)

Translators = Mapping[str, Callable[[Signal, ShopContext], Sequence[Event]]]
Understood = list[tuple[Waiting, Signal, Sequence[Event]]]


def understand(shop: Shop, translators: Translators, work: Work) -> Understood:
    """What the signals say; those that say nothing that can be used are noted as failed."""
    context = ShopContext(currency=shop.currency, timezone=shop.timezone, country=shop.country)
    understood = []
    # The events of one request share their envelope.
    told: bytes | None = None
    envelope: dict[str, Any] = {}
    for row in work.rows:
        try:
            if row.envelope != told:
                envelope = msgspec.json.decode(_without_nul(row.envelope)) if row.envelope else {}
                told = row.envelope
            signal = Signal(
                source=row.source,
                trust=_TRUST[row.trust],
                rank=_RANK[row.rank],
                received_at=row.received_at,
                body=_without_nul(row.body),
                envelope=envelope,
            )
            understood.append((row, signal, translators[row.source](signal, context)))
        except Unusable as error:
            work.failed.append(Failed(row, error.reason, str(error)))
        except Exception as error:  # A translator's mistake must cost its own signal only.
            logger.exception("translator of %s failed", row.source)
            work.failed.append(Failed(row, "internal_error", type(error).__name__))
    return understood


_TRUST = {int(trust): trust for trust in Trust}
_RANK = {int(rank): rank for rank in SourceRank}


# One byte is found ten times as fast as six, and most bodies have none.
_ESCAPE = ord("\\")


def _without_nul(body: bytes) -> bytes:
    """PostgreSQL keeps no NUL in text, and no honest signal has one."""
    return body.replace(b"\\u0000", b"\\ufffd") if _ESCAPE in body else body


def keep_new(
    connection: Connection,
    shop: Shop,
    accepted: AcceptedSignals,
    understood: Understood,
    work: Work,
) -> None:
    """Tell second deliveries from new signals, and give the new events their ids."""
    digests = [
        digest_of(told[0].dedupe_key if told else _own_key(row, signal), shop.digest_key)
        for row, signal, told in understood
    ]
    known = accepted.known(connection, shop.shop_id, digests)
    fresh_ids = iter(new_ids.take(sum(len(told) for _, _, told in understood)))
    for digest, (row, signal, told) in zip(digests, understood, strict=True):
        if digest in known:
            work.duplicates.append(row)
            continue
        known.add(digest)
        work.digests.append(digest)
        work.stored.append(row)
        for event in told:
            work.placed.append(
                PlacedEvent(
                    bounded(event, row.received_at),
                    next(fresh_ids),
                    row.source,
                    signal.trust,
                    signal.rank,
                    row.received_at,
                    (),
                )
            )


def _own_key(row: Waiting, signal: Signal) -> str:
    """What a signal without events is known by: its row of a file, else nothing repeats it."""
    row_key = signal.envelope.get("row_key")
    return f"row:{row_key}" if row_key else f"{row.source}{row.inbox_id}"


def gather_evidence(shop: Shop, work: Work, placeholders: frozenset[str] = frozenset()) -> None:
    """Find what each new event brings to know its person by; equal evidence is one sighting.

    placeholders: the shop's own values that identify nobody.
    """
    by_evidence: dict[Digest, list[PlacedEvent]] = defaultdict(list)
    # The events of a visitor mostly bring the same.
    known: dict[tuple[object, ...], tuple[tuple[Identifier, ...], Name, Digest]] = {}
    for one in work.placed:
        event, traits = one.event, one.event.traits
        first, last = (traits.first_name, traits.last_name) if traits is not None else ("", "")
        brought = (event.identifiers, first, last, one.trust, event.till)
        evidence = known.get(brought)
        if evidence is None:
            evidence = known[brought] = _evidence(shop, one, first, last, placeholders)
        one.identifiers, name, digest = evidence
        if not one.identifiers:
            continue
        # What the shop sends shows nobody to be there.
        counts = event.type not in OUR_DOING
        seen = work.sightings.get(digest)
        if seen is None:
            at = event.occurred_at
            work.sightings[digest] = Sighting(
                one.identifiers, one.trust, one.rank, at, at, int(counts), name
            )
        else:
            seen.add(event.occurred_at, one.rank, counts=counts)
            one.identifiers = seen.identifiers
        by_evidence[digest].append(one)
    work.evidence = by_evidence


def _evidence(
    shop: Shop, one: PlacedEvent, first_name: str, last_name: str, placeholders: frozenset[str]
) -> tuple[tuple[Identifier, ...], Name, Digest]:
    """The usable identifiers of an event, its folded name, and the digest under which its fragment is found."""
    event = one.event
    identifiers = normalise(
        event.identifiers,
        country=shop.country,
        trust=one.trust,
        till=event.till,
        placeholders=placeholders,
    )
    name = fold_parts(first_name, last_name) if first_name else NO_NAME
    return identifiers, name, evidence_digest(shop.digest_key, identifiers, name, one.trust)

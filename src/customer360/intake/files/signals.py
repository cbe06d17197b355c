"""The signals of a file: one for each data row, in the order of the file, the same at every reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from customer360.intake.files.drafts import (
    Draft,
    column_drafts,
    event_drafts,
    mapped_drafts,
)
from customer360.intake.files.formats import Kind
from customer360.intake.files.open import OpenedFile, open_text
from customer360.intake.files.ordinals import Ordinals
from customer360.intake.files.plan import Plan
from customer360.intake.files.rows import Table
from customer360.intake.files.shopify_orders import shopify_order_drafts

# Rows whose ordinals are looked up together, and how much of them may be held meanwhile.
_CHUNK_ROWS = 2048
_CHUNK_BYTES = 4 * 1024**2
# Of an order id only so much brings equal orders together; what follows tells rows apart.
_ORDER_BYTES = 64
# 80 bits: among 10^8 rows of a shop, two share a key with a chance below one in 10^8.
_KEY_BYTES = 10


class FileSignal(NamedTuple):
    """One row, ready for the inbox."""

    body: bytes
    envelope: bytes
    rejected: tuple[str, str] | None


class Reading(NamedTuple):
    """A file being read: its signals, and the file for how far it has come."""

    file: OpenedFile
    signals: Iterator[FileSignal]


@contextmanager
def read_signals(path: Path, plan: Plan) -> Iterator[Reading]:
    """Every row of the file as a signal; iterate once."""
    with open_text(path) as file, Ordinals() as ordinals:
        yield Reading(file, _identified(_drafts(file, plan), plan, ordinals))


def _drafts(file: OpenedFile, plan: Plan) -> Iterator[Draft]:
    if plan.kind == "events":
        return event_drafts(file)
    table = Table(file)
    if plan.format == "generic":
        return mapped_drafts(table.header, plan.mapping, table.rows())
    if plan.kind == "orders":
        return shopify_order_drafts(table.header, table.rows())
    return column_drafts(table.header, table.rows())


def _identified(drafts: Iterator[Draft], plan: Plan, ordinals: Ordinals) -> Iterator[FileSignal]:
    """A row is known by its order id, its content and its ordinal among equal rows of that order."""
    for chunk in _chunks(drafts):
        keys = [_key(draft, plan.kind) for draft in chunk if not draft.problem]
        counted = zip(keys, ordinals.take(keys), strict=True)
        for draft in chunk:
            if draft.problem:
                envelope = f'{{"format":"{plan.format}","row":{draft.number}' + (
                    f',"problem":"{draft.problem[0]}"}}'
                )
                yield FileSignal(draft.body, envelope.encode(), draft.problem)
            else:
                row_key = _row_key(*next(counted))
                envelope = (
                    f'{{"format":"{plan.format}","row":{draft.number},"row_key":"{row_key}"}}'
                )
                yield FileSignal(draft.body, envelope.encode(), None)


def _chunks(drafts: Iterator[Draft]) -> Iterator[list[Draft]]:
    chunk: list[Draft] = []
    held = 0
    for draft in drafts:
        chunk.append(draft)
        held += len(draft.body) + len(draft.content)
        if len(chunk) >= _CHUNK_ROWS or held >= _CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _key(draft: Draft, kind: Kind) -> bytes:
    """The order id, for rows of one order to lie together, and a digest of all that tells rows apart."""
    digest = blake2b(draft.content.encode(), digest_size=_KEY_BYTES, person=kind.encode())
    return draft.order_id.encode()[:_ORDER_BYTES] + digest.digest()


def _row_key(key: bytes, ordinal: int) -> str:
    digest = key[-_KEY_BYTES:].hex()
    return f"{digest}.{ordinal}" if ordinal else digest

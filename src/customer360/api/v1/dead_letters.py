"""Which signals could not be used? And let one try again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from customer360.api.v1.asked import Asking, id_of
from customer360.api.v1.cursors import cut_page, decode_cursor
from customer360.api.v1.fields import Paging, Text
from customer360.api.v1.models import DeadLetterItem, DeadLetterList, Replayed
from customer360.clock import to_iso
from customer360.errors import DeadLetterNotFound
from customer360.intake.dead_letters import DeadLetter, count_letters, list_letters, replay


class DeadLetterQuestion(Paging):
    """Which dead letters are wanted."""

    source: Text | None = Field(None, description="Only those of this source")
    reason: Text | None = Field(None, description="Only those with this reason")


def list_dead_letters(
    asked: Asking, question: Annotated[DeadLetterQuestion, Query()]
) -> DeadLetterList:
    """Signals that could not be used, newest first, with the reason."""
    before = None if question.cursor is None else decode_cursor(question.cursor, int)[0]
    source, reason = question.source, question.reason
    with asked.doors.database.read() as connection:
        letters = list_letters(
            connection,
            asked.shop_id,
            source=source,
            reason=reason,
            before=before,
            limit=question.limit + 1,
        )
        total = count_letters(connection, asked.shop_id, source=source, reason=reason)
    page, next_cursor = cut_page(letters, lambda one: (one.dead_letter_id,), question.limit)
    return DeadLetterList(
        items=[_item(letter) for letter in page], next_cursor=next_cursor, total=total
    )


def replay_dead_letter(asked: Asking, dead_letter_id: str) -> Replayed:
    """Put a dead letter back into the inbox, where it waits for the worker like a new signal.

    An event that is over the limit still stays where it is."""
    number = id_of(dead_letter_id, DeadLetterNotFound)
    most_bytes, now = asked.doors.settings.max_event_bytes, asked.doors.clock.now()
    with asked.doors.database.write() as connection:
        replay(connection, asked.shop_id, [number], now, most_event_bytes=most_bytes)
    return Replayed(dead_letter_id=str(number), state="waiting")


def _item(letter: DeadLetter) -> DeadLetterItem:
    return DeadLetterItem(
        dead_letter_id=str(letter.dead_letter_id),
        source=letter.source,
        reason=letter.reason,
        detail=letter.detail,
        received_at=str(to_iso(letter.received_at)),
        failed_at=str(to_iso(letter.failed_at)),
        attempts=letter.attempts,
        retry_at=to_iso(letter.retry_at),
        import_id=None if letter.import_id is None else str(letter.import_id),
        excerpt=letter.excerpt,
    )

"""Dead letters: what could not be used and why, and trying it again."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from customer360.errors import InvalidInput
from customer360.intake.dead_letters import (
    DeadLetter,
    Replayed,
    StillTooLarge,
    count_by_reason,
    count_letters,
    list_letters,
    load_letter,
    replay,
)
from customer360.values import parse_id
from customer360.web import formats
from customer360.web.door import Door, Page
from customer360.web.formats import counted
from customer360.web.paging import part_of
from customer360.web.visit import Visit

_PAGE_ROWS = 25
# A payload may have megabytes; a page shows the part that tells what it is.
_SHOWN_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A dead letter with its payload made readable, as far as it is JSON."""

    letter: DeadLetter
    payload: str


def show(_door: Door, visit: Visit) -> Page | Response:
    """The dead letters of a reason and source, newest first."""
    shop_id = visit.shop.shop_id
    source, reason = visit.query.get("source") or None, visit.query.get("reason") or None
    before = parse_id(visit.query.get("before", ""))
    with visit.app.database.read() as connection:
        reasons = count_by_reason(connection, shop_id)
        total = count_letters(connection, shop_id, source=source, reason=reason)
        found = list_letters(
            connection, shop_id, source=source, reason=reason, before=before, limit=_PAGE_ROWS + 1
        )
    chosen = {name: value for name, value in (("source", source), ("reason", reason)) if value}
    part = part_of(visit, found, lambda letter: letter.dead_letter_id, _PAGE_ROWS, chosen)
    if part.is_past_the_end:
        return RedirectResponse(part.newest, 303)
    return Page(
        "dead_letters/list.html",
        {
            "reasons": reasons,
            "everything": sum(count.n for count in reasons),
            "source": source,
            "reason": reason,
            "total": total,
            "letters": [_shown(letter) for letter in part.rows],
            "part": part,
        },
    )


def show_one(_door: Door, visit: Visit) -> Page:
    """One dead letter, whole."""
    with visit.app.database.read() as connection:
        letter = load_letter(connection, visit.shop.shop_id, visit.id_of("dead_letter_id"))
    text = letter.body.decode("utf-8", "replace")
    return Page("dead_letters/letter.html", {"shown": Shown(letter, readable(text))})


def replay_chosen(door: Door, visit: Visit) -> Response:
    """Put the chosen ones, or all, back into the inbox."""
    most_bytes = visit.app.settings.max_event_bytes
    try:
        with visit.app.database.write() as connection:
            done = replay(
                connection,
                visit.shop.shop_id,
                _chosen(visit),
                visit.now,
                most_event_bytes=most_bytes,
            )
    except StillTooLarge as error:
        return door.redirect(f"{visit.root}/dead-letters", str(error), bad=True)
    return door.redirect(f"{visit.root}/dead-letters", _told(done))


def _told(done: Replayed) -> str:
    stays = counted(done.too_large, "stays", "stay")
    stay = f"{stays}, too large for C360_MAX_EVENT_BYTES still."
    if not done.waiting:
        return stay if done.too_large else "There was nothing to replay."
    waiting = counted(done.waiting, "signal waits", "signals wait")
    told = f"{waiting} to be processed again. What still cannot be used comes back here."
    return f"{told} {stay}" if done.too_large else told


def readable(text: str) -> str:
    """JSON with indents; anything else as it came; cut where it is very long."""
    with suppress(ValueError, RecursionError):
        text = formats.pretty_json(json.loads(text))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}\n…"


def _chosen(visit: Visit) -> list[int] | None:
    """The ids of the form; None stands for all."""
    if visit.field("which") == "all":
        return None
    ids = [found for text in visit.fields("id") if (found := parse_id(text)) is not None]
    if not ids:
        raise InvalidInput("Choose at least one dead letter, or replay all.", "id")
    return ids


def _shown(letter: DeadLetter) -> Shown:
    return Shown(letter, readable(letter.excerpt))

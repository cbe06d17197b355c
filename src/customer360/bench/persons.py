"""What does one person cost: a late event among a thousand fragments, a merge, its undo, and saying why?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from customer360.access.shops import Shop, get_shop
from customer360.api.batches import Parsed
from customer360.api.intake import segment_rows
from customer360.api.senders import Sender
from customer360.app import App, build_app
from customer360.bench.result import spread_ms
from customer360.bench.store import Progress, Store
from customer360.clock import DAY, MINUTE, Instant, to_iso
from customer360.events.model import IdentifierType
from customer360.identities.evidence import evidence_of
from customer360.intake import merging
from customer360.profiles.hydrate import find_by_identifier
from customer360.settings import Settings
from customer360.worker import Worker, collecting_rarely

_MOST_EVENT_BYTES = 32 * 1024
_CALL = '{"type":"track","event":"Visit","messageId":"%s","anonymousId":"%s","timestamp":"%s","properties":{%s}}'
_IDENTIFIERS = 50


def measure_persons(
    store: Store, fragments: int, times: int, progress: Progress
) -> dict[str, dict[str, float]]:
    """Milliseconds of each: all of the worker's step for an event, all of a page's transaction for the others."""
    settings = Settings(data_dir=store.path)
    with (
        closing(build_app(settings, role="worker")) as app,
        closing(build_app(settings, role="server")) as server,
        closing(Hand(app, store.shop_id)) as hand,
        collecting_rarely(),
    ):
        began = app.clock.now() - 300 * DAY
        late = {
            "late_event_of_one_person_ms": _late(hand, fragments, times, began, _person),
            "late_event_of_a_tablet_ms": _late(hand, fragments, times, began, _tablet),
        }
        progress("One person at a time", 1, 2)
        asked = _merge_and_undo(hand, server, times, began)
        progress("One person at a time", 2, 2)
    return {name: spread_ms(seconds) for name, seconds in (late | asked).items()}


Call = tuple[Instant, str, str]
"""When, the cookie, and the e-mail address or ""."""


class Hand:
    """Gives a shop calls and works them off."""

    def __init__(self, app: App, shop_id: int) -> None:
        self._app = app
        self._worker = Worker(app, warehouse=False)
        self._sender = Sender(shop_id, "write", True)
        self._calls = 0
        with app.database.read() as connection:
            self.shop: Shop = get_shop(connection, shop_id)

    def give(self, calls: Sequence[Call]) -> float:
        """Seconds that the worker took, after they were accepted."""
        bodies = []
        for at, cookie, email in calls:
            self._calls += 1
            told = f'"email":"{email}"' if email else ""
            bodies.append((_CALL % (self._calls, cookie, to_iso(at), told)).encode())
        parsed = Parsed(bodies, None, "segment", b"")
        now = self._app.clock.now()
        self._app.inbox.accept(segment_rows(parsed, self._sender, now, _MOST_EVENT_BYTES))
        started = time.perf_counter()
        while self._worker.turn(self.shop):
            pass
        return time.perf_counter() - started

    def close(self) -> None:
        """Let the next worker have the shop."""
        self._worker.release()


def _person(number: int) -> tuple[str, str]:
    """The cookie and the address of a person with ever new devices."""
    return f"device-{number}", "collector@example.com"


def _tablet(number: int) -> tuple[str, str]:
    """The cookie of a shop's tablet, on which somebody else signs in every time."""
    return "tablet", f"guest{number}@example.com"


def _late(
    hand: Hand,
    fragments: int,
    times: int,
    began: Instant,
    nth: Callable[[int], tuple[str, str]],
) -> list[float]:
    """Events with new evidence, each before all that there was, in a component of so many fragments."""
    hand.give([(began + n * MINUTE, *nth(n)) for n in range(fragments)])
    return [hand.give([(began - n * MINUTE, *nth(-n))]) for n in range(1, times + 1)]


def _merge_and_undo(hand: Hand, server: App, times: int, began: Instant) -> dict[str, list[float]]:
    """Two people with half of the identifiers each become one, are explained, and become two again."""
    shop, half = hand.shop, _IDENTIFIERS // 2
    seconds: dict[str, list[float]] = {"merge_ms": [], "explain_ms": [], "undo_ms": []}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name].append(time.perf_counter() - started)

    for turn in range(times):
        emails = [f"{side}{turn}@example.com" for side in "ab"]
        hand.give(
            [
                (began + n * MINUTE, f"{email}-{n}", email)
                for email in emails
                for n in range(half - 1)
            ]
        )
        with server.database.read() as connection:
            one, other = (_profile(connection, shop, email) for email in emails)
        now = server.clock.now()
        with timed("merge_ms"), server.database.write() as connection:
            row = merging.merge(connection, shop.shop_id, (one, other), actor="bench", now=now)
        with timed("explain_ms"), server.database.read() as connection:
            evidence_of(connection, shop.shop_id, row.kept_id)
        with timed("undo_ms"), server.database.write() as connection:
            merging.undo(connection, shop.shop_id, row.merge_id, actor="bench", now=now, window=DAY)
    return seconds


def _profile(connection: Any, shop: Shop, email: str) -> int:
    found = find_by_identifier(connection, shop.shop_id, shop.country, IdentifierType.EMAIL, email)
    assert found is not None, "an event with this address was worked off"
    return found

"""How soon is an event on its profile, while events come at a steady pace and people read pages?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from customer360.bench.load import Load, ready_to_send
from customer360.bench.reader import Reader
from customer360.bench.result import spread_ms
from customer360.bench.store import Progress, Store, wait_until_settled
from customer360.clock import SystemClock, to_iso

POLL_SECONDS = 0.03
"""Each prober looks so often; a time is therefore told that much too long at most."""
_PROBERS = 2
_PAGES_APART_SECONDS = 0.2
_SETTLE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Steady:
    """A steady pace, for so long."""

    events_per_second: int
    seconds: int


@dataclass(slots=True)
class Freshness:
    """Sends at a steady pace; meanwhile probes post an event each and look for it on its profile.

    `beside`: what else runs meanwhile, each in a thread of its own, until the event is set.
    """

    store: Store
    port: int
    steady: Steady
    beside: Sequence[Callable[[threading.Event], None]] = ()
    _ended: threading.Event = field(default_factory=threading.Event)
    _visible: list[float] = field(default_factory=list)
    _pages: list[float] = field(default_factory=list)
    _errors: list[Exception] = field(default_factory=list)

    def measure(self, progress: Progress) -> dict[str, Any]:
        """The times until events were visible, and those of the pages read meanwhile."""
        steady = self.steady
        profiles = [self._make_profile(number) for number in range(_PROBERS)]
        events = steady.events_per_second * steady.seconds
        load = Load(
            self.port,
            self.store.write_key,
            "steady",
            self.store.visitors,
            events,
            steady.events_per_second,
        )
        jobs: list[Callable[[], None]] = [self._read_pages]
        jobs += [partial(self._probe, number, one) for number, one in enumerate(profiles)]
        jobs += [partial(one, self._ended) for one in self.beside]
        with ready_to_send(load) as sender:
            progress("Sending steadily", 0, events)
            threads = [threading.Thread(target=self._guarded, args=(job,)) for job in jobs]
            sender.go()
            for thread in threads:
                thread.start()
            sent = sender.wait()
        self._ended.set()
        for thread in threads:
            thread.join()
        progress("Sending steadily", events, events)
        if self._errors:
            raise self._errors[0]
        return {
            "steady_events_per_second": round(events / (sent.ended - sent.started)),
            "visible_ms": spread_ms(self._visible),
            "visible_probes": len(self._visible),
            "page_ms": spread_ms(self._pages),
            "steady_acknowledgement_ms": spread_ms(sent.seconds),
        }

    def _make_profile(self, number: int) -> str:
        with closing(Reader(self.store, self.port)) as reader:
            reader.post(_probe_body(number, 0))
            # Servers end a connection that is silent for long; the next question opens another.
            reader.close()
            wait_until_settled(self.store, _SETTLE_SECONDS)
            profile_id = reader.profile_of(f"cookie:{_probe_cookie(number)}")
        if profile_id is None:
            raise LookupError("A probe of the benchmark made no profile.")
        return profile_id

    def _probe(self, number: int, profile_id: str) -> None:
        """Post an event, look until it is on the profile, and again until the sending ends."""
        serial = 0
        with closing(Reader(self.store, self.port)) as reader:
            while not self._ended.is_set():
                serial += 1
                posted = time.monotonic()
                reader.post(_probe_body(number, serial))
                while not _is_there(reader, profile_id, serial):
                    time.sleep(POLL_SECONDS)
                self._visible.append(time.monotonic() - posted)

    def _read_pages(self) -> None:
        with closing(Reader(self.store, self.port)) as reader:
            paths = ("/customers", f"/customers/{reader.profile_of(f'cookie:{_probe_cookie(0)}')}")
            number = 0
            while not self._ended.wait(_PAGES_APART_SECONDS):
                self._pages.append(reader.page(paths[number % len(paths)]))
                number += 1

    def _guarded(self, job: Callable[[], None]) -> None:
        """An error in a thread is the benchmark's own."""
        try:
            job()
        except Exception as error:
            self._errors.append(error)


def _is_there(reader: Reader, profile_id: str, serial: int) -> bool:
    newest = reader.api(f"/profiles/{profile_id}/timeline?limit=3")[1]["items"]
    return any(entry["properties"].get("probe") == serial for entry in newest)


def _probe_cookie(number: int) -> str:
    return f"probe-{number}"


def _probe_body(number: int, serial: int) -> bytes:
    event = {
        "type": "track",
        "event": "Probe Sent",
        "messageId": f"probe-{number}-{serial}-{SystemClock().now()}",
        "anonymousId": _probe_cookie(number),
        "timestamp": to_iso(SystemClock().now()),
        "properties": {"probe": serial},
    }
    return msgspec.json.encode({"batch": [event]})

"""Senders: a process of its own that posts batches over several kept connections and times every answer."""

from __future__ import annotations

import base64
import http.client
import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing.connection import Connection
from typing import NamedTuple

from customer360.bench.served import HOST
from customer360.bench.stream import Stream
from customer360.clock import Instant, SystemClock
from customer360.errors import Unavailable

EVENTS_A_BATCH = 100
_TIMEOUT_SECONDS = 60
# Between the times of two events: ten thousand happen in a second.
_APART: Instant = 100


class SendingFailed(Unavailable):
    """The server refused batches of the benchmark."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent: events of a stream; `pace` is events a second, 0 as fast as they are taken."""

    port: int
    write_key: str
    stream: str
    known: int
    events: int
    pace: int = 0
    connections: int = 8


class Sent(NamedTuple):
    """When the first batch left and the last was acknowledged (monotonic seconds), and how long each took."""

    started: float
    ended: float
    seconds: list[float]
    refused: int


class Sender:
    """The process, with everything encoded and waiting for its word."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def go(self) -> None:
        """Begin to send."""
        self._pipe.send(None)

    def wait(self) -> Sent:
        """What came of it, once everything is acknowledged; raises SendingFailed."""
        sent: Sent = self._pipe.recv()
        if sent.refused:
            raise SendingFailed(
                f"The server refused {sent.refused:,} of {len(sent.seconds):,} batches."
            )
        return sent


@contextmanager
def ready_to_send(load: Load) -> Iterator[Sender]:
    """Start the process and let it encode its batches, so that sending costs it next to nothing."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(load, theirs), daemon=True)
    process.start()
    try:
        ours.recv()
        yield Sender(ours)
    finally:
        process.join(_TIMEOUT_SECONDS)
        if process.is_alive():
            process.kill()


def events_of(load: Load) -> Iterator[bytes]:
    """The events to be sent, as if collected over the last seconds; none lies in the future."""
    now = SystemClock().now()
    first = now - load.events * _APART
    stream = Stream(load.stream, load.known)
    return stream.events(range(first, first + load.events * _APART, _APART))


def _bodies(events: Iterator[bytes]) -> list[bytes]:
    bodies = []
    while batch := list(islice(events, EVENTS_A_BATCH)):
        bodies.append(b'{"batch":[%s]}' % b",".join(batch))
    return bodies


@dataclass(slots=True)
class _Posting:
    """Batches being posted by several threads."""

    load: Load
    bodies: list[bytes]
    started: float = 0.0
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    next: Iterator[int] = field(default_factory=count)

    def run(self) -> Sent:
        self.started = time.monotonic()
        threads = [threading.Thread(target=self._post_all) for _ in range(self.load.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Sent(self.started, time.monotonic(), self.seconds, self.refused)

    def _post_all(self) -> None:
        token = base64.b64encode(f"{self.load.write_key}:".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(HOST, self.load.port, timeout=_TIMEOUT_SECONDS)
        # Taking a number is one step of the interpreter, so no two threads get the same.
        while (number := next(self.next)) < len(self.bodies):
            self._wait_for_turn(number)
            began = time.monotonic()
            connection.request("POST", "/v1/batch", self.bodies[number], headers)
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.monotonic() - began)
            self.refused += answer.status != 200
        connection.close()

    def _wait_for_turn(self, number: int) -> None:
        if self.load.pace:
            due = self.started + number * EVENTS_A_BATCH / self.load.pace
            time.sleep(max(0.0, due - time.monotonic()))


def _main(load: Load, pipe: Connection) -> None:
    posting = _Posting(load, _bodies(events_of(load)))
    pipe.send(None)
    pipe.recv()
    pipe.send(posting.run())

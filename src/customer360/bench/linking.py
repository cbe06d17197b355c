"""How many events a second find their person, when nothing else is done with them?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from customer360.access.shops import Shop, get_shop
from customer360.app import App, build_app
from customer360.bench.store import Progress, Store
from customer360.bench.stream import Stream
from customer360.clock import Instant, SystemClock
from customer360.connectors.sources.segment.translate import translate
from customer360.events.model import ShopContext, Signal, SourceRank, Trust
from customer360.events.placed import PlacedEvent
from customer360.identities.linking import link
from customer360.identities.store import write
from customer360.intake.understanding import gather_evidence
from customer360.intake.work import Work
from customer360.settings import Settings
from customer360.storage.database import Writes, next_change
from customer360.values import new_ids
from customer360.worker import collecting_rarely

# Fifty events a second.
_EVERY: Instant = 20_000


def linked_per_second(store: Store, count: int, progress: Progress) -> dict[str, Any]:
    """Evidence, links and their rows, in the batches and transactions of the worker, on a store of its own."""
    settings = Settings(data_dir=store.path)
    seconds = processor = 0.0
    with closing(build_app(settings, role="worker")) as app, collecting_rarely():
        with app.database.read() as connection:
            shop = get_shop(connection, store.shop_id)
        events, done = _placed(shop, count), 0
        while some := list(islice(events, settings.batch_events)):
            started, began = time.perf_counter(), time.process_time()
            _link(app, shop, some)
            seconds += time.perf_counter() - started
            processor += time.process_time() - began
            done += len(some)
            progress("Linking events", done, count)
    return {
        "events": count,
        "events_per_second": round(count / seconds),
        "events_per_processor_second": round(count / processor),
    }


def _link(app: App, shop: Shop, events: list[PlacedEvent]) -> None:
    """What a step of the worker does about identity."""
    work = Work(0, [], placed=events)
    gather_evidence(shop, work)
    with app.database.read() as connection:
        work.links = link(connection, shop.shop_id, work.sightings, work.evidence)
    now = app.clock.now()
    with app.database.write() as connection:
        writes = Writes()
        write(writes, shop.shop_id, next_change(connection, shop.shop_id), work.links, now)
        writes.run(connection)


def _placed(shop: Shop, count: int) -> Iterator[PlacedEvent]:
    """Events of the stream as they come to be linked."""
    context = ShopContext(currency=shop.currency, timezone=shop.timezone, country=shop.country)
    now = SystemClock().now()
    times = range(now - count * _EVERY, now, _EVERY)
    envelope = {"auth": "write"}
    for body in Stream("links").events(times):
        signal = Signal(
            source="segment",
            trust=Trust.FULL,
            rank=SourceRank.SERVER,
            received_at=now,
            body=body,
            envelope=envelope,
        )
        for event in translate(signal, context):
            yield PlacedEvent(event, new_ids.next(), "segment", signal.trust, signal.rank, now, ())

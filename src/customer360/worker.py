"""The background steps, in the order in which a shop's signals go through them.

Each shop is worked on by the holder of its lease. The lease is only for efficiency: every write carries the
change number it was computed from, so two workers can waste time but never spoil anything.

Signals and warehouse are two halves: `c360 worker` runs them in two processes, so that copying into the warehouse
takes nothing from the making of profiles.
"""

from __future__ import annotations

import gc
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from customer360.access.shops import Shop, list_shops
from customer360.app import App
from customer360.clock import SECOND, Instant
from customer360.errors import LeaseLost, ShopNotFound, WarehouseBusy
from customer360.identities.rules import present_version
from customer360.intake import batch, dead_letters
from customer360.intake.accepted import AcceptedSignals
from customer360.intake.balance import received_since
from customer360.intake.batch import Lease
from customer360.intake.files.jobs import finish_imports
from customer360.intake.resolving import Step, resolve_shop
from customer360.intake.tables import inbox
from customer360.profiles import checkouts
from customer360.segments.queue import shops_to_refresh
from customer360.segments.refresh import Refresher
from customer360.storage.checkpoints import short_log
from customer360.storage.metadata import shop_clock
from customer360.storage.mirror import fetch
from customer360.warehouse.query import EitherWarehouse, LocalWarehouse
from customer360.warehouse.sync import behind
from customer360.warehouse.voice import Voice

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many signals are done and how many still wait."""

_WAITING = "select inbox_id from inbox where shop_id = {} limit 1"
# An idle worker looks for new signals this often; it bounds how stale a quiet shop's profile can be.
_IDLE_SECONDS = 0.05
_LONGEST_RETRY_SECONDS = 300
_CHECKOUTS_EVERY: Instant = 5 * SECOND
_LETTERS_EVERY: Instant = 5 * SECOND
# While signals pour in, what a sync copies is less a signal, the longer it waits, and who makes the profiles has
# the machine meanwhile; but nothing should pile up.
_PAUSE_PER_SYNC = 2
_LONGEST_SYNC_PAUSE: Instant = 2 * SECOND
_RULES_EVERY: Instant = 5 * SECOND
_REST_AFTER: Instant = 5 * SECOND
# Counting what waits reads an index from end to end.
_COUNT_EVERY: Instant = SECOND
# While a step writes, nobody else can: so long after the last signal, those who sent are no longer waiting.
_SENDING: Instant = SECOND
_WHILE_SENDING = 500
_PATIENCE = 4
_LEARNED_WHILE_IDLE = 10
_COLLECT_AFTER_OBJECTS = 1_000_000


@dataclass(slots=True)
class _Pace:
    """When the steps of one shop are next due."""

    lease: Lease | None = None
    lease_until: Instant = 0
    synced_at: Instant = 0
    sync_took: Instant = 0
    copied_at: Instant = 0
    """When something last entered the warehouse."""
    rows_left: bool = True
    """Signals have left the inbox since somebody last asked which imports that ends."""
    checkouts_at: Instant = 0
    letters_at: Instant = 0
    rules_at: Instant = 0
    resolving: Iterator[Step] | None = None
    """The steps of resolving the shop by rules that were changed, while that is under way."""
    failures: int = 0
    retry_at: Instant = 0


class _News(NamedTuple):
    """What was asked once for all shops: is anybody sending, whose warehouse has not heard of everything, and which
    shops have segments (true: somebody changed, or one is due)?"""

    sending: bool
    behind: frozenset[int]
    segments: dict[int, bool]


@dataclass(slots=True)
class Worker:
    """Works for every shop, turn by turn: on its signals, on its warehouse, or on both."""

    app: App
    signals: bool = True
    warehouse: bool = True
    owner: int = field(default_factory=lambda: random.SystemRandom().getrandbits(62))
    _accepted: AcceptedSignals = field(default_factory=AcceptedSignals)
    _paces: dict[int, _Pace] = field(default_factory=dict)
    _refresher: Refresher | None = None
    hurried: bool = False
    """Whether some segment was refreshed in the last round, so that more may wait."""

    def __post_init__(self) -> None:
        app = self.app
        if self.warehouse and isinstance(app.warehouse, LocalWarehouse | EitherWarehouse):
            self._refresher = Refresher(app.database, app.warehouse, app.clock)

    def round(self, shops: Iterable[Shop]) -> int:
        """A turn of each shop; what all of them would ask about their warehouses is asked once."""
        news, self.hurried = self._look() if self.warehouse else None, False
        return sum(self.turn(shop, news) for shop in shops)

    def turn(self, shop: Shop, news: _News | None = None) -> int:
        """Everything that is due for one shop; returns how many signals were taken."""
        pace = self._paces.setdefault(shop.shop_id, _Pace())
        now = self.app.clock.now()
        if now < pace.retry_at:
            return 0
        try:
            taken = 0
            if self.signals:
                taken = self._work_off(shop, pace)
                self._keep_house(shop, pace, now)
            if self.warehouse:
                self._resolve_anew(shop, pace)
                news = news or self._look()
                busy = taken > 0 if self.signals else news.sending
                self._sync(shop, pace, wait=busy or shop.shop_id not in news.behind)
                if self._refresher is not None and shop.shop_id in news.segments:
                    waiting = news.segments[shop.shop_id]
                    self.hurried |= self._refresher.turn(shop, waiting=waiting)
            pace.failures = 0
            return taken
        except LeaseLost:
            pace.lease = None
            return 0
        except ShopNotFound:
            # Deleted while its signals were worked on.
            self._paces.pop(shop.shop_id, None)
            return 0
        except (OperationalError, DBAPIError, OSError) as error:
            pace.failures += 1
            delay = min(
                self.app.settings.retry_seconds * 2 ** (pace.failures - 1), _LONGEST_RETRY_SECONDS
            )
            pace.retry_at = now + delay * SECOND
            logger.warning(
                "shop %d: %s; trying again in %d s", shop.shop_id, type(error).__name__, delay
            )
            return 0

    def settle(self, shop: Shop) -> None:
        """Decide at once about everything whose time has come."""
        pace = self._paces.setdefault(shop.shop_id, _Pace())
        # An idle turn ends the imports whose last rows were just taken.
        self._work_off(shop, pace)
        pace.checkouts_at = 0
        while pace.checkouts_at <= (now := self.app.clock.now()):
            self._keep_house(shop, pace, now)
        pace.rules_at = 0
        while self._resolve_anew(shop, pace):
            pass
        self.app.warehouse.sync(shop.shop_id)
        if self._refresher is not None:
            self._refresher.finish(shop)

    def release(self) -> None:
        """Give every lease back, so that the next worker need not wait for it to end."""
        with self.app.database.write() as connection:
            connection.execute(
                update(shop_clock)
                .where(shop_clock.c.lease_owner == self.owner)
                .values(lease_until=0)
            )

    def rest(self) -> None:
        """Do what is better done while nobody waits: a file is written anew only when nothing enters it."""
        if not (self.warehouse and isinstance(self.app.warehouse, LocalWarehouse)):
            return
        now = self.app.clock.now()
        if all(now >= pace.copied_at + _REST_AFTER for pace in self._paces.values()):
            self.app.warehouse.rest()

    def _work_off(self, shop: Shop, pace: _Pace) -> int:
        app = self.app
        if not self._has_waiting(shop.shop_id):
            if pace.rows_left:
                with app.database.write() as connection:
                    finish_imports(connection, shop.shop_id, app.clock.now())
                pace.rows_left = False
            for _ in range(_LEARNED_WHILE_IDLE):
                if not self._accepted.learn(app.database, shop.shop_id):
                    break
            return 0
        lease = self._lease(shop.shop_id, pace)
        if lease is None:
            return 0
        sending, most = self._is_sending(), app.settings.batch_events
        result = batch.process(
            app.database,
            shop,
            lease,
            app.translators,
            self._accepted,
            app.clock,
            min(most, _WHILE_SENDING) if sending else most,
        )
        self._accepted.move(app.database, shop.shop_id, patience=_PATIENCE if sending else 1)
        self._accepted.learn(app.database, shop.shop_id, idle=False)
        pace.lease_until = app.clock.now() + lease.seconds * SECOND
        pace.rows_left = True
        return result.taken

    def _is_sending(self) -> bool:
        """Whether anybody is sending signals: then our transactions must be short, as theirs wait for them."""
        with self.app.database.read() as connection:
            return received_since(connection, self.app.clock.now() - _SENDING)

    def _look(self) -> _News:
        with self.app.database.read() as connection:
            sending = received_since(connection, self.app.clock.now() - _SENDING)
            segments = shops_to_refresh(connection, self.app.clock.now())
            return _News(sending, behind(connection), segments)

    def _keep_house(self, shop: Shop, pace: _Pace, now: Instant) -> None:
        app = self.app
        if now >= pace.checkouts_at:
            pace.checkouts_at = now + _CHECKOUTS_EVERY
            if checkouts.any_due(
                app.database, shop.shop_id, now, app.settings.checkout_abandoned_minutes
            ):
                with app.database.write() as connection:
                    checkouts.decide_due(
                        connection, shop.shop_id, now, app.settings.checkout_abandoned_minutes
                    )
                pace.checkouts_at = now
        if now >= pace.letters_at:
            pace.letters_at = now + _LETTERS_EVERY
            with app.database.read() as connection:
                due = shop.shop_id in dead_letters.shops_with_due(connection, now)
            if due:
                with app.database.write() as connection:
                    dead_letters.replay_due(connection, shop.shop_id, now)

    def _resolve_anew(self, shop: Shop, pace: _Pace) -> bool:
        """One step of resolving everybody by rules that were changed; whether there was one.

        It belongs to the warehouse's half: looking at everybody takes a while, and signals must not wait for it.
        """
        app = self.app
        if pace.resolving is None:
            now = app.clock.now()
            if now < pace.rules_at:
                return False
            pace.rules_at = now + _RULES_EVERY
            with app.database.read() as connection:
                if present_version(connection, shop.shop_id).resolved_at is not None:
                    return False
            pace.resolving = resolve_shop(app.database, app.clock, shop.shop_id)
        if next(pace.resolving, None) is None:
            pace.resolving = None
        return True

    def _sync(self, shop: Shop, pace: _Pace, *, wait: bool) -> None:
        """Copy what changed; not so often where there is other work, as more at once costs less a signal."""
        began, interval = self.app.clock.now(), self.app.settings.sync_interval_ms * 1000
        pause = max(interval, min(_PAUSE_PER_SYNC * pace.sync_took, _LONGEST_SYNC_PAUSE))
        if wait and began < pace.synced_at + pause:
            return
        try:
            if self.app.warehouse.sync(shop.shop_id).chunks:
                pace.copied_at = self.app.clock.now()
        except WarehouseBusy:
            logger.debug("shop %d: the warehouse is in other hands; its sync waits", shop.shop_id)
        pace.synced_at = self.app.clock.now()
        pace.sync_took = pace.synced_at - began

    def _has_waiting(self, shop_id: int) -> bool:
        with self.app.database.read() as connection:
            # Asked with every turn, also of an idle worker, so not put together anew each time.
            return any(fetch(connection, _WAITING, (shop_id,)))

    def _lease(self, shop_id: int, pace: _Pace) -> Lease | None:
        now, seconds = self.app.clock.now(), self.app.settings.lease_seconds
        if pace.lease is not None and now < pace.lease_until:
            return pace.lease
        free = (shop_clock.c.lease_until < now) | (shop_clock.c.lease_owner == self.owner)
        statement = (
            update(shop_clock)
            .where(shop_clock.c.shop_id == shop_id, free)
            .values(
                lease_owner=self.owner,
                lease_epoch=shop_clock.c.lease_epoch + 1,
                lease_until=now + seconds * SECOND,
            )
            .returning(shop_clock.c.lease_epoch)
        )
        with self.app.database.write() as connection:
            epoch = connection.execute(statement).scalar_one_or_none()
        pace.lease = None if epoch is None else Lease(shop_id, self.owner, epoch, seconds)
        pace.lease_until = now + seconds * SECOND
        return pace.lease


def run(
    app: App, stop: threading.Event | None = None, *, signals: bool = True, warehouse: bool = True
) -> None:
    """Work until told to stop; who has the warehouse also answers questions about it meanwhile."""
    stop = stop or threading.Event()
    worker = Worker(app, signals=signals, warehouse=warehouse)
    voice = None
    if warehouse and isinstance(app.warehouse, LocalWarehouse):
        voice = Voice(app.warehouse, app.settings.socket_path, app.clock)
    try:
        with collecting_rarely(), short_log(app.database) if warehouse else nullcontext():
            while not stop.is_set():
                taken = worker.round(_shops(app))
                if not taken:
                    if voice is not None:
                        voice.begin()
                    worker.rest()
                    if not worker.hurried:
                        stop.wait(_IDLE_SECONDS)
    finally:
        if voice is not None:
            voice.end()
        worker.release()


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Batches make many objects and no cycles: the collector would only walk live rows again and again."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER_OBJECTS, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        # What stays frozen is never given back, and DuckDB's module complains of that at the very end.
        gc.unfreeze()


def drain(app: App, shop_id: int | None = None, progress: Progress | None = None) -> int:
    """Process everything that waits, then return how many signals were taken here.

    Works beside a running worker: whoever has the lease does the work, and this returns when nothing waits.
    """
    worker, done, waiting, counted_at = Worker(app), 0, 0, -SECOND
    shop_ids = [shop.shop_id for shop in _shops(app) if shop_id in (None, shop.shop_id)]
    try:
        with collecting_rarely():
            while True:
                shops = [shop for shop in _shops(app) if shop.shop_id in shop_ids]
                taken = worker.round(shops)
                done, waiting = done + taken, max(waiting - taken, 0)
                if not taken or app.clock.now() >= counted_at + _COUNT_EVERY:
                    waiting, counted_at = _waiting(app, shop_ids), app.clock.now()
                if progress is not None:
                    progress(done, waiting)
                if not taken and not waiting:
                    break
                if not taken:
                    time.sleep(_IDLE_SECONDS)
            for shop in shops:
                worker.settle(shop)
    finally:
        worker.release()
    return done


def _shops(app: App) -> list[Shop]:
    with app.database.read() as connection:
        return list_shops(connection)


def _waiting(app: App, shop_ids: list[int]) -> int:
    with app.database.read() as connection:
        return connection.execute(
            select(func.count()).select_from(inbox).where(inbox.c.shop_id.in_(shop_ids))
        ).scalar_one()

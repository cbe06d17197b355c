"""Figures for Prometheus; sums over all shops, so nobody and no shop can be told from them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from customer360.api.doors import Doors
from customer360.clock import SECOND
from customer360.identities.tables import alerts
from customer360.intake.tables import dead_letters, inbox, signal_counts
from customer360.jobs.tables import job_runs
from customer360.segments.store import DELETED
from customer360.segments.tables import segments
from customer360.storage.metadata import profile_changes, shop_clock

_ACKNOWLEDGEMENT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


_good = job_runs.c.state == "done"
_last = select(func.max(job_runs.c.run_id)).where(_good)
_LAST_RUNS = (
    select(job_runs.c.kind, func.min(job_runs.c.ended_at))
    .where(_good, job_runs.c.run_id.in_(_last.group_by(job_runs.c.shop_id, job_runs.c.kind)))
    .group_by(job_runs.c.kind)
)
"""By kind of job, when the shop that waits longest was last done."""


class Metrics:
    """What this server counts itself, and what the profile store knows, at the moment it is asked."""

    def __init__(self, doors: Doors) -> None:
        self._registry = CollectorRegistry()
        self._received = Counter(
            "customer360_received",
            "Signals that this server acknowledged",
            ["source"],
            registry=self._registry,
        )
        self._acknowledgement = Histogram(
            "customer360_acknowledgement_seconds",
            "From the first byte of a request to its answer, when its signals are on disk",
            registry=self._registry,
            buckets=_ACKNOWLEDGEMENT_SECONDS,
        )
        self._registry.register(_Stored(doors))

    def received(self, source: str, signals: int) -> None:
        """Count acknowledged signals of a source."""
        self._received.labels(source).inc(signals)

    def acknowledged(self, seconds: float) -> None:
        """Note how long an acknowledgement took."""
        self._acknowledgement.observe(seconds)

    def text(self) -> bytes:
        """The figures in Prometheus' text format; asks the profile store."""
        return generate_latest(self._registry)


class _Stored(Collector):
    """What the profile store knows: the balance, what waits, what is dead."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def describe(self) -> list[Metric]:
        """Nothing, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        columns = signal_counts.c
        outcome = select(columns.source, columns.outcome, func.sum(columns.n))
        waiting = select(func.count(), func.min(inbox.c.received_at))
        dead = select(dead_letters.c.source, dead_letters.c.reason, func.count())
        seen = alerts.c.acknowledged_at.is_not(None)
        told = select(alerts.c.kind, seen, func.count()).where(alerts.c.ended_at.is_(None))
        states = select(segments.c.state, func.count()).where(segments.c.state != DELETED)
        following = shop_clock.c.shop_id == profile_changes.c.shop_id
        changed = (
            select(func.count())
            .select_from(profile_changes.join(shop_clock, following))
            .where(shop_clock.c.refreshed.is_not(None))
        )
        with self._doors.database.read() as connection:
            ran = connection.execute(_LAST_RUNS).all()
            by_state = connection.execute(states.group_by(segments.c.state)).all()
            to_follow = connection.execute(changed).scalar_one()
            outcomes = connection.execute(outcome.group_by(columns.source, columns.outcome)).all()
            n_waiting, oldest = connection.execute(waiting).one()
            letters = connection.execute(
                dead.group_by(dead_letters.c.source, dead_letters.c.reason)
            ).all()
            open_alerts = connection.execute(told.group_by(alerts.c.kind, seen)).all()
        yield _gauge(
            "signals", "All signals by what became of them", ["source", "outcome"], outcomes
        )
        yield _gauge(
            "waiting_signals", "Acknowledged signals that wait for the worker", [], [(n_waiting,)]
        )
        age = 0.0 if oldest is None else max(0, self._doors.clock.now() - oldest) / SECOND
        yield _gauge("oldest_waiting_seconds", "Age of the oldest signal that waits", [], [(age,)])
        yield _gauge("dead_letters", "Dead letters by reason", ["source", "reason"], letters)
        yield _gauge(
            "open_alerts",
            "Profiles that people should look at, by whether somebody has",
            ["kind", "acknowledged"],
            [(kind, str(bool(by)).lower(), n) for kind, by, n in open_alerts],
        )
        yield _gauge("segments", "Segments by how well their members follow", ["state"], by_state)
        yield _gauge(
            "profile_changes_to_follow",
            "Changes of profiles that the members of segments do not follow yet",
            [],
            [(to_follow,)],
        )
        now = self._doors.clock.now()
        yield _gauge(
            "job_age_seconds",
            "Since the last run that went well, of the shop that waits longest",
            ["kind"],
            [(kind, max(0, now - ended) / SECOND) for kind, ended in ran],
        )
        yield self._commits()

    def _commits(self) -> Metric:
        figures = self._doors.inbox.figures
        return SummaryMetricFamily(
            "customer360_inbox_commit_seconds",
            "Transactions of the inbox; each holds all signals that waited for it",
            count_value=figures.commits,
            sum_value=figures.seconds,
        )


def _gauge(name: str, text: str, labels: list[str], rows: object) -> Metric:
    gauge = GaugeMetricFamily(f"customer360_{name}", text, labels=labels)
    for *values, number in rows:  # type: ignore[attr-defined]
        gauge.add_metric([str(value) for value in values], float(number))
    return gauge

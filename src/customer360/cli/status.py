"""`c360 status`: is everything received, processed and fresh?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import typer

from customer360.cli.opening import JsonOption, opened_database, read_settings
from customer360.cli.output import print_json, print_pairs, size
from customer360.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from customer360.access.shops import Shop
    from customer360.clock import Instant
    from customer360.enrichment.standing import Standing
    from customer360.jobs.log import Run
    from customer360.storage.database import Database


_UNFINISHED = ("waiting", "syncing", "failed")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status")(status)


def status(as_json: JsonOption = False) -> None:
    """Show what came in, what waits and what runs."""
    settings = read_settings()
    with opened_database(settings) as database:
        answer = current_status(settings, database)
    if as_json:
        print_json(answer)
        return
    for shop in answer["shops"]:
        _print_shop(shop)
    if not answer["shops"]:
        typer.echo(
            "There is no shop yet; `c360 shop create` makes one, `c360 demo` a sample shop.\n"
        )
    running = (
        "running" if answer["worker_running"] else "not running: `c360 serve` or `c360 worker`"
    )
    pairs = [
        ("worker", running),
        ("profile store", f"{answer['database']}, revision {answer['revision']}"),
        ("free on disk", size(answer["free_bytes"])),
    ]
    print_pairs(pairs)


def current_status(settings: Settings, database: Database) -> dict[str, Any]:
    """What `c360 status --json` prints."""
    from customer360.access.shops import list_shops
    from customer360.clock import SystemClock
    from customer360.migrations import HEAD

    now = SystemClock().now()
    with database.read() as connection:
        shops = [_shop_status(connection, shop, now) for shop in list_shops(connection)]
    return {
        "worker_running": worker_answers(settings),
        "database": database.dialect,
        "revision": HEAD,
        "free_bytes": shutil.disk_usage(settings.data_dir).free,
        "shops": shops,
    }


def worker_answers(settings: Settings) -> bool:
    """Whether a worker of this data folder listens on its socket."""
    from customer360.storage.flight import worker_answers as answers

    return answers(settings.socket_path)


def _shop_status(connection: Connection, shop: Shop, now: Instant) -> dict[str, Any]:
    from sqlalchemy import func, select

    from customer360.clock import SECOND, to_iso
    from customer360.enrichment.standing import standing as standing_of_scores
    from customer360.identities.scan_log import SCAN
    from customer360.intake.balance import balance
    from customer360.intake.dead_letters import count_letters
    from customer360.intake.tables import inbox, signal_counts
    from customer360.jobs.log import last_run
    from customer360.segments.queue import standing
    from customer360.storage.metadata import shop_clock

    def one(column: Any, where: Any) -> Any:
        return connection.execute(select(column).where(where)).scalar_one()

    oldest = one(func.min(inbox.c.received_at), inbox.c.shop_id == shop.shop_id)
    last = one(func.max(signal_counts.c.last_at), signal_counts.c.shop_id == shop.shop_id)
    lag = one(shop_clock.c.change - shop_clock.c.synced, shop_clock.c.shop_id == shop.shop_id)
    scan = last_run(connection, shop.shop_id, SCAN)
    scores = standing_of_scores(connection, shop.shop_id)
    total = balance(connection, shop.shop_id).total
    segments = standing(connection, shop.shop_id)
    return {
        "shop_id": str(shop.shop_id),
        "name": shop.name,
        "state": shop.state,
        "balance": {
            "received": total.received,
            "stored": total.stored,
            "duplicate": total.duplicate,
            "rejected": total.rejected,
            "waiting": total.waiting,
        },
        "balance_holds": total.holds,
        "dead_letters": count_letters(connection, shop.shop_id),
        "last_signal_at": to_iso(last),
        "oldest_waiting_seconds": None if oldest is None else round((now - oldest) / SECOND, 1),
        "changes_to_sync": lag,
        "segments": {**segments.states, "failures": list(segments.failures)},
        "profiles_to_refresh": segments.people,
        "last_scan": None if scan is None else _scan_status(scan),
        "last_enrichment": None if scores.last is None else _scores_status(scores),
    }


def _scan_status(scan: Run) -> dict[str, Any]:
    from customer360.clock import SECOND, to_iso
    from customer360.identities.scan_log import Found

    found = scan.reported(Found)
    took = None if scan.ended_at is None else round((scan.ended_at - scan.began_at) / SECOND, 1)
    return {
        "state": scan.state,
        "began_at": to_iso(scan.began_at),
        "seconds": took,
        "candidates": found.candidates if found else None,
        "new": found.new if found else None,
        "learned": found.learned if found else None,
        "reason": scan.reason or None,
    }


def _scores_status(scores: Standing) -> dict[str, Any]:
    from customer360.clock import to_iso

    last, report = scores.last, scores.report
    assert last is not None
    return {
        "state": last.state,
        "began_at": to_iso(last.began_at),
        "computed_at": to_iso(scores.computed_at),
        "people": report.people if report else None,
        "reason": last.reason or None,
    }


def _print_scores(scores: dict[str, Any]) -> None:
    if scores["computed_at"]:
        typer.echo(f"  scores of {scores['people']:,} computed {scores['computed_at']}")
    if scores["state"] != "done":
        reason = f": {scores['reason']}" if scores["reason"] else ""
        typer.echo(f"  the run of {scores['began_at']} is {scores['state']}{reason}")


def _print_scan(scan: dict[str, Any]) -> None:
    from customer360.values import counted

    said = {
        "running": "runs",
        "failed": f"failed and is tried again with the next scan: {scan['reason']}",
        "done": f"{counted(scan['candidates'] or 0, 'pair')}, {scan['new'] or 0:,} of them new,"
        f" by {'learned' if scan['learned'] else 'fixed'} weights in {scan['seconds']} s",
    }
    typer.echo(f"  scanned for duplicates {scan['began_at']}: {said[scan['state']]}")


def _print_segments(shop: dict[str, Any]) -> None:
    from customer360.values import counted

    states = shop["segments"]
    unfinished = [f"{states[state]:,} {state}" for state in _UNFINISHED if states[state]]
    if unfinished:
        typer.echo(f"  segments {', '.join(unfinished)}")
    for failure in states["failures"]:
        typer.echo(f"    {failure}")
    if shop["profiles_to_refresh"]:
        people = counted(shop["profiles_to_refresh"], "profile")
        typer.echo(f"  segments do not follow yet what changed of {people}")


def _print_shop(shop: dict[str, Any]) -> None:
    from customer360.values import counted

    balance, oldest = shop["balance"], shop["oldest_waiting_seconds"]
    name = shop["name"] if shop["state"] == "active" else f"{shop['name']} ({shop['state']})"
    typer.secho(f"{name}  {shop['shop_id']}", bold=True)
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in balance["rejected"].items())
    parts = [f"stored {balance['stored']:,}", f"duplicate {balance['duplicate']:,}"]
    parts += [f"rejected {sum(balance['rejected'].values()):,}", f"waiting {balance['waiting']:,}"]
    holds = "=" if shop["balance_holds"] else "≠"
    typer.echo(f"  received {balance['received']:,} {holds} {' + '.join(parts)}")
    typer.echo(f"  dead letters {shop['dead_letters']:,}{f' ({reasons})' if reasons else ''}")
    typer.echo(f"  last signal {shop['last_signal_at'] or '–'}")
    if oldest is not None:
        typer.echo(f"  the oldest signal waits since {oldest:,.1f} s")
    if shop["changes_to_sync"]:
        typer.echo(f"  the warehouse lacks {counted(shop['changes_to_sync'], 'change')}")
    _print_segments(shop)
    if shop["last_scan"]:
        _print_scan(shop["last_scan"])
    if shop["last_enrichment"]:
        _print_scores(shop["last_enrichment"])
    typer.echo()

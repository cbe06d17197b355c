"""`c360 import`: take a file in, with a progress bar, and say what became of every row."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.opening import JsonOption, ShopOption, named_shop, opened_app
from customer360.cli.output import print_json, print_pairs

if TYPE_CHECKING:
    from rich.progress import Progress

    from customer360.app import App
    from customer360.intake.files.jobs import Import
    from customer360.intake.files.plan import Plan

# How often to look whether the worker has done with the rows.
_POLL_SECONDS = 0.2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_file)


def import_file(
    kind: Annotated[str, typer.Argument(help="orders, customers, profiles or events.")],
    file: Annotated[Path, typer.Argument(help="A CSV file, or JSON lines for events; may be .gz.")],
    shop: ShopOption,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="shopify, klaviyo, segment or generic; told by the header."),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which column is what, in a generic file; A+B joins two. May be given often.",
        ),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Write the rejected rows to this CSV file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take a file in. Interrupted, it goes on where it was; a second run changes nothing."""
    from customer360.intake.files.jobs import start_import
    from customer360.intake.files.plan import as_kind, plan_import

    with opened_app("cli") as app:
        with app.database.read() as connection:
            shop_id = named_shop(connection, shop).shop_id
        plan = plan_import(file, as_kind(kind), format_, map_ or ())
        if not as_json:
            _say_plan(plan)
        with _progress(quiet=as_json) as progress:
            job = start_import(app.database, app.clock, shop_id, file, plan)
            if job.rows_read and not as_json:
                progress.print(f"Going on after row {job.rows_read:,}, where it was interrupted.")
            job = _read(app, job, file, progress)
            job = _process(app, job, progress)
        _report(app, job, file, rejects, as_json=as_json)


def _say_plan(plan: Plan) -> None:
    typer.echo(f"Reading {plan.kind} as {plan.format}.")
    for field, columns in plan.mapping.items():
        typer.echo(f"  {field} = {' + '.join(columns)}")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
    )
    # On standard error, so that standard output has the report alone.
    with Progress(*columns, console=Console(stderr=True, quiet=quiet)) as progress:
        yield progress


def _read(app: App, job: Import, file: Path, progress: Progress) -> Import:
    """Put the rows into the inbox."""
    from customer360.intake.files.jobs import read_import

    task = progress.add_task("Reading", total=job.bytes_total or 1, rows=job.rows_read)

    def show(now: Import) -> None:
        progress.update(task, completed=now.bytes_read, rows=now.rows_read)

    job = read_import(
        app.database,
        app.clock,
        job,
        file,
        show,
        min_free_bytes=app.settings.min_free_bytes,
    )
    progress.update(task, completed=job.bytes_total or 1, rows=job.rows_read)
    return job


def _process(app: App, job: Import, progress: Progress) -> Import:
    """Wait until every row is on its profile: the running worker does it, or else we do."""
    from customer360.cli.status import worker_answers
    from customer360.intake.files.jobs import finish_imports
    from customer360.worker import drain

    task = progress.add_task("Processing", total=job.rows_read or 1, rows=0)

    def show(*_counts: int) -> None:
        now = _now(app, job)
        done = now.rows_read - now.waiting
        progress.update(task, completed=done, rows=done)

    while True:
        with app.database.write() as connection:
            finish_imports(connection, job.shop_id, app.clock.now())
        show()
        if (now := _now(app, job)).state == "done":
            return now
        if worker_answers(app.settings):
            time.sleep(_POLL_SECONDS)
        else:
            drain(app, job.shop_id, show)


def _now(app: App, job: Import) -> Import:
    from customer360.intake.files.jobs import load_import

    with app.database.read() as connection:
        return load_import(connection, job.shop_id, job.import_id)


def _report(app: App, job: Import, file: Path, rejects: Path | None, *, as_json: bool) -> None:
    from customer360.intake.files.jobs import rejection_reasons
    from customer360.intake.files.rejects import write_rejects

    with app.database.read() as connection:
        reasons = rejection_reasons(connection, job.shop_id, job.import_id)
        if rejects is not None:
            with rejects.open("w", encoding="utf-8", newline="") as output:
                write_rejects(connection, job, file, output)
    if as_json:
        print_json(described(job, reasons))
        return
    pairs = [
        ("rows read", f"{job.rows_read:,}"),
        ("stored", f"{job.stored:,}"),
        ("duplicate", f"{job.duplicate:,}"),
        ("rejected", f"{job.rejected:,}"),
        *((f"  {reason}", f"{n:,}") for reason, n in reasons.items()),
    ]
    print_pairs(pairs)
    if rejects is not None:
        typer.echo(f"The rejected rows are in {rejects}.")


def described(job: Import, reasons: dict[str, int]) -> dict[str, Any]:
    """The import as `--json` prints it."""
    return {
        "import_id": str(job.import_id),
        "shop_id": str(job.shop_id),
        "kind": job.kind,
        "format": job.format,
        "file_name": job.file_name,
        "mapping": {field: "+".join(columns) for field, columns in job.mapping.items()},
        "state": job.state,
        "rows_read": job.rows_read,
        "stored": job.stored,
        "duplicate": job.duplicate,
        "rejected": reasons,
    }

"""`c360 bench`: how fast is it here, and how far is that from what the machine can do?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from customer360.cli.output import print_json, print_pairs

if TYPE_CHECKING:
    from customer360.bench.result import Result
    from customer360.bench.store import Progress


class Name(StrEnum):
    """The benchmarks there are."""

    INGEST = "ingest"
    IMPORT = "import"
    READ = "read"
    IDENTITY = "identity"
    SEGMENTS = "segments"
    MEMBERSHIP = "membership"
    ENRICH = "enrich"
    REPORTS = "reports"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(
    name: Annotated[
        Name | None,
        typer.Argument(
            help="ingest, import, read, identity, segments, membership, enrich or reports; all without it."
        ),
    ] = None,
    events: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Events to send; for read, of a profile; for identity, to link; for segments, reports: of the shop.",
        ),
    ] = None,
    preload: Annotated[
        int | None,
        typer.Option(
            min=0, help="ingest, membership: events that the store holds before; 5000000."
        ),
    ] = None,
    segments: Annotated[
        int | None, typer.Option(min=2, help="membership and segments: segments of the shop; 300.")
    ] = None,
    customers: Annotated[
        int | None, typer.Option(min=1, help="read: customers in the list; 200000.")
    ] = None,
    profiles: Annotated[
        int | None, typer.Option(min=1, help="segments and reports: profiles of the shop; 1000000.")
    ] = None,
    buyers: Annotated[
        int | None, typer.Option(min=1, help="enrich: buyers of the shop; 1000000.")
    ] = None,
    lines: Annotated[
        int | None, typer.Option(min=1, help="import: lines of the file; 525000.")
    ] = None,
    pairs: Annotated[
        int | None,
        typer.Option(min=1, help="identity: pairs of observation and identifier; 10000000."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="import: this file instead.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Keep filled stores in this folder, and reuse them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Measure in a folder of its own: each figure beside the limit of this machine, and their ratio."""
    given = {
        "events": events,
        "preload": preload,
        "segments": segments,
        "customers": customers,
        "profiles": profiles,
        "buyers": buyers,
        "lines": lines,
        "pairs": pairs,
        "file": file,
    }
    if store is not None:
        store.mkdir(parents=True, exist_ok=True)
    results = []
    for one in Name if name is None else (name,):
        with _progress() as progress:
            results.append(_run(one, given, store, progress))
        if not as_json:
            print_pairs(results[-1].as_pairs())
            typer.echo()
    if as_json:
        told = [result.as_json() for result in results]
        print_json(told if name is None else told[0])


def _run(name: Name, given: dict[str, Any], store: Path | None, progress: Progress) -> Result:
    from customer360.bench.enrichment import bench_enrich
    from customer360.bench.identity import bench_identity
    from customer360.bench.importing import bench_import
    from customer360.bench.ingest import bench_ingest
    from customer360.bench.membership import bench_membership
    from customer360.bench.reading import bench_read
    from customer360.bench.reports import bench_reports
    from customer360.bench.segments import bench_segments

    takes: dict[Name, tuple[Callable[..., Result], tuple[str, ...]]] = {
        Name.INGEST: (bench_ingest, ("events", "preload")),
        Name.IMPORT: (bench_import, ("lines", "file")),
        Name.READ: (bench_read, ("events", "customers")),
        Name.IDENTITY: (bench_identity, ("pairs", "events")),
        Name.SEGMENTS: (bench_segments, ("profiles", "events", "segments")),
        Name.MEMBERSHIP: (bench_membership, ("preload", "segments")),
        Name.ENRICH: (bench_enrich, ("buyers",)),
        Name.REPORTS: (bench_reports, ("profiles", "events")),
    }
    measure, options = takes[name]
    chosen = {option: given[option] for option in options if given[option] is not None}
    return measure(**chosen, kept_in=store, progress=progress)


@contextmanager
def _progress() -> Iterator[Progress]:
    """One bar for each step, on standard error, so that standard output has the figures alone."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
    )

    steps: dict[str, TaskID] = {}
    columns = (
        TextColumn("{task.description:22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def show(step: str, done: int, total: int) -> None:
            if step not in steps:
                steps[step] = bars.add_task(step)
            bars.update(steps[step], completed=done, total=total)

        yield show

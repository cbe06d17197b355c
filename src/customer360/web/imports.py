"""Imports: upload a file, say what its columns mean, watch it being taken in, fetch what was rejected."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from starlette.responses import Response

from customer360.clock import SECOND, Instant
from customer360.errors import InvalidInput
from customer360.intake.files.formats import KINDS
from customer360.intake.files.jobs import Import, list_imports, load_import, rejection_reasons
from customer360.intake.files.mapping import ColumnMapping, check_mapping, fields_of
from customer360.intake.files.plan import Plan, Preview, as_kind, preview
from customer360.intake.files.rejects import write_rejects
from customer360.web import formats
from customer360.web.door import Door, Page
from customer360.web.formats import counted
from customer360.web.spreadsheet import download
from customer360.web.uploads import Upload
from customer360.web.visit import Visit
from customer360.web.words import field_label

_KIND_LABELS = {
    "orders": ("Orders", "One line per item; Shopify's orders export or any table of transactions"),
    "customers": ("Customers", "One line per person; Shopify's customers export or any table"),
    "profiles": ("Profiles", "Klaviyo's profiles export"),
    "events": ("Events", "Segment events as JSON, one a line"),
}
_FORMAT_LABELS = {
    "shopify": "Shopify export",
    "klaviyo": "Klaviyo export",
    "segment": "Segment events",
    "generic": "Table",
}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_SAMPLES = 3
# Before that a guess at the time left swings too much to be of use.
_ESTIMATE_AFTER: Instant = 2 * SECOND


class Progress(NamedTuple):
    """How far an import has come, and a sentence about it."""

    done: int
    whole: int
    sentence: str


class ColumnRow(NamedTuple):
    """A column of the file, some of its values, and the field it seems to be."""

    name: str
    samples: list[str]
    field: str


def show(_door: Door, visit: Visit) -> Page:
    """The upload form and the imports so far."""
    with visit.app.database.read() as connection:
        jobs = list_imports(connection, visit.shop.shop_id)
    return Page(
        "imports/list.html", {"jobs": jobs, "kinds": _KIND_LABELS, "formats": _FORMAT_LABELS}
    )


def upload(door: Door, visit: Visit) -> Page | Response:
    """Takes a file in and asks about its columns next."""
    file = visit.upload("file")
    if file is None:
        raise InvalidInput("Choose a file first.", "file")
    kind = as_kind(visit.field("kind") or KINDS[0])
    kept = door.uploads.keep(visit.shop.shop_id, file.file, file.filename or "", kind)
    return door.redirect(f"{visit.root}/imports/new/{kept.upload_id}")


def show_columns(door: Door, visit: Visit) -> Page:
    """What the file looks like, and which of its columns is which field."""
    return _columns_page(door.uploads.find(visit.shop.shop_id, visit.id_of("upload_id")))


def start(door: Door, visit: Visit) -> Page | Response:
    """Begins the import with the columns as confirmed."""
    found = door.uploads.find(visit.shop.shop_id, visit.id_of("upload_id"))
    try:
        job = door.uploads.start(visit.shop.shop_id, found, _plan(found, visit))
    except InvalidInput as error:
        return _columns_page(found, _without_option(str(error)))
    return door.redirect(f"{visit.root}/imports/{job.import_id}")


def show_one(door: Door, visit: Visit) -> Page:
    """How far an import has come, or what became of its rows."""
    # Asked first: a reading that ends in between would look as if it had been interrupted.
    is_running = door.uploads.is_running(visit.id_of("import_id"))
    with visit.app.database.read() as connection:
        job = load_import(connection, visit.shop.shop_id, visit.id_of("import_id"))
        reasons = rejection_reasons(connection, visit.shop.shop_id, job.import_id)
    return Page(
        "imports/import.html",
        {
            "job": job,
            "kinds": _KIND_LABELS,
            "formats": _FORMAT_LABELS,
            "reasons": reasons,
            "progress": progress_of(job, visit.now),
            "is_running": is_running,
            "is_moving": is_running or job.state == "processing",
            "has_file": door.uploads.has_file(job),
        },
    )


def resume(door: Door, visit: Visit) -> Response:
    """Goes on with an import that was interrupted."""
    with visit.app.database.read() as connection:
        job = load_import(connection, visit.shop.shop_id, visit.id_of("import_id"))
    if job.state not in ("reading", "failed"):
        raise InvalidInput("This import has been read to its end.")
    door.uploads.resume(job)
    return door.redirect(f"{visit.root}/imports/{job.import_id}", "The import goes on.")


def rejects(door: Door, visit: Visit) -> Response:
    """The rejected rows as they stand in the file, each with its reason."""
    with visit.app.database.read() as connection:
        job = load_import(connection, visit.shop.shop_id, visit.id_of("import_id"))
        output = io.StringIO()
        write_rejects(connection, job, door.uploads.file_of(job), output)
    return download(f"rejects-{job.import_id}.csv", _pieces(output.getvalue()))


def progress_of(job: Import, now: Instant) -> Progress:
    """Reading counts bytes; what is read then waits for the worker, which counts rows."""
    if job.state == "processing":
        done = job.rows_read - job.waiting
        waiting = counted(job.waiting, "waits", "wait")
        return Progress(done, max(job.rows_read, 1), f"All rows read. {waiting} to be processed.")
    share = job.bytes_read / job.bytes_total if job.bytes_total else 0.0
    sentence = f"{formats.percent(share)} read, {counted(job.rows_read, 'row')} so far."
    elapsed = now - job.started_at
    if elapsed > _ESTIMATE_AFTER and share > 0.01:
        left = max(round(elapsed * (1 - share) / share), SECOND)
        sentence += f" About {formats.span(left)} left."
    return Progress(job.bytes_read, max(job.bytes_total, 1), sentence)


def _columns_page(found: Upload, error: str = "") -> Page:
    kind = as_kind(found.kind)
    try:
        seen = None if kind == "events" else preview(found.path, kind)
    except InvalidInput as problem:
        return Page("imports/columns.html", _columns_values(found, None, str(problem)), 422)
    return Page("imports/columns.html", _columns_values(found, seen, error), 422 if error else 200)


def _columns_values(found: Upload, seen: Preview | None, error: str) -> dict[str, object]:
    kind = as_kind(found.kind)
    return {
        "upload": found,
        "error": error,
        "is_usable": seen is not None or (kind == "events" and not error),
        "label": _KIND_LABELS[kind][0],
        "format": seen.format if seen else "segment",
        "format_label": _FORMAT_LABELS[seen.format if seen else "segment"],
        "encoding": seen.encoding if seen else "",
        "delimiter": _DELIMITERS.get(seen.delimiter, seen.delimiter) if seen else "",
        "columns": _column_rows(seen) if seen else [],
        "fields": []
        if kind == "events"
        else [(name, field_label(name)) for name in fields_of(kind)],
    }


def _column_rows(seen: Preview) -> list[ColumnRow]:
    fields = {column: name for name, columns in seen.mapping.items() for column in columns}
    return [
        ColumnRow(
            name,
            [row[place] for row in seen.rows if place < len(row) and row[place]][:_SAMPLES],
            fields.get(name, "") if seen.format == "generic" else "",
        )
        for place, name in enumerate(seen.header)
    ]


def _plan(found: Upload, visit: Visit) -> Plan:
    """How to read the file; the form names a field for each column by the column's place."""
    kind = as_kind(found.kind)
    if kind == "events":
        return Plan(kind, "segment")
    seen = preview(found.path, kind)
    if seen.format != "generic":
        return Plan(kind, seen.format)
    chosen: dict[str, list[str]] = defaultdict(list)
    for place, name in enumerate(seen.header):
        if field := visit.field(f"column-{place}"):
            chosen[field].append(name)
    mapping: ColumnMapping = {field: tuple(names) for field, names in chosen.items()}
    check_mapping(mapping, seen.header, kind)
    return Plan(kind, "generic", mapping)


def _without_option(message: str) -> str:
    """The message without the hint at an option of the command line."""
    return message.partition(", for example --map")[0]


def _pieces(text: str) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"
    yield text.encode("utf-8", "replace")

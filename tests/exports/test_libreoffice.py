"""A spreadsheet opens the files as they were meant: every cell is what it says, and none is a formula."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import missing
from tests.exports.conftest import Exporter
from tests.exports.test_export import ADDRESS, WILD

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
# Comma, quote, UTF-8, from the first line on; what the dialog proposes for a file with a mark.
_AS_CSV = "CSV:44,34,76,1"
SPREADSHEETS = ("csv_excel", "basic", "extended")


@pytest.fixture
def libreoffice() -> str:
    if path := shutil.which("soffice"):
        return path
    missing(
        "LIBREOFFICE",
        "LibreOffice is not installed; on Debian: apt-get install libreoffice-calc-nogui",
    )


def opened(libreoffice: str, paths: list[Path], folder: Path) -> list[ElementTree.Element]:
    """The files as LibreOffice understood them."""
    subprocess.run(
        [
            libreoffice,
            f"-env:UserInstallation={(folder / 'settings').as_uri()}",
            "--headless",
            f"--infilter={_AS_CSV}",
            *("--convert-to", "fods", "--outdir", str(folder)),
            *map(str, paths),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return [ElementTree.parse(folder / f"{path.stem}.fods").getroot() for path in paths]


def cells_of(sheet: ElementTree.Element) -> list[list[str]]:
    """The text of each cell, row by row."""
    rows = []
    for row in sheet.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row.iter(f"{_TABLE}table-cell"):
            lines = ("".join(line.itertext()) for line in cell.findall(f"{_TEXT}p"))
            cells += [" ".join(lines)] * int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        rows.append(cells)
    return rows


def same(shown: str, written: str) -> bool:
    """Whether a cell shows what was written, but for blanks, TRUE, and the zeros that end a number."""
    if "".join(shown.casefold().split()) == "".join(written.casefold().split()):
        return True
    return written.replace(".", "").isdigit() and float(shown) == float(written)


def test_libreoffice_shows_what_was_exported_and_computes_nothing(
    quick: Exporter, libreoffice: str, tmp_path: Path
) -> None:
    contacts = {"email": "ann@x.example", "phone": "086 100 0009"}
    quick.person("u1", **contacts, firstName=WILD, lastName="-1+2", address=ADDRESS)
    quick.person("u2", firstName="=1+1", lastName="x;=2+2", address={"city": "@SUM(A1)"})
    quick.house.drain()
    tables = {format: quick.table(format) for format in (*SPREADSHEETS, "csv")}
    paths = [tmp_path / f"{format}.csv" for format in tables]
    for path in paths:
        path.write_bytes(quick.file(path.stem))

    sheets = dict(zip(tables, opened(libreoffice, paths, tmp_path / "opened"), strict=True))

    formulas = {
        format: [cell for cell in sheet.iter() if cell.get(f"{_TABLE}formula")]
        for format, sheet in sheets.items()
    }
    for format in SPREADSHEETS:
        assert formulas[format] == []
        shown = cells_of(sheets[format])
        for seen, written in zip(shown, tables[format], strict=False):
            width = len(written)
            different = [
                pair for pair in zip(seen[:width], written, strict=True) if not same(*pair)
            ]
            assert different == []
        assert len(tables[format]) == 3
    # It would have computed: nobody made the file for programs safe.
    assert formulas["csv"]

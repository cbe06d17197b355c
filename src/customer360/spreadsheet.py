"""CSV as a spreadsheet opens it: UTF-8 with a mark if wanted, safe against formulas, a piece at a time."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

# A sign that begins a formula, as wide as in East Asia too; and where a semicolon or line break begins a cell for a
# spreadsheet of another country, one that begins no number.
_FORMULA = re.compile(
    r"^(?=\s*[=+\-@\uff0b\uff0d\uff1d\uff20])|^(?=[\t\r\n])"
    r"|(?:(?<=;)|(?<=\S[\t\r\n]))(?=\s*(?:[=@\uff1d\uff20]|[+\-\uff0b\uff0d]\s*[^\d\s]))"
)
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
# A spreadsheet would drop the zeros of the one, and what follows fifteen digits of the other.
_NO_NUMBER = re.compile(r"0\d+|\d{16,}")
# Sent in pieces of about this size: fewer, larger packets.
_PIECE_CHARACTERS = 32_000


def safe_text(text: str) -> str:
    """The text such that a spreadsheet takes it neither for a formula nor for a number: an apostrophe before it."""
    if _NO_NUMBER.fullmatch(text):
        return f"'{text}"
    return _without_formulas(text)


def safe_cell(text: str) -> str:
    """The text such that no spreadsheet takes it for a formula; numbers stay as they are."""
    return text if _NUMBER.fullmatch(text) else _without_formulas(text)


def _without_formulas(text: str) -> str:
    # Most cells are a word, a number or a hash.
    return text if text.isalnum() else _FORMULA.sub("'", text)


def as_csv(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, mark: bool = True
) -> Iterator[bytes]:
    """The bytes of the file, a piece at a time; with `mark`, spreadsheets know it for UTF-8. Cells are safe already."""
    buffer = io.StringIO("\ufeff" if mark else "", newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > _PIECE_CHARACTERS:
            yield _bytes(buffer)
    yield _bytes(buffer)


def _bytes(buffer: io.StringIO) -> bytes:
    """What the buffer holds, and empty it; no program reads on after a NUL."""
    text = buffer.getvalue().replace("\0", "")
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")

"""Which rows does a CSV file have? Every one is given or named as broken, and none swallows its neighbours."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from customer360.errors import InvalidInput
from customer360.intake.files.open import MAX_LINE, TOO_LONG, OpenedFile, is_decoded
from customer360.values import counted

DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 1000
# What a file of rejected rows has in front; mended and read again, its rows are those of the original.
REJECT_COLUMNS = ("row", "reason", "detail")
# Records that the delimiter is judged by.
_SAMPLE = 25


class Row(NamedTuple):
    """One data row: as many cells as the header has, unless `problem` (reason, detail) says what is wrong."""

    cells: list[str]
    problem: tuple[str, str] | None = None


class Table:
    """A CSV file from its header on; `rows` may be iterated once."""

    def __init__(self, file: OpenedFile) -> None:
        self._encoding = file.encoding
        self._lines = _Lines(file)
        self.delimiter = _delimiter_of(self._lines)
        self._reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)
        self.header: list[str] = []
        self._in_front = 0
        header = _clean_header(next(self._records(), Row([])))
        self._in_front = 3 if tuple(header[:3]) == REJECT_COLUMNS and len(header) > 3 else 0
        self.header = header[self._in_front :]

    def rows(self) -> Iterator[Row]:
        """The data rows; empty lines are none."""
        width, in_front = len(self.header), self._in_front
        for row in self._records():
            if in_front:
                row = Row(row.cells[in_front:], row.problem)
            if row.problem is None and len(row.cells) != width:
                yield _fitted(row.cells, width)
            else:
                yield row

    def _records(self) -> Iterator[Row]:
        """The records of the file, however many cells each has."""
        lines, reader, encoding = self._lines, self._reader, self._encoding
        while True:
            lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._recover(str(error))
                continue
            except _LineTooLong:
                yield Row([], ("row_too_long", f"The line has more than {MAX_LINE:,} characters"))
                continue
            if not cells:
                continue
            if lines.beyond_ascii and not is_decoded("".join(cells), encoding):
                yield Row(cells, ("bad_encoding", f"The row is not valid {encoding}"))
                continue
            yield Row(cells)

    def _recover(self, error: str) -> Row:
        """Give up the first line of a record alone: what followed it is read again, as lines of their own."""
        first, *others = self._lines.taken
        self._lines.give_back(others)
        if "field limit" in error and not others:
            longest = f"A cell has more than {csv.field_size_limit():,} characters"
            return Row([first], ("field_too_long", longest))
        if first.count('"') % 2 == 0 and is_decoded(first, self._encoding):
            # Quotes within a quoted cell that nobody doubled. The line alone still makes sense.
            cells = next(csv.reader([first], delimiter=self.delimiter), [])
            if len(cells) == len(self.header) + self._in_front:
                return Row(cells)
        detail = "A quoted cell never ends, or text follows its last quote"
        return Row([first], ("bad_quoting", detail))


class _LineTooLong(Exception):
    """The line is longer than any table's; what is beyond the limit has been skipped."""


class _Lines:
    """The lines of a file, which remembers those of the present record and takes some back."""

    def __init__(self, file: OpenedFile) -> None:
        self.taken: list[str] = []
        self.beyond_ascii = False
        self._read = file.read_line
        self._waiting: deque[str] = deque()
        self._taken_length = 0

    def __iter__(self) -> _Lines:
        return self

    def begin(self) -> None:
        """A new record begins with the next line."""
        self.taken.clear()
        self.beyond_ascii = False
        self._taken_length = 0

    def give_back(self, lines: Sequence[str]) -> None:
        """These lines come next, again."""
        self._waiting.extendleft(reversed(lines))

    def peek(self, count: int) -> list[str]:
        """The next lines, which stay to be read."""
        self._waiting.extend(islice(iter(self._read, ""), count))
        return [line for line in self._waiting if line != TOO_LONG]

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._read()
        if not line:
            raise StopIteration
        self._taken_length += len(line)
        if line == TOO_LONG or self._taken_length > MAX_LINE:
            self._end_record(line)
        if not line.isascii():
            self.beyond_ascii = True
        self.taken.append(line)
        return line

    def _end_record(self, line: str) -> None:
        """This line is not of the present record, or is a record that nobody can read."""
        if self.taken:
            self._waiting.appendleft(line)
            raise csv.Error("the record is too long")
        raise _LineTooLong


def _delimiter_of(lines: _Lines) -> str:
    """The delimiter that cuts the first records into the most columns, equally many in nearly all."""
    sample = lines.peek(_SAMPLE)
    first = sample[0].strip("\ufeff\r\n ").lower() if sample else ""
    if first in {f"sep={delimiter}" for delimiter in DELIMITERS}:
        # Excel's own way of saying it.
        next(lines)
        return first[-1]
    return max(DELIMITERS, key=lambda delimiter: _fit(sample, delimiter))


def _fit(sample: Sequence[str], delimiter: str) -> tuple[bool, int]:
    try:
        widths = [len(record) for record in csv.reader(sample, delimiter=delimiter) if record]
    except csv.Error:
        return False, 0
    if not widths:
        return False, 0
    consistent = Counter(widths)[widths[0]] >= 0.8 * len(widths)
    return consistent and widths[0] > 1, widths[0]


def _clean_header(row: Row) -> list[str]:
    """Trimmed names, each one once: a second "Email" is "Email (2)", a nameless third column "Column 3"."""
    if row.problem:
        raise InvalidInput(f"The header cannot be read: {row.problem[1]}")
    if not row.cells:
        raise InvalidInput("The file is empty")
    if len(row.cells) > MAX_COLUMNS:
        raise InvalidInput(f"The file has {len(row.cells):,} columns; {MAX_COLUMNS:,} are the most")
    names: dict[str, None] = {}
    for number, cell in enumerate(row.cells, start=1):
        name = plain = " ".join(cell.replace("\ufeff", "").split()) or f"Column {number}"
        times = 1
        while name in names:
            times += 1
            name = f"{plain} ({times})"
        names[name] = None
    return list(names)


def _fitted(cells: list[str], width: int) -> Row:
    """A row of another width than the header's; empty cells too many at its end are an exporter's habit."""
    if len(cells) > width and not any(cells[width:]):
        return Row(cells[:width])
    reason = "too_few_columns" if len(cells) < width else "too_many_columns"
    return Row(cells, (reason, f"The row has {counted(len(cells), 'column')}, the header {width}"))

"""Shopify's orders export: one row for each line of an order, and only its first row tells the whole order.

The first row of an order becomes a signal with the order and all its lines; each further row is a signal of
its own that says which order it continues, so that every row of the file is accounted for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from customer360.intake.files.drafts import Draft, broken, content_of, filled
from customer360.intake.files.rows import Row

# Twice Shopify's own limit of 500 lines an order; what goes on longer is no order. Characters: eight times its size.
MAX_LINES = 1000
_MAX_LENGTH = 4_000_000
_encode = msgspec.json.Encoder().encode
# What a row that continues an order repeats of it and of all its lines, so that all of its rows are usable or none:
# whoever mends the rejected ones then has the whole order in hand.
_REPEATED = (
    *("Name", "Id", "Created at", "Paid at", "Fulfilled at", "Cancelled at"),
    *("Currency", "Total", "Discount Amount", "Refunded Amount"),
)
_CHECKED = ("Lineitem quantity", "Lineitem price", "Lineitem discount")


def shopify_order_drafts(header: Sequence[str], rows: Iterator[Row]) -> Iterator[Draft]:
    """One draft for each row of the export, an order at a time."""
    header = [_canonical(name) for name in header]
    orders = _Orders(header)
    for number, row in enumerate(rows, start=1):
        if row.problem:
            yield broken(number, row)
        elif orders.continues(row.cells):
            if problem := orders.add(number, row.cells):
                yield broken(number, Row(row.cells, problem))
        else:
            yield from orders.finish()
            orders.add(number, row.cells)
    yield from orders.finish()


def _canonical(name: str) -> str:
    """The names that the translator looks up, in whatever case the file has them."""
    return (
        name.capitalize() if name.lower().startswith("lineitem") else _KNOWN.get(name.lower(), name)
    )


_KNOWN = {name.lower(): name for name in _REPEATED}


class _Orders:
    """Gathers the rows of one order after the other."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = header
        self._name = header.index("Name")
        self._id = header.index("Id") if "Id" in header else None
        self._content = content_of(header)
        self._rows: list[tuple[int, Sequence[str]]] = []
        self._length = 0

    def continues(self, cells: Sequence[str]) -> bool:
        """Whether a row is of the same order as the rows before it."""
        if not self._rows or not cells[self._name]:
            return False
        first = self._rows[0][1]
        same_id = self._id is None or cells[self._id] in ("", first[self._id])
        return same_id and cells[self._name] == first[self._name]

    def add(self, number: int, cells: Sequence[str]) -> tuple[str, str] | None:
        """Take a row in; says what is wrong where it is one too many."""
        self._length += sum(map(len, cells))
        if len(self._rows) >= MAX_LINES or self._length > _MAX_LENGTH:
            return "too_many_lines", f"The order has more than {MAX_LINES:,} lines"
        self._rows.append((number, cells))
        return None

    def finish(self) -> Iterator[Draft]:
        """The drafts of the order whose rows are complete."""
        rows, self._rows, self._length = self._rows, [], 0
        if not rows:
            return
        parts = [_split(filled(self._header, cells)) for _, cells in rows]
        contents = [self._content(cells) for _, cells in rows]
        order, lines = parts[0][0], [line for _, line in parts]
        order_id = order.get("Id") or order.get("Name", "")
        body: dict[str, object] = {"order": order, "lines": lines}
        yield Draft(rows[0][0], order_id, "\x1e".join(contents), _encode(body))
        repeated = _only(order, _REPEATED)
        checked = [_only(line, _CHECKED) for line in lines]
        for (number, _), line, content in zip(rows[1:], lines[1:], contents[1:], strict=True):
            body = {"continues": repeated, "line": line, "lines": checked}
            yield Draft(number, order_id, content, _encode(body))


def _only(row: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: row[name] for name in names if name in row}


def _split(row: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What a row says of its order, and of its line."""
    line = {
        name: cell for name, cell in row.items() if name.startswith("Lineitem") or name == "Vendor"
    }
    return {name: cell for name, cell in row.items() if name not in line}, line

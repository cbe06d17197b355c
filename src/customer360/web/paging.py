"""Lists that go back from the newest row: where a page ends, and where the others are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from customer360.web.visit import Visit

Row = TypeVar("Row")


class Part(NamedTuple, Generic[Row]):
    """The rows of one page, and the addresses of the newest ones and of the older ones, "" for none."""

    rows: Sequence[Row]
    newest: str
    older: str

    @property
    def is_past_the_end(self) -> bool:
        """Whether what stood here is gone: the newest rows are the page to show."""
        return bool(self.newest and not self.rows)


def part_of(
    visit: Visit,
    found: Sequence[Row],
    id_of: Callable[[Row], int],
    limit: int,
    chosen: Mapping[str, str] | None = None,
) -> Part[Row]:
    """The first `limit` of what was found; `chosen` are the filters, which stay in the addresses.

    `before` in the address of a page is the id of the last row of the page before.
    """
    rows, filters = found[:limit], dict(chosen or {})
    older = filters | {"before": str(id_of(rows[-1]))} if len(found) > limit else {}
    return Part(
        rows,
        newest=_address(visit, filters) if visit.query.get("before") else "",
        older=_address(visit, older) if older else "",
    )


def _address(visit: Visit, query: Mapping[str, str]) -> str:
    return f"{visit.path}?{urlencode(query)}" if query else visit.path

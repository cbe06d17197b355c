"""How often has this row been in the file before? Counted on disk, so that memory stays the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from customer360.intake.files.scratch import KEYS_A_STATEMENT, Scratch


class Ordinals(Scratch):
    """Counts equal keys over a whole file, in a temporary database that goes with it."""

    def __init__(self) -> None:
        super().__init__("seen (key blob primary key, n integer) without rowid")
        self._database.execute("begin")

    def take(self, keys: Sequence[bytes]) -> list[int]:
        """For each key in turn, how many equal ones came before it."""
        ordinals: list[int] = []
        for start in range(0, len(keys), KEYS_A_STATEMENT):
            ordinals += self._take(keys[start : start + KEYS_A_STATEMENT])
        return ordinals

    def _take(self, keys: Sequence[bytes]) -> list[int]:
        counts = Counter(keys)
        # A key begins with its order id, and files have their orders more or less in turn: sorted keys share pages.
        values = [value for item in sorted(counts.items()) for value in item]
        rows = self._database.execute(
            f"insert into seen (key, n) values {', '.join(['(?, ?)'] * len(counts))} "
            "on conflict (key) do update set n = n + excluded.n returning key, n",
            values,
        )
        before = {key: n - counts[key] for key, n in rows}
        ordinals = []
        for key in keys:
            ordinals.append(before[key])
            before[key] += 1
        return ordinals

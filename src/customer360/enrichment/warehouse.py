"""Scores in the warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from customer360.enrichment.columns import KEPT
from customer360.storage.mirror import Field, Kind, Mirror, Rows, fetch

SCORES_MIRROR = 9
"""Number of the scores in tombstones."""

_FIELDS = (Field("profile_id", Kind.ID), *KEPT)
_LISTS = [place for place, field in enumerate(_FIELDS) if field.kind is Kind.TEXTS]
_CHANGED = (
    f"select {', '.join(field.name for field in _FIELDS)} from scores"
    " where shop_id = {} and change > {} and change <= {} order by change, profile_id"
)


def _rows(connection: Connection, shop_id: int, after: int, upto: int) -> Iterator[Rows]:
    for rows in fetch(connection, _CHANGED, (shop_id, after, upto)):
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place in _LISTS:
            columns[place] = [None if text is None else json.loads(text) for text in columns[place]]
        # The titles of products come from the warehouse: they were scrubbed when they entered it.
        yield Rows(columns[0], columns, own_words={})


SCORES_OF_PROFILES = Mirror(
    table="scores",
    number=SCORES_MIRROR,
    fields=_FIELDS,
    key="profile_id",
    changed_in="scores",
    rows=_rows,
    owner="profile_id",
)

MIRRORS = (SCORES_OF_PROFILES,)

"""What is every row of a file? Its body, its key, and what the reader of the file found wrong with it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from customer360.events.model import Signal, Unusable

_T = TypeVar("_T")

_DETAILS = {
    "too_few_columns": "The row has fewer columns than the header.",
    "too_many_columns": "The row has more columns than the header.",
    "bad_encoding": "The row is not in the encoding of the rest of the file.",
}


def check_readable(signal: Signal) -> None:
    """Raise Unusable for a row that the reader of the file could not use either, as it does when replayed."""
    problem = signal.envelope.get("problem")
    if type(problem) is str:
        raise Unusable(problem, _DETAILS.get(problem, "The row could not be read."))


def read_row(signal: Signal, decoder: msgspec.json.Decoder[_T]) -> _T:
    """The body of a row; raises Unusable where it is none."""
    check_readable(signal)
    try:
        return decoder.decode(signal.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Unusable("malformed_row", "The row is no object of texts.") from None


def row_key(signal: Signal) -> str:
    """What tells this row from every other one of the shop's files; raises Unusable without it."""
    key = signal.envelope.get("row_key")
    if type(key) is not str or not key:
        raise Unusable("missing_row_key", "The signal is no row of a file.")
    return key

"""The words of a rule's text form: how they are told apart, and how operators and values are written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

from customer360.errors import InvalidQuery
from customer360.segments.ast import Scalar
from customer360.segments.catalogue import ValueType

TokenKind = Literal["text", "day", "number", "name", "mark", "end"]


class Token(NamedTuple):
    """A word of the text: what was written, what it means, and how many characters stand before it."""

    kind: TokenKind
    written: str
    start: int

    @property
    def word(self) -> str:
        """A name as keywords are compared; empty for any other token."""
        return self.written.upper() if self.kind == "name" else ""

    @property
    def text(self) -> str:
        """What quoted text says."""
        return _ESCAPED.sub(r"\1", self.written[1:-1])


OPERATOR_TEXT: dict[str, str] = {
    "eq": "=",
    "neq": "!=",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "between": "BETWEEN",
    "in": "IN",
    "not_in": "NOT IN",
    "contains": "CONTAINS",
    "not_contains": "NOT CONTAINS",
    "starts_with": "STARTS WITH",
    "ends_with": "ENDS WITH",
    "is_empty": "IS NULL",
    "is_not_empty": "IS NOT NULL",
    "before": "BEFORE",
    "after": "AFTER",
    "on": "ON",
    "in_last_days": "IN LAST",
    "not_in_last_days": "NOT IN LAST",
}
"""Every operator as the text form has it; `IN LAST` and `NOT IN LAST` are followed by a number and DAYS."""

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<text>'(?:[^'\\]|\\.|'')*')
    | (?P<day>\d{4}-\d{2}-\d{2}(?:[Tt][\d:.]+(?:[Zz]|[+-]\d\d:?\d\d)?)?(?![\w-])
             |[+-]\d+[A-Za-z]+\b|\d+_[a-z]+_ago\b)
    | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))
    | (?P<name>[A-Za-z_]\w*(?:\.\w+)*)
    | (?P<mark><=|>=|!=|<>|[=<>(),:])
    """,
    re.VERBOSE | re.DOTALL,
)
# What other languages and word processors put around a text.
_OTHER_QUOTES = '"`‘’‚“”„«»'
# A quote is doubled or has a backslash before it, a backslash is doubled.
_ESCAPED = re.compile(r"(?:'|\\(?=['\\]))(['\\])")


def tokens_of(query: str) -> Iterator[Token]:
    """The words of a text, the last one its end; raises InvalidQuery where something is no word."""
    start = 0
    while start < len(query):
        found = _TOKEN.match(query, start)
        if found is None:
            if query[start] == "'":
                raise InvalidQuery("This text has no closing quote", start)
            if query[start] in _OTHER_QUOTES:
                raise InvalidQuery("Text stands in single quotes, such as 'Dublin'", start)
            raise InvalidQuery(f"{query[start]!r} means nothing here", start)
        if found.lastgroup != "space":
            yield Token(found.lastgroup, found[0], start)  # type: ignore[arg-type]
        start = found.end()
    yield Token("end", "", len(query))


def quoted(text: str) -> str:
    """Text as it is written."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def written(value: Scalar, kind: ValueType) -> str:
    """A value of this type as it is written."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if kind == "time" else quoted(value)

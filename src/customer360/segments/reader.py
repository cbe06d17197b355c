"""Reads a rule's text word by word: operators, values, and where each stands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn, TypeVar

from customer360.errors import InvalidQuery, InvalidRule
from customer360.segments.catalogue import ValueType
from customer360.segments.tokens import OPERATOR_TEXT, Token, tokens_of

Made = TypeVar("Made")

_BY_WORDS = {tuple(text.split()): op for op, text in OPERATOR_TEXT.items() if text[0].isalpha()}
_BY_MARK = {text: op for op, text in OPERATOR_TEXT.items() if not text[0].isalpha()}
_BY_MARK["<>"] = "neq"
# The longest first, as NOT IN LAST begins with NOT IN.
_WORDS = sorted(_BY_WORDS, key=len, reverse=True)
_NUMERIC = ("number", "money", "custom")


class Comparison(NamedTuple):
    """An operator and its value as JSON would have it; `places` says where each stands."""

    op: str
    value: Any
    places: dict[str, int]


class Reader:
    """A text and how far it is read."""

    def __init__(self, query: str) -> None:
        self._tokens = list(tokens_of(query))
        self._read = 0

    @property
    def next(self) -> Token:
        """The word to come."""
        return self._tokens[self._read]

    def take(self) -> Token:
        """The word to come, which is read with that; the end stays."""
        token = self.next
        if token.kind != "end":
            self._read += 1
        return token

    def has(self, *words: str) -> bool:
        """Whether these keywords and marks are to come."""
        coming = self._tokens[self._read : self._read + len(words)]
        return len(coming) == len(words) and all(
            word in (token.word, token.written if token.kind == "mark" else None)
            for word, token in zip(words, coming, strict=True)
        )

    def skip(self, *words: str) -> bool:
        """The same, and they are read with that."""
        found = self.has(*words)
        if found:
            self._read += len(words)
        return found

    def want(self, mark: str) -> None:
        """Read a mark that has to come."""
        if not self.skip(mark):
            self.fail(f"{mark} is wanted here")

    def fail(self, message: str, token: Token | None = None) -> NoReturn:
        """Raise InvalidQuery at a word, the one to come where none is named."""
        at = token or self.next
        if at.kind == "end":
            message += ", and the text ends"
        raise InvalidQuery(message, at.start)

    def listed(self, read: Callable[[], Made]) -> list[Made]:
        """What stands between parentheses, with commas."""
        self.want("(")
        found: list[Made] = []
        while not self.skip(")"):
            if found:
                self.want(",")
            found.append(read())
        return found

    def name_in_quotes(self, what: str) -> str:
        """A name that only the shop knows: in parentheses and quotes."""
        self.want("(")
        if self.next.kind != "text":
            self.fail(f"{what} is wanted here, in single quotes")
        name = self.take().text
        self.want(")")
        return name

    def comparison(
        self, name: str, kind: ValueType, operators: Sequence[str], *, colon: bool = False
    ) -> Comparison:
        """An operator that fits, and its value; a colon, where it is allowed, says "is" and of dates "since"."""
        token = self.next
        if colon and self.skip(":"):
            op = "gte" if kind == "time" else "in" if self.has("(") else "eq"
        else:
            op = self._operator(name)
        if op not in operators:
            fitting = ", ".join(OPERATOR_TEXT[one] for one in operators)
            self.fail(f"{name} cannot be compared like this; use {fitting}", token)
        places = {"op": token.start, "value": self.next.start}
        return Comparison(op, self._value(op, kind, places), places)

    def _operator(self, name: str) -> str:
        if self.next.kind == "mark" and self.next.written in _BY_MARK:
            return _BY_MARK[self.take().written]
        for words in _WORDS:
            if self.skip(*words):
                return _BY_WORDS[words]
        return self.fail(f"An operator is wanted after {name}")

    def _value(self, op: str, kind: ValueType, places: dict[str, int]) -> Any:
        if op in ("is_empty", "is_not_empty"):
            return None
        if op in ("in_last_days", "not_in_last_days"):
            days = self._literal("number")
            if not (self.skip("DAYS") or self.skip("DAY")):
                self.fail("DAYS is wanted here")
            return days
        if op == "between":
            return [self._numbered(kind, places, 0), self._second(kind, places)]
        if op in ("in", "not_in"):
            found: list[Any] = []
            self.listed(lambda: found.append(self._numbered(kind, places, len(found))))
            return found
        return self._literal(kind)

    def _second(self, kind: ValueType, places: dict[str, int]) -> Any:
        if not self.skip("AND"):
            self.fail("AND and a second value are wanted here")
        return self._numbered(kind, places, 1)

    def _numbered(self, kind: ValueType, places: dict[str, int], number: int) -> Any:
        places[f"value.{number}"] = self.next.start
        return self._literal(kind)

    def _literal(self, kind: ValueType) -> Any:
        token = self.take()
        if token.kind == "text":
            return token.text
        if token.kind == "number":
            return Decimal(token.written) if kind in _NUMERIC else token.written
        if kind == "time" and token.kind in ("day", "name"):
            return token.written
        if token.word in ("TRUE", "FALSE") and kind in ("boolean", "custom"):
            return token.word == "TRUE"
        if kind in ("number", "money"):
            self.fail("A number is wanted here, such as 3 or 19.90", token)
        if kind == "boolean":
            self.fail("true or false is wanted here", token)
        return self.fail("A value is wanted here; text stands in single quotes", token)

    def make(self, name: Token, make: Callable[[str, Any], Made], comparison: Comparison) -> Made:
        """What a comparison makes; InvalidRule becomes InvalidQuery at the word that does not fit."""
        try:
            return make(comparison.op, comparison.value)
        except InvalidRule as error:
            places = {"attribute": name.start, "property": name.start, **comparison.places}
            position = places.get(
                error.path, places.get(error.path.partition(".")[0], places["value"])
            )
            raise InvalidQuery(str(error), position) from error

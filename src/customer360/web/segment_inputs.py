"""What the builder shows of each piece of a rule: its inputs, made from the catalogue alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from customer360.profiles.attributes import BY_NAME
from customer360.segments.catalogue import (
    COUNT_OPERATORS,
    EVENT_BY_NAME,
    OPERATOR_WORDS,
    ValueType,
    operators_of,
    property_of,
)
from customer360.segments.days import TODAY
from customer360.web.formats import in_words
from customer360.web.segment_form import OTHER, ROOT, Piece
from customer360.web.segment_options import (
    COUNT_WORDS,
    MOMENTS,
    OTHER_EVENT,
    SUBJECTS,
    TIME_WORDS,
    TYPES,
    YES_NO,
    Option,
    choices_of,
    property_options,
    worded,
)
from customer360.web.segment_rule import LAST_DAYS, LISTS, VALUELESS, fitting

InputKind: TypeAlias = Literal["select", "text", "number", "date", "chips", "words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One field. `reshapes`: what it says decides which fields follow. `offers`: whose values are offered in it."""

    name: str
    label: str
    kind: InputKind
    value: str = ""
    options: Sequence[Option] = ()
    chosen: Sequence[tuple[str, str]] = ()
    reshapes: bool = False
    offers: str = ""
    error: str = ""

    @property
    def field_id(self) -> str:
        """Its id in the page."""
        return self.name.replace(".", "-")


class Line(NamedTuple):
    """Inputs beside each other; `path` is told where the line can be removed."""

    inputs: Sequence[Input]
    path: str = ""


class Condition(NamedTuple):
    """A condition as the builder shows it: its first line, and below it those of events."""

    path: str
    number: str
    negations: int
    line: Line
    more: Sequence[Line]
    help: str


class Group(NamedTuple):
    """A group as the builder shows it."""

    path: str
    number: str
    negations: int
    match: str
    parts: Sequence[Group | Condition]
    error: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """Makes the inputs of one form: by field, what is wrong; the events that the shop has, and its segments."""

    currency: str
    errors: Mapping[str, str]
    custom_events: Sequence[str] = ()
    segments: Sequence[tuple[int, str]] = ()

    def group(self, piece: Piece, path: str = ROOT, number: str = "") -> Group:
        """A group with everything in it."""
        parts = [
            (self.group if part.is_group else self.condition)(
                part, f"{path}.{place}", f"{number}.{place + 1}".lstrip(".")
            )
            for place, part in enumerate(piece.parts)
        ]
        match = "any" if piece.get("match") == "any" else "all"
        return Group(path, number, piece.negations, match, parts, self.errors.get(path, ""))

    def condition(self, piece: Piece, path: str, number: str) -> Condition:
        """A condition: what it is about, and then whatever that needs."""
        kind, name = piece.subject
        first = [self._select(path, "what", "What", piece.get("what"), self._subjects(piece), True)]
        more: list[Line] = []
        about = ""
        if kind == "event":
            if piece.get("what") == f"event:{OTHER}":
                first.append(
                    self._input(path, "event", "Name of the event", "text", piece.get("event"))
                )
            did = (Option("yes", "have"), Option("no", "have not"))
            first.insert(
                0, self._select(path, "did", "Whether they did", piece.get("did", "yes"), did)
            )
            more = self._event_lines(piece, path, name)
        elif kind == "segment":
            first += self._segment(piece, path)
        elif known := BY_NAME.get(name):
            about = known.help
            first += self._comparison(piece, path, known.type, known.choices, f"attribute:{name}")
        return Condition(path, number, piece.negations, Line(first), more, about)

    def _segment(self, piece: Piece, path: str) -> list[Input]:
        member = (Option("yes", "is in"), Option("no", "is not in"))
        chosen = piece.get("segment")
        known = [Option(str(each), name) for each, name in self.segments]
        if chosen and all(option.value != chosen for option in known):
            known.append(Option(chosen, f"A segment that is gone ({chosen})"))
        return [
            self._select(path, "member", "Whether they are", piece.get("member", "yes"), member),
            self._select(
                path, "segment", "Segment", chosen, (Option("", "Choose a segment"), *known)
            ),
        ]

    def _event_lines(self, piece: Piece, path: str, event: str) -> list[Line]:
        lines = [
            Line(self._property(part, f"{path}.{place}", event), f"{path}.{place}")
            for place, part in enumerate(piece.parts)
        ]
        return [
            *lines,
            Line(
                [
                    *self._count(piece, path),
                    *self._sum(piece, path, event),
                    *self._within(piece, path),
                ]
            ),
        ]

    def _property(self, line: Piece, path: str, event: str) -> list[Input]:
        said, name = line.get("property"), line.property_name
        options = (Option("", "Choose a property"), *property_options(event, said))
        inputs = [
            self._words("where"),
            self._select(path, "property", "Property", said, options, True),
        ]
        if said == OTHER:
            inputs.append(
                self._input(path, "name", "Name of the property", "text", line.get("name"))
            )
        known = property_of(event, name) if said else None
        if known is None:
            return inputs
        offers = f"event:{event}:{name}" if name else ""
        return inputs + self._comparison(line, path, known.type, known.choices, offers)

    def _count(self, piece: Piece, path: str) -> list[Input]:
        op = piece.get("count-op")
        options = (Option("", "any number of times"), *worded(COUNT_OPERATORS, COUNT_WORDS))
        chosen = [self._select(path, "count-op", "How often", op, options, True)]
        if op not in COUNT_OPERATORS:
            return chosen
        return [*chosen, *self._values(piece, path, "number", op, "count-"), self._words("times")]

    def _sum(self, piece: Piece, path: str, event: str) -> list[Input]:
        said = piece.get("sum-property")
        summable = [
            option
            for option in property_options(event, said)
            if (known := property_of(event, option.value)) is None
            or known.type in ("number", "money", "custom")
        ]
        if not summable:
            return []
        named = (one._replace(label=f"with {one.label} altogether") for one in summable)
        options = (Option("", "with any sum"), *named)
        inputs = [self._select(path, "sum-property", "Sum of", said, options, True)]
        if said == OTHER:
            inputs.append(
                self._input(path, "sum-name", "Property to sum", "text", piece.get("sum-name"))
            )
        if said:
            op = fitting(piece.get("sum-op"), COUNT_OPERATORS)
            known = property_of(event, piece.get("sum-name") if said == OTHER else said)
            kind = known.type if known else "number"
            words = worded(COUNT_OPERATORS, COUNT_WORDS)
            inputs.append(self._select(path, "sum-op", "How much", op, words, True))
            inputs += self._values(piece, path, kind if kind == "money" else "number", op, "sum-")
        return inputs

    def _within(self, piece: Piece, path: str) -> list[Input]:
        how = piece.get("within")
        options = (
            Option("", "at any time"),
            Option("last", "in the last"),
            Option("between", "between"),
        )
        inputs = [self._select(path, "within", "When", how, options, True)]
        if how == "last":
            inputs.append(self._input(path, "days", "How many days", "number", piece.get("days")))
            inputs.append(self._words("days"))
        if how == "between":
            inputs += self._bound(piece, path, "from", ("since", "after"), "any beginning")
            inputs.append(self._words("and"))
            inputs += self._bound(piece, path, "to", ("until", "before"), "now")
        return inputs

    def _bound(
        self, piece: Piece, path: str, end: str, names: tuple[str, str], none: str
    ) -> list[Input]:
        chosen = piece.get(end)
        options = (Option("", none), *(Option(name, name) for name in names))
        label = "Beginning" if end == "from" else "End"
        inputs = [self._select(path, end, label, chosen, options, True)]
        return inputs + (self._moment(piece, path, f"{end}-", "", label) if chosen else [])

    def _comparison(
        self, piece: Piece, path: str, kind: ValueType, choices: Sequence[str], offers: str
    ) -> list[Input]:
        operators = operators_of(kind)
        op = fitting(piece.get("op"), operators, kind)
        words = OPERATOR_WORDS | (TIME_WORDS if kind == "time" else {})
        chosen = self._select(path, "op", "Comparison", op, worded(operators, words), True)
        return [chosen, *self._values(piece, path, kind, op, "", choices, offers)]

    def _values(
        self,
        piece: Piece,
        path: str,
        kind: ValueType,
        op: str,
        prefix: str = "",
        choices: Sequence[str] = (),
        offers: str = "",
    ) -> list[Input]:
        """The inputs of what is compared with."""
        if op in VALUELESS:
            return []
        if op in LISTS:
            return self._listed(piece, path, kind, choices, offers)
        if op in LAST_DAYS:
            return [*self._value(piece, path, "number", op), self._words("days")]
        one = self._value(piece, path, kind, op, prefix, "", choices, offers)
        if op != "between":
            return one
        return [*one, self._words("and"), *self._value(piece, path, kind, op, prefix, "2")]

    def _value(
        self,
        piece: Piece,
        path: str,
        kind: ValueType,
        op: str,
        prefix: str = "",
        end: str = "",
        choices: Sequence[str] = (),
        offers: str = "",
    ) -> list[Input]:
        name, label = f"{prefix}value{end}", "To value" if end else "Value"
        said = piece.get(name)
        if kind == "time":
            return self._moment(piece, path, prefix, end, label, days=op == "on")
        if kind == "choice":
            return [self._select(path, name, label, said, choices_of(choices))]
        if kind == "custom" and op in ("eq", "neq"):
            return [self._type(piece, path), self._typed(piece, path, name, label, offers)]
        if kind == "boolean":
            return [self._select(path, name, label, said, choices_of((), YES_NO))]
        if kind == "money":
            return [self._words(self.currency), self._input(path, name, label, "number", said)]
        number = kind == "number" or (kind == "custom" and op in COUNT_OPERATORS)
        return [
            self._input(
                path, name, label, "number" if number else "text", said, "" if number else offers
            )
        ]

    def _moment(
        self, piece: Piece, path: str, prefix: str, end: str, label: str, *, days: bool = True
    ) -> list[Input]:
        how, name = piece.get(f"{prefix}how{end}", "-d"), f"{prefix}value{end}"
        offered = [Option(*one) for one in MOMENTS if not (days and one[0] == "time")]
        unit = self._select(path, f"{prefix}how{end}", f"{label}: how", how, offered, True)
        if how == TODAY:
            return [unit]
        kind: InputKind = "date" if how == "date" else "text" if how == "time" else "number"
        value = self._input(path, name, label, kind, piece.get(name))
        return [unit, value] if how in ("date", "time") else [value, unit]

    def _listed(
        self, piece: Piece, path: str, kind: ValueType, choices: Sequence[str], offers: str
    ) -> list[Input]:
        """Every choice with a mark, or the values chosen so far and a field for one more."""
        chosen = list(piece.all("values"))
        error = self.errors.get(f"{path}.more", "")
        listed = [(value, in_words(value)) for value in choices] or [
            (value, value) for value in chosen
        ]
        chips = Input(
            name=f"{path}.values",
            label="Values",
            kind="chips",
            chosen=listed,
            options=[Option(value, "") for value in chosen],
            error=error if choices or (chosen and not piece.get("more")) else "",
        )
        if choices:
            return [chips]
        typed = [self._type(piece, path)] if kind == "custom" else []
        more: InputKind = "number" if kind in ("number", "money") else "text"
        label = "Another value" if chosen else "Value"
        further = self._input(path, "more", label, more, piece.get("more"), offers, reshapes=True)
        return [chips, *typed, further] if chosen else [*typed, further]

    def _type(self, piece: Piece, path: str) -> Input:
        options = [Option(*one) for one in TYPES]
        return self._select(path, "as", "Kind of value", piece.get("as", "text"), options, True)

    def _typed(self, piece: Piece, path: str, name: str, label: str, offers: str) -> Input:
        said = piece.get("as")
        if said == "boolean":
            return self._select(path, name, label, piece.get(name), choices_of((), YES_NO))
        kind: InputKind = "number" if said == "number" else "text"
        return self._input(path, name, label, kind, piece.get(name), offers)

    def _subjects(self, piece: Piece) -> Sequence[Option]:
        """Everything that a condition can be about."""
        kind, name = piece.subject
        own = list(self.custom_events)
        is_other = piece.get("what") == f"event:{OTHER}"
        if kind == "event" and not is_other and name not in EVENT_BY_NAME and name not in own:
            own.append(name)
        named = (Option(f"event:{one}", f"done “{one}”", OTHER_EVENT.group) for one in own)
        return (*SUBJECTS, *named, OTHER_EVENT)

    def _select(
        self, path: str, name: str, label: str, value: str, options: Sequence[Option], reshapes: bool = False
    ) -> Input:  # fmt: skip
        full = f"{path}.{name}"
        return Input(
            name=full,
            label=label,
            kind="select",
            value=value,
            options=options,
            reshapes=reshapes,
            error=self.errors.get(full, ""),
        )

    def _input(
        self, path: str, name: str, label: str, kind: InputKind, value: str, offers: str = "", *, reshapes: bool = False
    ) -> Input:  # fmt: skip
        full = f"{path}.{name}"
        return Input(
            name=full,
            label=label,
            kind=kind,
            value=value,
            offers=offers,
            reshapes=reshapes,
            error=self.errors.get(full, ""),
        )

    def _words(self, text: str) -> Input:
        return Input(name="", label=text, kind="words")

"""The page about rules, docs/segments.md, made of the catalogue: `python -m customer360.segments.reference`. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from customer360.profiles.attributes import ATTRIBUTES, Attribute
from customer360.segments.ast import MAX_CONDITIONS, MAX_DEPTH
from customer360.segments.catalogue import (
    EVENTS,
    OPERATOR_WORDS,
    PROPERTIES,
    VALUE_TYPES,
    EventEntry,
    Property,
    operators_of,
)
from customer360.segments.shopify import FUNCTIONS, RENAMED, TERMS, UNSUPPORTED
from customer360.segments.tokens import OPERATOR_TEXT

_INTRODUCTION = f"""# Rules of segments

What a rule can ask for, in JSON and as text. This page is printed by `python -m customer360.segments.reference`; a test
compares the two.

## What a rule means

* A segment ranges over customers; `include_visitors`, or `INCLUDING VISITORS` at the end of the text, adds visitors.
  `{{"all": []}}` and the empty text are everyone.
* Groups of ALL and ANY and negations nest {MAX_DEPTH} deep; a rule has {MAX_CONDITIONS} conditions at most.
* A value that is not known is null. Null satisfies `is_empty`, `neq`, `not_in` and `not_contains` and nothing else:
  not `not_in_last_days` either. A list without entries is empty too.
* Text is compared without regard to case. So are choices, whose blanks may be written `_` or `-`.
* A day is the shop's calendar day: `2026-01-31`, `today`, `yesterday`, or days, weeks, months and years from today:
  `-30d`, `-2w`, `+1m`, `-1y`. A month that is too short gives its last day. Attributes also take a time in ISO 8601.
* `eq` and `on` a day are all of that day; `gt` and `after` begin after it, `lt` and `before` end before it. The last
  n days begin at the start of the shop's day n days ago and end with today, so only events and the shop's midnight
  move people.
* A condition on events asks whether one happened; with a count or a sum, how often or how much, which is 0 where
  nothing happened. `did: false`, in text `NOT MATCHES`, turns all of it around.
* A purchase is an order that is neither cancelled nor a test. Conditions on its lines hold where one line fits them
  all. An amount in a foreign currency is null, and in no sum.
* A property that only the shop knows is compared as a number where the value is a number, else as text.
"""

_TEXT = """## The text form

Shopify's segment query language, without its limit of ten clauses, and more:

```
orders_count >= 2 AND (country IN ('IE', 'GB') OR NOT last_touch_source = 'google')
product_viewed MATCHES (product_id = 'p1', date >= -30d, count >= 3)
order_placed NOT MATCHES (date >= -30d)
order_placed MATCHES (date BETWEEN 2026-01-01 AND 2026-06-30, sum_total >= 100)
event('Quiz finished') MATCHES (property('score') > 3, sum('score') >= 10)
segments CONTAINS '614519532646400001'
last_order_at IN LAST 30 DAYS INCLUDING VISITORS
```

AND binds tighter than OR. Text stands in single quotes; a quote in it is doubled. `ALL (…, …)` and `ANY (…, …)` are
groups of any number of parts. Shopify's names of attributes, functions and parameters mean these:
"""


def markdown() -> str:
    """The page."""
    sections = (
        _INTRODUCTION,
        "## Attributes\n\n" + _table(("name", "label", "type", "what it is"), _attributes()),
        "## Operators\n\n" + _table(("operator", "in words", "as text", "types"), _operators()),
        "## Events\n\n" + _table(("name", "people who have …", "properties"), map(_event, EVENTS)),
        "## Properties\n\n" + _table(("name", "label", "type", "what it is"), _properties()),
        _TEXT,
        _table(("there", "here"), _names()),
    )
    return "\n".join(sections)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _code(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _described(one: Attribute | Property, later: str) -> Sequence[str]:
    about = f"{one.help}: {_code(one.choices)}" if one.choices else one.help
    return f"`{one.name}`", one.label, one.type, about + later


def _attributes() -> Iterable[Sequence[str]]:
    return (_described(one, "") for one in ATTRIBUTES)


def _properties() -> Iterable[Sequence[str]]:
    later = " (no source tells it yet)"
    return (_described(one, later if one.unknown else "") for one in PROPERTIES)


def _operators() -> Iterable[Sequence[str]]:
    for op, words in OPERATOR_WORDS.items():
        after = " n DAYS" if op.endswith("in_last_days") else ""
        fitting = ", ".join(kind for kind in VALUE_TYPES if op in operators_of(kind))
        yield f"`{op}`", words, f"`{OPERATOR_TEXT[op]}{after}`", fitting


def _event(one: EventEntry) -> Sequence[str]:
    lines = f"; of a line: {_code(one.lines)}" if one.lines else ""
    return f"`{one.type.name}`", one.phrase, _code(one.properties) + lines


def _names() -> Iterable[Sequence[str]]:
    for there, here in RENAMED.items():
        yield f"`{there}`", f"`{here}`"
    for there, term in TERMS.items():
        yield f"`{there}`", term.about
    for there, function in FUNCTIONS.items():
        renamed = ", ".join(f"`{one}` is `{other}`" for one, other in function.parameters.items())
        yield f"`{there}`", f"`{function.event}`" + (f", {renamed}" if renamed else "")
    for there, reason in UNSUPPORTED.items():
        yield f"`{there}`", f"not supported: {reason}"


if __name__ == "__main__":
    sys.stdout.write(markdown())

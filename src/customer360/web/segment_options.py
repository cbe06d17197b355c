"""What the builder's selects offer, all of it from the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from customer360.profiles.attributes import ATTRIBUTES
from customer360.segments.catalogue import (
    EVENTS,
    PROPERTIES,
    Property,
    event_of,
    property_of,
)
from customer360.segments.days import TODAY
from customer360.web.formats import in_words
from customer360.web.segment_form import OTHER

TIME_WORDS = {
    "gt": "is later than",
    "gte": "is on or after",
    "lt": "is earlier than",
    "lte": "is on or before",
    "in_last_days": "is in the last",
    "not_in_last_days": "is not in the last",
}
COUNT_WORDS = {
    "eq": "exactly",
    "neq": "not exactly",
    "gt": "more than",
    "gte": "at least",
    "lt": "fewer than",
    "lte": "at most",
    "between": "between",
}
MOMENTS = (
    ("-d", "days ago"),
    ("-w", "weeks ago"),
    ("-m", "months ago"),
    ("-y", "years ago"),
    (TODAY, "today"),
    ("date", "on the day"),
    ("time", "at the time (UTC)"),
    ("+d", "days from now"),
    ("+w", "weeks from now"),
    ("+m", "months from now"),
    ("+y", "years from now"),
)
YES_NO = (("true", "yes"), ("false", "no"))
TYPES = (("text", "the text"), ("number", "the number"), ("boolean", "yes or no"))


class Option(NamedTuple):
    """One of a select, under a heading where it has one."""

    value: str
    label: str
    group: str = ""


def property_options(event: str, said: str) -> list[Option]:
    """The properties that an event can have: its usual ones first, then any other where it may have them."""
    entry = event_of(event)
    usual = [_option(property_of(event, name)) for name in (*entry.properties, *entry.lines)]
    options = [one for one in dict.fromkeys(usual) if one]
    if entry.open:
        known = {one.value for one in options}
        others = [property_of(event, one.name) for one in PROPERTIES if one.name not in known]
        options += [
            one._replace(group="Others")
            for one in map(_option, (each for each in others if each and each.type != "custom"))
            if one
        ]
    if said and said != OTHER and all(one.value != said for one in options):
        options.append(Option(said, said))
    return [*options, Option(OTHER, "Another property…")] if entry.open else options


def _option(known: Property | None) -> Option | None:
    return Option(known.name, known.label) if known else None


def worded(operators: Sequence[str], words: Mapping[str, str]) -> list[Option]:
    return [Option(op, words[op]) for op in operators]


def choices_of(
    choices: Sequence[str], labelled: Sequence[tuple[str, str]] = ()
) -> Sequence[Option]:
    pairs = labelled or [(one, in_words(one)) for one in choices]
    return (Option("", "Choose"), *(Option(*pair) for pair in pairs))


OTHER_EVENT = Option(f"event:{OTHER}", "done another event…", "Your own events")
SUBJECTS = (
    *(Option(f"attribute:{one.name}", one.label, "What they are") for one in ATTRIBUTES),
    *(Option(f"event:{one.type.name}", one.phrase, "What they did") for one in EVENTS),
    Option("segment:", "Another segment", "Segments"),
)

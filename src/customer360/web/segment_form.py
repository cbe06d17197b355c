"""The builder's form as a tree, and what its buttons do to it. Pure.

Its pieces are groups, conditions, and within a condition on events those on their properties. A piece holds what its
fields say, whether or not that is a condition yet. Fields are named by the places of their piece: `r.match` of the
outermost group, `r.0.op` of its first condition, `r.2.0.value` of a property.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from customer360.profiles.attributes import ATTRIBUTES
from customer360.segments.ast import MAX_DEPTH

ROOT = "r"
OTHER = "other:"
"""What a choice of events or properties says where the name is written beside it."""

# Two levels deeper than a rule may be, so that one which is too deep is told so.
_NAME = re.compile(rf"{ROOT}((?:\.\d{{1,4}}){{0,{MAX_DEPTH + 2}}})\.([a-z][a-z0-9-]*)")


@dataclass(frozen=True, slots=True)
class Piece:
    """What the fields of one piece say, and the pieces within it."""

    told: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parts: tuple[Piece, ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The one value of a field."""
        values = self.told.get(name)
        return values[0] if values else default

    def all(self, name: str) -> Sequence[str]:
        """Every value of a field."""
        return self.told.get(name, ())

    @property
    def is_group(self) -> bool:
        """Whether it holds conditions rather than being one."""
        return "match" in self.told

    @property
    def negations(self) -> int:
        """How many NOTs stand before it."""
        said = self.get("not", "0")
        return min(int(said), MAX_DEPTH + 1) if said.isascii() and said.isdigit() else 0

    @property
    def subject(self) -> tuple[str, str]:
        """What a condition is about: attribute, event or segment, and its name."""
        kind, _, name = self.get("what").partition(":")
        return kind, self.get("event") if name == OTHER else name

    @property
    def property_name(self) -> str:
        """Which property a line of a condition on events is about."""
        said = self.get("property")
        return self.get("name") if said == OTHER else said


EMPTY = Piece({"match": ("all",)})
NEW_CONDITION = Piece({"what": (f"attribute:{ATTRIBUTES[0].name}",)})


def read_form(fields: Iterable[tuple[str, str]]) -> Piece:
    """The tree that a form's fields tell; those of another name say nothing."""
    told: dict[tuple[int, ...], dict[str, list[str]]] = {}
    for name, value in fields:
        if found := _NAME.fullmatch(name):
            path = tuple(int(place) for place in found[1].split(".")[1:])
            for depth in range(len(path)):
                told.setdefault(path[:depth], {})
            told.setdefault(path, {}).setdefault(found[2], []).append(value)
    within_paths: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for path in sorted(told):
        if path:
            within_paths.setdefault(path[:-1], []).append(path)

    def piece(path: tuple[int, ...]) -> Piece:
        return Piece(told[path], tuple(map(piece, within_paths.get(path, ()))))

    return piece(()) if told.get((), {}).get("match") else EMPTY


def write_form(piece: Piece, path: str = ROOT) -> Iterator[tuple[str, str]]:
    """The fields that tell a tree; the opposite of `read_form`."""
    for name, values in piece.told.items():
        for value in values:
            yield f"{path}.{name}", value
    for place, part in enumerate(piece.parts):
        yield from write_form(part, f"{path}.{place}")


_NEW = {
    "add": NEW_CONDITION,
    "group": Piece({"match": ("any",)}, (NEW_CONDITION,)),
    "where": Piece({"property": ("",)}),
}


class Edited(NamedTuple):
    """The tree after a button was pressed, and the path of the piece that has the focus then."""

    root: Piece
    focus: str


def edit(root: Piece, action: str) -> Edited:
    """What a button does to a tree: "add r.0", "group r", "where r.1", "not r.2", "remove r.0.1"."""
    verb, _, path = action.partition(" ")
    places = tuple(int(place) for place in path.split(".")[1:] if place.isdigit())
    if _find(root, places) is None:
        return Edited(root, "")
    if verb == "remove" and places:
        return _remove(root, places)
    if verb == "not" and places:
        return Edited(_change(root, places, _turned), path)
    if verb not in _NEW:
        return Edited(root, "")
    found = _find(root, places)
    assert found is not None
    grown = _change(root, places, lambda piece: replace(piece, parts=(*piece.parts, _NEW[verb])))
    return Edited(grown, f"{path}.{len(found.parts)}" + (".0" if verb == "group" else ""))


def _turned(piece: Piece) -> Piece:
    """With one NOT less, or with one where there was none."""
    left = piece.negations - 1 if piece.negations else 1
    return replace(piece, told={**piece.told, "not": (str(left),)})


def _remove(root: Piece, places: tuple[int, ...]) -> Edited:
    """Without a piece; a group that is left without any goes along, unless it is the outermost."""
    *above, last = places
    holder = _find(root, tuple(above))
    assert holder is not None
    left = (*holder.parts[:last], *holder.parts[last + 1 :])
    if above and not left and holder.is_group:
        return _remove(root, tuple(above))
    path = ".".join((ROOT, *map(str, above)))
    focus = f"{path}.{min(last, len(left) - 1)}" if left and holder.is_group else path
    return Edited(_change(root, tuple(above), lambda piece: replace(piece, parts=left)), focus)


def _find(piece: Piece, places: tuple[int, ...]) -> Piece | None:
    for place in places:
        if place >= len(piece.parts):
            return None
        piece = piece.parts[place]
    return piece


def _change(piece: Piece, places: tuple[int, ...], change: Callable[[Piece], Piece]) -> Piece:
    if not places:
        return change(piece)
    parts = [*piece.parts]
    parts[places[0]] = _change(parts[places[0]], places[1:], change)
    return replace(piece, parts=tuple(parts))

"""How far linking goes in a shop: what it chose, who changed what, and whether the change has reached everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, insert, select, update

from customer360.clock import DAY, Instant
from customer360.errors import InvalidInput
from customer360.events.model import IdentifierType
from customer360.identities.model import DEFAULT_RULES, Rules
from customer360.identities.normalise import MAX_LENGTH, normalise_one
from customer360.identities.tables import identity_rules
from customer360.storage.database import next_change, rows_in

_YEAR_DAYS: Final = 365
_MOST_PLACEHOLDERS: Final = 500
Range = tuple[int, int]
"""From and to, both of them allowed."""
# Both ends are sensible: 0 would link nobody, and a component has 5,000 fragments at most.
RANGES: dict[str, Range] = {
    "known_identifiers": (1, 1000),
    "hub_customer_ids": (1, 1000),
    "hub_profiles": (1, 1000),
    "stale_months": (1, 120),
}
LIMIT_RANGE: Range = (1, 100)
# In characters: longer ones are far out of every range, and Python reads no number of thousands.
_LONGEST_NUMBER = 20
_LIMITS = {str(kind): limit for kind, limit in DEFAULT_RULES.limits.items()}
NAMES: tuple[str, ...] = (*_LIMITS, *RANGES, "placeholders")
"""What a shop may choose, each by its name: for a limit, the type of identifier that it limits."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a shop may choose about identity; the defaults are the product's."""

    limits: dict[str, int] = msgspec.field(default_factory=lambda: _LIMITS.copy())
    """How many identifiers of a type one profile may have."""
    known_identifiers: int = DEFAULT_RULES.known_identifiers
    hub_customer_ids: int = DEFAULT_RULES.hub_customer_ids
    hub_profiles: int = DEFAULT_RULES.hub_profiles
    stale_months: int = 12
    placeholders: tuple[str, ...] = ()
    """Values that identify nobody in this shop, in lower case."""

    @property
    def rules(self) -> Rules:
        """As linking reads them."""
        return Rules(
            limits=MappingProxyType(self.limits),
            known_identifiers=self.known_identifiers,
            hub_customer_ids=self.hub_customer_ids,
            hub_profiles=self.hub_profiles,
            stale_after=self.stale_months * _YEAR_DAYS * DAY // 12,
            placeholders=frozenset(self.placeholders),
        )


DEFAULT_CHOICE = Choice()


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A choice, who made it, and how far everybody has been resolved by it."""

    version: int
    """0 are the product's defaults, which nobody chose."""
    choice: Choice
    actor: str = ""
    made_at: Instant = 0
    resolved_at: Instant | None = None
    """None while the worker resolves the shop anew."""
    done: int = 0
    total: int = 0
    """Components that differ, and how many of them are written."""


_NOBODYS = Version(version=0, choice=DEFAULT_CHOICE, resolved_at=0)


class Change(msgspec.Struct, frozen=True):
    """One thing that a version set otherwise than the one before it, by whom and when."""

    name: str
    before: str
    after: str
    actor: str
    at: Instant


def choice_told(before: Choice, told: Mapping[str, str]) -> Choice:
    """The choice with what a person wrote: a limit by the type it limits, the rest by its name.

    Placeholders are separated by commas or lines. Raises InvalidInput.
    """
    limits = dict(before.limits)
    others: dict[str, Any] = {}
    for name, text in told.items():
        if name == "placeholders":
            others[name] = tuple(text.replace("\n", ",").split(","))
            continue
        if name not in limits and name not in RANGES:
            raise InvalidInput(f"There is no rule {name!r}; there are {', '.join(NAMES)}.", name)
        if not text.strip().isdecimal() or len(text) > _LONGEST_NUMBER:
            raise InvalidInput(wanted(RANGES.get(name, LIMIT_RANGE)), name)
        if name in limits:
            limits[name] = int(text)
        else:
            others[name] = int(text)
    return msgspec.structs.replace(before, limits=limits, **others)


def rules_of(connection: Connection, shop_id: int) -> Rules:
    """The rules of a shop as they are now."""
    rows = rows_in(connection, _NEWEST, (), [shop_id])
    return _rules(rows[0][0]) if rows else DEFAULT_RULES


_NEWEST = "select rules from identity_rules where shop_id in {} order by version desc limit 1"


@lru_cache(maxsize=256)
def _rules(text: str) -> Rules:
    return msgspec.json.decode(text, type=Choice).rules


def versions_of(
    connection: Connection, shop_id: int, *, before: int | None = None, limit: int | None = None
) -> list[Version]:
    """What a shop chose, newest first; the product's defaults come last.

    A page of it begins with the version below `before` and ends with the one that its `limit` versions changed.
    """
    query = _newest_first(shop_id).limit(None if limit is None else limit + 1)
    if before is not None:
        query = query.where(identity_rules.c.version < before)
    found = [_version(row) for row in connection.execute(query)]
    return found if limit is not None and len(found) > limit else [*found, _NOBODYS]


def present_version(connection: Connection, shop_id: int) -> Version:
    """What holds now."""
    row = connection.execute(_newest_first(shop_id).limit(1)).one_or_none()
    return _NOBODYS if row is None else _version(row)


def change_rules(
    connection: Connection, shop_id: int, choice: Choice, country: str, *, actor: str, now: Instant
) -> Version:
    """Let a choice hold from now on; where it changes nothing, nothing is written.

    country: of the shop, for phone numbers among the placeholders. Raises InvalidInput.
    """
    choice = _checked(choice, country)
    # The worker must not link by rules that were changed meanwhile.
    next_change(connection, shop_id)
    before = present_version(connection, shop_id)
    if choice == before.choice:
        return before
    made = Version(version=before.version + 1, choice=choice, actor=actor, made_at=now)
    connection.execute(
        insert(identity_rules).values(
            shop_id=shop_id,
            version=made.version,
            rules=msgspec.json.encode(choice).decode(),
            actor=actor,
            made_at=now,
            done=0,
            total=0,
        )
    )
    return made


def note_progress(
    connection: Connection,
    shop_id: int,
    version: int,
    done: int,
    total: int,
    resolved_at: Instant | None = None,
) -> None:
    """Say how far the shop is resolved by a version."""
    connection.execute(
        update(identity_rules)
        .where(identity_rules.c.shop_id == shop_id, identity_rules.c.version == version)
        .values(done=done, total=total, resolved_at=resolved_at)
    )


def changes_of(versions: Sequence[Version]) -> list[Change]:
    """Everything that was ever changed, newest first, as the versions are."""
    return [
        Change(name, before, after, newer.actor, newer.made_at)
        for newer, older in pairwise(versions)
        for (name, after), before in zip(
            as_told(newer.choice).items(), as_told(older.choice).values(), strict=True
        )
        if before != after
    ]


def as_told(choice: Choice) -> dict[str, str]:
    """Every part of a choice by its name, as `choice_told` reads it."""
    numbers = {**choice.limits, **{name: getattr(choice, name) for name in RANGES}}
    return {name: str(number) for name, number in numbers.items()} | {
        "placeholders": ", ".join(choice.placeholders)
    }


def _checked(choice: Choice, country: str) -> Choice:
    if choice.limits.keys() != _LIMITS.keys():
        raise InvalidInput(f"Give a limit for each of {', '.join(_LIMITS)}.", "limits")
    for kind, limit in choice.limits.items():
        _within(limit, LIMIT_RANGE, kind)
    for name, allowed in RANGES.items():
        _within(getattr(choice, name), allowed, name)
    return msgspec.structs.replace(
        choice,
        limits={kind: choice.limits[kind] for kind in _LIMITS},
        placeholders=_placeholders(choice.placeholders, country),
    )


def wanted(allowed: Range) -> str:
    """What to give where a number is out of its range, or none."""
    least, most = allowed
    return f"Give a whole number from {least} to {most:,}."


def _within(value: int, allowed: Range, path: str) -> None:
    least, most = allowed
    if not least <= value <= most:
        raise InvalidInput(wanted(allowed), path)


def _placeholders(told: tuple[str, ...], country: str) -> tuple[str, ...]:
    """In lower case and sorted, a phone number as it is stored."""
    texts = {" ".join(text.split()).lower() for text in told} - {""}
    if len(texts) > _MOST_PLACEHOLDERS:
        raise InvalidInput(f"Give at most {_MOST_PLACEHOLDERS} placeholders.", "placeholders")
    if any(len(text) > MAX_LENGTH or "," in text or not text.isprintable() for text in texts):
        raise InvalidInput(
            f"A placeholder is text of at most {MAX_LENGTH} characters without commas.",
            "placeholders",
        )
    numbers = {normalise_one(IdentifierType.PHONE, text, country) or text for text in texts}
    return tuple(sorted(numbers))


def _newest_first(shop_id: int) -> Select[Any]:
    mine = select(identity_rules).where(identity_rules.c.shop_id == shop_id)
    return mine.order_by(identity_rules.c.version.desc())


def _version(row: Row[Any]) -> Version:
    return Version(
        version=row.version,
        choice=msgspec.json.decode(row.rules, type=Choice),
        actor=row.actor,
        made_at=row.made_at,
        resolved_at=row.resolved_at,
        done=row.done,
        total=row.total,
    )

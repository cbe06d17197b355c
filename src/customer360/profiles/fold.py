"""What do a fragment's events add up to? Pure: an aggregate and an event in, the aggregate changed.

Everything kept here is a count, a minimum, a maximum or "the newest value wins", so the order in which events
are folded does not matter, and aggregates of fragments combine without ever being subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from customer360.clock import Instant
from customer360.events.model import Address, Event, Traits, Trust
from customer360.events.vocabulary import ACTED, OPT_INS

TraitValue = str | int | float | bool


class Count(msgspec.Struct, array_like=True):
    """How often, and first and last when."""

    n: int
    first_at: Instant
    last_at: Instant

    def add(self, at: Instant) -> None:
        """Count one event."""
        self.n += 1
        if at < self.first_at:
            self.first_at = at
        if at > self.last_at:
            self.last_at = at

    def include(self, other: Count) -> None:
        """Add what another fragment counted."""
        self.n += other.n
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)


class Trait(msgspec.Struct, array_like=True, frozen=True):
    """A fact with its time and source; of two the newer wins, and the larger key settles a tie."""

    at: Instant
    key: str
    value: TraitValue
    source: str
    trust: int


class Names(msgspec.Struct, array_like=True, frozen=True):
    """First and last name as one fact, so that two people's names never mix."""

    at: Instant
    key: str
    first_name: str
    last_name: str
    source: str
    trust: int

    @property
    def full(self) -> str:
        """The name as people read it."""
        return f"{self.first_name} {self.last_name}".strip()


class KnownAddress(msgspec.Struct, array_like=True, frozen=True):
    """A postal address and when it was last told; `key` ends with its place among those told together."""

    at: Instant
    key: str
    address: Address
    source: str


class TagMark(msgspec.Struct, array_like=True, frozen=True):
    """Whether a tag was put on or taken off, and when."""

    at: Instant
    key: str
    present: bool


class Tags(msgspec.Struct, array_like=True, frozen=True):
    """All tags as of a time."""

    at: Instant
    key: str
    tags: tuple[str, ...]


class Landing(msgspec.Struct, array_like=True, frozen=True):
    """Where the visit came from that ended in an order which only a server told of."""

    at: Instant
    key: str
    url: str
    referrer: str


class Naming(msgspec.Struct, omit_defaults=True):
    """The part of an aggregate that says what the person is called."""

    vouched: bool = False
    """Whether a trusted source named the person; a browser then no longer gives names."""
    names: dict[int, Names] = {}
    """The newest names by trust."""

    def include(self, other: Naming) -> None:
        """Add what another fragment told."""
        self.vouched = self.vouched or other.vouched
        for trust, names in other.names.items():
            _keep_newest(self.names, trust, names)


class Addressing(Naming, omit_defaults=True):
    """The part of an aggregate that an envelope needs."""

    addresses: dict[str, KnownAddress] = {}

    def include(self, other: Naming) -> None:
        """Add what another fragment told."""
        super().include(other)
        if isinstance(other, Addressing):
            for key, address in other.addresses.items():
                _keep_newest(self.addresses, key, address)

    def newest_addresses(self) -> tuple[Address, ...]:
        """The postal addresses, the newest told first."""
        known = sorted(self.addresses.values(), key=lambda one: (-one.at, one.key))
        return tuple(one.address for one in known)


class Aggregate(Addressing, omit_defaults=True):
    """What the events of one fragment add up to, derived events and orders apart."""

    types: dict[str, Count] = {}
    sources: dict[str, Count] = {}
    acted_at: Instant = 0
    opted_in_at: Instant = 0
    """When consent was first granted; 0 for never."""
    in_store_at: Instant = 0
    negative_reviews: int = 0
    traits: dict[str, Trait] = {}
    all_tags: Tags | None = None
    tag_marks: dict[str, TagMark] = {}
    first_landing: Landing | None = None
    last_landing: Landing | None = None


_Fact = Trait | Names | KnownAddress | TagMark | Tags | Landing

# More addresses of one fragment than this are an abuse of the field; the newest stay.
MAX_ADDRESSES = 20
MAX_TRAITS = 100
_NEGATIVE_STARS = 3

_decoder = msgspec.json.Decoder(Aggregate)
_naming_decoder = msgspec.json.Decoder(Naming)
_addressing_decoder = msgspec.json.Decoder(Addressing)
_encoder = msgspec.json.Encoder()


def decode(blob: bytes) -> Aggregate:
    """The aggregate as it is stored."""
    return _decoder.decode(blob)


def decode_naming(blob: bytes) -> Naming:
    """What a stored aggregate says of the name, without the time to decode the rest."""
    return _naming_decoder.decode(blob)


def decode_addressing(blob: bytes) -> Addressing:
    """What a stored aggregate says of name and addresses."""
    return _addressing_decoder.decode(blob)


def encode(aggregate: Aggregate) -> bytes:
    """The aggregate as it will be stored."""
    return _encoder.encode(aggregate)


def fold(
    aggregate: Aggregate, event: Event, *, source: str, trust: Trust, kept: bool, known: bool
) -> None:
    """Add one event. `kept`: it has a row of its own (orders are counted elsewhere); `known`: it names a person."""
    at = event.occurred_at
    if known and trust is Trust.FULL:
        aggregate.vouched = True
    if kept:
        _count(aggregate.types, event.type, at)
    _count(aggregate.sources, source, at)
    if event.type in ACTED and at > aggregate.acted_at:
        aggregate.acted_at = at
    _fold_opt_in(aggregate, event, trust)
    if event.place == "in_store" and at > aggregate.in_store_at:
        aggregate.in_store_at = at
    if event.type == "review_submitted":
        aggregate.negative_reviews += _stars(event.properties) <= _NEGATIVE_STARS
    if event.traits is not None:
        _fold_traits(aggregate, event.traits, at, event.dedupe_key, source, int(trust))
    if event.landing is not None:
        page = event.landing
        _fold_landing(aggregate, Landing(at, event.dedupe_key, page.url, page.referrer))


def combine(parts: Iterable[Aggregate]) -> Aggregate:
    """The aggregate of a profile from those of its fragments."""
    whole = Aggregate()
    for part in parts:
        whole.include(part)
        for counts, more in ((whole.types, part.types), (whole.sources, part.sources)):
            for name, count in more.items():
                if name in counts:
                    counts[name].include(count)
                else:
                    counts[name] = Count(count.n, count.first_at, count.last_at)
        whole.acted_at = max(whole.acted_at, part.acted_at)
        whole.opted_in_at = _first(whole.opted_in_at, part.opted_in_at)
        whole.in_store_at = max(whole.in_store_at, part.in_store_at)
        whole.negative_reviews += part.negative_reviews
        for name, trait in part.traits.items():
            _keep_most_trusted(whole.traits, name, trait)
        for landing in (part.first_landing, part.last_landing):
            if landing is not None:
                _fold_landing(whole, landing)
        for tag, mark in part.tag_marks.items():
            _keep_newest(whole.tag_marks, tag, mark)
        if part.all_tags and (whole.all_tags is None or _newer(part.all_tags, whole.all_tags)):
            whole.all_tags = part.all_tags
    return whole


def names_of(told: Naming) -> Names | None:
    """The name of the person: the newest from a trusted source; a browser names only whom nobody vouched for."""
    trusted = told.names.get(int(Trust.FULL))
    if trusted is None and not told.vouched:
        return told.names.get(int(Trust.PUBLIC))
    return trusted


def name_of(parts: Iterable[Naming]) -> str:
    """What a profile of these fragments is called; empty where nobody told a name."""
    whole = Naming()
    for part in parts:
        whole.include(part)
    names = names_of(whole)
    return names.full if names else ""


def tags_of(aggregate: Aggregate) -> tuple[str, ...]:
    """The tags that hold now: the newest full list, and what was put on or taken off after it."""
    base = aggregate.all_tags
    tags = set(base.tags) if base else set()
    since = base.at if base else -1
    for tag, mark in aggregate.tag_marks.items():
        if mark.at >= since:
            (tags.add if mark.present else tags.discard)(tag)
    return tuple(sorted(tags))


def _count(counts: dict[str, Count], name: str, at: Instant) -> None:
    count = counts.get(name)
    if count is None:
        counts[name] = Count(1, at, at)
    else:
        count.add(at)


def _fold_opt_in(aggregate: Aggregate, event: Event, trust: Trust) -> None:
    """An opt-in is the person's own, or a consent of which a trusted source tells, such as an import."""
    if event.type in OPT_INS:
        aggregate.opted_in_at = _first(aggregate.opted_in_at, event.occurred_at)
    for report in event.consents:
        if report.state == "granted" and trust is Trust.FULL:
            at = report.occurred_at or event.occurred_at
            aggregate.opted_in_at = _first(aggregate.opted_in_at, at)


def _first(one: Instant, other: Instant) -> Instant:
    """The earlier of two times, of which either may never have been."""
    return min(one, other) if one and other else one or other


def _fold_traits(
    aggregate: Aggregate, told: Traits, at: Instant, key: str, source: str, trust: int
) -> None:
    if told.first_name or told.last_name or told.name:
        first, last = _split_name(told)
        if first or last:
            _keep_newest(aggregate.names, trust, Names(at, key, first, last, source, trust))
    traits = aggregate.traits
    for name in _PLAIN_TRAITS:
        if value := getattr(told, name):
            _keep_newest(traits, name, Trait(at, key, value, source, trust))
    for name, value in told.custom.items():
        _keep_newest(traits, f"custom.{name}", Trait(at, key, value, source, trust))
    if len(traits) > MAX_TRAITS:
        # The first in the alphabet stay, whatever order they came in.
        aggregate.traits = {name: traits[name] for name in sorted(traits)[:MAX_TRAITS]}
    if told.addresses:
        _fold_addresses(aggregate, told.addresses, at, key, source)
    if trust != _TRUSTED:
        # Nobody's browser says which tags the shop gave its customer.
        return
    if told.tags is not None:
        everything = Tags(at, key, tuple(sorted(set(told.tags))))
        if aggregate.all_tags is None or _newer(everything, aggregate.all_tags):
            aggregate.all_tags = everything
    for tag in told.tags_added:
        _keep_newest(aggregate.tag_marks, tag, TagMark(at, key, True))
    for tag in told.tags_removed:
        _keep_newest(aggregate.tag_marks, tag, TagMark(at, key, False))


_TRUSTED = int(Trust.FULL)
_SENSED = frozenset({"language", "timezone", "currency"})
"""What a browser knows by itself, so that its newest word is as good as anybody's."""
_PLAIN_TRAITS = (
    "language", "timezone", "currency", "country", "region", "city", "zip", "account_state",
)  # fmt: skip


def _fold_landing(aggregate: Aggregate, landing: Landing) -> None:
    if aggregate.first_landing is None or _newer(aggregate.first_landing, landing):
        aggregate.first_landing = landing
    if aggregate.last_landing is None or _newer(landing, aggregate.last_landing):
        aggregate.last_landing = landing


def _fold_addresses(
    aggregate: Aggregate, told: Sequence[Address], at: Instant, key: str, source: str
) -> None:
    together = {_address_key(address): address for address in reversed(told)}
    for place, (name, address) in enumerate(reversed(together.items())):
        _keep_newest(
            aggregate.addresses, name, KnownAddress(at, f"{key}#{place:03d}", address, source)
        )
    if len(aggregate.addresses) > MAX_ADDRESSES:
        newest = sorted(aggregate.addresses.items(), key=lambda entry: (entry[1].at, entry[1].key))[
            -MAX_ADDRESSES:
        ]
        aggregate.addresses = dict(newest)


def _split_name(told: Traits) -> tuple[str, str]:
    if told.first_name or told.last_name:
        return told.first_name.strip(), told.last_name.strip()
    first, _, last = told.name.strip().partition(" ")
    return first, last.strip()


def _address_key(address: Address) -> str:
    return "|".join((address.street, address.zip, address.city, address.country)).casefold()


def _newer(one: _Fact, other: _Fact) -> bool:
    return one.at > other.at or (one.at == other.at and one.key > other.key)


def _keep_newest(facts: dict[Any, Any], name: Any, fact: Any) -> None:
    present = facts.get(name)
    if present is None or _newer(fact, present):
        facts[name] = fact


def _keep_most_trusted(traits: dict[str, Trait], name: str, trait: Trait) -> None:
    """What a browser claims of a person does not replace what a trusted source told."""
    present = traits.get(name)
    if present is None or name in _SENSED or present.trust == trait.trust:
        _keep_newest(traits, name, trait)
    elif trait.trust > present.trust:
        traits[name] = trait


def _stars(properties: dict[str, Any]) -> float:
    rating = properties.get("rating")
    try:
        return float(rating) if rating is not None and not isinstance(rating, bool) else 5.0
    except (TypeError, ValueError):
        return 5.0

"""What millions of shoppers are known by, as columns: mostly visitors and buyers, some households, a few crowds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from customer360.clock import DAY, MINUTE, Instant
from customer360.events.model import Identifier, SourceRank, Trust
from customer360.identities.bulk import KINDS, Numbers, Observed
from customer360.identities.model import NO_NAME, Observation

_START: Instant = 1_700_000_000_000_000
_LETTERS = {
    "c": "cookie",
    "k": "cart_token",
    "x": "checkout_token",
    "e": "email",
    "p": "phone",
    "i": "shopify_customer_id",
    "u": "user_id",
}
# Of 10,000 lives so many, and what is seen of each, in turn. One letter is one identifier of its type, a number
# tells a second one from it. `*` is the shop's own word with a name, `+` that with another name; the rest comes from
# the pixel.
_LIVES: tuple[tuple[int, tuple[str, ...]], ...] = (
    # Visitors.
    (4200, ("c",)),
    (1500, ("c", "c k")),
    # Who told an e-mail address, on one device or two.
    (900, ("c", "c k", "c e")),
    (300, ("c", "c e", "c2", "c2 e")),
    # Buyers.
    (1300, ("c", "c k", "c k x", "c e", "*i e p x", "*i e p")),
    (700, ("c", "c e", "c k", "*i e p", "c2", "c2 e", "c2 k2 x", "*i e x", "*i e")),
    (600, ("*i e p", "*i e")),
    (200, ("*e", "*i e p", "*p")),
    # What has to be looked at: two at one device, two accounts or names at one address, a browser's two claims,
    # a changed number.
    (100, ("c", "c e", "*i e p", "c e2", "+i2 e2", "c k")),
    (60, ("*i e", "+i2 e", "*i e p")),
    (60, ("*e p", "+e", "*i e")),
    (60, ("c", "c u e", "*i e")),
    (19, ("*i e p", "*i e p2", "*i e p3", "*i e p4", "*i e p5", "*i e p6")),
    # A till's tablet.
    (1, ("c", *(f"c e{n}" for n in range(40)), *(f"*i{n} e{n}" for n in range(40)))),
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Observations as columns, and each as `resolve` reads it."""

    observed: Observed
    order: Numbers
    """The pairs, those of one observation after those of another."""
    starts: Numbers
    """Where in `order` the pairs of each observation begin."""

    def tell(self, numbers: Numbers) -> list[Observation]:
        """The observations of these numbers."""
        seen = self.observed
        columns = (seen.fragment_id, seen.first_at, seen.last_at, seen.events, seen.trust)
        rows = zip(
            *(column[numbers].tolist() for column in (*columns, seen.rank, seen.name)),
            self.starts[numbers].tolist(),
            self.starts[numbers + 1].tolist(),
            strict=True,
        )
        return [
            Observation(
                fragment_id=fragment_id,
                identifiers=tuple(sorted(self._identifier(pair) for pair in self.order[begin:end])),
                name=(f"first{name}", f"last{name}") if name else NO_NAME,
                trust=Trust(trust),
                rank=SourceRank(rank),
                first_at=first_at,
                last_at=last_at,
                events=events,
            )
            for fragment_id, first_at, last_at, events, trust, rank, name, begin, end in rows
        ]

    def _identifier(self, pair: int) -> Identifier:
        number = self.observed.carried[pair]
        return Identifier(KINDS[self.observed.kind[number]], f"{number}")


def crowd(pairs: int) -> Crowd:
    """Observations of about so many pairs in all, in no order; the same for the same number."""
    rng = np.random.default_rng(7)
    of_lives = sum(weight * sum(len(told.split()) for told in seen) for weight, seen in _LIVES)
    lives = [_lived(seen, max(1, round(weight * pairs / of_lives)), rng) for weight, seen in _LIVES]
    observations = np.cumsum([0, *(len(life["first_at"]) for life in lives)])
    identifiers = np.cumsum([0, *(len(life["kind"]) for life in lives)])
    names = np.cumsum([0, *(life["name"].max(initial=0) for life in lives)])
    for number, life in enumerate(lives):
        life["carrier"] += observations[number]
        life["carried"] += identifiers[number]
        life["name"][life["name"] > 0] += names[number]
    columns = {name: np.concatenate([life[name] for life in lives]) for name in lives[0]}
    return _shuffled(columns, rng)


def _lived(seen: tuple[str, ...], count: int, rng: np.random.Generator) -> dict[str, Numbers]:
    """The columns of so many lives of one sort."""
    told = [word.lstrip("*+").split() for word in seen]
    slots = {
        word: place for place, word in enumerate(dict.fromkeys(w for one in told for w in one))
    }
    size = len(seen)
    lives = np.arange(count, dtype=np.int64)[:, None]
    named = np.array([1 if word[0] == "*" else 2 if word[0] == "+" else 0 for word in seen])
    began = _START + rng.integers(0, 300 * DAY, (count, 1))
    first_at = began + np.arange(size) * DAY + rng.integers(0, DAY // 2, (count, size))
    pairs = [(place, slots[word]) for place, one in enumerate(told) for word in one]
    carrier, carried = np.array(pairs).T
    kinds = [KINDS.index(_LETTERS[word[0]]) for word in slots]
    return {
        "first_at": first_at.ravel(),
        "last_at": (first_at + rng.integers(0, 60 * MINUTE, (count, size))).ravel(),
        "events": rng.integers(1, 9, count * size),
        "trust": np.tile(np.where(named > 0, Trust.FULL, Trust.PUBLIC), count).astype(np.int8),
        "rank": np.tile(np.where(named > 0, SourceRank.WEBHOOK, SourceRank.PIXEL), count).astype(np.int8),
        "name": np.where(named > 0, lives * 2 + named, 0).ravel().astype(np.int32),
        "carrier": (lives * size + carrier).ravel().astype(np.int32),
        "carried": (lives * len(slots) + carried).ravel().astype(np.int32),
        "kind": np.tile(np.array(kinds, dtype=np.int8), count),
    }  # fmt: skip


def _shuffled(columns: dict[str, Numbers], rng: np.random.Generator) -> Crowd:
    """As a store hands them over: what belongs together lies anywhere."""
    count = len(columns["first_at"])
    new_place = rng.permutation(count).astype(np.int32)
    new_number = rng.permutation(len(columns["kind"])).astype(np.int32)
    old_place, old_number = np.argsort(new_place), np.argsort(new_number)
    carrier = new_place[columns.pop("carrier")]
    carried = new_number[columns.pop("carried")]
    by_identifier = np.argsort(carried, kind="stable")
    carrier, carried = carrier[by_identifier], carried[by_identifier]
    kind = columns.pop("kind")[old_number]
    observed = Observed(
        fragment_id=np.arange(1, count + 1, dtype=np.int64),
        carrier=carrier,
        carried=carried,
        kind=kind,
        **{name: column[old_place] for name, column in columns.items()},
    )
    order = np.argsort(carrier, kind="stable")
    starts = np.searchsorted(carrier[order], np.arange(count + 1))
    return Crowd(observed, order, starts)

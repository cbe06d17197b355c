"""Small random histories in which identifiers meet, conflict, go stale and change hands all the time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.identities.reference import ID_TYPES, Decision, Event, Rules

from customer360.clock import DAY, HOUR, Instant
from customer360.events.model import Identifier, SourceRank, Trust

BEGIN: Instant = 1_700_000_000_000_000
GAPS = (0, 0, 0, HOUR, HOUR, DAY, 30 * DAY + HOUR, 200 * DAY + HOUR, 400 * DAY)
NAMES = (
    *(("ann", "murphy"), ("murphy", "ann"), ("ann", "kelly"), ("bob", "ross"), ("bob", "stone")),
    *(("cleo", "diaz"),),
)
# Few values of each type, so that events meet; a browser may assert only the types of PUBLIC.
ALL = (
    *(("shopify_customer_id", 4), ("user_id", 2), ("pos_customer", 2), ("amazon_buyer", 2)),
    *(("email", 3), ("email", 3), ("email", 3), ("klaviyo_id", 2), ("phone", 2), ("phone", 2)),
    *(("cookie", 2), ("cookie", 2), ("cookie", 2), ("cart_token", 2), ("checkout_token", 2)),
)
PUBLIC = {"user_id", "email", "phone", "cookie", "cart_token", "checkout_token"}
TIGHT = Rules(
    limits={**dict.fromkeys(ID_TYPES, 1), "email": 2, "phone": 1},
    known_identifiers=4,
    hub_customer_ids=1,
    hub_profiles=3,
)
FROZEN = Rules(
    limits={**dict.fromkeys(ID_TYPES, 1), "email": 5, "phone": 5},
    known_identifiers=2,
    hub_customer_ids=3,
    hub_profiles=20,
)


@dataclass(frozen=True)
class Lean:
    """What a history is mostly about: with everything in each, little would meet.

    kinds: type and number of values; none draws a few of all. public, named: shares of the events
    that come from a browser or tell a name, one of which is drawn.
    """

    kinds: tuple[tuple[str, int], ...] = ()
    public: tuple[float, ...] = (0.0, 0.2, 0.5)
    named: tuple[float, ...] = (0.0, 0.3, 0.8)
    rules: tuple[Rules, ...] = (Rules(), TIGHT, FROZEN)


ID, EMAIL, PHONE, COOKIE = "shopify_customer_id", "email", "phone", "cookie"
LEANS = (
    *(Lean(), Lean(), Lean()),
    # One device, many people; visits between logins.
    Lean(((COOKIE, 2), (COOKIE, 2), ("cart_token", 2), (EMAIL, 3), (ID, 2)), named=(0.0,)),
    # A browser claims what is others'.
    Lean((("user_id", 2), (EMAIL, 2), (PHONE, 2), (ID, 2)), public=(0.3, 0.6)),
    # Namesakes and families at one address or number.
    Lean(((EMAIL, 2), (PHONE, 2), (ID, 2), (COOKIE, 1)), public=(0.0, 0.3), named=(0.8,)),
    # Crowds around one address, number or device.
    Lean(((ID, 5), (ID, 5), (EMAIL, 1), (EMAIL, 1), (COOKIE, 2)), rules=(TIGHT, Rules())),
    Lean(((ID, 5), ("user_id", 4), (PHONE, 1), (COOKIE, 1)), public=(0.0,), rules=(TIGHT,)),
    # Collectors of identifiers.
    Lean(((EMAIL, 4), ("klaviyo_id", 3), ("user_id", 2), (COOKIE, 2)), rules=(TIGHT, FROZEN)),
    Lean(((EMAIL, 3), (PHONE, 2), (ID, 2), (COOKIE, 2)), public=(0.0,), rules=(FROZEN,)),
)


@dataclass(frozen=True)
class History:
    """What one case is made of; `seed` and `number` find it again."""

    seed: int
    number: int
    events: tuple[Event, ...]
    decisions: tuple[Decision, ...]
    rules: Rules


def histories(seed: int, n: int) -> Iterator[History]:
    """n histories of 2 to 14 events; the same seed and number give the same history, whatever n is."""
    for number in range(n):
        yield history(seed, number)


def history(seed: int, number: int) -> History:
    chance = random.Random(f"{seed}/{number}")
    lean = chance.choice(LEANS)
    kinds = list(lean.kinds) or chance.sample(ALL, chance.randint(2, 6))
    public, named = chance.choice(lean.public), chance.choice(lean.named)
    gaps = chance.choice((GAPS, GAPS[:6], (0, HOUR)))
    most = chance.choice((1, 2, 2, 3, 4))
    events: list[Event] = []
    at = BEGIN
    for position in range(chance.randint(2, 14)):
        at += chance.choice(gaps)
        events.append(_event(chance, position, at, kinds, public, named, most, events))
    rules = chance.choice(lean.rules)
    decided = chance.random() < (0.8 if rules is FROZEN else 0.35)
    decisions = tuple(_decisions(chance, events)) if decided else ()
    # Given in any order.
    chance.shuffle(events)
    return History(seed, number, tuple(events), decisions, rules)


def _event(
    chance: random.Random,
    position: int,
    at: Instant,
    kinds: list[tuple[str, int]],
    public: float,
    named: float,
    most: int,
    before: list[Event],
) -> Event:
    # A fifth repeats an earlier event's evidence: fragments have several events.
    if before and chance.random() < 0.2:
        old = chance.choice(before)
        return Event(f"e{position:02}", at, old.identifiers, old.name, old.trust, old.rank)
    trust = Trust.PUBLIC if chance.random() < public else Trust.FULL
    allowed = [one for one in kinds if trust is Trust.FULL or one[0] in PUBLIC]
    if not allowed:
        trust, allowed = Trust.FULL, kinds
    drawn = {
        Identifier(kind, f"{kind[:2]}{chance.randint(1, values)}")
        for kind, values in (chance.choice(allowed) for _ in range(chance.randint(1, most)))
    }
    name = chance.choice(NAMES) if chance.random() < named else ("", "")
    rank = SourceRank.PIXEL
    if trust is Trust.FULL:
        rank = chance.choice((SourceRank.WEBHOOK, SourceRank.FILE, SourceRank.SERVER))
    identifiers = tuple(sorted(drawn, key=lambda i: (i.type, i.value)))
    return Event(f"e{position:02}", at, identifiers, name, trust, rank)


def _decisions(chance: random.Random, events: list[Event]) -> Iterator[Decision]:
    for key in range(1, chance.randint(1, 3) + 1):
        a, b = chance.sample(events, 2)
        kind = chance.choice(("merged", "merged", "not_same", "undone"))
        # A merge by hand is made after both events, which a person has seen.
        acts_at = max(a.at, b.at) + chance.choice((0, HOUR // 2, 10 * DAY))
        yield Decision(key, kind, a.key, b.key, acts_at if kind == "merged" else 0)
        if kind == "merged" and chance.random() < 0.3:
            yield Decision(key + 10, "undone", a.key, b.key)

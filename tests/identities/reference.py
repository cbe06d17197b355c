"""Who is who, worked out slowly: identity resolution as product.md section 4 says it, one event at a time.

Written from the specification alone, to be read beside it and to be compared with the fast `resolve`.
Every count is recomputed from plain dictionaries; nothing is kept for speed. The remark before a
block says the rule that it follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from customer360.clock import DAY, Instant
from customer360.events.model import Identifier, SourceRank, Trust

ID_TYPES = (
    *("shopify_customer_id", "user_id", "pos_customer"),
    *("amazon_buyer", "ebay_buyer", "tiktok_buyer"),
)
# "Known, strongest first: the ids; e-mail and klaviyo_id; phone. Anonymous: cookie, cart token, checkout token."
STRENGTH = {
    **dict.fromkeys(ID_TYPES, 0),
    "email": 1,
    "klaviyo_id": 1,
    "phone": 2,
    "cookie": 3,
    "cart_token": 4,
    "checkout_token": 5,
}

Key = str  # of an event
Name = tuple[str, str]
Profile = frozenset[Key]


@dataclass(frozen=True)
class Event:
    """One signal. name: first and last, folded, both empty where it told no full name."""

    key: Key
    at: Instant
    identifiers: tuple[Identifier, ...]
    name: Name = ("", "")
    trust: Trust = Trust.FULL
    rank: SourceRank = SourceRank.SERVER


@dataclass(frozen=True)
class Decision:
    """What a person said of two events. kind: "merged" acts at `acts_at`; "not_same", "undone" always."""

    key: int
    kind: str
    a: Key
    b: Key
    acts_at: Instant = 0


@dataclass(frozen=True)
class Rules:
    """The numbers of section 4."""

    limits: Mapping[str, int] = field(
        default_factory=lambda: {**dict.fromkeys(ID_TYPES, 1), "email": 5, "phone": 5}
    )
    known_identifiers: int = 50
    hub_customer_ids: int = 3
    hub_profiles: int = 20
    stale_after: Instant = 365 * DAY


@dataclass(frozen=True)
class Outcome:
    """How it stands after the last event; a profile is the set of its events' keys."""

    profiles: frozenset[Profile]
    profile_of: Mapping[Key, Profile]
    owners: Mapping[Identifier, tuple[str, Profile | None]]
    """State (owned, unverified, shared, unowned) and owner of each identifier seen."""
    candidates: Mapping[frozenset[Profile], bool]
    """The open pairs, and whether one has weak evidence only. Without those that a hub made."""
    hub_candidates: Mapping[frozenset[Profile], bool]
    """Open pairs that an identifier made before it was found to be a hub: shown as one group."""


@dataclass
class Claim:
    """That an identifier (or an identifier with a name) means the profile of its founding event."""

    founder: Key
    verified: bool = True


@dataclass(frozen=True)
class Doubt:
    """Two events whose profiles may be one person, and the identifier that said so."""

    a: Key
    b: Key
    weak: bool
    identifier: Identifier


def reference(
    events: Iterable[Event], decisions: Iterable[Decision] = (), rules: Rules | None = None
) -> Outcome:
    """Profiles, owners and open candidates after all events and decisions, in whatever order they are given."""
    rules = rules or Rules()
    history, wishes = sorted(events, key=canonical), sorted(decisions, key=lambda one: one.key)
    shared: set[Identifier] = set()
    doubts: list[Doubt] = []
    # "Hubs: ... as they stand": found in the outcome, which is then worked out again with them ignored.
    while True:
        shop = Shop(history, wishes, rules, frozenset(shared))
        shop.play()
        doubts += [one for one in shop.doubts if one not in doubts]
        found = shop.hubs() - shared
        if not found:
            break
        shared |= found
    return Outcome(
        profiles=frozenset(shop.profile(number) for number in shop.members),
        profile_of={key: shop.profile(number) for key, number in shop.number_of.items()},
        owners={i: shop.standing(i) for event in history for i in event.identifiers},
        candidates=shop.still_open(shop.doubts),
        hub_candidates=shop.still_open(shop.made_before_shared(doubts)),
    )


def canonical(event: Event) -> tuple[object, ...]:
    """Time, then source rank (webhook, file, server, pixel), then evidence, then dedupe key.

    "An anonymous event belongs to the latest login on its identifier at or before it": of one instant those
    that carry a known identifier come first.
    """
    login = any(is_known(i) for i in event.identifiers)
    return (event.at, 0 if login else 1, -event.rank, *evidence(event), event.key)


def evidence(event: Event) -> tuple[object, ...]:
    """What makes two events one fragment."""
    # "Swapped parts are one name": the folded name of the evidence has them in order.
    name = tuple(sorted(event.name))
    return (tuple((i.type, i.value) for i in event.identifiers), name, int(event.trust))


def is_known(identifier: Identifier) -> bool:
    return STRENGTH[identifier.type] < STRENGTH["cookie"]


def names_conflict(ours: Iterable[Name], theirs: Iterable[Name]) -> bool:
    """Both sides have a full name, and no part of any is a part of one on the other side.

    "Swapped parts are one name", so it is no matter which part is the first.
    """
    ours, theirs = list(ours), list(theirs)
    alike = any(set(one) & set(other) for one in ours for other in theirs)
    return bool(ours) and bool(theirs) and not alike


class Shop:
    """One pass over the history, with the hubs known so far."""

    def __init__(
        self,
        history: list[Event],
        decisions: list[Decision],
        rules: Rules,
        shared: frozenset[Identifier],
    ) -> None:
        self.history, self.decisions, self.rules, self.shared = history, decisions, rules, shared
        self.event = {event.key: event for event in history}
        self.members: dict[int, set[Key]] = {}
        self.number_of: dict[Key, int] = {}
        self.owner: dict[Identifier, Claim] = {}
        self.meant: dict[tuple[Identifier, Name], Claim] = {}
        self.last_seen: dict[Identifier, Instant] = {}
        self.former: dict[Identifier, Key] = {}
        self.gave_name: set[Key] = set()
        self.linked: dict[Key, set[Identifier]] = {}
        self.doubts: list[Doubt] = []
        # "Not the same" and what was undone hold outside time, for the observations that they name.
        self.apart = [
            (self.named(one.a), self.named(one.b), one.key)
            for one in decisions
            if one.kind != "merged" and one.a in self.event and one.b in self.event
        ]

    def play(self) -> None:
        # A merge by hand acts at its own time, after the events of that time.
        merges = [one for one in self.decisions if one.kind == "merged"]
        merges = [one for one in merges if one.a in self.event and one.b in self.event]
        merges.sort(key=lambda one: (self.acting_at(one), one.key))
        for event in sorted(self.history, key=self.turn):
            while merges and self.acting_at(merges[0]) < event.at:
                self.merge_by_hand(merges.pop(0))
            self.take(event)
        for one in merges:
            self.merge_by_hand(one)

    def turn(self, event: Event) -> tuple[object, ...]:
        """Canonical order, in which a hub that is ignored makes no login."""
        login = any(is_known(i) for i in self.usable(event))
        return (event.at, 0 if login else 1, *canonical(event))

    def take(self, event: Event) -> None:
        self.forget_stale(event)
        usable = self.usable(event)
        self.linked[event.key] = set()
        # "An e-mail or phone whose owner's names conflict with the event's is demoted before X is
        # chosen"; what only a browser had claimed is not demoted but void: trusted evidence takes it over.
        vetoed, void = self.refused_by_name(event, usable)
        known = [i for i in usable if is_known(i) and i not in vetoed]
        x = self.step_one(event, self.in_turn(event, known, void), void)
        if x is None and vetoed:
            # "The vetoed newcomer": somebody new, whoever's device it may be.
            x = self.enter(event, None)
        x = self.step_two(event, x, [i for i in usable if not is_known(i)])
        self.keep_hubs_owner(event)
        self.fix_names(event, x, vetoed)
        self.last_seen.update(dict.fromkeys(event.identifiers, event.at))
        self.doubts = [one for one in self.doubts if one.a != event.key or self.opens(one)]

    # Step 1, the known identifiers

    def step_one(self, event: Event, known: list[Identifier], void: set[Identifier]) -> int | None:
        x: int | None = None
        for i in known:
            claim = self.claim(i, event)
            y = None if claim is None else self.number_of[claim.founder]
            if i in void and y != x:
                y = None
            # "The first makes X: its owner, or a new profile."
            if x is None:
                x = self.enter(event, y)
                if i in void and claim is not None:
                    self.take_over(i, event, claim)
                elif y is None:
                    self.own(i, event, x)
                self.linked[event.key].add(i)
            # "Unowned, it becomes X's unless a limit forbids."
            elif y is None and claim is None:
                if self.has_room(x, i):
                    self.own(i, event, x)
                    self.linked[event.key].add(i)
            elif y == x:
                self.linked[event.key].add(i)
            # "Trusted evidence that names another owner takes it over, with a candidate, and never merges."
            elif claim is not None and event.trust is Trust.FULL and not claim.verified:
                if self.has_room(x, i):
                    self.take_over(i, event, claim)
                    self.linked[event.key].add(i)
                else:
                    self.doubt(event.key, claim.founder, i)
            # "Owned by Y, X and Y merge unless ...: then it is demoted, and X-Y is a merge candidate."
            elif claim is not None and y is not None:
                if self.may_merge(x, y, i, event):
                    x = self.merge(x, y)
                    self.linked[event.key].add(i)
                else:
                    self.doubt(event.key, claim.founder, i)
        self.confirm(event, x)
        return x

    def in_turn(
        self, event: Event, known: list[Identifier], void: set[Identifier]
    ) -> list[Identifier]:
        """Strongest first; ties: owned before unowned, then the earliest owner.

        What is void comes last: a conflict of names is settled "before X is chosen".
        What only a browser claimed for one profile comes last where trusted evidence names the
        owner of something else: that owner is X, and takes it over.
        """
        claims = {i: self.claim(i, event) for i in known if i not in void}
        sure = {self.number_of[c.founder] for c in claims.values() if c and c.verified}

        def last(i: Identifier) -> bool:
            claim = claims.get(i)
            if i in void:
                return True
            if claim is None or claim.verified or event.trust is not Trust.FULL:
                return False
            return bool(sure - {self.number_of[claim.founder]})

        return sorted(known, key=lambda i: (last(i), *self.strength(i, claims.get(i))))

    def strength(self, i: Identifier, claim: Claim | None) -> tuple[object, ...]:
        begin = self.begin(self.number_of[claim.founder]) if claim else ()
        return (STRENGTH[i.type], claim is None, begin, i.type, i.value)

    def refused_by_name(
        self, event: Event, usable: list[Identifier]
    ) -> tuple[set[Identifier], set[Identifier]]:
        vetoed, void = set(), set()
        for i in usable:
            claim = self.owner.get(i)
            if i.type not in ("email", "phone") or claim is None or not event.name[0]:
                continue
            # "The pair is looked up before the owner": it says whom this name means, so no veto.
            if self.pair(i, event) in self.meant:
                continue
            if names_conflict([event.name], self.names(self.number_of[claim.founder])):
                if event.trust is Trust.FULL and not claim.verified:
                    void.add(i)
                else:
                    vetoed.add(i)
                    self.doubt(event.key, claim.founder, i)
        return vetoed, void

    def may_merge(self, x: int, y: int, i: Identifier, event: Event) -> bool:
        """Whether no limit, name, "not the same" or trust forbids that one event merges two profiles."""
        # "The pixel key never merges two known profiles": both are, each has a known identifier.
        if event.trust is Trust.PUBLIC or self.are_apart(x, y):
            return False
        # "Above 50 no more automatic linking."
        if self.is_frozen(x) or self.is_frozen(y):
            return False
        # "Names conflict: a veto on linking by e-mail or phone."
        if i.type in ("email", "phone") and names_conflict(self.names(x), self.names(y)):
            return False
        # "Only a value added to a full side breaks a limit": where one side has none, none is added.
        for type_, limit in [*self.rules.limits.items(), (None, self.rules.known_identifiers)]:
            ours, theirs = self.count(x, type_), self.count(y, type_)
            if ours and theirs and ours + theirs > limit:
                return False
        return True

    def confirm(self, event: Event, x: int | None) -> None:
        """Trusted evidence that names one owner twice also vouches for what a browser had added."""
        linked = self.linked[event.key]
        claims = [c for i in linked for c in (self.claim(i, event), self.owner.get(i)) if c]
        claims = [c for c in claims if self.number_of[c.founder] == x]
        # What only the same evidence said before is not said twice.
        others = [c for c in claims if evidence(self.event[c.founder]) != evidence(event)]
        if event.trust is Trust.FULL and any(c.verified for c in others):
            for claim in claims:
                claim.verified = True

    # Step 2, the anonymous identifiers

    def step_two(self, event: Event, x: int | None, anonymous: list[Identifier]) -> int:
        ranked = sorted(anonymous, key=lambda i: self.strength(i, self.owner.get(i)))
        login = x is not None
        # "Without known identifiers, X is the known owner of the strongest that has one, else the
        # owner of the strongest owned, else a new profile."
        if x is None:
            owners = [self.number_of[self.owner[i].founder] for i in ranked if i in self.owner]
            known = [owner for owner in owners if self.is_known(owner)]
            x = self.enter(event, next(iter(known + owners), None))
        for i in ranked:
            claim = self.owner.get(i)
            y = self.number_of[claim.founder] if claim else None
            linking = not self.is_frozen(x)
            if claim is None or y is None:
                if linking:
                    self.own(i, event, x)
            elif y == x:
                continue
            # "Owned by an anonymous profile: it merges into X", but not against "not the same".
            elif not self.is_known(y):
                if linking and not self.are_apart(x, y):
                    x = self.merge(x, y)
            # "Owned by another known Y: nothing merges; if the event had a known identifier, later
            # anonymous events follow X, the latest login, and a weak candidate is recorded."
            elif login:
                self.doubt(event.key, claim.founder, i, weak=True)
                if linking:
                    self.owner[i] = Claim(event.key)
        return x

    # What an identifier means

    def usable(self, event: Event) -> list[Identifier]:
        """The identifiers that count: a hub is ignored where there is another, alone it still means somebody."""
        own = [i for i in event.identifiers if i not in self.shared]
        ranked = sorted(event.identifiers, key=lambda i: (STRENGTH[i.type], i.type, i.value))
        return own or ranked[:1]

    def claim(self, i: Identifier, event: Event) -> Claim | None:
        """Whom it means on this event: the pair with its name is looked up before the owner."""
        return self.meant.get(self.pair(i, event)) or self.owner.get(i)

    def pair(self, i: Identifier, event: Event) -> tuple[Identifier, Name]:
        first, last = sorted(event.name)
        return (i, (first, last))

    def own(self, i: Identifier, event: Event, x: int) -> None:
        # "A known identifier that the pixel key adds to a profile which already has one is unverified."
        sure = event.trust is Trust.FULL or not is_known(i) or not self.count(x, None)
        self.owner[i] = Claim(event.key, sure)
        # "A phone's former and next owner become a weak candidate."
        if i in self.former:
            self.doubt(event.key, self.former.pop(i), i, weak=True)

    def take_over(self, i: Identifier, event: Event, claim: Claim) -> None:
        self.doubt(event.key, claim.founder, i)
        loser = self.number_of[claim.founder]
        for pair in [p for p, c in self.meant.items() if p[0] == i]:
            if self.number_of[self.meant[pair].founder] == loser:
                del self.meant[pair]
        if i not in self.owner or self.number_of[self.owner[i].founder] == loser:
            self.owner[i] = Claim(event.key)

    def fix_names(self, event: Event, x: int, vetoed: set[Identifier]) -> None:
        """The first event with an e-mail or phone and a full name fixes whom that pair means.

        What a browser claims fixes it only where it linked or is the vetoed newcomer, and is verified
        only as far as the owner is.
        """
        for i in event.identifiers:
            if i.type not in ("email", "phone") or not event.name[0]:
                continue
            public = event.trust is Trust.PUBLIC
            if self.pair(i, event) in self.meant:
                continue
            if public and i not in self.linked[event.key] | vetoed:
                continue
            owner = self.owner.get(i)
            owned = owner is not None and self.number_of[owner.founder] == x
            sure = owner.verified if owner and owned else not public
            self.meant[self.pair(i, event)] = Claim(event.key, sure)
            if i in vetoed:
                self.linked[event.key].add(i)

    def keep_hubs_owner(self, event: Event) -> None:
        """Alone, a known hub still means its owner: the profile of the first event that carried it."""
        for i in event.identifiers:
            if i in self.shared and is_known(i) and i not in self.owner:
                self.owner[i] = Claim(event.key)

    def forget_stale(self, event: Event) -> None:
        # "A phone or cookie without any event for 12 months is unowned, its names too": at once, so
        # that it counts for no limit any more.
        for i, last in self.last_seen.items():
            if i.type not in ("phone", "cookie") or event.at - last < self.rules.stale_after:
                continue
            claim = self.owner.pop(i, None)
            if claim and i.type == "phone":
                self.former[i] = claim.founder
            for pair in [p for p in self.meant if p[0] == i]:
                del self.meant[pair]

    # Profiles

    def enter(self, event: Event, x: int | None) -> int:
        """The event becomes part of a profile, or founds one, and gives it its name."""
        # "The pixel key gives names to anonymous profiles only": one that it makes known is none.
        login = any(is_known(i) for i in self.usable(event))
        anonymous = not login and (x is None or not self.is_known(x))
        named = event.trust is Trust.FULL or anonymous
        if named and event.name[0]:
            self.gave_name.add(event.key)
        x = len(self.number_of) if x is None else x
        self.members.setdefault(x, set()).add(event.key)
        self.number_of[event.key] = x
        return x

    def merge(self, x: int, y: int) -> int:
        """Two sets become one; the oldest profile survives."""
        kept, gone = sorted((x, y), key=self.begin)
        for key in self.members[gone]:
            self.number_of[key] = kept
        self.members[kept] |= self.members.pop(gone)
        return kept

    def merge_by_hand(self, one: Decision) -> None:
        # "Acts at its own time, beyond limits"; undone, or said not to be the same, it never happens.
        # (The page does not say what holds when somebody merges by hand what they had called two
        # people before: the later word, as a merchant would expect.)
        x, y = self.number_of[one.a], self.number_of[one.b]
        if x != y and not self.are_apart(x, y, after=one.key):
            self.merge(x, y)

    def acting_at(self, one: Decision) -> Instant:
        return max(one.acts_at, self.event[one.a].at, self.event[one.b].at)

    def begin(self, x: int) -> tuple[object, ...]:
        return min(self.turn(self.event[key]) for key in self.members[x])

    def names(self, x: int) -> set[Name]:
        return {self.event[key].name for key in self.members[x] & self.gave_name}

    def is_known(self, x: int) -> bool:
        """Whether a known identifier ever led one of its events here."""
        return any(is_known(i) for key in self.members[x] for i in self.linked[key])

    def count(self, x: int, type_: str | None) -> int:
        """How many known identifiers (of a type) it owns; hubs, which prove nothing, do not count."""
        mine = (i for i, c in self.owner.items() if self.number_of[c.founder] == x)
        known = [i for i in mine if is_known(i) and i not in self.shared]
        return sum(1 for i in known if type_ in (None, i.type))

    def has_room(self, x: int, i: Identifier) -> bool:
        limit = self.rules.limits.get(i.type, self.rules.known_identifiers)
        return self.count(x, i.type) < limit and self.count(x, None) < self.rules.known_identifiers

    def is_frozen(self, x: int) -> bool:
        return self.count(x, None) > self.rules.known_identifiers

    def has_customer_id(self, x: int) -> bool:
        owned = [i for i, c in self.owner.items() if self.number_of[c.founder] == x]
        return any(i.type == "shopify_customer_id" for i in owned)

    def are_apart(self, x: int, y: int, after: int = -1) -> bool:
        ours, theirs = self.members[x], self.members[y]
        return any(
            (a & ours and b & theirs) or (b & ours and a & theirs)
            for a, b, key in self.apart
            if key > after
        )

    def named(self, key: Key) -> set[Key]:
        """The events that a decision names by an evidence and a time."""
        one = self.event[key]
        alike = [e for e in self.history if evidence(e) == evidence(one)]
        return {e.key for e in alike if e.at == one.at}

    # The end state

    def opens(self, one: Doubt) -> bool:
        """A candidate is made "while the sides are two profiles without a "not the same"."""
        x, y = self.number_of[one.a], self.number_of[one.b]
        return x != y and not self.are_apart(x, y)

    def made_before_shared(self, doubts: list[Doubt]) -> list[Doubt]:
        """ "It makes no new candidates": those count that it made before its users were too many."""
        order = {event.key: place for place, event in enumerate(self.history)}
        made: list[Doubt] = []
        users: dict[Identifier, set[int]] = {}
        for one in sorted(doubts, key=lambda one: (order[one.a], order[one.b], one.weak)):
            if one.identifier in self.shared:
                seen = users.setdefault(one.identifier, set())
                seen |= {self.number_of[one.a], self.number_of[one.b]}
                if not self.too_many(seen):
                    made.append(one)
        return made

    def too_many(self, users: set[int]) -> bool:
        customers = sum(self.has_customer_id(x) for x in users)
        known = sum(self.is_known(x) for x in users)
        return customers > self.rules.hub_customer_ids or known > self.rules.hub_profiles

    def hubs(self) -> set[Identifier]:
        """Whose events belong to profiles with more than 3 shop customer ids, or to more than 20 known profiles.

        A profile counts once, whatever it owns: that is how a merge by hand lowers the number.
        """
        found = set()
        for i in {i for event in self.history for i in event.identifiers}:
            users = {self.number_of[e.key] for e in self.history if i in e.identifiers}
            if self.too_many(users):
                found.add(i)
        return found

    def profile(self, x: int) -> Profile:
        return frozenset(self.members[x])

    def standing(self, i: Identifier) -> tuple[str, Profile | None]:
        claim = self.owner.get(i)
        owner = self.profile(self.number_of[claim.founder]) if claim else None
        if i in self.shared:
            return ("shared", owner)
        if claim is None:
            return ("unowned", None)
        return ("owned" if claim.verified else "unverified", owner)

    def doubt(self, a: Key, b: Key, i: Identifier, *, weak: bool = False) -> None:
        # "A hub makes no new candidates."
        if i not in self.shared:
            self.doubts.append(Doubt(a, b, weak, i))

    def still_open(self, doubts: list[Doubt]) -> dict[frozenset[Profile], bool]:
        """ "Open while the sides are two profiles without a "not the same"; once per pair."""
        pairs: dict[frozenset[Profile], bool] = {}
        for one in doubts:
            x, y = self.number_of[one.a], self.number_of[one.b]
            # "A weak one also needs that not both have a shop customer id."
            idle = one.weak and self.has_customer_id(x) and self.has_customer_id(y)
            if x != y and not idle and not self.are_apart(x, y):
                pair = frozenset((self.profile(x), self.profile(y)))
                pairs[pair] = one.weak and pairs.get(pair, True)
        return pairs

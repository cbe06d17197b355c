"""Who is one with whom, who owns what, whom that makes suspect, what to cut: the books that a replay keeps. Pure."""

from __future__ import annotations

import msgspec

from customer360.clock import Instant
from customer360.events.model import Identifier, IdentifierType
from customer360.identities.component import Component, HandMerge
from customer360.identities.groups import Group, Moment, breaks_a_limit, said_not_the_same
from customer360.identities.model import (
    Bridge,
    Doubt,
    FragmentId,
    Merge,
    Name,
    OwnershipState,
    Refusal,
    Rules,
    Run,
)
from customer360.identities.normalise import KNOWN

BEFORE_ALL: Moment = (-(1 << 63), ())
_CUSTOMER_ID = IdentifierType.SHOPIFY_CUSTOMER_ID.value
_PHONE = IdentifierType.PHONE.value


# Each event of a person makes one or more of these: structs are made several times faster than other objects.
class Held(msgspec.Struct, eq=False):
    """That an identifier means a group since an observation said so first."""

    identifier: int
    group: Group
    observation: int
    since: Instant
    state: OwnershipState
    until: Instant | None = None


class Suspicion(msgspec.Struct, frozen=True):
    """That two observations may be of one person, and what made us think so."""

    observation: int
    other: int
    identifier: int
    at: Instant
    word: Doubt


WEAK = frozenset({"device", "phone_reused"})


class Ledger:
    """Groups, ownerships and doubts so far; `_now` and `_moment` say which observation is being attached."""

    def __init__(self, component: Component, rules: Rules, shared: frozenset[int]) -> None:
        count = len(component.identifiers)
        self.component = component
        self.rules = rules
        self.shared = shared
        self.types = [identifier.type for identifier in component.identifiers]
        self.owners: list[Held | None] = [None] * count
        self.history: list[Held] = []
        """Every ownership there ever was, in the order in which they began."""
        self.group_of: list[Group | None] = [None] * len(component.seen)
        self.groups: list[Group] = []
        self.suspicions: dict[tuple[int, int, int, str], Suspicion] = {}
        self.demoted: dict[tuple[int, int], Refusal] = {}
        self.merges: list[Merge] = []
        self.cuts: set[tuple[FragmentId, Instant]] = set()
        self._last_seen: list[Instant | None] = [None] * count
        self._changed: list[Moment] = [BEFORE_ALL] * count
        self._open: list[list[int]] = [[] for _ in range(count)]
        """Observations that last, and so could conceal a hand-over within."""
        self._pairs: dict[int, dict[Name, Held]] = {}
        """Whom an e-mail address or phone means together with a full name."""
        self._former: dict[int, Held] = {}
        self._waiting: dict[int, list[HandMerge]] = {}
        # What holds for the observation being attached.
        self._now = 0
        self._at: Instant = 0
        self._moment: Moment = BEFORE_ALL
        self._fresh: Group | None = None
        self._via: tuple[int, Held] | None = None
        self._vetoed: list[int] = []
        self._suspected: list[tuple[int, int, int, str]] = []
        self._changes = 0

    # Ownership

    def _meant(self, identifier: int, name: Name) -> Held | None:
        """Whom an identifier means beside this name: the pair is looked up before the owner."""
        pairs = self._pairs.get(identifier)
        if pairs is not None and name in pairs:
            return pairs[name]
        return self.owners[identifier]

    def _own(self, group: Group, identifier: int, state: OwnershipState) -> None:
        kind = self.types[identifier]
        held = Held(identifier, group, self._now, self._at, state)
        self.owners[identifier] = held
        self.history.append(held)
        self._changed[identifier] = self._moment
        self._changes += 1
        if kind in KNOWN:
            group.customer_ids += kind == _CUSTOMER_ID
            # What many share proves nothing, and so counts for nothing.
            if identifier not in self.shared:
                group.add(kind)
                if kind == _PHONE:
                    group.phones.add(identifier)
        former = self._former.pop(identifier, None) if self._former else None
        if former is not None:
            self._suspect(group, former.group.root(), identifier, "phone_reused", former)

    def _disown(self, identifier: int, owner: Held, until: Instant) -> None:
        """End an ownership; an observation that goes on after it must be cut."""
        owner.until = until
        self.owners[identifier] = None
        self._changed[identifier] = self._moment
        kind = self.types[identifier]
        if kind in KNOWN:
            group = owner.group.root()
            group.customer_ids -= kind == _CUSTOMER_ID
            if identifier not in self.shared:
                group.lose(kind)
                group.phones.discard(identifier)
            group.changed = self._moment
        still_open = []
        for number in self._open[identifier]:
            if self.component.seen[number].observation.last_at >= self._at:
                still_open.append(number)
                if number != self._now:
                    self._cut(number, self._moment)
        self._open[identifier] = still_open

    def _see(self, identifier: int, last_at: Instant) -> None:
        """Note that a phone or cookie is in use; after a year of silence it was nobody's."""
        last = self._last_seen[identifier]
        if last is None or last < last_at:
            self._last_seen[identifier] = last_at
        if last is not None and self._at - last >= self.rules.stale_after:
            self._let_go(identifier, last)

    def _let_go(self, identifier: int, last: Instant) -> None:
        self._pairs.pop(identifier, None)
        owner = self.owners[identifier]
        if owner is None:
            return
        self._disown(identifier, owner, last + self.rules.stale_after)
        if self.types[identifier] == _PHONE:
            self._former[identifier] = owner

    def _let_go_of_stale(self, group: Group) -> None:
        for identifier in sorted(group.phones):
            last = self._last_seen[identifier]
            if last is not None and self._at - last >= self.rules.stale_after:
                self._let_go(identifier, last)

    def _give_name(self, group: Group, name: Name) -> None:
        if not group.parts.issuperset(name):
            group.parts.update(name)
            group.changed = self._moment

    # What forbids

    def _refuses_identifier(self, group: Group, identifier: int) -> Doubt | None:
        kind = self.types[identifier]
        refusal = group.refuses_identifier(kind, self.rules)
        if refusal is not None and group.phones:
            self._let_go_of_stale(group)
            refusal = group.refuses_identifier(kind, self.rules)
        return refusal

    def _is_frozen(self, group: Group) -> bool:
        frozen = group.is_frozen(self.rules)
        if frozen and group.phones:
            self._let_go_of_stale(group)
            frozen = group.is_frozen(self.rules)
        return frozen

    def _breaks_a_limit(self, one: Group, other: Group) -> Doubt | None:
        broken = breaks_a_limit(one, other, self.rules)
        if broken is not None and (one.phones or other.phones):
            self._let_go_of_stale(one)
            self._let_go_of_stale(other)
            broken = breaks_a_limit(one, other, self.rules)
        return broken

    # Doubts

    def _refuse(
        self, group: Group, other: Group, identifier: int, word: Doubt, holder: Held
    ) -> None:
        self._demote(identifier, word)
        self._suspect(group, other, identifier, word, holder)

    def _demote(self, identifier: int, word: Refusal | Doubt) -> None:
        self.demoted.setdefault((self._now, identifier), word)  # type: ignore[arg-type]

    def _suspect(
        self, group: Group, other: Group, identifier: int, word: Doubt, holder: Held
    ) -> None:
        """Note that two groups may be one person; what is shared makes no candidate any more."""
        if group is other or identifier in self.shared:
            return
        key = (self._now, holder.observation, identifier, word)
        if key not in self.suspicions:
            self._changes += 1
            self._suspected.append(key)
            self.suspicions[key] = Suspicion(
                self._now, holder.observation, identifier, self._at, word
            )

    def _drop_what_is_settled(self) -> None:
        """A candidate is made while the sides are two, and nobody said that they are not the same."""
        for key in self._suspected:
            one, other = self.root_of(key[0]), self.root_of(key[1])
            if one is other or said_not_the_same(one, other):
                del self.suspicions[key]
                self._changes -= 1
        self._suspected.clear()

    # Groups

    def _enter(self, group: Group) -> None:
        """Make the observation part of the group."""
        if self.group_of[self._now] is None:
            self.group_of[self._now] = group
            if self._now in self.component.marks:
                group.marks.update(self.component.marks[self._now])

    def _new_group(self) -> Group:
        group = Group(len(self.groups), self._now, self._moment)
        self.groups.append(group)
        self._fresh = group
        self._changes += 1
        return group

    def _link(self, group: Group, identifier: int, owner: Held) -> Group:
        """Merge two groups by themselves."""
        via, fresh = self._via, self._fresh
        bridges = None
        if via is not None and fresh is None:
            bridges = (self._bridge(*via), self._bridge(identifier, owner))
        if via is None:
            self._via = (identifier, owner)
        self._fresh = None
        return self._merge(group, owner.group.root(), bridges, logged=fresh is None)

    def _bridge(self, identifier: int, held: Held) -> Bridge:
        fragment, _ = self.named(held.observation)
        return Bridge(
            identifier=self.component.identifiers[identifier], fragment_id=fragment, at=held.since
        )

    def _merge(
        self,
        one: Group,
        other: Group,
        bridges: tuple[Bridge, Bridge] | None = None,
        decision_id: int | None = None,
        *,
        logged: bool = True,
    ) -> Group:
        """The earlier begun survives. A group that the same event began is no profile that anybody saw."""
        kept, gone = (one, other) if one.number < other.number else (other, one)
        kept.take_in(gone)
        kept.changed = self._moment
        self._changes += 1
        if logged:
            self.merges.append(
                Merge(
                    kept=self.named(kept.founder),
                    gone=self.named(gone.founder),
                    at=self._at,
                    by=self.named(self._now) if decision_id is None else None,
                    decision_id=decision_id,
                    bridges=bridges,
                )
            )
        return kept

    def _merge_by_hand(self, merge: HandMerge) -> None:
        """Beyond limits, at its own time, or as soon as both sides are there; a later "not the same" undoes it."""
        sides = [self.group_of[side] for side in merge.sides]
        if sides[0] is None or sides[1] is None:
            missing = merge.sides[0] if sides[0] is None else merge.sides[1]
            self._waiting.setdefault(missing, []).append(merge)
            return
        one, other = sides[0].root(), sides[1].root()
        if one is other or said_not_the_same(
            one, other, self.component.decided, after=merge.decision_id
        ):
            return
        self._merge(one, other, decision_id=merge.decision_id)

    # Observations

    def _cut(self, number: int, cause: Moment) -> bool:
        """Ask to cut an observation at a cause; False where that is outside it.

        Whether an event of the same instant precedes the cause shows only once it begins a run of its own.
        """
        seen = self.component.seen[number]
        first_at, ties = seen.moment
        at = cause[0] if first_at < cause[0] else cause[0] + 1
        inside = first_at < at <= seen.observation.last_at and (first_at, ties) < cause
        if inside:
            self.cuts.add((seen.observation.fragment_id, at))
        return inside

    def root_of(self, number: int) -> Group:
        """The group of an observation, as it stands now."""
        group = self.group_of[number]
        assert group is not None, "every observation was attached"
        return group.root()

    def named(self, number: int) -> Run:
        """The fragment and run of an observation."""
        observation = self.component.seen[number].observation
        return observation.fragment_id, observation.run

    def identifier(self, number: int) -> Identifier:
        """The identifier of this number."""
        return self.component.identifiers[number]

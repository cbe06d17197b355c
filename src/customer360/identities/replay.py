"""The rules of linking, carried out on everything that was seen, in canonical order. Pure.

An observation finds its group and links what it brings together: first the known identifiers (step 1), then
the anonymous ones (step 2). Words and rules are those of the product's specification, Identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from customer360.clock import Instant
from customer360.identities.component import REACHABLE, HandMerge, Seen
from customer360.identities.groups import (
    Group,
    Moment,
    names_conflict,
    said_not_the_same,
)
from customer360.identities.ledger import BEFORE_ALL, Held, Ledger
from customer360.identities.model import (
    Bridge,
    Merge,
    Name,
    OwnershipState,
)
from customer360.identities.normalise import KNOWN, STRENGTH


class Replay(Ledger):
    """One pass over a component, given which identifiers are shared."""

    def run(self) -> None:
        """Attach every observation and carry out every merge by hand, each at its time."""
        seen = self.component.seen
        agenda: list[tuple[Moment, int]] = [
            ((merge.acts_at, (1, merge.decision_id)), ~number)
            for number, merge in enumerate(self.component.merges)
        ]
        heapify(agenda)
        for number in self._turns():
            one = seen[number]
            while agenda and agenda[0][0] < one.moment:
                self._act(*heappop(agenda))
            observation = one.observation
            self._attach(number, one, one.moment)
            if number in self._waiting:
                for merge in self._waiting.pop(number):
                    self._merge_by_hand(merge)
            if observation.last_at > observation.first_at:
                for identifier in (*one.known, *one.anonymous):
                    self._open[identifier].append(number)
                if self._is_pending(number, one):
                    # In its own place and after the others of that instant: from another source than
                    # the first, the last event may come later among them.
                    heappush(agenda, ((observation.last_at, one.moment[1]), number))
                    heappush(agenda, ((observation.last_at, (0, 2, number)), number))
        while agenda:
            self._act(*heappop(agenda))

    def _turns(self) -> Sequence[int]:
        """Canonical order; what is no login, since all it says of a person is shared, comes after those of its time."""
        seen = self.component.seen
        numbers = range(len(seen))
        if not self.shared:
            return numbers

        def turn(number: int) -> tuple[Instant, bool, int]:
            one = seen[number]
            login = not self.shared.issuperset(one.known) or (
                bool(one.known) and self.shared.issuperset(one.anonymous)
            )
            return one.moment[0], not login, number

        return sorted(numbers, key=turn)

    def _act(self, moment: Moment, number: int) -> None:
        if number < 0:
            self._at, self._moment = moment[0], moment
            self._fresh = self._via = None
            self._merge_by_hand(self.component.merges[~number])
        else:
            self._attach_again(number, moment)

    # One observation

    def _attach(self, number: int, seen: Seen, moment: Moment) -> Group:
        """Find or make the group of an observation and link what it brings together."""
        self._now, self._at, self._moment = number, moment[0], moment
        self._fresh = self._via = None
        self._vetoed = []
        observation = seen.observation
        for identifier in seen.fading:
            self._see(identifier, observation.last_at)
        known: Sequence[int] = seen.known
        anonymous: Sequence[int] = seen.anonymous
        ignored: list[int] = []
        if self.shared and not self.shared.isdisjoint((*known, *anonymous)):
            known, anonymous, ignored = self._without_hubs(known, anonymous)
        group = self._link_known(seen, known) if known else self._find_anonymous(anonymous)
        for identifier in self._anonymous_in_order(anonymous):
            group = self._link_anonymous(group, identifier, login=bool(known))
        # A browser gives names to anonymous profiles only.
        if not known and seen.named and (seen.trusted or not group.known):
            self._give_name(group, seen.name)
        for identifier in ignored:
            self._meet_hub(group, identifier)
        if seen.named:
            self._fix_pairs(group, seen, ignored)
        if self._suspected:
            self._drop_what_is_settled()
        return group

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

    # Step 1: known identifiers

    def _link_known(self, seen: Seen, known: Sequence[int]) -> Group:
        name, trusted = seen.name, seen.trusted
        self._vetoed = self._conflicting(known, name) if seen.named else []
        left = known
        if self._vetoed:
            left = [identifier for identifier in known if identifier not in self._vetoed]
        ordered = self._known_in_order(left, name, trusted) if len(left) > 1 else left
        meant = self._meant(ordered[0], name) if ordered else None
        if meant is None:
            # Where every name conflicts it is somebody new, whoever's device it may be.
            group = self._new_group()
        else:
            group = meant.group.root()
            self._via = (ordered[0], meant)
        self._enter(group)
        if trusted and seen.named:
            self._give_name(group, name)
        for identifier in ordered:
            meant = self._meant(identifier, name)
            if meant is None:
                self._claim_known(group, identifier, trusted)
            elif meant.group.root() is not group:
                group = self._meet(group, identifier, meant, trusted)
        for identifier in self._vetoed:
            self._turn_away(group, identifier, trusted)
        if trusted and self.component.has_claims:
            self._confirm(group, seen, known)
        group.known = True
        return group

    def _conflicting(self, known: Sequence[int], name: Name) -> list[int]:
        """E-mail addresses and phones whose owner has other names than the observation."""
        vetoed = []
        for identifier in known:
            owner = self.owners[identifier]
            if owner is None or self.types[identifier] not in REACHABLE:
                continue
            if name not in self._pairs.get(identifier, ()) and names_conflict(
                set(name), owner.group.root().parts
            ):
                vetoed.append(identifier)
        return vetoed

    def _known_in_order(self, known: Sequence[int], name: Name, trusted: bool) -> list[int]:
        """Strongest first; of equals the owned before the unowned, then the earliest owner.

        Where trusted evidence names an owner, what a browser only claimed comes last: nothing links through it.
        """
        owners = [self._meant(identifier, name) for identifier in known]
        sure = {owner.group.root() for owner in owners if owner and owner.state == "owned"}

        def order(place: int) -> tuple[bool, int, bool, int, int]:
            owner = owners[place]
            claimed = trusted and owner is not None and owner.state == "unverified"
            return (
                claimed and owner is not None and bool(sure - {owner.group.root()}),
                STRENGTH[self.types[known[place]]],
                owner is None,
                0 if owner is None else owner.group.root().number,
                place,
            )

        return [known[place] for place in sorted(range(len(known)), key=order)]

    def _confirm(self, group: Group, seen: Seen, known: Sequence[int]) -> None:
        """Trusted evidence that names one owner twice also vouches for what a browser had added.

        What only the same evidence said before vouches for nothing.
        """
        claims = [
            claim
            for identifier in known
            if (meant := self._meant(identifier, seen.name)) and meant.group.root() is group
            for claim in (meant, self.owners[identifier])
            if claim is not None and claim.group.root() is group
        ]
        unverified = [claim for claim in claims if claim.state == "unverified"]
        if unverified and any(
            claim.state == "owned" and not self._same_evidence(claim.observation, seen)
            for claim in claims
        ):
            self._changes += 1
            for claim in unverified:
                claim.state = "owned"
                self._changed[claim.identifier] = self._moment

    def _same_evidence(self, number: int, seen: Seen) -> bool:
        one, other = self.component.seen[number].observation, seen.observation
        return (
            one.identifiers == other.identifiers
            and one.name == other.name
            and one.trust is other.trust
        )

    def _claim_known(self, group: Group, identifier: int, trusted: bool) -> None:
        refusal = self._refuses_identifier(group, identifier)
        if refusal is not None:
            group.refused_more = group.refused_more or refusal == "frozen"
            self._demote(identifier, refusal)
            return
        self._own(group, identifier, "owned" if trusted or not group.total else "unverified")

    def _meet(self, group: Group, identifier: int, meant: Held, trusted: bool) -> Group:
        """An identifier of another profile: merge with it, take it over, or let it be."""
        other = meant.group.root()
        if trusted and meant.state == "unverified":
            self._take_over(group, identifier, meant)
            return group
        if not trusted:
            self._refuse(group, other, identifier, "trust", meant)
            return group
        # Asked first, as it lets go of stale phones, which must not hang on what people decide.
        broken = self._breaks_a_limit(group, other)
        if said_not_the_same(group, other):
            self._demote(identifier, "not_same")
            return group
        if broken is None and self.types[identifier] in REACHABLE:
            broken = "names" if names_conflict(group.parts, other.parts) else None
        if broken is None:
            return self._link(group, identifier, meant)
        if broken == "frozen":
            group.refused_more = group.refused_more or group.total >= self.rules.known_identifiers
            other.refused_more = other.refused_more or other.total >= self.rules.known_identifiers
        self._refuse(group, other, identifier, broken, meant)
        return group

    def _turn_away(self, group: Group, identifier: int, trusted: bool) -> None:
        """The owner has other names: the identifier does not link here."""
        owner = self.owners[identifier]
        if owner is None:
            return
        other = owner.group.root()
        if trusted and owner.state == "unverified":
            if other is not group:
                self._take_over(group, identifier, owner)
        else:
            self._refuse(group, other, identifier, "names", owner)

    def _take_over(self, group: Group, identifier: int, claim: Held) -> None:
        """What a browser only claimed gives way to what a trusted source says."""
        refusal = self._refuses_identifier(group, identifier)
        loser = claim.group.root()
        self._refuse(group, loser, identifier, refusal or "taken_over", claim)
        if refusal is not None:
            return
        pairs = self._pairs.get(identifier, {})
        for name in [name for name, pair in pairs.items() if pair.group.root() is loser]:
            del pairs[name]
        owner = self.owners[identifier]
        if owner is not None and owner.group.root() is not loser:
            return
        if owner is not None:
            self._disown(identifier, owner, self._at)
        self._own(group, identifier, "owned")

    def _fix_pairs(self, group: Group, seen: Seen, ignored: Sequence[int]) -> None:
        """The first event with an address or number and a full name fixes whom that pair means.

        A browser's fixes it only where it linked, or found the owner to have another name.
        """
        trusted = seen.trusted
        for identifier in seen.known:
            if self.types[identifier] not in REACHABLE:
                continue
            pairs = self._pairs.setdefault(identifier, {})
            owner = self.owners[identifier]
            owns = owner is not None and owner.group.root() is group
            linked = owns and identifier not in ignored
            if seen.name in pairs or not (trusted or linked or identifier in self._vetoed):
                continue
            state: OwnershipState = "owned" if trusted else "unverified"
            if owner is not None and owns:
                state = owner.state
            pairs[seen.name] = Held(identifier, group, self._now, self._at, state)

    # Step 2: anonymous identifiers

    def _find_anonymous(self, anonymous: Sequence[int]) -> Group:
        """The known owner of the strongest that has one, else the owner of the strongest owned, else a new group."""
        found: Held | None = None
        for identifier in self._anonymous_in_order(anonymous):
            owner = self.owners[identifier]
            if owner is None:
                continue
            if owner.group.root().known:
                found = owner
                break
            found = found or owner
        if found is None:
            group = self._new_group()
        else:
            group = found.group.root()
            self._via = (found.identifier, found)
        self._enter(group)
        return group

    def _anonymous_in_order(self, anonymous: Sequence[int]) -> Sequence[int]:
        """Strongest first; of equals the owned before the unowned, then the earliest owner."""
        if len(anonymous) < 2 or len({self.types[one] for one in anonymous}) == len(anonymous):
            return anonymous

        def order(identifier: int) -> tuple[int, bool, int]:
            owner = self.owners[identifier]
            number = 0 if owner is None else owner.group.root().number
            return STRENGTH[self.types[identifier]], owner is None, number

        return sorted(anonymous, key=order)

    def _link_anonymous(self, group: Group, identifier: int, *, login: bool) -> Group:
        owner = self.owners[identifier]
        if owner is None:
            if self._is_frozen(group):
                self._demote(identifier, "frozen")
            else:
                self._own(group, identifier, "owned")
            return group
        other = owner.group.root()
        if other is group:
            return group
        if not other.known:
            if said_not_the_same(group, other):
                self._demote(identifier, "not_same")
            elif self._is_frozen(group):
                self._demote(identifier, "frozen")
            else:
                return self._link(group, identifier, owner)
            return group
        if not login:
            self._demote(identifier, "device")
            return group
        self._suspect(group, other, identifier, "device", owner)
        if self._is_frozen(group):
            self._demote(identifier, "frozen")
        else:
            # The latest login has the device from now on; what was before stays where it is.
            self._disown(identifier, owner, self._at)
            self._own(group, identifier, "owned")
        return group

    # Shared identifiers

    def _without_hubs(
        self, known: Sequence[int], anonymous: Sequence[int]
    ) -> tuple[list[int], list[int], list[int]]:
        """Leave out what is shared where something else is usable, else keep the strongest alone."""
        every = [*known, *anonymous]
        kept = [identifier for identifier in every if identifier not in self.shared] or every[:1]
        return (
            [identifier for identifier in known if identifier in kept],
            [identifier for identifier in anonymous if identifier in kept],
            [identifier for identifier in every if identifier not in kept],
        )

    def _meet_hub(self, group: Group, identifier: int) -> None:
        """A shared identifier links nobody; where a known one comes alone it means who carried it first."""
        self._demote(identifier, "hub")
        if self.types[identifier] in KNOWN and self.owners[identifier] is None:
            self._own(group, identifier, "owned")

    # Outcomes

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

    # Observations that last

    def _is_pending(self, number: int, seen: Seen) -> bool:
        """Whether a later event of the observation might link what its first did not."""
        group = self.group_of[number]
        if group is None:
            return False
        group = group.root()
        for identifier in (*seen.known, *seen.anonymous):
            owner = self.owners[identifier]
            if identifier not in self.shared and (
                owner is None or owner.group.root() is not group or owner.state == "unverified"
            ):
                return True
        return False

    def _attach_again(self, number: int, moment: Moment) -> None:
        """Attach the last event of an observation; where that changes anything, it must be cut."""
        seen = self.component.seen[number]
        cause = self._latest_change(seen, self.group_of[number])
        changes = self._changes
        group = self._attach(number, seen, moment)
        before = self.group_of[number]
        moved = before is not None and before.root() is not group
        if (changes != self._changes or moved) and not self._cut(number, cause):
            self._cut(number, (moment[0], ()))

    def _latest_change(self, seen: Seen, group: Group | None) -> Moment:
        """When last, since the observation began, something changed that it hangs on."""
        moments = [] if group is None else [group.root().changed]
        for identifier in (*seen.known, *seen.anonymous):
            moments.append(self._changed[identifier])
            owner = self.owners[identifier]
            if owner is not None:
                moments.append(owner.group.root().changed)
        return max(moments, default=BEFORE_ALL)

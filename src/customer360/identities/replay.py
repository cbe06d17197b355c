"""The rules of linking, carried out on everything that was seen, in canonical order. Pure.

An observation finds its group and links what it brings together: first the known identifiers (step 1), then
the anonymous ones (step 2). Words and rules are those of the product's specification, Identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from customer360.clock import Instant
from customer360.identities.component import Seen
from customer360.identities.groups import Group, Moment, said_not_the_same
from customer360.identities.ledger import BEFORE_ALL, Held
from customer360.identities.normalise import KNOWN, STRENGTH
from customer360.identities.step_one import StepOne


class Replay(StepOne):
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

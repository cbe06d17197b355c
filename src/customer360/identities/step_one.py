"""Step 1 of the rules of linking: the known identifiers that an observation brings together. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from customer360.identities.component import REACHABLE, Seen
from customer360.identities.groups import Group, names_conflict, said_not_the_same
from customer360.identities.ledger import Held, Ledger
from customer360.identities.model import Name, OwnershipState
from customer360.identities.normalise import STRENGTH


class StepOne(Ledger):
    """Finds or makes the group of an observation by its known identifiers, strongest first."""

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

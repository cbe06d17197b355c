"""One person as pages about them begin: what they are called, how they are reached, and facts with their names."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import RedirectResponse, Response

from customer360.profiles.attributes import BY_NAME, AttributeValue
from customer360.profiles.card import Card
from customer360.web.visit import Visit
from customer360.web.words import title_of


class Labelled(NamedTuple):
    """An attribute with its value."""

    name: str
    label: str
    type: str
    help: str
    value: AttributeValue


def head_of(card: Card) -> dict[str, object]:
    """The head of a page: the title, the letters in its circle, and the contacts beside the title."""
    contacts = _contacts(card)
    return {
        "title": title_of(card.name, contacts, card.profile_id, card.kind),
        "initials": _initials(card),
        "contacts": contacts if card.name else contacts[1:],
    }


def labelled(card: Card, name: str, label: str = "") -> Labelled:
    """An attribute of theirs, under its own label or another."""
    known = BY_NAME[name]
    return Labelled(name, label or known.label, known.type, known.help, card.attributes[name])


def moved(visit: Visit, card: Card) -> Response:
    """To the profile that this one was merged into, the same tab; an undo brings the address back."""
    tail = visit.path.removeprefix(f"{visit.root}/customers/{visit.path_values['profile_id']}")
    return RedirectResponse(f"{visit.root}/customers/{card.profile_id}{tail}", 307)


def _contacts(card: Card) -> list[str]:
    """The e-mail address and the phone number that the person is shown with."""
    newest = sorted(
        card.identifiers, key=lambda one: (one.state == "unverified", -one.last_seen_at)
    )
    found = (
        next((one.value for one in newest if one.type == kind), "") for kind in ("email", "phone")
    )
    return [value for value in found if value]


def _initials(card: Card) -> str:
    parts = (
        [card.first_name, card.last_name]
        if card.first_name or card.last_name
        else card.name.split()[:2]
    )
    return "".join(part[0] for part in parts if part).upper()

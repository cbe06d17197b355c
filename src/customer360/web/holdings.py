"""What a customer is known by, the strongest first, and how they answer on each channel."""

from __future__ import annotations

from typing import NamedTuple, get_args

from customer360.events.model import Channel
from customer360.identities.normalise import KNOWN, STRENGTH
from customer360.profiles.attributes import AttributeValue
from customer360.profiles.card import Card, IdentifierView

ANSWERS = ("sent", "opened", "clicked", "replied", "dismissed")


class Holdings(NamedTuple):
    """The identifiers that name a person, and those that name browsers and baskets; each the newest seen first."""

    known: list[IdentifierView]
    anonymous: list[IdentifierView]


class Answered(NamedTuple):
    """A channel with the counts of `ANSWERS` and when a message last went out on it."""

    channel: str
    counts: list[AttributeValue]
    last_contact_at: AttributeValue


def holdings_of(card: Card) -> Holdings:
    """The identifiers as the page lists them."""
    ordered = sorted(card.identifiers, key=lambda one: (STRENGTH[one.type], -one.last_seen_at))
    known = [one for one in ordered if one.type in KNOWN]
    return Holdings(known, [one for one in ordered if one.type not in KNOWN])


def answers_of(card: Card) -> list[Answered]:
    """The channels on which anything was sent, or came back."""
    told = card.attributes
    channels = (
        Answered(
            channel,
            [told[f"{channel}_{answer}_count"] for answer in ANSWERS],
            told[f"{channel}_last_contact_at"],
        )
        for channel in get_args(Channel)
    )
    return [one for one in channels if any(one.counts)]

"""What stands beside the builder: whom a rule means now, how they can be reached, and who hides them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from customer360.profiles.hydrate import hydrate
from customer360.profiles.stages import shop_calendar
from customer360.segments.ast import Rule
from customer360.segments.preview import Preview, Reach, preview
from customer360.segments.sentence import Speaker
from customer360.values import Amount
from customer360.web.formats import listed, lower_first, number
from customer360.web.visit import Visit
from customer360.web.words import channel_label, title_of


class SampleRow(NamedTuple):
    """One of the people that a rule means."""

    profile_id: int
    title: str
    orders_count: int
    total_spend: Amount


class ReachRow(NamedTuple):
    """How many agreed to a channel, and why the others cannot be written to."""

    channel: str
    granted: int
    gap: str


class Panel(NamedTuple):
    """A rule as it is now, in words and figures."""

    found: Preview
    noun: str
    sentence: str
    samples: Sequence[SampleRow]
    reach: Sequence[ReachRow]
    bottlenecks: Sequence[tuple[str, int]]
    notices: Sequence[str]


def panel_of(visit: Visit, rule: Rule, speaker: Speaker) -> Panel:
    """Asks the warehouse whom the rule means, and the profile store who they are."""
    shop = visit.shop
    days = shop_calendar(shop.timezone, shop.settings)
    found = preview(visit.app.warehouse, shop.shop_id, rule, visit.now, days)
    with visit.app.database.read() as connection:
        samples = _samples(connection, shop.shop_id, found)
    return Panel(
        found,
        "people" if rule.include_visitors else "customers",
        speaker.sentence(rule),
        samples,
        [
            ReachRow(channel_label(channel), reach.granted, _gap(reach, found.count))
            for channel, reach in found.reach.items()
        ],
        [(speaker.clause(one.node), one.count) for one in found.bottlenecks],
        [one.text for one in found.notices],
    )


def _samples(connection: Connection, shop_id: int, found: Preview) -> list[SampleRow]:
    people = hydrate(connection, shop_id, [one.profile_id for one in found.samples])
    known = {person.profile_id: person for person in people}
    return [
        SampleRow(
            one.profile_id,
            title_of(person.name, [*filter(None, (person.email, person.phone))], one.profile_id),
            one.orders_count,
            one.total_spend,
        )
        for one in found.samples
        if (person := known.get(one.profile_id))
    ]


def _gap(reach: Reach, count: int) -> str:
    """Why the rest cannot be written to: 12 withdrew, 3 have not confirmed, 20 have no address, 5 were never asked."""
    never = count - reach.granted - reach.pending - reach.withdrawn - reach.no_address
    reasons = (
        (reach.withdrawn, "withdrew"),
        (reach.pending, "did not confirm yet"),
        (reach.no_address, "without an address"),
        (never, "never agreed"),
    )
    return lower_first(listed([f"{number(many)} {why}" for many, why in reasons if many]))

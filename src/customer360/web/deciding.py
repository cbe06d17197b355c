"""What all pages about duplicates share: who decides, where they go back to, the tabs, and what people are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from customer360.identities.alerts import count_alerts
from customer360.profiles.hydrate import hydrate
from customer360.web.access import local_path
from customer360.web.visit import Visit
from customer360.web.words import title_of


class Tab(NamedTuple):
    """One of the pages, and how much there nobody has seen yet."""

    label: str
    url: str
    unseen: int = 0


def tabs(connection: Connection, visit: Visit) -> tuple[Tab, ...]:
    """The pages about duplicates."""
    root = f"{visit.root}/duplicates"
    unseen = count_alerts(connection, visit.shop.shop_id, unseen=True)
    return (
        Tab("To decide", root),
        Tab("Merge log", f"{root}/merges"),
        Tab("Not the same", f"{root}/apart"),
        Tab("Alerts", f"{root}/alerts", unseen),
    )


def actor_of(visit: Visit) -> str:
    """Whom the log names."""
    return visit.session.user.email if visit.session else ""


def came_from(visit: Visit) -> str:
    """The page that a form was on, as it says; the duplicates where it says nothing of use."""
    said = local_path(visit.field("next"))
    return said if said.startswith(visit.root + "/") else f"{visit.root}/duplicates"


def titles(connection: Connection, shop_id: int, profile_ids: Iterable[int]) -> dict[int, str]:
    """What each profile is called; one that was merged away is left out."""
    return {
        each.profile_id: title_of(
            each.name, [one for one in (each.email, each.phone) if one], each.profile_id
        )
        for each in hydrate(connection, shop_id, sorted(set(profile_ids)))
    }

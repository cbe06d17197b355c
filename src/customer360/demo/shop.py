"""The sample shop itself: made once, found again, and shown to whoever started it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from customer360.access.shops import Shop, change_shop, create_shop, list_shops
from customer360.access.sign_in import make_link
from customer360.access.users import ensure_user, join_shop
from customer360.app import App
from customer360.clock import Instant
from customer360.demo.history import TIMEZONE, Plan, history
from customer360.demo.send import send
from customer360.enrichment.standing import ask
from customer360.segments.store import create_segment, stored_segments
from customer360.segments.templates import TEMPLATE_BY_ID
from customer360.worker import drain

NAME = "Fernleaf Pantry"
EMAIL = "demo@example.com"

# What a shop asks for first.
_SEGMENTS = ("vips", "vips_at_risk", "win_back", "cart_abandoners")
# In the shop's settings: what it was made from, and whether all of it was sent.
_PLAN = "demo"

Progress = Callable[[str, int, int], None]
"""Called with a word for the step, how many signals are done and how many there are."""


@dataclass(frozen=True, slots=True)
class DemoShop:
    """A shop, what its history is made from, and whether all of it is there."""

    shop: Shop
    plan: Plan
    complete: bool


def find_or_make(connection: Connection, wanted: Plan) -> DemoShop:
    """The sample shop that there is, whatever it was made from, or else a new one."""
    for shop in list_shops(connection):
        made_from = shop.settings.get(_PLAN)
        if made_from is not None:
            plan = Plan(made_from["now"], made_from["customers"], made_from["seed"])
            return DemoShop(shop, plan, made_from["complete"])
    made = create_shop(
        connection, name=NAME, currency="EUR", timezone=TIMEZONE, country="IE", now=wanted.now
    )
    shop = change_shop(connection, made.shop.shop_id, settings=_settings(made.shop, wanted))
    return DemoShop(shop, wanted, False)


def fill(app: App, demo: DemoShop, progress: Progress) -> None:
    """Send the whole history and wait until it is profiles; the worker then finds members and scores.

    What an earlier try has sent already is a duplicate this time, so it can be tried again at any point.
    """
    shop_id, told = demo.shop.shop_id, list(history(demo.plan))
    count = len(told)
    most_bytes = app.settings.max_event_bytes
    send(told, app.inbox, demo.shop, most_bytes, lambda sent: progress("Sending", sent, count))
    drain(app, shop_id, lambda done, waiting: progress("Making profiles", done, done + waiting))
    with app.database.write() as connection:
        change_shop(connection, shop_id, settings=_settings(demo.shop, demo.plan, complete=True))
        now = app.clock.now()
        made = {segment.name for segment in stored_segments(connection, shop_id)}
        for template in (TEMPLATE_BY_ID[name] for name in _SEGMENTS):
            if template.name in made:
                continue
            create_segment(connection, shop_id, template.name, template.rule, now, limit=None)
        ask(connection, shop_id, now)


def sign_in_path(connection: Connection, shop: Shop, now: Instant) -> str:
    """Where a browser is signed in to the shop, once."""
    user = ensure_user(connection, EMAIL, now)
    join_shop(connection, user.user_id, shop.shop_id, "owner", now)
    return f"/sign-in/link/{make_link(connection, user.user_id, now)}"


def _settings(shop: Shop, plan: Plan, *, complete: bool = False) -> dict[str, object]:
    made_from = {
        "now": plan.now,
        "customers": plan.customers,
        "seed": plan.seed,
        "complete": complete,
    }
    return {**shop.settings, _PLAN: made_from}

"""The whole history of the sample shop: everything that its systems told, up to now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from customer360.clock import Instant
from customer360.demo.catalogue import make_collections
from customer360.demo.lives import Fate, Life
from customer360.demo.mailings import MailTool
from customer360.demo.orders import Clerk, number_orders
from customer360.demo.people import make_people
from customer360.demo.script import Script, Told
from customer360.demo.seasons import Seasons
from customer360.demo.service import HelpDesk
from customer360.demo.storefront import Storefront

TIMEZONE = "Europe/Dublin"
# Fourteen months: a year to compare with, and two Christmases when it is one.
DAYS = 425
DEFAULT_CUSTOMERS = 2000
# For each customer so many visits of people who stay unknown, and purchases without a name at the till.
_STRANGERS_PER_CUSTOMER = 1.9
_WALK_INS_PER_CUSTOMER = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What to invent: the same plan gives the same history, byte for byte."""

    now: Instant
    customers: int = DEFAULT_CUSTOMERS
    seed: int = 1


def history(plan: Plan) -> Iterator[Told]:
    """Everything told, oldest first: some sixty signals a customer."""
    seasons = Seasons(plan.now, TIMEZONE, DAYS)
    collections = make_collections()
    script = Script(_random(plan, "ids"), plan.now)
    fate = Fate(_random(plan, "lives"), seasons, collections)
    lives = [
        fate.life_of(person) for person in make_people(_random(plan, "people"), plan.customers)
    ]
    _write_orders(plan, script, fate, lives)
    _write_mails(plan, script, seasons, lives)
    storefront = Storefront(_random(plan, "visits"), script, collections)
    for visit in fate.strangers(int(plan.customers * _STRANGERS_PER_CUSTOMER)):
        storefront.write(visit)
    for life in lives:
        for visit in life.visits:
            storefront.write(visit)
    return script.in_order()


def _write_orders(plan: Plan, script: Script, fate: Fate, lives: list[Life]) -> None:
    clerk = Clerk(_random(plan, "orders"), script)
    purchases = [purchase for life in lives for purchase in life.purchases]
    purchases += fate.walk_ins(int(plan.customers * _WALK_INS_PER_CUSTOMER))
    for purchase in number_orders(purchases):
        clerk.write_order(purchase)
    for life in lives:
        clerk.write_account(life)


def _write_mails(plan: Plan, script: Script, seasons: Seasons, lives: list[Life]) -> None:
    mail_tool = MailTool(_random(plan, "mails"), script, seasons)
    help_desk = HelpDesk(_random(plan, "service"), script)
    for life in lives:
        mail_tool.write(life)
        help_desk.write(life)


def _random(plan: Plan, part: str) -> Random:
    """Each part draws from its own stream, so that a change of one leaves the others as they were."""
    return Random(f"{plan.seed}:{part}")

"""What do people do? When they come, what they look at, when and where they buy, and when they fall silent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from random import Random
from typing import Literal, NamedTuple

from customer360.clock import DAY, MINUTE, SECOND, Instant, to_datetime
from customer360.demo.arrivals import DIRECT, Arrival, pick_arrival
from customer360.demo.catalogue import Collection, Product, Variant, pick_product
from customer360.demo.people import Person, cookie
from customer360.demo.seasons import Seasons, span

Where = Literal["online", "till", "amazon"]

# Codes that people find, and what they take off the goods in percent.
_CODES = {"WELCOME10": 10, "SLOWMORNING": 15, "THANKYOU5": 5}
# Free above so many cents.
FREE_SHIPPING = 4500
SHIPPING = 490
_MOST_VISITS = 70


class Intent(IntEnum):
    """How far a visit goes."""

    BOUNCE = 0
    LOOK = 1
    CART = 2
    CHECKOUT = 3
    ORDER = 4


class Line(NamedTuple):
    """So many of one thing."""

    product: Product
    variant: Variant
    quantity: int


@dataclass(slots=True)
class Purchase:
    """An order to be written; amounts in cents. Its id and number follow from its place among all orders."""

    person: Person | None
    at: Instant
    where: Where
    lines: tuple[Line, ...]
    code: str
    email: str
    arrival: Arrival = DIRECT
    cart_token: str = ""
    checkout_token: str = ""
    order_id: int = 0
    number: int = 0

    @property
    def goods(self) -> int:
        return sum(line.variant.price * line.quantity for line in self.lines)

    @property
    def discount(self) -> int:
        return self.goods * _CODES.get(self.code, 0) // 100

    @property
    def shipping(self) -> int:
        return SHIPPING if self.where == "online" and self.goods < FREE_SHIPPING else 0

    @property
    def total(self) -> int:
        return self.goods - self.discount + self.shipping


@dataclass(slots=True)
class Visit:
    """A visit to be written. `login`: the address that the visitor tells the shop on the way."""

    at: Instant
    cookie: str
    intent: Intent
    taste: int
    person: Person | None = None
    arrival: Arrival = DIRECT
    lines: tuple[Line, ...] = ()
    login: str = ""
    purchase: Purchase | None = None


@dataclass(slots=True)
class Life:
    """What one person did; `subscribed_at` is when they asked for the newsletter."""

    person: Person
    visits: list[Visit] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    first_at: Instant = 0
    last_at: Instant = 0
    subscribed_at: Instant | None = None
    subscribed_email: str = ""


class Fate:
    """Draws lives, within the seasons and with the goods of the shop."""

    def __init__(self, rng: Random, seasons: Seasons, collections: tuple[Collection, ...]) -> None:
        self._rng = rng
        self._seasons = seasons
        self._collections = collections

    def life_of(self, person: Person) -> Life:
        """All that one person does until now."""
        rng = self._rng
        life = Life(person)
        # Who orders often has been a customer for long.
        life.first_at = min(self._seasons.moment(rng) for _ in range(1 + (person.orders > 3)))
        self._buy(life)
        bought = [purchase.at for purchase in life.purchases]
        life.last_at = max([life.first_at, *bought]) + span(rng.expovariate(1 / 30), DAY)
        if rng.random() < 0.3:
            life.last_at = self._seasons.now
        life.last_at = min(life.last_at, self._seasons.now)
        if person.shops_online:
            self._browse(life)
            self._log_in(life)
        if person.subscribes:
            self._subscribe(life)
        return life

    def strangers(self, count: int) -> list[Visit]:
        """Visits of people who never say who they are; a few come again."""
        rng = self._rng
        visits: list[Visit] = []
        while len(visits) < count:
            name, at, first = cookie(rng), self._seasons.moment(rng), True
            taste = rng.randrange(len(self._collections))
            while at <= self._seasons.now:
                visits.append(self._visit(at, name, taste, first=first))
                if rng.random() < 0.74:
                    break
                at, first = at + span(rng.expovariate(1 / 9), DAY), False
        return visits

    def walk_ins(self, count: int) -> list[Purchase]:
        """Purchases at the till of people who give no name."""
        moments = (self._seasons.moment(self._rng) for _ in range(count))
        return [self._purchase(None, at, "till", self._rng.randrange(5)) for at in moments]

    def _buy(self, life: Life) -> None:
        rng, person = self._rng, life.person
        at = life.first_at
        if rng.random() < 0.45:
            at += span(rng.expovariate(1 / 7), DAY)
        for _ in range(person.orders):
            at = self._seasons.near(rng, at)
            if at > self._seasons.now:
                break
            self._order(life, at)
            at += span(person.rhythm_days * rng.lognormvariate(0, 0.35), DAY)
        for start in self._advents(life):
            self._order(life, self._seasons.moment(rng, start, start + 19 * DAY))

    def _advents(self, life: Life) -> list[Instant]:
        """The starts of the Advents in which this person buys presents."""
        starts = zip(self._seasons.dates, self._seasons.starts, strict=True)
        after = [at for day, at in starts if (day.month, day.day) == (12, 1) and at > life.first_at]
        return [at for at in after if life.purchases and self._rng.random() < 0.3]

    def _order(self, life: Life, at: Instant) -> None:
        rng, person = self._rng, life.person
        where = self._where(person)
        purchase = self._purchase(person, at, where, person.taste, life.purchases)
        life.purchases.append(purchase)
        if where != "online":
            return
        name = person.cookies[0] if rng.random() < 0.75 else rng.choice(person.cookies)
        purchase.arrival = pick_arrival(rng, first=len(life.purchases) == 1)
        purchase.cart_token = f"Z2NwLWV1{rng.getrandbits(96):024x}"
        purchase.checkout_token = f"{rng.getrandbits(128):032x}"
        start = at - rng.randrange(4 * 60, 16 * 60) * SECOND
        visit = Visit(
            start, name, Intent.ORDER, person.taste, person, purchase.arrival, purchase.lines
        )
        visit.purchase = purchase
        life.visits.append(visit)

    def _where(self, person: Person) -> Where:
        if person.kind == "both":
            return "till" if self._rng.random() < 0.4 else "online"
        return {"till": "till", "amazon": "amazon"}.get(person.kind, "online")  # type: ignore[return-value]

    def _purchase(
        self,
        person: Person | None,
        at: Instant,
        where: Where,
        taste: int,
        earlier: list[Purchase] | None = None,
    ) -> Purchase:
        rng = self._rng
        code = ""
        if where == "online" and rng.random() < (0.2 if earlier else 0.32):
            code = rng.choice(list(_CODES)) if earlier else "WELCOME10"
        email = person.account_email if person else ""
        # Some orders carry the address of work, beside the account's.
        if person and person.second_email and where == "online" and rng.random() < 0.4:
            email = person.second_email
        return Purchase(person, at, where, self._basket(at, taste, earlier), code, email)

    def _basket(
        self, at: Instant, taste: int, earlier: list[Purchase] | None = None
    ) -> tuple[Line, ...]:
        """What goes into a basket: rather what was used up, then what the person likes."""
        rng, month = self._rng, to_datetime(at).month
        used_up = [line for line in earlier[-1].lines if line.product.used_up] if earlier else []
        lines = {line.variant.variant_id: line for line in used_up if rng.random() < 0.55}
        wanted = rng.choices((1, 2, 3, 4, 6), (46, 28, 14, 8, 4))[0]
        while len(lines) < wanted:
            likes = taste if rng.random() < 0.6 else rng.randrange(len(self._collections))
            product = pick_product(rng, self._collections[likes], month)
            variant = rng.choice(product.variants)
            quantity = rng.choices((1, 2, 3), (80, 15, 5))[0]
            lines[variant.variant_id] = Line(product, variant, quantity)
        return tuple(lines.values())

    def _browse(self, life: Life) -> None:
        rng, person = self._rng, life.person
        mean = person.curiosity * (1.3 + 1.0 * len(life.purchases))
        for number in range(min(_MOST_VISITS, int(rng.expovariate(1 / mean)) + 1)):
            at = self._seasons.moment(rng, life.first_at, life.last_at) if number else life.first_at
            if life.first_at <= at <= self._seasons.now:
                visit = self._visit(at, rng.choice(person.cookies), person.taste, first=not number)
                visit.person = person
                life.visits.append(visit)

    def _visit(self, at: Instant, name: str, taste: int, *, first: bool) -> Visit:
        rng = self._rng
        intent = Intent(rng.choices(range(4), (30, 50, 14, 6) if first else (14, 60, 18, 8))[0])
        lines = self._basket(at, taste)[:2] if intent >= Intent.CART else ()
        return Visit(at, name, intent, taste, None, pick_arrival(rng, first=first), lines)

    def _log_in(self, life: Life) -> None:
        """Who has an account tells so now and then, and most often on a device that is new."""
        rng, person = self._rng, life.person
        since = min((purchase.at for purchase in life.purchases), default=None)
        known = {visit.cookie for visit in life.visits if visit.purchase}
        for visit in sorted(life.visits, key=lambda visit: visit.at):
            if since is None or visit.at < since or visit.purchase or visit.intent < Intent.LOOK:
                continue
            if rng.random() < (0.12 if visit.cookie in known else 0.5):
                visit.login = person.email
                known.add(visit.cookie)

    def _subscribe(self, life: Life) -> None:
        """On the first visit that is more than a glance, or with the first order."""
        rng, person = self._rng, life.person
        visits = sorted(
            (one for one in life.visits if one.intent >= Intent.LOOK), key=lambda one: one.at
        )
        if not visits and person.kind != "reader":
            return
        visit = rng.choice(visits[:3]) if visits else life.visits[0]
        life.subscribed_at = visit.at + 2 * MINUTE
        life.subscribed_email = person.email
        if person.second_email and rng.random() < 0.5:
            life.subscribed_email = person.second_email
        visit.login = life.subscribed_email

"""What shops live through with people and devices, and who is who in the end: product.md section 4, told as stories.

Signals are listed in the order in which they come when they are streamed. Identifiers are written as "email:ann
user:u cookie:c"; `email:ann` is ann@x.example and `phone:7` the seventh Irish mobile number, see `spelled`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.house import at
from tests.stories import histories
from tests.stories.histories import Draft

TYPES = {
    "id": "shopify_customer_id",
    "user": "user_id",
    "pos": "pos_customer",
    "amazon": "amazon_buyer",
    "ebay": "ebay_buyer",
    "klaviyo": "klaviyo_id",
    "cart": "cart_token",
    "check": "checkout_token",
}
_IN_CALL = {"user_id": "userId", "cookie": "anonymousId"}
_IN_PROPERTIES = ("email", "phone", "cart_token", "checkout_token")
_DAY = 24 * 60
_LAST_DAY = 900
"""It is the day of the tests."""


@dataclass(frozen=True)
class Signal:
    """One signal, what it is called in the story, and when it happened."""

    mark: str
    happened_at: str
    draft: Draft


@dataclass(frozen=True)
class Person:
    """A profile as it should stand: its signals, what it owns now, and what it agreed to."""

    kind: str
    signals: str
    identifiers: str = ""
    """Those that are not simply owned say how: "email:ann=unverified"."""
    consents: str = ""
    """Contact points of which something was told, such as "email:ann=granted"."""
    sessions: int = 0


@dataclass(frozen=True)
class Scenario:
    """A story: `name` says what it shows."""

    name: str
    signals: Sequence[Signal]
    people: Sequence[Person]
    doubts: Sequence[str] = ()
    """Open candidates, each side named by any of its signals: "ann-tom names", a weak one "ann~tom device"."""
    nobody: str = ""
    """Signals that name nobody."""
    step: int = 1
    """So many signals are streamed at a time, where one by one would take long."""


def customer(signals: str, identifiers: str = "", consents: str = "", sessions: int = 0) -> Person:
    """Somebody with an order or a known identifier."""
    return Person("customer", signals, identifiers, consents, sessions)


def visitor(signals: str, identifiers: str = "", consents: str = "", sessions: int = 0) -> Person:
    """Somebody with neither."""
    return Person("visitor", signals, identifiers, consents, sessions)


def call(
    mark: str,
    day: float,
    told: str = "",
    name: str = "",
    *,
    public: bool = False,
    till: bool = False,
    event: str = "Seen",
    user: str = "",
    traits: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Signal:
    """A call of an SDK; `public`: with the pixel's key. `user`: an id as it is written."""
    body: dict[str, Any] = {"event": event, "properties": {"mark": mark, **properties}}
    if user:
        body["userId"] = user
    others = []
    for kind, value in map(spelled, told.split()):
        if kind in _IN_CALL and _IN_CALL[kind] not in body:
            body[_IN_CALL[kind]] = value
        elif kind in _IN_PROPERTIES and kind not in body["properties"]:
            body["properties"][kind] = value
        else:
            others.append({"type": kind, "id": value})
    body["context"] = {"externalIds": others, "channel": "pos" if till else "web"}
    body["traits"] = dict(traits or {})
    if name:
        first, last = name.split()
        body["traits"] |= {"first_name": first, "last_name": last}
    minutes = _minutes(day)
    return Signal(mark, at(minutes), histories.call(mark, minutes, public=public, **body))


def contact(
    mark: str, day: float, told: str, name: str = "", topic: str = "customers/create", **rest: Any
) -> Signal:
    """What Shopify tells of a customer."""
    when = at(_minutes(day))
    body = {**_customer(told, name), "created_at": when, "updated_at": when, **rest}
    return Signal(mark, when, histories.webhook(mark, topic, body))


def order(mark: str, day: float, told: str, name: str = "", **rest: Any) -> Signal:
    """An order as Shopify tells it, by a customer or a guest, with the tokens of the browser."""
    when, pairs = at(_minutes(day)), dict(map(spelled, told.split()))
    body = {
        "id": f"{mark}-1",
        "created_at": when,
        "updated_at": when,
        "total_price": "30.00",
        "currency": "EUR",
        "line_items": [{"id": 1, "title": "Mug", "quantity": 2, "price": "15.00"}],
        "customer": {key: value for key, value in _customer(told, name).items() if value},
        **{key: value for key, value in pairs.items() if key in _IN_PROPERTIES},
        **rest,
    }
    return Signal(mark, when, histories.webhook(mark, "orders/create", body))


def cart(mark: str, day: float, token: str) -> Signal:
    """A cart as Shopify tells it, which names nobody but by its token."""
    when = at(_minutes(day))
    body = {"id": token, "token": token, "created_at": when, "updated_at": when, "line_items": []}
    return Signal(mark, when, histories.webhook(mark, "carts/create", body))


def _customer(told: str, name: str) -> dict[str, Any]:
    pairs = dict(map(spelled, told.split()))
    first, _, last = name.partition(" ")
    return {
        "id": pairs.get("shopify_customer_id"),
        "email": pairs.get("email"),
        "phone": pairs.get("phone"),
        "first_name": first,
        "last_name": last,
    }


def spelled(word: str) -> tuple[str, str]:
    """Type and value of an identifier of a story."""
    kind, _, value = word.partition(":")
    kind = TYPES.get(kind, kind)
    if kind == "email" and "@" not in value:
        value = f"{value}@x.example"
    if kind == "phone" and len(value) < 4:
        value = f"+35387{1_000_000 + int(value)}"
    return kind, value


def _minutes(day: float) -> float:
    return round((day - _LAST_DAY) * _DAY, 3)


def _told(language: str, city: str, tag: str) -> dict[str, Any]:
    home = {"street": "1 High St", "city": city, "country": "DE"}
    return {"language": language, "address": home, "tags": [tag], "plan": tag}


VIEW = "Product Viewed"
BOUGHT = "Order Completed"
AGREED = "Consent Granted"
STOPPED = "Consent Withdrawn"
ANN, TOM = "Ann Murphy", "Tom Byrne"
MINUTE = 1 / _DAY

FIFTY = " ".join(f"klaviyo:k{number:02}" for number in range(50))
PLACEHOLDERS = (
    *("guest", "null", "undefined", "Unknown", "NONE", "anonymous", "[object Object]", "0", "-1"),
    *("00000000-0000-0000-0000-000000000000",),
)

SCENARIOS = (
    # From a visit to a customer.
    Scenario(
        "two visitors stay two",
        [
            call("one", 1, "cookie:a", public=True, event=VIEW),
            call("two", 2, "cookie:b", public=True, event=VIEW),
        ],
        [visitor("one", "cookie:a", sessions=1), visitor("two", "cookie:b", sessions=1)],
    ),
    Scenario(
        "a visitor owns what they bring since the earliest visit, though it is heard of last",
        [call("later", 2, "cookie:a"), call("earlier", 1, "cookie:a")],
        [visitor("later earlier", "cookie:a")],
    ),
    Scenario(
        "anonymous, then known",
        [
            call("visit", 1, "cookie:a", public=True),
            call("login", 2, "cookie:a email:ann"),
        ],
        [customer("visit login", "cookie:a email:ann")],
    ),
    Scenario(
        "known, then anonymous",
        [
            call("login", 1, "cookie:a email:ann"),
            call("visit", 2, "cookie:a", public=True),
        ],
        [customer("visit login", "cookie:a email:ann")],
    ),
    Scenario(
        "a login that is heard of last takes the visits before and after it",
        [
            call("after", 3, "cookie:a", public=True),
            call("before", 1, "cookie:a", public=True),
            call("login", 2, "cookie:a email:ann"),
        ],
        [customer("before login after", "cookie:a email:ann")],
    ),
    Scenario(
        "a visitor with two devices who logs in on both is one person",
        [
            call("phone", 1, "cookie:a"),
            call("laptop", 2, "cookie:b"),
            call("phone_login", 3, "cookie:a user:u"),
            call("laptop_login", 4, "cookie:b user:u"),
        ],
        [customer("phone laptop phone_login laptop_login", "cookie:a cookie:b user:u")],
    ),
    Scenario(
        "a checkout token joins the browser to Shopify's order",
        [
            call("visit", 1, "cookie:a", public=True, event=VIEW),
            call("checkout", 1.01, "cookie:a check:t", public=True),
            order("bought", 1.02, "id:7 email:ann check:t", ANN),
            contact("account", 1.03, "id:7 email:ann", ANN),
        ],
        [customer("visit checkout bought account", "cookie:a check:t id:7 email:ann", sessions=1)],
    ),
    Scenario(
        "a cart that only its token names joins the browser to the order",
        [
            cart("cart", 0.99, "k"),
            order("bought", 1.1, "email:ann cart:k", ANN),
            call("added", 1, "cookie:a cart:k", public=True),
        ],
        [customer("cart added bought", "cart:k cookie:a email:ann")],
    ),
    Scenario(
        "two browsers with one basket are one visitor",
        [
            call("phone", 1, "cookie:a cart:k", public=True),
            call("laptop", 2, "cookie:b", public=True),
            call("opened", 3, "cookie:b cart:k", public=True),
        ],
        [visitor("phone laptop opened", "cookie:a cookie:b cart:k")],
    ),
    Scenario(
        "two known people merge when a trusted source names both",
        [
            call("mail", 1, "email:ann"),
            call("number", 2, "phone:1"),
            call("both", 3, "email:ann phone:1"),
        ],
        [customer("mail number both", "email:ann phone:1")],
    ),
    Scenario(
        "an event that names nobody is kept without a profile",
        [call("nothing", 1), call("also", 2, "user:guest"), call("ann", 3, "email:ann")],
        [customer("ann", "email:ann")],
        nobody="nothing also",
    ),
    # Accounts and families.
    Scenario(
        "two accounts that share an e-mail address stay two",
        [
            contact("one", 1, "id:1 email:family"),
            contact("two", 2, "id:2 email:family"),
            call("mail", 3, "email:family"),
        ],
        [customer("one mail", "id:1 email:family"), customer("two", "id:2")],
        ["one-two account_ids"],
    ),
    Scenario(
        "family e-mail: another full name is somebody else, and is found again",
        [
            order("ann", 1, "email:family", ANN),
            order("tom", 2, "email:family", TOM),
            call("mail", 3, "email:family"),
            contact("account", 4, "id:4 email:family", TOM),
        ],
        [customer("ann mail", "email:family"), customer("tom account", "id:4")],
        ["ann-tom names"],
    ),
    Scenario(
        "a shared last name is no conflict",
        [
            call("ann", 1, "email:family", ANN),
            call("tom", 2, "email:family", "Tom Murphy"),
        ],
        [customer("ann tom", "email:family")],
    ),
    Scenario(
        "swapped parts, accents and case are one name",
        [
            call("one", 1, "email:zoe", "Zoë Müller"),
            call("two", 2, "email:zoe", "MULLER ZOE"),
        ],
        [customer("one two", "email:zoe")],
    ),
    Scenario(
        "placeholder words are no name",
        [call("ann", 1, "email:ann", ANN), call("guest", 2, "email:ann", "Guest Unknown")],
        [customer("ann guest", "email:ann")],
    ),
    Scenario(
        "names are no veto between ids",
        [
            call("ann", 1, "id:1", ANN),
            call("tom", 2, "user:u", TOM),
            call("both", 3, "id:1 user:u"),
        ],
        [customer("ann tom both", "id:1 user:u")],
    ),
    Scenario(
        "names veto a merge by e-mail of whom an id names",
        [
            contact("ann", 1, "id:1", ANN),
            call("tom", 2, "email:family", TOM),
            contact("both", 3, "id:1 email:family", topic="customers/update"),
        ],
        [customer("ann both", "id:1"), customer("tom", "email:family")],
        ["ann-tom names"],
    ),
    Scenario(
        "only a value added to a full side breaks a limit",
        [
            call("mails", 1, "id:1 email:a email:b email:c email:d email:e"),
            call("number", 2, "phone:1"),
            call("both", 3, "id:1 phone:1"),
        ],
        [
            customer(
                "mails number both",
                "id:1 email:a email:b email:c email:d email:e phone:1",
            )
        ],
    ),
    Scenario(
        "a chain of e-mail addresses stops at five",
        [call(f"s{n}", n, f"email:e{n} email:e{n + 1}") for n in range(1, 8)],
        [
            customer("s1 s2 s3 s4 s5", "email:e1 email:e2 email:e3 email:e4 email:e5"),
            customer("s6 s7", "email:e6 email:e7 email:e8"),
        ],
    ),
    # Shared devices.
    Scenario(
        "shared tablet: visits before the second login stay, those after follow it",
        [
            call("early", 1, "cookie:tab", public=True),
            call("ann", 2, "cookie:tab user:ann"),
            call("between", 3, "cookie:tab", public=True),
            call("tom", 4, "cookie:tab user:tom"),
            call("late", 5, "cookie:tab", public=True),
        ],
        [customer("early ann between", "user:ann"), customer("tom late", "user:tom cookie:tab")],
        ["ann~tom device"],
    ),
    Scenario(
        "shared tablet: who logs in again has it again",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("tom", 2, "cookie:tab user:tom"),
            call("toms", 3, "cookie:tab"),
            call("again", 4, "cookie:tab user:ann"),
            call("anns", 5, "cookie:tab"),
        ],
        [customer("ann again anns", "user:ann cookie:tab"), customer("tom toms", "user:tom")],
        ["ann~tom device"],
    ),
    Scenario(
        "shared tablet: logins that are heard of late cut what was one, and cut it again",
        [
            call("ann", 1, "cookie:tab user:ann"),
            *(call(f"day{day}", day, "cookie:tab") for day in (8, 2, 6, 4)),
            call("tom", 7, "cookie:tab user:tom"),
            call("eve", 3, "cookie:tab user:eve"),
            call("day5", 5.5, "cookie:tab"),
            call("back", 5, "cookie:tab user:ann"),
        ],
        [
            customer("ann day2 back day5 day6", "user:ann"),
            customer("eve day4", "user:eve"),
            customer("tom day8", "user:tom cookie:tab"),
        ],
        ["ann~eve device", "ann~tom device"],
    ),
    Scenario(
        "shared tablet: two accounts of the shop are no candidate",
        [
            call("one", 1, "cookie:tab id:1"),
            call("two", 2, "cookie:tab id:2"),
            call("visit", 3, "cookie:tab", public=True),
        ],
        [customer("one", "id:1"), customer("two visit", "id:2 cookie:tab")],
    ),
    Scenario(
        "shared tablet: a visit at the instant of a login belongs to it",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("visit", 2, "cookie:tab"),
            call("tom", 2, "cookie:tab user:tom"),
        ],
        [customer("ann", "user:ann"), customer("tom visit", "user:tom cookie:tab")],
        ["ann~tom device"],
    ),
    Scenario(
        "a candidate of a shared tablet ends when both turn out to have accounts",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("tom", 2, "cookie:tab user:tom"),
            call("anns", 3, "user:ann id:1"),
            call("toms", 4, "user:tom id:2"),
        ],
        [customer("ann anns", "user:ann id:1"), customer("tom toms", "user:tom id:2 cookie:tab")],
    ),
    Scenario(
        "a candidate of a shared tablet ends when both turn out to be one",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("mail", 2, "cookie:tab email:ann"),
            call("both", 3, "user:ann email:ann"),
        ],
        [customer("ann mail both", "user:ann email:ann cookie:tab")],
    ),
    Scenario(
        "the vetoed newcomer does not become whose tablet it is",
        [
            call("tom", 1, "cookie:c email:family", TOM),
            call("ann", 2, "cookie:c email:family", ANN),
            call("visit", 3, "cookie:c"),
        ],
        [customer("tom", "email:family"), customer("ann visit", "cookie:c")],
        ["tom-ann device names"],
    ),
    Scenario(
        "without a login of its own a known person's cookie proves nothing",
        [
            call("ann", 1, "cookie:a user:ann"),
            call("tom", 2, "cart:k user:tom"),
            call("basket", 3, "cookie:a cart:k"),
        ],
        [customer("ann basket", "user:ann cookie:a"), customer("tom", "user:tom cart:k")],
    ),
    Scenario(
        "guest checkouts of two people on one cookie",
        [
            call("anns_checkout", 1, "cookie:c check:t1 email:ann", public=True),
            order("ann", 1.01, "email:ann check:t1", ANN),
            call("visit", 2, "cookie:c", public=True, event=VIEW),
            call("toms_checkout", 3, "cookie:c check:t2 email:tom", public=True),
            order("tom", 3.01, "email:tom check:t2", TOM),
            call("last", 4, "cookie:c", public=True, event=VIEW),
        ],
        [
            customer("anns_checkout ann visit", "email:ann check:t1", sessions=1),
            customer("toms_checkout tom last", "email:tom check:t2 cookie:c", sessions=1),
        ],
        ["ann~tom device"],
    ),
    Scenario(
        "what was done on a shared tablet follows whom it turns out to be",
        [
            call("ann", 1, "cookie:tab user:ann email:ann", event=AGREED, channel="email"),
            call("view1", 2, "cookie:tab", event=VIEW),
            call("view2", 6, "cookie:tab", event=VIEW),
            call("early", 2.1, "cookie:tab", event="Order Completed", order_id="p", total="7"),
            call("late", 6.15, event="Order Refunded", order_id="p", refund_id="s", total="7"),
            call("began", 6 + 5 * MINUTE, "cookie:tab", event="Checkout Started", checkout_id="k"),
            call("bought", 6.1, "cookie:tab", event="Order Completed", order_id="o", total="9"),
            call("back", 6.15, event="Order Refunded", order_id="o", refund_id="r", total="9"),
            call("agreed", 6.2, "cookie:tab", event=AGREED, channel="push", address="tablet"),
            call("tom", 4, "cookie:tab user:tom email:tom", event=AGREED, channel="email"),
        ],
        [
            customer("ann view1 early", "user:ann email:ann", "email:ann=granted", sessions=1),
            customer(
                "tom view2 began bought agreed",
                "user:tom email:tom cookie:tab",
                "email:tom=granted push:tablet=granted",
                sessions=1,
            ),
        ],
        ["ann~tom device"],
    ),
    Scenario(
        "of two logins at one instant neither has the rank of what was cut off its fragment",
        [
            order("order", 1, "id:7 cart:k"),
            call("seven", 5, "id:7 cart:k"),
            call("five", 2, "id:5 cart:k"),
            call("six", 5, "id:6 cart:k"),
            call("later", 6, "cart:k"),
        ],
        [
            customer("order seven later", "id:7 cart:k"),
            customer("five", "id:5"),
            customer("six", "id:6"),
        ],
    ),
    Scenario(
        "a name that was told on a shared tablet stays with whom it was told for",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("told", 2, "cookie:tab", "Ann Murphy"),
            call("again", 6, "cookie:tab", "Ann Murphy"),
            call("tom", 4, "cookie:tab user:tom", "Tom Byrne"),
        ],
        [customer("ann told", "user:ann"), customer("tom again", "user:tom cookie:tab")],
        ["ann~tom device"],
    ),
    Scenario(
        "what else was told on a shared tablet stays with whom it was told for",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("before", 2, "cookie:tab", traits=_told("de", "Ulm", "a")),
            call("buys", 2.5, "cookie:tab", event=BOUGHT, order_id="7"),
            call("after", 6, "cookie:tab", traits=_told("fr", "Metz", "b")),
            call(
                "pays", 7, "cookie:tab", traits=_told("de", "Ulm", "a"), event=BOUGHT, order_id="8"
            ),
            call("tom", 4, "cookie:tab user:tom"),
        ],
        [
            customer("ann before buys", "user:ann"),
            customer("tom after pays", "user:tom cookie:tab"),
        ],
        ["ann~tom device"],
    ),
    Scenario(
        "a stop that was written to a fragment before it was cut is told by its own event too",
        [
            call("view", 6, "cookie:tab", public=True),
            call("stop", 12, "cookie:tab", event=STOPPED, channel="sms"),
            call("ann", 7, "cookie:tab user:ann phone:1"),
            call("tom", 11, "cookie:tab user:tom phone:2"),
            call("again", 12, "cookie:tab", public=True, event=STOPPED, channel="sms"),
        ],
        [
            customer("view ann", "user:ann phone:1"),
            customer("stop tom again", "user:tom phone:2 cookie:tab", "sms:2=withdrawn"),
        ],
        ["ann~tom device"],
    ),
    Scenario(
        "a login in the middle does not cut a visit, which counts for whom it began",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("view1", 2, "cookie:tab", event=VIEW),
            call("view2", 2 + 20 * MINUTE, "cookie:tab", event=VIEW),
            call("tom", 2 + 10 * MINUTE, "cookie:tab user:tom", event=VIEW),
            call("view3", 2 + 60 * MINUTE, "cookie:tab", event=VIEW),
        ],
        [
            customer("ann view1", "user:ann", sessions=1),
            customer("tom view2 view3", "user:tom cookie:tab", sessions=1),
        ],
        ["ann~tom device"],
    ),
    # Tills, crowds and placeholders.
    Scenario(
        "a till's cookie is nobody's, though 50 people pay there by phone number",
        [
            *(call(f"p{n}", n, f"cookie:till phone:{n}", till=True) for n in range(1, 51)),
            call("alone", 60, "cookie:till", till=True),
        ],
        [customer(f"p{n}", f"phone:{n}") for n in range(1, 51)],
        nobody="alone",
        step=10,
    ),
    Scenario(
        "a kiosk that says not that it is one becomes a hub, whose visits are one visitor",
        [
            *(call(f"p{n}", n, f"cookie:till phone:{n}") for n in range(1, 51)),
            call("visit", 60, "cookie:till"),
            call("again", 61, "cookie:till"),
        ],
        [
            *(customer(f"p{n}", f"phone:{n}") for n in range(1, 51)),
            visitor("visit again", "cookie:till=shared"),
        ],
        [f"p{n}~p{n + 1} device" for n in range(1, 20)],
        step=10,
    ),
    Scenario(
        "an e-mail address of four accounts links nobody, and alone still means its owner",
        [
            *(contact(f"c{n}", n, f"id:{n} email:family") for n in range(1, 5)),
            call("mail", 5, "email:family"),
            call("visit", 6, "email:family cookie:c"),
        ],
        [
            customer("c1 mail", "id:1 email:family=shared"),
            *(customer(f"c{n}", f"id:{n}") for n in range(2, 5)),
            visitor("visit", "cookie:c"),
        ],
        ["c1-c2 account_ids", "c1-c3 account_ids"],
    ),
    Scenario(
        "placeholder ids are nobody's, though 500 e-mail addresses come with them",
        [
            call(f"p{n}", 1 + n / 10, f"email:p{n}", user=PLACEHOLDERS[n % len(PLACEHOLDERS)])
            for n in range(500)
        ],
        [customer(f"p{n}", f"email:p{n}") for n in range(500)],
        step=100,
    ),
    Scenario(
        "placeholder addresses and numbers are nobody's",
        [
            call("a", 1, "user:a email:test@test.com"),
            call("b", 2, "user:b email:Test@Test.com"),
            call("c", 3, "user:c email:noemail@shop.example"),
            call("d", 4, "user:d email:NoEmail@shop.example"),
            call("e", 5, "user:e phone:0000000000"),
            call("f", 6, "user:f phone:0000000000"),
        ],
        [customer(who, f"user:{who}") for who in "abcdef"],
    ),
    Scenario(
        "a chain of 200 links is one person",
        [call(f"s{n}", n, f"cookie:c{n} cookie:c{n + 1}") for n in range(1, 201)],
        [
            visitor(
                " ".join(f"s{n}" for n in range(1, 201)),
                " ".join(f"cookie:c{n}" for n in range(1, 202)),
            )
        ],
        step=25,
    ),
    Scenario(
        "frozen at 50: the fifty-first identifier stays unowned",
        [
            call("fifty", 1, FIFTY),
            call("more", 2, "klaviyo:k00 email:ann"),
            call("mail", 3, "email:ann"),
        ],
        [customer("fifty more", FIFTY), customer("mail", "email:ann")],
    ),
    Scenario(
        "frozen at 50: a known person is a candidate, a cookie still links",
        [
            call("fifty", 1, FIFTY),
            call("number", 2, "phone:1"),
            call("both", 3, "klaviyo:k00 phone:1 cookie:c"),
            call("visit", 4, "cookie:c"),
        ],
        [customer("fifty both visit", f"{FIFTY} cookie:c"), customer("number", "phone:1")],
        ["fifty-number frozen"],
    ),
    # Time.
    Scenario(
        "a phone that is reassigned after 14 months is somebody else's",
        [
            call("ann", 1, "phone:1", ANN),
            call("number", 430, "phone:1"),
            call("tom", 431, "phone:1", TOM),
        ],
        [customer("ann"), customer("number tom", "phone:1")],
        ["ann~tom phone_reused"],
    ),
    Scenario(
        "a phone within twelve months is the same person's",
        [call("one", 1, "phone:1"), call("two", 365, "phone:1")],
        [customer("one two", "phone:1")],
    ),
    Scenario(
        "a phone that others' events name does not go stale",
        [
            call("one", 1, "phone:1"),
            call("three", 600, "phone:1"),
            call("two", 300, "id:1 phone:1"),
        ],
        [customer("one two three", "id:1 phone:1")],
    ),
    Scenario(
        "a late event in the middle of a silence makes two people one again",
        [
            call("one", 1, "phone:1"),
            call("three", 500, "phone:1"),
            call("two", 250, "phone:1"),
        ],
        [customer("one two three", "phone:1")],
    ),
    Scenario(
        "a late event that leaves silences on both sides makes three",
        [
            call("one", 1, "cookie:c"),
            call("three", 801, "cookie:c"),
            call("two", 401, "cookie:c"),
        ],
        [visitor("one"), visitor("two"), visitor("three", "cookie:c")],
    ),
    Scenario(
        "messages that we send do not keep a phone from going stale",
        [
            call("ann", 1, "phone:1", ANN),
            call("text", 200, "phone:1", event="SMS Sent"),
            call("tom", 400, "phone:1", TOM),
        ],
        [customer("ann text"), customer("tom", "phone:1")],
        ["ann~tom phone_reused"],
    ),
    Scenario(
        "a cookie that was silent for a year is nobody's, without a candidate",
        [call("ann", 1, "cookie:c user:ann"), call("next", 400, "cookie:c", event=VIEW)],
        [customer("ann", "user:ann"), visitor("next", "cookie:c", sessions=1)],
    ),
    Scenario(
        "an order keeps a cookie from being silent, also after its fragment was cut",
        [
            call("ann", 1, "cookie:tab user:ann"),
            call("view1", 2, "cookie:tab", event=VIEW),
            call("view2", 4, "cookie:tab", event=VIEW),
            call("bought", 300, "cookie:tab", event="Order Completed", order_id="o", total="9"),
            call("tom", 3, "cookie:tab user:tom"),
            call("last", 500, "cookie:tab", event=VIEW),
        ],
        [
            customer("ann view1", "user:ann", sessions=1),
            customer("tom view2 bought last", "user:tom cookie:tab", sessions=2),
        ],
        ["ann~tom device"],
    ),
    Scenario(
        "a stale phone counts for no limit",
        [
            *(call(f"p{n}", n, f"id:1 phone:{n}") for n in range(1, 6)),
            call("sixth", 390, "id:1 phone:9"),
        ],
        [customer("p1 p2 p3 p4 p5 sixth", "id:1 phone:9")],
    ),
    Scenario(
        "a phone that found no room is owned when the others have become stale",
        [
            *(call(f"phone{n}", n, f"id:1 phone:{n}") for n in range(1, 6)),
            *(call(f"sixth{day}", day, "id:1 phone:6") for day in (100, 300, 390)),
        ],
        [customer("phone1 phone2 phone3 phone4 phone5 sixth100 sixth300 sixth390", "id:1 phone:6")],
    ),
    Scenario(
        "an event that is heard of last may change who is who everywhere",
        [
            call("ann", 2, "user:ann email:a"),
            call("tom", 3, "user:tom email:a"),
            call("visit", 4, "cookie:c user:tom"),
            call("view", 5, "cookie:c"),
            call("first", 1, "user:tom email:a"),
        ],
        [
            customer("first tom visit view", "user:tom email:a cookie:c"),
            customer("ann", "user:ann"),
        ],
        ["ann-tom account_ids"],
    ),
    Scenario(
        "a checkout is abandoned after all when its order turns out to be another account's",
        [
            call("began", 1, "cookie:c email:family", event="Checkout Started", checkout_id="k"),
            call(
                "bought",
                1.01,
                "id:4 email:family",
                event="Order Completed",
                order_id="o",
                total="9",
            ),
            call("account", 0.5, "id:1 email:family"),
        ],
        [
            customer("account began", "id:1 email:family cookie:c", sessions=1),
            customer("bought", "id:4"),
        ],
        ["account-bought account_ids"],
    ),
    # Spelling.
    Scenario(
        "case, spaces and national formats are one address and one number",
        [
            call("one", 1, email="Ann.Murphy@X.Example"),
            call("two", 2, email="  ann.murphy@x.example ", phone="087 100 0001"),
            call("three", 3, phone="+353 87 1000001"),
            call("four", 4, phone="(087) 100-0001"),
            call("five", 5, "whatsapp:353871000001"),
            call("six", 6, email="ａｎｎ.murphy@x.example"),
        ],
        [customer("one two three four five six", "email:ann.murphy@x.example phone:1")],
    ),
    Scenario(
        "dots and plus signs make other addresses",
        [
            call("one", 1, "email:annmurphy"),
            call("two", 2, "email:ann.murphy"),
            call("three", 3, "email:annmurphy+shop"),
        ],
        [
            customer("one", "email:annmurphy"),
            customer("two", "email:ann.murphy"),
            customer("three", "email:annmurphy+shop"),
        ],
    ),
    # Marketplaces.
    Scenario(
        "two marketplace buyers behind relay mail stay two",
        [
            call("one", 1, "amazon:A email:x1@marketplace.amazon.com"),
            call("two", 2, "amazon:B email:x1@marketplace.amazon.com"),
            call("relay", 3, "email:x1@marketplace.amazon.com"),
            call("ebay", 4, "ebay:E email:x1@members.ebay.com"),
            call("tiktok", 5, "tiktok_buyer:T email:x1@scs.tiktokw.us"),
        ],
        [
            customer("one", "amazon:A"),
            customer("two", "amazon:B"),
            customer("ebay", "ebay:E"),
            customer("tiktok", "tiktok_buyer:T"),
        ],
        nobody="relay",
    ),
    Scenario(
        "Apple's relay receives, so its address identifies",
        [
            order("bought", 1, "email:k7@privaterelay.appleid.com", ANN),
            call("opened", 2, "email:k7@privaterelay.appleid.com"),
        ],
        [customer("bought opened", "email:k7@privaterelay.appleid.com")],
    ),
    Scenario(
        "buyer ids are one per marketplace, and two marketplaces are two",
        [
            call("amazon", 1, "amazon:A email:ann"),
            call("ebay", 2, "ebay:E email:ann"),
            call("other", 3, "amazon:B email:ann"),
        ],
        [customer("amazon ebay", "amazon:A ebay:E email:ann"), customer("other", "amazon:B")],
        ["amazon-other account_ids"],
    ),
    # What a browser claims.
    Scenario(
        "a browser never merges two known people",
        [
            call("mail", 1, "email:ann"),
            call("user", 2, "user:u"),
            call("claim", 3, "email:ann user:u", public=True),
        ],
        [customer("mail", "email:ann"), customer("user claim", "user:u")],
        ["mail-user trust"],
    ),
    Scenario(
        "a browser asserts no account of the shop",
        [
            contact("account", 1, "id:9"),
            call("claim", 2, "id:9 cookie:c", public=True),
        ],
        [customer("account", "id:9"), visitor("claim", "cookie:c")],
    ),
    Scenario(
        "what a browser adds to a known profile is unverified",
        [call("claim", 1, "user:u email:ann", public=True)],
        [customer("claim", "user:u email:ann=unverified")],
    ),
    Scenario(
        "trusted evidence takes a browser's claim over, and never merges through it",
        [
            call("claim", 1, "user:u email:ann", public=True),
            contact("account", 2, "id:9 email:ann"),
            call("mail", 3, "email:ann"),
        ],
        [customer("claim", "user:u"), customer("account mail", "id:9 email:ann")],
        ["claim-account taken_over"],
    ),
    Scenario(
        "trusted evidence of the same owner verifies a claim",
        [
            call("claim", 1, "user:u email:ann", public=True),
            call("login", 2, "user:u email:ann"),
            contact("account", 3, "id:9 email:ann"),
        ],
        [customer("claim login account", "user:u email:ann id:9")],
    ),
    Scenario(
        "a browser does not name a known profile",
        [
            call("claim", 1, "email:ann", TOM, public=True),
            call("ann", 2, "email:ann", ANN),
        ],
        [customer("claim ann", "email:ann")],
    ),
    Scenario(
        "a browser names a visitor",
        [
            call("visit", 1, "cookie:c", TOM, public=True),
            call("login", 2, "cookie:c email:family"),
            call("ann", 3, "email:family", ANN),
        ],
        [customer("visit login", "cookie:c email:family"), customer("ann")],
        ["visit-ann names"],
    ),
    # Consents.
    Scenario(
        "what a browser agrees to is pending, and a merge takes every word along",
        [
            call("claim", 1, "email:ann", public=True, event=AGREED, channel="email"),
            call("number", 2, "phone:1", event=AGREED, channel="sms"),
            call("both", 3, "email:ann phone:1"),
        ],
        [
            customer(
                "claim number both",
                "email:ann phone:1",
                "email:ann=pending sms:1=granted",
            )
        ],
    ),
    Scenario(
        "on a merge the more restrictive word wins for an address, a grant given after it counts",
        [
            call("stop", 1, "user:ann", event=STOPPED, channel="email"),
            call("grant", 2, "email:ann", event=AGREED, channel="email"),
            call("both", 3, "user:ann email:ann"),
            call("stop_tom", 1, "user:tom", event=STOPPED, channel="email"),
            call("grant_tom", 2, "email:tom", event=AGREED, channel="email"),
            call("both_tom", 3, "user:tom email:tom"),
            call("after_tom", 4, "email:tom", event=AGREED, channel="email"),
        ],
        [
            customer("stop grant both", "user:ann email:ann", "email:ann=withdrawn"),
            customer(
                "stop_tom grant_tom both_tom after_tom", "user:tom email:tom", "email:tom=granted"
            ),
        ],
    ),
    Scenario(
        "a stop to an address binds the address, whoever holds it",
        [
            call("ann", 1, "user:ann email:family", ANN, event=AGREED, channel="email"),
            call(
                "tom",
                2,
                "user:tom",
                TOM,
                event=STOPPED,
                channel="email",
                address="family@x.example",
            ),
        ],
        [
            customer("ann", "user:ann email:family", "email:family=withdrawn"),
            customer("tom", "user:tom", "email:family=withdrawn"),
        ],
    ),
)

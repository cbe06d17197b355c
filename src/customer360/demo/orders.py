"""What Shopify tells of customers and orders, in the shape of its webhooks."""

from __future__ import annotations

from itertools import count
from random import Random

from customer360.clock import DAY, HOUR, MINUTE, SECOND, Instant, to_iso
from customer360.demo.arrivals import SITE, landing_url
from customer360.demo.lives import Life, Line, Purchase
from customer360.demo.people import Person
from customer360.demo.script import Json, Script
from customer360.demo.seasons import span
from customer360.demo.storefront import CURRENCY, line_of

_FIRST_ORDER_ID = 5_610_330_000_041
_FIRST_LINE_ID = 14_220_550_000_007
_FIRST_NUMBER = 1001
_LOCATIONS = (71_440_000_011, 71_440_000_012)
_SOURCES = {"online": "web", "till": "pos"}


def number_orders(purchases: list[Purchase]) -> list[Purchase]:
    """The orders as they are counted, by time: the shop and the marketplace each count their own."""
    ordered = sorted(purchases, key=lambda purchase: purchase.at)
    places = {True: count(), False: count()}
    for purchase in ordered:
        place = next(places[purchase.where == "amazon"])
        purchase.number = _FIRST_NUMBER + place
        purchase.order_id = _FIRST_ORDER_ID + 1024 * place
    return ordered


class Clerk:
    """Writes down what the shop system tells."""

    def __init__(self, rng: Random, script: Script) -> None:
        self._rng = rng
        self._script = script

    def write_account(self, life: Life) -> None:
        """The customer is made before the first order, or on signing up for the newsletter."""
        person = life.person
        if person.kind == "amazon":
            return
        moments = [purchase.at - 5 * SECOND for purchase in life.purchases]
        if life.subscribed_at:
            moments.append(life.subscribed_at)
        if not moments:
            return
        created_at = min(moments)
        body = customer_of(person, created_at) | {"addresses": [address_of(person)]}
        self._script.webhook(created_at, "customers/create", body)
        if person.texts:
            self._text_consent(person, created_at + 9 * SECOND)
        for orders, tag in ((3, "repeat"), (8, "vip")):
            if len(life.purchases) >= orders:
                nth = sorted(purchase.at for purchase in life.purchases)[orders - 1]
                self._tag(person, nth + MINUTE, tag)

    def write_order(self, purchase: Purchase) -> None:
        """An order and what becomes of it: paid, sent, and sometimes cancelled or given back."""
        rng, at = self._rng, purchase.at
        if purchase.where == "amazon":
            self._write_marketplace_order(purchase)
            return
        placed = order_of(purchase, at, "pending" if purchase.where == "online" else "paid")
        self._script.webhook(at, "orders/create", placed)
        if purchase.where == "till":
            self._maybe_refund(purchase, at + span(rng.uniform(1, 12), DAY), 0.01)
            return
        paid_at = at + rng.randrange(20, 90) * SECOND
        paid = order_of(purchase, paid_at, "paid")
        self._script.webhook(paid_at, "orders/paid", paid)
        if rng.random() < 0.022:
            cancelled_at = paid_at + span(rng.uniform(0.2, 20), HOUR)
            self._script.webhook(cancelled_at, "orders/cancelled", _cancelled(paid, cancelled_at))
            return
        sent_at = paid_at + span(rng.uniform(0.4, 2.6), DAY)
        sent = order_of(purchase, sent_at, "paid") | {"fulfillment_status": "fulfilled"}
        self._script.webhook(sent_at, "orders/fulfilled", sent)
        self._maybe_refund(purchase, sent_at + span(rng.uniform(3, 16), DAY), 0.05)

    def _write_marketplace_order(self, purchase: Purchase) -> None:
        """A marketplace tells the buyer's id, an address that it made up, and half a name."""
        person = purchase.person
        if person is None:
            return
        number = f"{purchase.number:07d}"
        properties = {
            "order_id": f"203-{number}-{person.number:07d}",
            "marketplace": "amazon",
            "email": person.account_email,
            "total": money(purchase.total),
            "currency": CURRENCY,
            "products": [line_of(line) for line in purchase.lines],
        }
        context = {
            "channel": "amazon",
            "externalIds": [{"type": "amazon_buyer", "id": f"A{person.customer_id:013X}"}],
            "traits": {"first_name": person.first_name, "country": person.country.code},
        }
        self._script.call(
            "write",
            purchase.at,
            "track",
            event="Order Completed",
            properties=properties,
            context=context,
        )

    def _maybe_refund(self, purchase: Purchase, at: Instant, chance: float) -> None:
        if self._rng.random() < chance:
            line = self._rng.choice(purchase.lines)
            self._script.webhook(at, "refunds/create", _refund(purchase, line, at))

    def _text_consent(self, person: Person, at: Instant) -> None:
        consent = {
            "state": "subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": to_iso(at),
            "consent_collected_from": "SHOPIFY",
        }
        body = {"id": person.customer_id, "phone": person.phone, "sms_marketing_consent": consent}
        self._script.webhook(at, "customers_marketing_consent/update", body)

    def _tag(self, person: Person, at: Instant, tag: str) -> None:
        gid = f"gid://shopify/Customer/{person.customer_id}"
        body = {"customerId": gid, "tags": [tag], "occurredAt": to_iso(at)}
        self._script.webhook(at, "customer.tags_added", body)


def customer_of(person: Person, created_at: Instant) -> Json:
    """The customer inside of webhooks."""
    return {
        "id": person.customer_id,
        "admin_graphql_api_id": f"gid://shopify/Customer/{person.customer_id}",
        "email": person.account_email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone or None,
        "state": "enabled" if person.kind == "online" else "disabled",
        "verified_email": True,
        "currency": CURRENCY,
        "created_at": to_iso(created_at),
        "updated_at": to_iso(created_at),
        "default_address": address_of(person),
    }


def address_of(person: Person) -> Json:
    """Where the person lives."""
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "address1": person.street,
        "city": person.city,
        "province_code": person.region,
        "zip": person.zip,
        "country": person.country.name,
        "country_code": person.country.code,
        "phone": None,
    }


def order_of(purchase: Purchase, updated_at: Instant, financial_status: str) -> Json:
    """A whole order as the webhooks tell it."""
    person = purchase.person
    body: Json = {
        "id": purchase.order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{purchase.order_id}",
        "name": f"#{purchase.number}",
        "order_number": purchase.number,
        "created_at": to_iso(purchase.at),
        "processed_at": to_iso(purchase.at),
        "updated_at": to_iso(updated_at),
        "cancelled_at": None,
        "cancel_reason": None,
        "currency": CURRENCY,
        "financial_status": financial_status,
        "fulfillment_status": None,
        "source_name": _SOURCES[purchase.where],
        "test": False,
        "taxes_included": True,
        "subtotal_price": money(purchase.goods - purchase.discount),
        "total_discounts": money(purchase.discount),
        "total_price": money(purchase.total),
        "total_price_set": _shop_money(purchase.total),
        "discount_codes": _codes(purchase),
        "line_items": [
            _line_item(purchase, place, line) for place, line in enumerate(purchase.lines)
        ],
        "email": purchase.email or None,
        "contact_email": purchase.email or None,
    }
    if person:
        body["customer"] = customer_of(person, purchase.at)
        body["customer_locale"] = person.country.locale
    if purchase.where == "till":
        return body | {"location_id": _LOCATIONS[purchase.number % 3 // 2], "landing_site": None}
    if purchase.where == "online" and person:
        body["billing_address"] = body["shipping_address"] = address_of(person)
        body |= _visit(purchase)
    return body


def _visit(purchase: Purchase) -> Json:
    return {
        "landing_site": landing_url("/", purchase.arrival).removeprefix(SITE),
        "referring_site": purchase.arrival.referrer,
        "cart_token": purchase.cart_token,
        "checkout_token": purchase.checkout_token,
    }


def money(cents: int) -> str:
    """An amount as Shopify writes it."""
    return f"{cents // 100}.{cents % 100:02d}"


def _shop_money(cents: int) -> Json:
    amount = {"amount": money(cents), "currency_code": CURRENCY}
    return {"shop_money": amount, "presentment_money": amount}


def _codes(purchase: Purchase) -> list[Json]:
    if not purchase.code:
        return []
    return [{"code": purchase.code, "amount": money(purchase.discount), "type": "percentage"}]


def _line_item(purchase: Purchase, place: int, line: Line) -> Json:
    return {
        "id": _line_id(purchase, place),
        "product_id": line.product.product_id,
        "variant_id": line.variant.variant_id,
        "title": line.product.title,
        "variant_title": line.variant.title,
        "vendor": line.product.vendor,
        "sku": line.variant.sku,
        "quantity": line.quantity,
        "current_quantity": line.quantity,
        "price": money(line.variant.price),
        "total_discount": "0.00",
        "gift_card": False,
    }


def _line_id(purchase: Purchase, place: int) -> int:
    return _FIRST_LINE_ID + 16 * purchase.number + place


def _cancelled(order: Json, at: Instant) -> Json:
    return order | {
        "cancelled_at": to_iso(at),
        "updated_at": to_iso(at),
        "cancel_reason": "customer",
        "financial_status": "voided",
    }


def _refund(purchase: Purchase, line: Line, at: Instant) -> Json:
    place = purchase.lines.index(line)
    cents = line.variant.price * line.quantity
    return {
        "id": 902_770_000_003 + purchase.number,
        "order_id": purchase.order_id,
        "created_at": to_iso(at),
        "processed_at": to_iso(at),
        "note": "",
        "refund_line_items": [
            {
                "id": 610_440_000_000 + _line_id(purchase, place),
                "line_item_id": _line_id(purchase, place),
                "quantity": line.quantity,
                "restock_type": "return",
                "subtotal": money(cents),
                "total_tax": "0.00",
                "line_item": _line_item(purchase, place, line),
            }
        ],
        "transactions": [
            {
                "id": 7_040_110_000_009 + purchase.number,
                "kind": "refund",
                "status": "success",
                "amount": money(min(cents, purchase.total)),
                "currency": CURRENCY,
            }
        ],
        "order_adjustments": [],
    }

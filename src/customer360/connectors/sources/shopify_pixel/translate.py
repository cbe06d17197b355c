"""Events of Shopify's web pixel: the standard ones under our names, the merchant's own under theirs.

A browser sends them, so wrong parts are left out; only a name is required. `checkout_completed` and the
webhook orders/create tell of one order: both name it by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from customer360.clock import Instant, parse_instant
from customer360.connectors.sources.payload import Json, read_object, record, text
from customer360.connectors.sources.shopify.fields import filled, id_text, token
from customer360.connectors.sources.shopify.people import buyer_traits
from customer360.connectors.sources.shopify_pixel.orders import order_of
from customer360.connectors.sources.shopify_pixel.properties import STANDARD
from customer360.errors import InvalidTime
from customer360.events.model import (
    Event,
    Identifier,
    Page,
    ShopContext,
    Signal,
    Unusable,
)
from customer360.events.vocabulary import BY_NAME, MAX_CUSTOM_NAME

_LONGEST_ID = 200


def translate(signal: Signal, shop: ShopContext) -> Sequence[Event]:
    """The one event of a pixel event. Raises Unusable."""
    body = read_object(signal.body)
    name = text(body.get("name"))
    if not name:
        raise Unusable("missing_event", "A pixel event needs a `name`.")
    data = record(body.get("data"))
    standard = STANDARD.get(name) if body.get("type") in ("standard", None) else None
    key = _dedupe_key(body, signal)
    at = _occurred_at(body, signal, shop.timezone)
    if standard is None:
        return (_custom_event(body, name, key, at),)
    type_, properties_of = standard
    checkout = record(data.get("checkout"))
    order = order_of(checkout, key, at, shop) if type_ == "order_placed" else None
    return (
        Event(
            type=type_,
            occurred_at=at,
            dedupe_key=key,
            identifiers=_identifiers(body, data, checkout),
            properties=filled(properties_of(data)),
            traits=buyer_traits(_buyer(body, checkout)),
            page=_page(body),
            order=order,
            checkout_token=token(checkout.get("token")),
        ),
    )


def _custom_event(body: Json, name: str, key: str, at: Instant) -> Event:
    """An event that the merchant publishes; of clicks and inputs in the page nothing but the name is kept."""
    told = {} if body.get("type") == "dom" else record(body.get("customData"))
    known = BY_NAME.get(name)
    return Event(
        type=f"{name} (reported)"[:MAX_CUSTOM_NAME]
        if known and (known.derived or known.group != "storefront")
        else name[:MAX_CUSTOM_NAME],
        occurred_at=at,
        dedupe_key=key,
        identifiers=_identifiers(body, {}, {}),
        properties=told,
        traits=buyer_traits(_buyer(body, {})),
        page=_page(body),
    )


def _dedupe_key(body: Json, signal: Signal) -> str:
    name = text(body.get("id"))
    if not name or len(name) > _LONGEST_ID:
        name = blake2b(signal.body, digest_size=16).hexdigest()
    return f"shopify_pixel:{name}"


def _occurred_at(body: Json, signal: Signal, timezone: str) -> Instant:
    told = body.get("timestamp")
    if not told:
        return signal.received_at
    try:
        return parse_instant(told, timezone)
    except InvalidTime:
        raise Unusable("invalid_time", f"The time {str(told)[:40]!r} is none since 1900.") from None


def _identifiers(body: Json, data: Json, checkout: Json) -> tuple[Identifier, ...]:
    """Cookie, tokens, and who bought; the account is believed only where the signal is trusted."""
    order = record(checkout.get("order"))
    said = (
        ("cookie", text(body.get("clientId"))),
        ("cart_token", token(record(data.get("cart")).get("id"))),
        ("checkout_token", token(checkout.get("token"))),
        ("email", text(checkout.get("email"))),
        ("phone", text(checkout.get("phone")) or text(checkout.get("smsMarketingPhone"))),
        ("shopify_customer_id", id_text(record(order.get("customer")).get("id"))),
    )
    return tuple(Identifier(type_, value) for type_, value in said if value)


def _page(body: Json) -> Page | None:
    document = record(record(body.get("context")).get("document"))
    page = Page(
        url=text(record(document.get("location")).get("href")),
        referrer=text(document.get("referrer")),
        title=text(document.get("title")),
    )
    return page if page.url or page.referrer or page.title else None


def _buyer(body: Json, checkout: Json) -> Json:
    """Language and addresses of the person, under the names that webhooks use."""
    navigator = record(record(body.get("context")).get("navigator"))
    addresses = {
        f"{kind}_address": {
            _WEBHOOK_NAMES.get(name, name): value
            for name, value in record(checkout.get(f"{kind}Address")).items()
        }
        for kind in ("billing", "shipping")
        if checkout
    }
    return {**addresses, "customer_locale": navigator.get("language")}


_WEBHOOK_NAMES = {
    "firstName": "first_name",
    "lastName": "last_name",
    "provinceCode": "province_code",
    "countryCode": "country_code",
}

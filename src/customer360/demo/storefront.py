"""What the pixel tells of a visit: pages, products, carts and checkouts, as one browser after the other sends it."""

from __future__ import annotations

from random import Random

from customer360.clock import SECOND, Instant, to_datetime
from customer360.demo.arrivals import SITE, landing_url
from customer360.demo.catalogue import Collection, Product, pick_product
from customer360.demo.lives import Intent, Line, Visit
from customer360.demo.script import Json, Script

CURRENCY = "EUR"
# From one click to the next.
_MEAN_SECONDS = 45
_LONGEST_SECONDS = 420
_SEARCHES = (
    "decaf",
    "gift",
    "mug",
    "green tea",
    "espresso",
    "chocolate",
    "grinder",
    "honey",
    "1 kg",
    "iced tea",
)


class Storefront:
    """Writes visits down."""

    def __init__(self, rng: Random, script: Script, collections: tuple[Collection, ...]) -> None:
        self._rng = rng
        self._script = script
        self._collections = collections

    def write(self, visit: Visit) -> None:
        """One visit, from the landing page to as far as it goes."""
        _Walk(self._rng, self._script, self._collections, visit).write()


class _Walk:
    """One visit while it is being written: where the visitor is, and what time it is."""

    def __init__(
        self, rng: Random, script: Script, collections: tuple[Collection, ...], visit: Visit
    ) -> None:
        self._rng = rng
        self._script = script
        self._collections = collections
        self._visit = visit
        self._at = visit.at
        self._month = to_datetime(visit.at).month
        self._url = ""
        self._referrer = visit.arrival.referrer
        country = visit.person.country if visit.person else None
        self._place = {
            "locale": country.locale if country else "en-IE",
            "timezone": country.timezone if country else "Europe/Dublin",
        }

    def write(self) -> None:
        visit, rng = self._visit, self._rng
        liked = self._collections[visit.taste]
        self._land(liked)
        if visit.intent == Intent.BOUNCE:
            return
        for _ in range(rng.choices((1, 2, 3, 5), (40, 30, 20, 10))[0]):
            self._look(liked if rng.random() < 0.65 else rng.choice(self._collections))
        if visit.login and not visit.purchase:
            self._log_in()
        for line in visit.lines:
            self._add(line)
        if visit.intent >= Intent.CART and rng.random() < 0.5:
            self._track("Cart Viewed", "/cart", "Your cart", _basket(visit.lines))
        if visit.intent >= Intent.CHECKOUT:
            self._check_out()

    def _land(self, liked: Collection) -> None:
        path, title = "/", "Fernleaf Pantry"
        if self._rng.random() < 0.5:
            path, title = f"/collections/{liked.handle}", liked.title
        self._go(landing_url(path, self._visit.arrival))
        self._send("page", title, properties={})

    def _look(self, collection: Collection) -> None:
        """A collection now and then, a search now and then, most often a product."""
        chance = self._rng.random()
        if chance < 0.14:
            told = {"list_id": str(collection.collection_id), "category": collection.title}
            self._track(
                "Product List Viewed", f"/collections/{collection.handle}", collection.title, told
            )
        elif chance < 0.22:
            told = {"query": self._rng.choice(_SEARCHES)}
            self._track("Products Searched", "/search", "Search", told)
        else:
            product = pick_product(self._rng, collection, self._month)
            self._track("Product Viewed", _path(product), product.title, item(product))

    def _add(self, line: Line) -> None:
        path, title = _path(line.product), line.product.title
        if self._rng.random() < 0.7:
            self._track("Product Viewed", path, title, item(line.product))
        self._track("Product Added", path, title, line_of(line))

    def _check_out(self) -> None:
        visit, purchase = self._visit, self._visit.purchase
        told = _basket(visit.lines)
        if purchase:
            self._at = max(self._at, purchase.at - 150 * SECOND)
            told["checkout_token"] = purchase.checkout_token
            told["cart_token"] = purchase.cart_token
        else:
            told["checkout_token"] = f"{self._rng.getrandbits(128):032x}"
            # Half of those who leave have told their address before.
            if visit.person and self._rng.random() < 0.5:
                told["email"] = visit.person.email
        self._track("Checkout Started", "/checkout", "Checkout", told)
        if visit.login and purchase:
            self._log_in()
        if purchase:
            told = {**told, "order_id": str(purchase.order_id), "total": purchase.total / 100}
            told |= {"coupon": purchase.code} if purchase.code else {}
            self._at = purchase.at - 2 * SECOND
            self._track("Order Completed", "/checkout/thank-you", "Thank you", told)

    def _log_in(self) -> None:
        self._wait()
        self._send("identify", "Your account", traits={"email": self._visit.login})

    def _track(self, event: str, path: str, title: str, properties: Json) -> None:
        self._wait()
        self._go(f"{SITE}{path}")
        self._send("track", title, event=event, properties=properties)

    def _send(self, kind: str, title: str, **fields: object) -> None:
        page = {"url": self._url, "referrer": self._referrer, "title": title}
        context = {"page": page, **self._place}
        self._script.call(
            "pixel", self._at, kind, anonymousId=self._visit.cookie, context=context, **fields
        )

    def _go(self, url: str) -> None:
        if self._url:
            self._referrer = self._url
        self._url = url

    def _wait(self) -> None:
        seconds = min(_LONGEST_SECONDS, 3 + int(self._rng.expovariate(1 / _MEAN_SECONDS)))
        purchase = self._visit.purchase
        # Whoever buys has bought when the order says so.
        latest: Instant = purchase.at - 3 * SECOND if purchase else self._at + seconds * SECOND
        self._at = max(self._at, min(self._at + seconds * SECOND, latest))


def item(product: Product) -> Json:
    """A product as properties of a call."""
    variant = product.variants[0]
    return {
        "product_id": str(product.product_id),
        "variant_id": str(variant.variant_id),
        "sku": variant.sku,
        "name": product.title,
        "category": product.collection,
        "brand": product.vendor,
        "price": variant.price / 100,
        "currency": CURRENCY,
    }


def line_of(line: Line) -> Json:
    """So many of a product, as properties of a call."""
    variant = line.variant
    told = item(line.product) | {"variant_id": str(variant.variant_id), "sku": variant.sku}
    return told | {
        "variant": variant.title,
        "price": variant.price / 100,
        "quantity": line.quantity,
    }


def _basket(lines: tuple[Line, ...]) -> Json:
    goods = sum(line.variant.price * line.quantity for line in lines)
    return {
        "total": goods / 100,
        "currency": CURRENCY,
        "products": [line_of(line) for line in lines],
    }


def _path(product: Product) -> str:
    return f"/products/{product.handle}"

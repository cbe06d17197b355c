"""A believable stream of events, made so cheaply that it is never what a benchmark measures.

Many visitors at once, sessions of some six events, seven of ten from browsers that were here before; two events
in a hundred tell an e-mail address and three in two hundred are orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from customer360.clock import SECOND, Instant, to_iso

# Sessions under way at the same time; events of one session are never next to each other.
_SESSIONS_AT_ONCE = 300
_RETURNING = 0.70
_MEAN_LENGTH = 6.0
# Of sessions, so that of events they are 2 % and 1.5 %.
_TELLING = 0.12
_BUYING = 0.09
_PRODUCTS = 400

_HEAD = '{"type":"%s","messageId":"%s-%d","anonymousId":"%s","timestamp":"%s",'
_CONTEXT = (
    '"context":{"page":{"url":"https://shop.example%s","referrer":"%s","title":"%s"},'
    '"locale":"en-IE","timezone":"Europe/Dublin","library":{"name":"analytics.js","version":"2.1.0"}}'
)
_PAGE = _HEAD + '"properties":{"section":"%s"},' + _CONTEXT + "}"
_PRODUCT = (
    _HEAD + '"event":"%s","properties":{"product_id":"%d","sku":"SKU-%d","name":"Product no. %d",'
    '"category":"Shelf %d","brand":"Vendor %d","price":%d.90,"currency":"EUR","quantity":1},'
    + _CONTEXT
    + "}"
)
_IDENTIFY = (
    _HEAD + '"traits":{"email":"%s","first_name":"Visitor","last_name":"No%d"},' + _CONTEXT + "}"
)
_ORDER = (
    _HEAD + '"event":"Order Completed","properties":{"order_id":"%s-%d","email":"%s","total":%d.90,'
    '"currency":"EUR","products":[{"product_id":"%d","sku":"SKU-%d","name":"Product no. %d","price":%d.90,'
    '"quantity":1}]},' + _CONTEXT + "}"
)
_REFERRERS = (
    "",
    "",
    "https://www.google.com/",
    "https://l.instagram.com/",
    "https://www.bing.com/",
)
_QUERIES = ("", "", "", "?utm_source=newsletter&utm_medium=email&utm_campaign=spring")


class Stream:
    """Makes events of visitors; `known` of them were here before.

    name: keeps the ids of two streams apart. The same name, number and times give the same events.
    """

    def __init__(self, name: str, known: int = 0) -> None:
        self.known = known
        self._name = name
        self._rng = Random(name)
        self._serial = 0
        self._sessions: list[Iterator[tuple[str, int]]] = [
            self._session() for _ in range(_SESSIONS_AT_ONCE)
        ]

    def events(self, times: Iterable[Instant]) -> Iterator[bytes]:
        """One event, as JSON, for each of the times."""
        random, sessions = self._rng.random, self._sessions
        second, stamp = -1, ""
        for at in times:
            if at // SECOND != second:
                second = at // SECOND
                stamp = to_iso(second * SECOND) or ""
            place = int(random() * _SESSIONS_AT_ONCE)
            step = next(sessions[place], None)
            while step is None:
                sessions[place] = self._session()
                step = next(sessions[place], None)
            self._serial += 1
            yield self._write(step[0], step[1], stamp).encode()

    def _session(self) -> Iterator[tuple[str, int]]:
        """The kinds of events of one visit, each with its visitor."""
        rng = self._rng
        if self.known and rng.random() < _RETURNING:
            # Who was here lately comes back sooner.
            visitor = self.known - 1 - int(self.known * rng.random() ** 3)
        else:
            visitor, self.known = self.known, self.known + 1
        buys = rng.random() < _BUYING
        yield "page", visitor
        for _ in range(min(30, int(rng.expovariate(1 / (_MEAN_LENGTH - 1.2))))):
            yield ("added" if rng.random() < 0.15 else "viewed"), visitor
        if rng.random() < _TELLING:
            yield "identify", visitor
        if buys:
            yield "order", visitor

    def _write(self, kind: str, visitor: int, stamp: str) -> str:
        random, serial = self._rng.random, self._serial
        cookie = f"visitor-{visitor:08d}"
        type_ = kind if kind in ("page", "identify") else "track"
        head = (type_, self._name, serial, cookie, stamp)
        if kind == "page":
            referrer = _REFERRERS[int(random() * len(_REFERRERS))]
            query = _QUERIES[int(random() * len(_QUERIES))]
            return _PAGE % (*head, "home", f"/{query}", referrer, "Shop")
        number = int(random() ** 2 * _PRODUCTS)
        price, page = number % 80 + 5, (f"/products/{number}", "https://shop.example/", "Product")
        if kind == "identify":
            return _IDENTIFY % (*head, address_of(visitor), visitor, *page)
        if kind == "order":
            order = (self._name, serial, address_of(visitor), price)
            return _ORDER % (*head, *order, number, number, number, price, *page)
        event = "Product Added" if kind == "added" else "Product Viewed"
        shelf = (number % 12, number % 25)
        return _PRODUCT % (*head, event, number, number, number, *shelf, price, *page)


def address_of(visitor: int) -> str:
    """The e-mail address that a visitor tells."""
    return f"visitor{visitor}@example.com"

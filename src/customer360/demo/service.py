"""What people say about their orders: reviews with stars, and tickets at the help desk."""

from __future__ import annotations

from random import Random

from customer360.clock import DAY, HOUR
from customer360.demo.lives import Life, Purchase
from customer360.demo.script import Script
from customer360.demo.seasons import span

_REVIEWS = {
    5: ("Exactly as hoped.", "My morning is saved.", "Lovely, will order again."),
    4: ("Very good, arrived a day late.", "Nice, a little mild for me."),
    3: ("All right.", "Fine, but pricey."),
    2: ("The bag was torn.", "Not what the picture showed."),
    1: ("Stale on arrival.", "Broken cup, slow answer."),
}
_STARS = ((5, 56), (4, 24), (3, 9), (2, 6), (1, 5))
_TICKETS = (
    ("Where is my parcel?", "delivery"),
    ("A cup arrived broken", "damage"),
    ("Wrong grind", "wrong item"),
    ("Can I change the address?", "change"),
    ("Invoice for my company", "invoice"),
)


class HelpDesk:
    """Writes reviews and tickets down."""

    def __init__(self, rng: Random, script: Script) -> None:
        self._rng = rng
        self._script = script
        self._tickets = 40_100

    def write(self, life: Life) -> None:
        """What one person says, order by order; no marketplace lets its buyers write to the shop."""
        for purchase in life.purchases:
            if purchase.where == "amazon":
                continue
            if self._rng.random() < 0.09:
                self._review(purchase, life)
            if self._rng.random() < 0.045:
                self._ticket(purchase, life)

    def _review(self, purchase: Purchase, life: Life) -> None:
        rng = self._rng
        stars = rng.choices([row[0] for row in _STARS], [row[1] for row in _STARS])[0]
        product = rng.choice(purchase.lines).product
        properties = {
            "email": life.person.email,
            "order_id": str(purchase.order_id),
            "product_id": str(product.product_id),
            "name": product.title,
            "rating": stars,
            "review_body": rng.choice(_REVIEWS[stars]),
        }
        at = purchase.at + span(rng.uniform(8, 24), DAY)
        self._script.call("write", at, "track", event="Product Reviewed", properties=properties)

    def _ticket(self, purchase: Purchase, life: Life) -> None:
        rng = self._rng
        self._tickets += 1
        subject, reason = rng.choice(_TICKETS)
        properties = {
            "email": life.person.email,
            "ticket_id": str(self._tickets),
            "subject": subject,
            "reason": reason,
            "order_id": str(purchase.order_id),
        }
        at = purchase.at + span(rng.uniform(1, 9), DAY)
        self._script.call("write", at, "track", event="Ticket Opened", properties=properties)
        closed_at = at + span(rng.uniform(1, 70), HOUR)
        self._script.call("write", closed_at, "track", event="Ticket Closed", properties=properties)

"""How engaged is each person, from 0 to 100? Recent visits, messages and orders count most. Pure."""

from __future__ import annotations

import numpy as np

from customer360.enrichment.model import Floats

HALF_LIFE_DAYS = 30
_SCALE = 10
"""Ten points are 63, twenty 86: a person who does everything gets near 100 and never beyond."""

WEIGHTS = {
    "visited_site": 1.0,
    "product_viewed": 0.5,
    "added_to_cart": 2.0,
    "checkout_started": 3.0,
    "order_placed": 6.0,
    "email_opened": 0.5,
    "whatsapp_read": 0.5,
    "email_clicked": 2.0,
    "sms_clicked": 2.0,
    "sms_replied": 4.0,
    "whatsapp_replied": 4.0,
    "push_clicked": 1.0,
    "push_dismissed": -0.5,
    "review_submitted": 3.0,
    "ticket_opened": 1.0,
    "email_unsubscribed": -8.0,
}
"""Points of an event on its day, by type; other events give none. They halve in HALF_LIFE_DAYS."""


def engagement_scores(points: Floats) -> Floats:
    """The score of each person by the sum of what is left of the points of what they did."""
    return 100 * -np.expm1(-np.maximum(points, 0) / _SCALE)

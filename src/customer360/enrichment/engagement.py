"""How engaged is each person, from 0 to 100? Recent visits, messages and orders count most. Pure."""

from __future__ import annotations

import numpy as np

from customer360.enrichment.model import Floats, Ints

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
"""Points of an event on its day, by type; other events give none."""


def engagement_scores(people: int, person: Ints, weight: Floats, age_days: Floats) -> Floats:
    """The score of each person, 0 to `people` - 1, from weighed events, one row each in any order."""
    points = np.bincount(person, weight * 0.5 ** (age_days / HALF_LIFE_DAYS), minlength=people)
    return 100 * -np.expm1(-np.maximum(points, 0) / _SCALE)

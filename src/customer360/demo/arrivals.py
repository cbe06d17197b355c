"""What brings somebody to the shop: the page they land on, with its parameters, and the page they come from."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

DOMAIN = "fernleaf.example"
SITE = f"https://{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a visit begins. `query` is the landing page's, without its question mark."""

    referrer: str = ""
    query: str = ""


DIRECT = Arrival()

_ADS = "utm_source={}&utm_medium={}&utm_campaign={}"
# weight for people who come for the first time, for those who come back, and the arrival;
# # stands for a click id.
_ARRIVALS: tuple[tuple[float, float, Arrival], ...] = (
    (18, 40, DIRECT),
    (24, 20, Arrival("https://www.google.com/")),
    (10, 4, Arrival("https://www.google.com/", _ADS.format("google", "cpc", "brand&gclid=#"))),
    (7, 2, Arrival("https://www.google.com/", _ADS.format("google", "cpc", "beans&gclid=#"))),
    (11, 6, Arrival("https://l.instagram.com/", _ADS.format("instagram", "paid_social", "slow-mornings"))),
    (6, 8, Arrival("https://www.instagram.com/")),
    (6, 3, Arrival("https://l.facebook.com/", _ADS.format("facebook", "paid_social", "gifts&fbclid=#"))),
    (5, 2, Arrival("https://www.tiktok.com/", _ADS.format("tiktok", "paid_social", "pour-over&ttclid=#"))),
    (4, 3, Arrival("https://www.pinterest.com/")),
    (3, 3, Arrival("https://www.bing.com/")),
    (3, 2, Arrival("https://duckduckgo.com/")),
    (4, 2, Arrival("https://kettle-diaries.example/", _ADS.format("kettle-diaries", "affiliate", "best-beans"))),
    (2, 1, Arrival("https://slow-kitchen.example/")),
)  # fmt: skip
_FIRST = [row[0] for row in _ARRIVALS]
_AGAIN = [row[1] for row in _ARRIVALS]
_ALL = [row[2] for row in _ARRIVALS]


def pick_arrival(rng: Random, *, first: bool) -> Arrival:
    """How somebody comes, for the first time or again."""
    (arrival,) = rng.choices(_ALL, _FIRST if first else _AGAIN)
    if "#" not in arrival.query:
        return arrival
    return Arrival(arrival.referrer, arrival.query.replace("#", f"{rng.getrandbits(120):030x}"))


def from_mail(campaign: str) -> Arrival:
    """A click in an e-mail of the shop."""
    return Arrival("", f"utm_source=newsletter&utm_medium=email&utm_campaign={campaign}")


def landing_url(path: str, arrival: Arrival) -> str:
    """The address of the first page."""
    return f"{SITE}{path}?{arrival.query}" if arrival.query else f"{SITE}{path}"

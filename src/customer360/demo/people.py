"""Who are the shop's customers? Invented people from several countries, with their addresses and devices."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random
from typing import Literal

from customer360.demo.places import COUNTRIES, Country

Kind = Literal["online", "till", "both", "amazon", "reader"]
"""Where somebody buys; a reader takes the newsletter and has not bought."""

_KINDS: dict[Kind, float] = {
    "online": 0.71,
    "both": 0.08,
    "till": 0.08,
    "amazon": 0.04,
    "reader": 0.09,
}
# Reserved for examples (RFC 2606): no mail to these can reach anybody.
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "post.example")
_FIRST_CUSTOMER_ID = 7_204_880_000_021
# Orders follow a power law of this exponent: half buy once, a few buy all the time.
_ORDERS_EXPONENT = 1.2
_MOST_ORDERS: dict[Kind, int] = {"online": 45, "both": 45, "till": 25, "amazon": 7, "reader": 0}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invented. `rhythm_days`: between two orders. `opens`: how likely they open an e-mail."""

    number: int
    kind: Kind
    customer_id: int
    first_name: str
    last_name: str
    email: str
    second_email: str
    phone: str
    country: Country
    city: str
    region: str
    zip: str
    street: str
    cookies: tuple[str, ...]
    orders: int
    rhythm_days: float
    taste: int
    curiosity: float
    opens: float
    subscribes: bool
    texts: bool

    @property
    def shops_online(self) -> bool:
        return self.kind in ("online", "both", "reader")

    @property
    def account_email(self) -> str:
        """What the shop system has: on a marketplace an address that it made up."""
        if self.kind == "amazon":
            return f"{self.customer_id:x}{self.number:03d}@marketplace.amazon.co.uk"
        return self.email


def make_people(rng: Random, count: int) -> list[Person]:
    """So many people; no two share an address, a few share a device."""
    taken: set[str] = set()
    made: list[Person] = []
    for number in range(count):
        # Now and then somebody uses a device of the person before: a family, a shared flat.
        lent = made[-1].cookies[:1] if made and rng.random() < 0.02 else ()
        made.append(_person(rng, number, taken, lent))
    return made


def cookie(rng: Random) -> str:
    """What a browser is known by, shaped like the pixel's."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _person(rng: Random, number: int, taken: set[str], lent: tuple[str, ...]) -> Person:
    country = rng.choices(COUNTRIES, [entry.weight for entry in COUNTRIES])[0]
    first_name, last_name = rng.choice(country.first_names), rng.choice(country.last_names)
    city, region, zip_form = rng.choice(country.cities)
    kind = rng.choices(tuple(_KINDS), tuple(_KINDS.values()))[0]
    orders = min(_MOST_ORDERS[kind], int(rng.paretovariate(_ORDERS_EXPONENT)))
    devices = 1 + (rng.random() < 0.34)
    phone = _phone(rng, country, taken) if rng.random() < 0.7 else ""
    return Person(
        number=number,
        kind=kind,
        customer_id=_FIRST_CUSTOMER_ID + 4096 * number + rng.randrange(4096),
        first_name=first_name,
        last_name=last_name,
        email=_address(rng, first_name, last_name, taken, _DOMAINS),
        second_email=_second_address(rng, first_name, last_name, taken),
        phone=phone,
        country=country,
        city=city,
        region=region,
        zip=_fill(rng, zip_form),
        street=rng.choice(country.streets).format(rng.randrange(1, 180)),
        cookies=(*(cookie(rng) for _ in range(devices)), *lent),
        orders=orders,
        rhythm_days=max(9.0, rng.lognormvariate(4.1, 0.45) / (1 + orders / 12)),
        taste=rng.choices(range(6), (30, 20, 16, 14, 12, 8))[0],
        curiosity=rng.lognormvariate(0.0, 0.7),
        opens=rng.betavariate(2.0, 3.0),
        subscribes=kind == "reader" or (kind in ("online", "both") and rng.random() < 0.46),
        texts=bool(phone) and rng.random() < 0.35,
    )


def _second_address(rng: Random, first: str, last: str, taken: set[str]) -> str:
    """Some people have another address, for work."""
    if rng.random() >= 0.09:
        return ""
    return _address(rng, first[0], last, taken, ("office.example", "studio.example"))


def _phone(rng: Random, country: Country, taken: set[str]) -> str:
    """A number that nobody else has; none where the country's invented ones are used up."""
    number = country.phone(rng)
    if number in taken:
        return ""
    taken.add(number)
    return number


def _address(rng: Random, first: str, last: str, taken: set[str], domains: tuple[str, ...]) -> str:
    domain = rng.choices(domains, range(2 * len(domains), len(domains), -1))[0]
    mailbox = f"{_plain(first)}.{_plain(last)}"
    address = f"{mailbox}@{domain}"
    while address in taken:
        address = f"{mailbox}{rng.randrange(2, 1000)}@{domain}"
    taken.add(address)
    return address


def _plain(name: str) -> str:
    """A name as it stands in addresses: without accents, spaces and apostrophes."""
    bare = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss").replace("ł", "l"))
    return "".join(c for c in bare if c.isascii() and c.isalnum())


def _fill(rng: Random, form: str) -> str:
    """A postal code of the form: # is a digit, @ a letter."""
    return "".join(
        rng.choice("0123456789") if c == "#" else rng.choice("ABDEFGHJLNPQRSTUW") if c == "@" else c
        for c in form
    )

"""What the sample shop sells: coffee, tea, chocolate and what one drinks and eats them from."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

Season = Literal["winter", "summer", ""]

_FIRST_PRODUCT_ID = 8_301_110_000_017
_FIRST_VARIANT_ID = 44_907_220_000_033
_FIRST_COLLECTION_ID = 461_200_000_003


@dataclass(frozen=True, slots=True)
class Variant:
    """One size of a product; its price in cents."""

    variant_id: int
    title: str
    sku: str
    price: int


@dataclass(frozen=True, slots=True)
class Product:
    """Something for sale. `used_up`: people come back for it."""

    product_id: int
    title: str
    handle: str
    vendor: str
    collection: str
    season: Season
    used_up: bool
    weight: float
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A page of products that belong together."""

    collection_id: int
    title: str
    handle: str
    products: tuple[Product, ...]


_SMALL_LARGE = (("250 g", 1.0), ("1 kg", 3.5))
_TIN_REFILL = (("Tin", 1.25), ("Refill", 1.0))
_ONE = (("One size", 1.0),)
_COLOURS = (("Oat", 1.0), ("Moss", 1.0), ("Ink", 1.0))

# collection -> sizes, used up?, and (title, vendor, price in cents, season)
_GOODS: dict[
    str, tuple[tuple[tuple[str, float], ...], bool, tuple[tuple[str, str, int, Season], ...]]
] = {
    "Coffee": (
        _SMALL_LARGE,
        True,
        (
            ("House Espresso", "Fernleaf Roastery", 1090, ""),
            ("Morning Filter", "Fernleaf Roastery", 990, ""),
            ("Highland Single Origin", "Fernleaf Roastery", 1390, ""),
            ("Night Shift Decaf", "Fernleaf Roastery", 1150, ""),
            ("Cold Brew Blend", "Low Tide Coffee", 1190, "summer"),
            ("Harbour Dark Roast", "Low Tide Coffee", 1050, ""),
            ("Spiced Winter Roast", "Low Tide Coffee", 1250, "winter"),
            ("Forest Lot No. 4", "Quiet Hill Growers", 1690, ""),
        ),
    ),
    "Tea": (
        _TIN_REFILL,
        True,
        (
            ("Breakfast Black", "Hollow Oak Teas", 790, ""),
            ("Smoked Afternoon", "Hollow Oak Teas", 890, ""),
            ("Garden Mint", "Hollow Oak Teas", 690, "summer"),
            ("Rosehip & Apple", "Hollow Oak Teas", 690, "winter"),
            ("Jade Green", "Paper Crane Tea", 990, ""),
            ("Toasted Rice Green", "Paper Crane Tea", 950, ""),
            ("White Peony", "Paper Crane Tea", 1490, ""),
            ("Iced Citrus", "Paper Crane Tea", 890, "summer"),
        ),
    ),
    "Chocolate": (
        _ONE,
        True,
        (
            ("Dark 72 % Bar", "Maple & Nib", 490, ""),
            ("Sea Salt Milk Bar", "Maple & Nib", 450, ""),
            ("Hazelnut Slab", "Maple & Nib", 790, ""),
            ("Drinking Chocolate", "Maple & Nib", 1190, "winter"),
            ("Orange Thins", "Little Kiln Sweets", 690, "winter"),
            ("Caramel Bites", "Little Kiln Sweets", 750, ""),
        ),
    ),
    "Pantry": (
        _ONE,
        True,
        (
            ("Oat Biscuits", "Brine & Barley", 390, ""),
            ("Heather Honey", "Brine & Barley", 890, ""),
            ("Seeded Crackers", "Brine & Barley", 420, ""),
            ("Ginger Preserve", "Brine & Barley", 620, ""),
            ("Granola No. 2", "Brine & Barley", 690, ""),
            ("Lemon Cordial", "Brine & Barley", 850, "summer"),
        ),
    ),
    "Tableware": (
        _COLOURS,
        False,
        (
            ("Speckled Mug", "Studio Tern", 2200, ""),
            ("Espresso Cup Pair", "Studio Tern", 2800, ""),
            ("Stoneware Teapot", "Studio Tern", 5400, ""),
            ("Breakfast Bowl", "Studio Tern", 2400, ""),
            ("Linen Napkins", "Thistle Loom", 3200, ""),
            ("Pour-over Stand", "Ironbark Works", 4900, ""),
            ("Hand Grinder", "Ironbark Works", 7900, ""),
            ("Travel Flask", "Ironbark Works", 3400, "summer"),
        ),
    ),
    "Gifts": (
        _ONE,
        False,
        (
            ("Coffee Lover's Box", "Fernleaf Pantry", 4900, "winter"),
            ("Tea Evening Box", "Fernleaf Pantry", 4200, "winter"),
            ("Twelve Days of Chocolate", "Fernleaf Pantry", 3600, "winter"),
            ("New Home Hamper", "Fernleaf Pantry", 8900, ""),
            ("Three Month Coffee Card", "Fernleaf Pantry", 3900, ""),
        ),
    ),
}


def make_collections() -> tuple[Collection, ...]:
    """The whole range; the first products of a collection sell best."""
    made = []
    for number, (title, (sizes, used_up, goods)) in enumerate(_GOODS.items()):
        products = tuple(
            _product(100 * number + place, title, sizes, used_up, *row)
            for place, row in enumerate(goods)
        )
        made.append(Collection(_FIRST_COLLECTION_ID + number, title, title.lower(), products))
    return tuple(made)


def pick_product(rng: Random, collection: Collection, month: int) -> Product:
    """A product of the collection, by how well it sells in that month."""
    weights = [
        product.weight * _in_season(product.season, month) for product in collection.products
    ]
    return rng.choices(collection.products, weights)[0]


def _in_season(season: Season, month: int) -> float:
    if season == "winter":
        return 3.0 if month in (11, 12) else 0.8 if month in (1, 2) else 0.2
    if season == "summer":
        return 2.2 if month in (6, 7, 8) else 0.3
    return 1.0


def _product(
    number: int,
    collection: str,
    sizes: tuple[tuple[str, float], ...],
    used_up: bool,
    title: str,
    vendor: str,
    price: int,
    season: Season,
) -> Product:
    letters = "".join(word[0] for word in title.split() if word[0].isalnum()).upper()
    variants = tuple(
        Variant(
            _FIRST_VARIANT_ID + 10 * number + place,
            size,
            f"{collection[:3].upper()}-{letters}-{number % 100:02d}{place}",
            # To ten cents, as price tags are.
            round(price * factor / 10) * 10,
        )
        for place, (size, factor) in enumerate(sizes)
    )
    return Product(
        product_id=_FIRST_PRODUCT_ID + 64 * number,
        title=title,
        handle="-".join("".join(c if c.isalnum() else " " for c in title.lower()).split()),
        vendor=vendor,
        collection=collection,
        season=season,
        used_up=used_up,
        weight=1 / (1 + number % 100) ** 0.6,
        variants=variants,
    )

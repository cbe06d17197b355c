"""The first visit of any page of a shop full of data transfers little: page, styles and scripts, compressed."""

import re
from typing import Any

from customer360.segments.ast import EVERYONE
from customer360.segments.store import create_segment
from customer360.web.assets import FOLDER
from tests.house import at
from tests.web.conftest import Site
from tests.web.test_routes import IN_A_SHOP, fill, path_of

BUDGET_BYTES = 80_000
PEOPLE = 60
EVENTS = 120
"""Of one person; a page of a timeline has fewer."""


def crowd(number: int) -> list[dict[str, Any]]:
    """A customer with an order, a visit and an address that another account tells too."""
    user, shared = f"crowd{number}", f"anne{number}@people.example"
    traits = {
        "email": f"ann{number}@people.example",
        "firstName": "Ann",
        "lastName": f"Lee {number}",
    }
    items = [{"product_id": f"p{n}", "name": f"Mug no. {n}", "price": "9.00"} for n in range(5)]
    bought = {"order_id": f"o{number}", "total": "45.00", "products": items}
    return [
        {"type": "identify", "userId": user, "traits": traits, "timestamp": at(number)},
        {"type": "track", "event": "Order Completed", "userId": user, "properties": bought},
        {"type": "identify", "userId": f"other{number}", "traits": {"email": shared}},
        {"type": "identify", "userId": user, "traits": {"email": shared}},
        {"type": "track", "event": number},
    ]


def viewed(number: int) -> dict[str, Any]:
    properties = {"product_id": f"p{number}", "name": f"Mug no. {number}", "price": "9.00"}
    told = {"type": "track", "event": "Product Viewed", "properties": properties}
    return {**told, "userId": "u1", "timestamp": at(-number * 40)}


def test_every_page_of_a_full_shop_fits_the_budget(site: Site) -> None:
    ids, house = fill(site), site.house
    house.segment(*(call for number in range(PEOPLE) for call in crowd(number)))
    house.segment(*map(viewed, range(EVENTS)))
    with house.app.database.write() as connection:
        for number in range(30):
            create_segment(
                connection,
                house.shop.shop_id,
                f"Segment no. {number}",
                EVERYONE,
                house.clock.now(),
                limit=None,
            )
    house.drain()
    house.app.enrichment.run(house.shop)
    headers = {"accept-encoding": "gzip"}
    once: dict[str, int] = {}

    def transferred(url: str) -> int:
        if url not in once:
            once[url] = site.nobody.get(url, headers=headers).num_bytes_downloaded
        return once[url]

    sizes = {}
    for address in IN_A_SHOP:
        if address.get is None:
            continue
        page = site.owner.get(path_of(address, ids), headers=headers, follow=True)
        assert page.status_code == 200, address.path
        if "<html" not in page.text:
            continue
        linked = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
        # Modules ask for each other.
        version = re.search(r"/static/\w+/", page.text)
        assert version, address.path
        linked |= {f"{version[0]}js/{path.name}" for path in (FOLDER / "js").glob("*.js")}
        sizes[address.path] = page.num_bytes_downloaded + sum(map(transferred, linked))

    assert {path: size for path, size in sizes.items() if size > BUDGET_BYTES} == {}
    # Empty pages would prove nothing.
    assert max(sizes.values()) > min(sizes.values()) + 3000

"""Every page is shown in the documentation, by a picture that is there."""

from pathlib import Path

from customer360.demo.pictures import PICTURES, as_markdown
from customer360.web.routes import ADDRESSES

DOCS = Path(__file__).parents[2] / "docs"
SHOP = "/shops/{shop_id}"
NOT_SHOWN = {
    "/": "leads on to the shop",
    SHOP: "leads on to the Overview",
    SHOP + "/segments/values": "a part of the builder",
    SHOP + "/dead-letters/{dead_letter_id}": "the sample shop has none",
}
"""Addresses without a picture, and why; files and the people behind a number have none either."""


def is_shown(path: str) -> bool:
    return path not in NOT_SHOWN and not path.endswith((".csv", "/people"))


def test_every_page_has_a_picture() -> None:
    pages = {address.path for address in ADDRESSES if address.get and is_shown(address.path)}
    assert {picture.address for picture in PICTURES} == pages
    assert len({picture.name for picture in PICTURES}) == len(PICTURES)


def test_every_picture_is_there_and_no_other_and_all_are_small() -> None:
    files = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert files.keys() == {name for picture in PICTURES for name in picture.files()}
    assert sum(files.values()) < 4 * 1024**2


def test_the_documentation_shows_the_pictures_with_their_sentences() -> None:
    assert (DOCS / "pages.md").read_text() == as_markdown()

import re

import pytest

from customer360.segments.ast import EVERYONE
from customer360.segments.store import create_segment
from customer360.web.find import ACTIONS
from customer360.web.navigation import OVERVIEW, SECTIONS, SETTINGS
from customer360.web.routes import ADDRESSES
from tests.web.conftest import Site, text_of

ITEMS = [item for section in (OVERVIEW, *SECTIONS, SETTINGS) for item in section.items]


@pytest.fixture
def people(site: Site) -> Site:
    """Ten called Lee, of whom one has an address, and three segments."""
    calls = [
        {"type": "identify", "userId": f"u{n}", "traits": {"firstName": f"P{n}", "lastName": "Lee"}}
        for n in range(10)
    ]
    calls[3]["traits"]["email"] = "zed@people.example"  # type: ignore[index]
    site.house.segment(*calls)
    site.house.work_off()
    with site.house.app.database.write() as connection:
        for name in ("Größe Lee", "Win back", "Lapsed"):
            create_segment(
                connection,
                site.house.shop.shop_id,
                name,
                EVERYONE,
                site.house.clock.now(),
                limit=None,
            )
    return site


def found(site: Site, text: str) -> dict[str, list[str]]:
    """The labels of what is found, by kind."""
    page = site.owner.post(f"{site.root}/find", {"q": text}).text
    part = page[page.index('id="found"') :]
    groups = re.findall(r'role="group" aria-label="(\w+)">(.*?)</div>', part, re.DOTALL)
    return {
        label: [text_of(hit) for hit in re.findall(r"<a .*?</a>", hits, re.DOTALL)]
        for label, hits in groups
    }


def test_without_a_text_there_are_the_pages_actions_and_segments(people: Site) -> None:
    everything = found(people, "")
    assert everything == {
        "Pages": [item.label for item in ITEMS],
        "Actions": [action.label for action in ACTIONS],
        "Segments": everything["Segments"],
    }
    assert sorted(everything["Segments"]) == ["Größe Lee", "Lapsed", "Win back"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dead", {"Pages": ["Dead letters"]}),
        ("GROSSE", {"Segments": ["Größe Lee"]}),
        ("große", {"Segments": ["Größe Lee"]}),
        ("back win", {"Segments": ["Win back"]}),
        ("zed@", {"Customers": ["P3 Lee zed@people.example"]}),
        ("p4 l", {"Customers": ["P4 Lee"]}),
        ("l" * 300, {}),
    ],
)
def test_each_word_of_the_text_is_in_what_is_found(
    people: Site, text: str, expected: dict[str, list[str]]
) -> None:
    assert found(people, text) == expected


def test_at_most_eight_customers_are_found_and_none_by_one_letter(people: Site) -> None:
    assert len(found(people, "lee")["Customers"]) == 8
    assert "Customers" not in found(people, "l")


def test_a_text_without_the_token_of_the_form_finds_nothing(people: Site) -> None:
    answer = people.owner.send(f"{people.root}/find", {"q": "lee"})
    assert answer.status_code == 403
    assert "Lee" not in answer.text


def test_every_action_leads_to_a_page() -> None:
    known = {address.path.removeprefix("/shops/{shop_id}") for address in ADDRESSES if address.get}
    assert {action.path for action in ACTIONS} <= known


def test_no_two_pages_have_the_same_key() -> None:
    keys = [item.key for item in ITEMS if item.key]
    assert len(set(keys)) == len(keys) > 8
    assert all(len(key) == 1 and key.isalpha() for key in keys)

import re

import msgspec
import pytest
from sqlalchemy import update

from customer360.clock import HOUR
from customer360.intake.dead_letters import count_letters
from customer360.intake.tables import dead_letters
from tests.web.conftest import Site, text_of


@pytest.fixture
def letters(site: Site) -> str:
    """The address of a page with three dead letters for two reasons."""
    site.house.segment(
        {"type": "track", "event": 7, "note": "<b>one</b>"},
        {"type": "track", "event": 8},
        {"type": "track", "event": "A", "userId": "u1", "timestamp": "soon"},
    )
    site.house.drain()
    return f"{site.root}/dead-letters"


def count(site: Site) -> int:
    with site.house.app.database.read() as connection:
        return count_letters(connection, site.house.shop.shop_id)


def ids_on(page: str) -> list[str]:
    return re.findall(r'name="id" value="(\d+)"', page)


def test_a_shop_without_dead_letters_says_so(site: Site) -> None:
    assert "No dead letters" in site.owner.get(f"{site.root}/dead-letters").text


def test_dead_letters_show_reason_and_payload(site: Site, letters: str) -> None:
    page = site.owner.get(letters).text
    assert len(ids_on(page)) == 3
    assert "3 dead letters" in text_of(page)
    assert "Replay all 3" in text_of(page)
    assert "&#34;event&#34;: 7" in page
    assert "<b>one</b>" not in page


def test_the_list_can_be_narrowed_to_one_reason(site: Site, letters: str) -> None:
    page = site.owner.get(letters).text
    addresses = re.findall(rf'href="({letters}\?source=[^"]+)"', page)
    counts = [len(ids_on(site.owner.get(each.replace("&amp;", "&")).text)) for each in addresses]
    assert sorted(counts) == [1, 2]


def test_the_chosen_ones_are_replayed(site: Site, letters: str) -> None:
    first, second, _ = ids_on(site.owner.get(letters).text)
    sent = {"which": "chosen", "id": [first, second]}
    page = site.owner.post(f"{letters}/replay", sent, token_from=letters, follow=True)
    assert "2 signals wait to be processed again" in page.text
    assert count(site) == 1
    assert site.house.balance().waiting == 2
    assert site.house.balance().holds


def test_all_are_replayed_and_come_back_when_they_are_still_of_no_use(
    site: Site, letters: str
) -> None:
    site.owner.post(f"{letters}/replay", {"which": "all"}, token_from=letters)
    assert count(site) == 0
    site.house.drain()
    assert count(site) == 3
    assert site.house.balance().holds


def test_choosing_none_is_told(site: Site, letters: str) -> None:
    answer = site.owner.post(f"{letters}/replay", {"which": "chosen"})
    assert answer.status_code == 422
    assert "Choose at least one" in answer.text


def test_a_letter_that_has_gone_is_told(site: Site, letters: str) -> None:
    assert site.owner.post(f"{letters}/replay", {"id": "1"}).status_code == 404


def test_one_letter_shows_its_whole_payload_and_is_replayed_alone(site: Site, letters: str) -> None:
    letter = ids_on(site.owner.get(letters).text)[0]
    page = site.owner.get(f"{letters}/{letter}").text
    assert "What went wrong" in page
    site.owner.post(f"{letters}/replay", {"id": letter}, token_from=f"{letters}/{letter}")
    assert site.owner.get(f"{letters}/{letter}").status_code == 404


def test_older_letters_stand_on_further_pages(site: Site) -> None:
    site.house.segment(*({"type": "track", "event": number} for number in range(30)))
    site.house.drain()
    first = site.owner.get(f"{site.root}/dead-letters").text
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older
    second = site.owner.get(older[1].replace("&amp;", "&")).text
    assert len(set(ids_on(first)) | set(ids_on(second))) == 30


def test_an_event_over_the_limit_stays_and_the_page_says_why(site: Site, letters: str) -> None:
    row = site.house.row("segment", b"x" * 40_000)
    row = msgspec.structs.replace(row, rejected=("too_large", "An event may have 32,768 bytes"))
    site.house.app.inbox.accept([row])
    large = ids_on(site.owner.get(letters).text)[0]
    sent = {"which": "chosen", "id": [large]}
    page = site.owner.post(f"{letters}/replay", sent, token_from=letters, follow=True)
    assert "larger than C360_MAX_EVENT_BYTES still" in page.text
    sent = {"which": "all"}
    page = site.owner.post(f"{letters}/replay", sent, token_from=letters, follow=True)
    assert "3 signals wait to be processed again." in page.text
    assert "1 stays, too large for C360_MAX_EVENT_BYTES still." in page.text
    page = site.owner.post(f"{letters}/replay", sent, token_from=letters, follow=True)
    assert "1 stays, too large" in page.text
    assert count(site) == 1


def test_a_letter_that_tries_again_by_itself_says_when(site: Site, letters: str) -> None:
    letter = ids_on(site.owner.get(letters).text)[0]
    assert "Tries again" not in site.owner.get(f"{letters}/{letter}").text
    with site.house.app.database.write() as connection:
        at = site.house.clock.now() + HOUR
        connection.execute(update(dead_letters).values(retry_at=at))
    assert "Tries again by itself 15 Jun 2026, 14:00" in text_of(
        site.owner.get(f"{letters}/{letter}").text
    )
    assert "Tries again by itself" in site.owner.get(letters).text


def test_a_signal_without_a_body_does_no_harm_to_the_list(site: Site) -> None:
    row = site.house.row("shopify", b"", envelope=b'{"topic":"orders/create"}')
    row = msgspec.structs.replace(row, rejected=("malformed_json", "The body is not JSON"))
    site.house.app.inbox.accept([row])
    page = site.owner.get(f"{site.root}/dead-letters")
    assert page.status_code == 200
    (letter,) = ids_on(page.text)
    assert site.owner.get(f"{site.root}/dead-letters/{letter}").status_code == 200

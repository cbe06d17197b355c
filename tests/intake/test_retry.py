"""What failed by our own mistake comes back by itself when the mistake is mended."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.house import House

from customer360.clock import DAY, SECOND
from customer360.intake.dead_letters import list_letters
from customer360.worker import drain


def test_a_signal_that_we_failed_on_tries_again_by_itself_until_it_works(
    database_url: str, tmp_path: Path
) -> None:
    broken, tries = True, 0

    def translate(signal: Any, context: Any) -> Any:
        nonlocal tries
        tries += 1
        if broken:
            raise KeyError("a mistake of ours")
        return house.app.translators["segment"](signal, context)

    with closing(House(database_url, tmp_path)) as house:
        app = replace(house.app, translators={**house.app.translators, "segment": translate})
        shop_id, began = house.shop.shop_id, house.clock.now()
        house.segment({"type": "track", "event": "A", "userId": "u1"})
        while house.clock.now() < began + 2 * DAY:
            drain(app, shop_id)
            with app.database.read() as connection:
                (letter,) = list_letters(connection, shop_id)
            if letter.retry_at is None:
                break
            assert house.clock.now() < letter.retry_at <= house.clock.now() + 3600 * SECOND
            house.clock.advance(letter.retry_at - house.clock.now())
        assert 30 <= tries <= 40
        assert house.balance().rejected == {"internal_error": 1}
        assert house.balance().holds


def test_a_mended_mistake_takes_the_signal_out_of_the_dead_letters(
    database_url: str, tmp_path: Path
) -> None:
    def fail(_signal: Any, _context: Any) -> Any:
        raise KeyError("a mistake of ours")

    with closing(House(database_url, tmp_path)) as house:
        broken = replace(house.app, translators={**house.app.translators, "segment": fail})
        house.segment({"type": "track", "event": "A", "userId": "u1"})
        drain(broken, house.shop.shop_id)
        house.clock.advance(SECOND)
        house.drain()
        assert house.balance().stored == 1
        assert house.balance().rejected == {}

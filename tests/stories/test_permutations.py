"""Any order, duplication and batching of one history gives the same profiles, on both profile stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.canonical import canonical
from tests.house import House
from tests.stories.histories import ALWAYS, POOL, Draft, rows


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def told(house: House, batches: list[list[Draft]]) -> list[str]:
    """What an empty shop knows after these batches, each worked off before the next arrives."""
    house.open_shop()
    for one in batches:
        house.app.inbox.accept(rows(house, one))
        house.work_off()
    assert house.balance().holds
    assert not house.balance().rejected
    return canonical(house)


def dealt(random: Random, drafts: list[Draft]) -> list[list[Draft]]:
    """The same signals in another order, some of them twice, in batches of any size."""
    deck = [*drafts, *random.choices(drafts, k=random.randrange(4))]
    random.shuffle(deck)
    cuts = sorted(random.sample(range(1, len(deck)), min(random.randrange(6), len(deck) - 1)))
    return [deck[start:end] for start, end in zip([0, *cuts], [*cuts, len(deck)], strict=True)]


HISTORIES = st.lists(st.sampled_from(range(len(POOL))), min_size=1, max_size=24, unique=True)


def same_however_told(house: House, chosen: list[int], random: Random) -> None:
    drafts = [*ALWAYS, *(POOL[number] for number in sorted(chosen))]
    expected = told(house, [drafts])
    batches = dealt(random, drafts)
    assert told(house, batches) == expected, [
        [draft[3].get("messageId") or draft[4] for draft in one] for one in batches
    ]


@pytest.mark.timeout(300)
def test_any_order_gives_the_same_profiles(house: House) -> None:
    @settings(
        max_examples=25 if house.app.database.dialect == "sqlite" else 40,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
    )
    @given(chosen=HISTORIES, seed=st.integers(0, 1 << 32))
    def check(chosen: list[int], seed: int) -> None:
        same_however_told(house, chosen, Random(seed))

    check()


@pytest.mark.timeout(300)
def test_everything_at_once_in_any_order_gives_the_same_profiles(house: House) -> None:
    for seed in range(3 if house.app.database.dialect == "sqlite" else 8):
        same_however_told(house, list(range(len(POOL))), Random(seed))

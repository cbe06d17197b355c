"""Who is who, however it is heard of: the stories of `scenarios`, through the real worker, on both profile stores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest

from customer360.clock import Instant, parse_instant
from tests.canonical import canonical
from tests.house import House
from tests.stories.histories import Draft, rows
from tests.stories.identities import outcome
from tests.stories.identities.books import (
    everything_hangs_where_it_belongs,
    nothing_is_left_to_settle,
)
from tests.stories.identities.outcome import Stood
from tests.stories.identities.scenarios import SCENARIOS, Person, Scenario, Signal, spelled

_MANY = 20
"""Of more profiles than these not every page is compared."""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


def streamed(scenario: Scenario) -> list[list[Draft]]:
    """Each signal is worked off before the next comes."""
    drafts = [signal.draft for signal in scenario.signals]
    return [drafts[start : start + scenario.step] for start in range(0, len(drafts), scenario.step)]


def in_bulk(scenario: Scenario) -> list[list[Draft]]:
    """All at once."""
    return [[signal.draft for signal in scenario.signals]]


def shuffled(scenario: Scenario) -> list[list[Draft]]:
    """In any order, a third of them twice, in batches of any size."""
    chance = Random(scenario.name)
    drafts = [signal.draft for signal in scenario.signals]
    deck = [*drafts, *chance.sample(drafts, -(-len(drafts) // 3))]
    chance.shuffle(deck)
    batches = []
    while deck:
        size = chance.randint(1, 3) * scenario.step
        batches.append(deck[:size])
        deck = deck[size:]
    return batches


WAYS = (streamed, in_bulk, shuffled)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_everybody_is_who_they_are(scenario: Scenario, house: House) -> None:
    pages = []
    for way in WAYS:
        house.open_shop()
        for batch in way(scenario):
            house.app.inbox.accept(rows(house, batch))
            house.work_off()

        assert house.balance().holds
        assert not house.balance().rejected
        assert told(house, scenario.signals) == wanted(scenario), way.__name__
        everything_hangs_where_it_belongs(house)
        nothing_is_left_to_settle(house)
        pages.append(written(house) if len(scenario.people) <= _MANY else [])

    assert pages[0] == pages[1] == pages[2]


def told(house: House, signals: Sequence[Signal]) -> list[str]:
    """What the shop knows of everybody, as text."""
    marks = times(signals)
    pairs = [
        f"{'~' if one.weak else '-'} {sorted(sorted(side) for side in one.sides)}"
        f" {sorted({word for _, word in one.reasons})}"
        for one in outcome.doubts(house, marks)
    ]
    found = [_line(one) for one in outcome.people(house, marks)]
    return [*sorted(found), *sorted(pairs), f"nobody: {sorted(outcome.nobodys(house, marks))}"]


def wanted(scenario: Scenario) -> list[str]:
    """What it should know, as the same text."""
    stand = [_stood(person) for person in scenario.people]
    side_of = {mark: sorted(one.signals) for one in stand for mark in one.signals}
    pairs = []
    for doubt in scenario.doubts:
        pair, *words = doubt.split()
        weak = "~" in pair
        sides = sorted(side_of[mark] for mark in pair.split("~" if weak else "-"))
        pairs.append(f"{'~' if weak else '-'} {sides} {sorted(words)}")
    found = [_line(one) for one in stand]
    return [*sorted(found), *sorted(pairs), f"nobody: {sorted(scenario.nobody.split())}"]


def times(signals: Sequence[Signal]) -> Mapping[Instant, str]:
    return {parse_instant(one.happened_at, "UTC"): one.mark for one in signals}


def _line(one: Stood) -> str:
    return (
        f"{one.kind}: {sorted(one.signals)} owns {sorted(one.identifiers)}"
        f" agreed to {sorted(one.consents)} in {one.sessions} sessions"
    )


def _stood(person: Person) -> Stood:
    owned = (word.partition("=") for word in person.identifiers.split())
    agreed = (word.partition("=") for word in person.consents.split())
    return Stood(
        frozenset(person.signals.split()),
        person.kind,
        frozenset((*spelled(word), state or "owned") for word, _, state in owned),
        frozenset((*_address(word), state) for word, _, state in agreed),
        person.sessions,
    )


def _address(word: str) -> tuple[str, str]:
    channel, _, address = word.partition(":")
    kind = {"sms": "phone", "whatsapp": "phone"}.get(channel, channel)
    return channel, spelled(f"{kind}:{address}")[1]


def written(house: House) -> list[str]:
    """Every page of everybody, line by line, but for into how many fragments the evidence was cut."""
    pages = []
    for page in map(json.loads, canonical(house)):
        del page["card"]["fragments"]
        pages.append(json.dumps(page, sort_keys=True, indent=1))
    return [line for page in sorted(pages) for line in page.splitlines()]

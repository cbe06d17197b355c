"""The worker, batch by batch, ends where `resolve` ends on the whole history: random ones, in any order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from customer360.clock import HOUR, Instant, to_iso
from customer360.events.model import Identifier
from customer360.identities.ledger import WEAK
from customer360.intake.accepted import AcceptedSignals
from customer360.intake.batch import Lease, process
from customer360.intake.inbox import InboxRow
from customer360.storage.metadata import shop_clock
from tests.examples import TIMES
from tests.house import House
from tests.identities import reference
from tests.identities.histories import History, histories
from tests.identities.test_comparison import (
    Told,
    answer,
    event_by_event,
    last_seen,
    two_sources_at_once,
)
from tests.stories.identities import outcome
from tests.stories.identities.books import (
    everything_hangs_where_it_belongs,
    nothing_is_left_to_settle,
)
from tests.stories.identities.outcome import Marks

Doubts = dict[frozenset[Marks], bool]
"""The two sides, and whether all that is known of it is weak."""


KINDS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Product Viewed", {}),
    ("Order Completed", {"order_id": "o-{}", "total": "9"}),
    ("Consent Granted", {"channel": "push", "address": "a-{}"}),
    ("Product Viewed", {}),
    ("Checkout Started", {"checkout_id": "k-{}"}),
    ("Consent Withdrawn", {"channel": "email"}),
)
"""What happens, turn by turn, so that visits, orders, checkouts and consents hang on the fragments."""


@dataclass(frozen=True)
class Standing:
    """Who is who."""

    people: frozenset[Marks]
    owners: dict[Identifier, tuple[str, Marks]]
    doubts: Doubts
    of_hubs: Doubts
    """Those that an identifier made before many shared it."""


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    one = House(database_url, tmp_path)
    yield one
    one.close()


@pytest.mark.timeout(300 * TIMES)
def test_in_any_order_and_batches_the_worker_ends_where_the_whole_history_ends(
    house: House,
) -> None:
    for history in chosen(1, TIMES * (100 if house.app.database.dialect == "sqlite" else 30)):
        chance = Random(f"{history.seed}/{history.number}")
        told = Told(history)
        house.open_shop()
        batches = dealt(chance, signals(house, told))
        for batch in batches:
            house.app.inbox.accept(batch)
            house.work_off()

        assert house.balance().holds
        assert stored(house, told) == expected(told), story(history, batches)
        everything_hangs_where_it_belongs(house)
        nothing_is_left_to_settle(house)


@pytest.mark.timeout(300 * TIMES)
def test_two_workers_at_once_end_there_too(house: House) -> None:
    for history in chosen(2, TIMES * (30 if house.app.database.dialect == "sqlite" else 15)):
        chance = Random(f"{history.seed}/{history.number}")
        told = Told(history)
        house.open_shop()
        deck = signals(house, told)
        chance.shuffle(deck)
        house.app.inbox.accept(deck)
        work_together(house, limits=(1, chance.randint(1, 3)))

        assert house.balance().holds
        assert not house.balance().waiting
        assert stored(house, told) == expected(told), story(history, [deck])
        everything_hangs_where_it_belongs(house)
        nothing_is_left_to_settle(house)


def chosen(seed: int, n: int) -> Iterator[History]:
    """Histories without decisions, by the rules of every shop."""
    for history in histories(seed, n):
        plain = replace(history, decisions=(), rules=reference.Rules())
        # Where two sources told the same at one instant, no time tells the two apart.
        if not two_sources_at_once(Told(plain)):
            yield plain


def signals(house: House, told: Told) -> list[InboxRow]:
    """The history as calls, the last of which happened an hour ago."""
    later = house.clock.now() - HOUR - max(event.at for event in told.events)
    return [
        house.row("segment", call(event, event.at + later), trust=event.trust, rank=event.rank)
        for event in told.events
    ]


def call(event: reference.Event, at: Instant) -> bytes:
    spelled = [spelling(identifier) for identifier in event.identifiers]
    number = int(event.key.removeprefix("e"))
    name, told = KINDS[number % len(KINDS)]
    body = {
        "type": "track",
        "event": name,
        "messageId": event.key,
        "timestamp": to_iso(at),
        "properties": {
            "mark": event.key,
            **{field: text.format(event.key) for field, text in told.items()},
        },
        "context": {"externalIds": [{"type": one.type, "id": one.value} for one in spelled]},
    }
    if event.name[0]:
        body["traits"] = {"first_name": event.name[0], "last_name": event.name[1]}
    return json.dumps(body).encode()


def spelling(identifier: Identifier) -> Identifier:
    """The identifier of a history as a value that can be one."""
    value = identifier.value
    if identifier.type == "email":
        value = f"{value}@x.example"
    if identifier.type == "phone":
        value = f"+35387{1_000_000 + int(value.removeprefix('ph'))}"
    return Identifier(identifier.type, value)


def dealt(chance: Random, deck: list[InboxRow]) -> list[list[InboxRow]]:
    """In another order, some twice, in batches of any size."""
    deck = [*deck, *chance.sample(deck, len(deck) // 5)]
    chance.shuffle(deck)
    most = chance.choice((1, 3, 6, len(deck)))
    batches = []
    while deck:
        size = chance.randint(1, most)
        batches.append(deck[:size])
        deck = deck[size:]
    return batches


def work_together(house: House, limits: tuple[int, int]) -> None:
    """Two workers hold the same lease and take what waits, so each keeps spoiling what the other computes."""
    with house.app.database.read() as connection:
        query = select(shop_clock.c.lease_epoch).where(shop_clock.c.shop_id == house.shop.shop_id)
        epoch = connection.execute(query).scalar_one()
    failures: list[BaseException] = []

    def work(owner: int) -> None:
        app, lease = house.app, Lease(house.shop.shop_id, owner, epoch, 10)
        accepted, limit = AcceptedSignals(), limits[owner]
        try:
            while process(
                app.database, house.shop, lease, app.translators, accepted, app.clock, limit
            ).taken:
                pass
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work, args=(owner,)) for owner in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures


def expected(told: Told) -> Standing:
    """Who is who by the pure function, event by event."""
    observations = event_by_event(told)
    people, owners, doubts, of_hubs = answer(told, observations, told.resolve(observations))
    return Standing(
        people,  # type: ignore[arg-type]
        {spelling(one): owner for one, owner in owners.items()},  # type: ignore[attr-defined]
        doubts,  # type: ignore[arg-type]
        of_hubs,  # type: ignore[arg-type]
    )


def stored(house: House, told: Told) -> Standing:
    """Who is who by the profile store."""
    end = max(event.at for event in told.events)
    carried = {one for event in told.events for one in event.identifiers}
    fresh = {
        spelling(one) for one in carried if end - last_seen(told, one) < told.rules.stale_after
    }
    observations = event_by_event(told)
    shared = {spelling(one) for one in told.resolve(observations).shared}
    doubts: Doubts = {}
    of_hubs: Doubts = {}
    for doubt in outcome.doubts(house, {}):
        for identifier, word in doubt.reasons:
            pairs = of_hubs if identifier in shared else doubts
            pairs[doubt.sides] = pairs.get(doubt.sides, True) and word in WEAK
    return Standing(
        frozenset(one.signals for one in outcome.people(house, {})),
        {one: owner for one, owner in outcome.owners(house, {}).items() if one in fresh},
        doubts,
        of_hubs,
    )


def story(history: History, batches: list[list[InboxRow]]) -> str:
    """How to find a history again, and how it was told."""
    told = [[json.loads(row.body)["messageId"] for row in batch] for batch in batches]
    return f"history {history.seed}/{history.number} told as {told}"

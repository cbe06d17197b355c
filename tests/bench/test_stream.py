"""The stream of the benchmarks is what it says it is."""

from collections import Counter

import msgspec
import pytest

from customer360.bench.limits import event_rows, inserts_per_second
from customer360.bench.stream import Stream, address_of
from customer360.connectors.sources.segment.translate import translate
from customer360.events.model import ShopContext, Signal, SourceRank, Trust

COUNT, KNOWN = 20_000, 50_000
START = 1_780_000_000_000_000


def made(name: str = "a", count: int = COUNT) -> list[bytes]:
    return list(Stream(name, KNOWN).events(range(START, START + 1000 * count, 1000)))


def test_the_same_name_gives_the_same_events():
    assert made(count=500) == made(count=500)


def test_streams_of_different_names_share_no_message_id():
    ids = [msgspec.json.decode(event)["messageId"] for name in "ab" for event in made(name, 500)]
    assert len(set(ids)) == 1000


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [("identify", 0.015, 0.025), ("Order Completed", 0.011, 0.019), ("page", 0.12, 0.22)],
)
def test_kinds_of_events_have_their_shares(kind: str, low: float, high: float):
    calls = [msgspec.json.decode(event) for event in made()]
    kinds = Counter(call.get("event", call["type"]) for call in calls)
    assert low < kinds[kind] / COUNT < high


def test_seven_of_ten_sessions_are_of_visitors_who_were_here_before():
    stream = Stream("a", KNOWN)
    calls = [
        msgspec.json.decode(one) for one in stream.events(range(START, START + 1000 * COUNT, 1000))
    ]
    sessions = sum(call["type"] == "page" for call in calls)
    assert 0.65 < 1 - (stream.known - KNOWN) / sessions < 0.75


def test_sessions_have_some_six_events():
    cookies = Counter(msgspec.json.decode(event)["anonymousId"] for event in made())
    fresh = [n for cookie, n in cookies.items() if int(cookie.rpartition("-")[2]) >= KNOWN]
    assert 5 < sum(fresh) / len(fresh) < 9


def test_every_event_is_understood():
    shop = ShopContext(currency="EUR", timezone="Europe/Dublin", country="IE")
    for number, body in enumerate(made(count=2000)):
        at = START + 1000 * number
        signal = Signal(
            source="segment", trust=Trust.FULL, rank=SourceRank.SERVER, received_at=at, body=body
        )
        (event,) = translate(signal, shop)
        assert event.occurred_at <= at


def test_whoever_tells_an_address_tells_their_own():
    calls = [msgspec.json.decode(event) for event in made()]
    told = {
        (call["anonymousId"], call["traits"]["email"])
        for call in calls
        if call["type"] == "identify"
    }
    assert told
    assert all(email == address_of(int(cookie.rpartition("-")[2])) for cookie, email in told)


def test_the_limit_inserts_every_event(tmp_path):
    rows = event_rows(1, made(count=300))
    assert inserts_per_second(tmp_path, rows) > 0
    assert len({row[:4] for row in rows}) == 300

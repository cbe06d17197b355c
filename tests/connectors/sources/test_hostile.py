"""No source is broken by what it is sent: it gives events that can be stored, or says why it cannot."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customer360.connectors.sources import SOURCES
from customer360.connectors.sources.source import Translate
from customer360.events.model import Event, ShopContext, Signal, SourceRank, Trust, Unusable

HERE = Path(__file__).parent
SHOP = ShopContext(currency="EUR", timezone="Europe/Dublin", country="IE")
TRANSLATE = {source.name: source.translate for source in SOURCES}

NESTED: Any = []
for _ in range(30):
    NESTED = [NESTED]
TIMES = ["9999-12-31T23:59:59-14:00", "0001-01-01", "2026-02-30", "2015-2-02T00:30:08.276Z"]
NUMBERS = [0, -1, 1 << 53, 10**30, -(10**30), 1e308, 5e-324, 0.1, -0.0]
TEXTS = ["", "\0", "a\0b", "\ud800", "9" * 5000, "1e999", "NaN", "Infinity", "-1", "gid://", "１２"]
HOSTILE = [None, True, *TEXTS, *NUMBERS, *TIMES, [], {}, [None], {"": {}}, NESTED]

hostile = st.sampled_from(HOSTILE) | st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def fixtures(name: str) -> list[dict[str, Any]]:
    """The fixtures of a source that are JSON objects: the sense that nonsense is made of."""
    paths = sorted(path for path in (HERE / name).rglob("*.json") if ".expected" not in path.name)
    cases = [json.loads(path.read_text()) for path in paths]
    return [case for case in cases if isinstance(case["body"], dict)]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key within a JSON value."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def attempt(translate: Translate, name: str, body: bytes, envelope: dict[str, Any]) -> None:
    """Translate; anything but events or Unusable is an error of ours."""
    signal = Signal(
        source=name,
        trust=Trust.PUBLIC,
        rank=SourceRank.PIXEL,
        received_at=1_781_524_800_000_000,
        body=body,
        envelope=envelope,
    )
    try:
        events = translate(signal, SHOP)
    except Unusable as refusal:
        check_it_can_be_told(refusal)
        return
    for event in events:
        check_it_can_be_stored(event)


def check_it_can_be_told(refusal: Unusable) -> None:
    assert refusal.reason
    str(refusal).encode()


def check_it_can_be_stored(event: Event) -> None:
    assert event.type
    assert event.dedupe_key
    json.dumps(event.properties).encode()
    msgspec.json.encode(event)
    # Properties and custom traits are stored as JSON; all else becomes columns.
    columns = msgspec.to_builtins(event)
    columns.pop("properties", None)
    if "traits" in columns:
        columns["traits"].pop("custom", None)
    if "notice" in columns:
        columns["notice"].pop("details", None)
    for container, key in places(columns):
        value = container[key]
        if isinstance(value, str):
            assert "\0" not in value
            value.encode()
        elif isinstance(value, int):
            assert -(1 << 63) <= value < 1 << 63


@pytest.mark.parametrize("name", TRANSLATE)
@settings(deadline=None)
@given(data=st.data())
def test_a_known_signal_with_hostile_parts_is_translated_or_refused(
    name: str, data: st.DataObject
) -> None:
    case = deepcopy(data.draw(st.sampled_from(fixtures(name))))
    whole = {"body": case["body"]}
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(places(whole))))
        container[key] = deepcopy(data.draw(hostile))
    attempt(TRANSLATE[name], name, json.dumps(whole["body"]).encode(), case.get("envelope", {}))


@pytest.mark.parametrize("name", TRANSLATE)
@settings(deadline=None, max_examples=50)
@given(body=st.binary(max_size=60) | hostile.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_translated_or_refused(name: str, body: bytes) -> None:
    envelope = next(iter(fixtures(name)), {}).get("envelope", {})
    attempt(TRANSLATE[name], name, body, envelope)


@pytest.mark.parametrize("name", TRANSLATE)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"9" * 100_000,
        b'{"a":1e999}',
        b"\xff\xfe",
    ],
    ids=["unclosed", "deep", "huge number", "infinite", "no UTF-8"],
)
def test_a_body_made_to_break_a_parser_is_refused(name: str, body: bytes) -> None:
    envelope = next(iter(fixtures(name)), {}).get("envelope", {})
    attempt(TRANSLATE[name], name, body, envelope)

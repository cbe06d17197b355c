"""Whatever comes, a webhook becomes events that can be stored, or is refused with a reason."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer360.connectors.sources.shopify.translate import TOPICS, translate
from customer360.events.model import Event, ShopContext, Signal, SourceRank, Trust, Unusable

HERE = Path(__file__).parent
SHOP = ShopContext(currency="EUR", timezone="Europe/Dublin", country="IE")
CASES = [
    json.loads(path.read_text())
    for path in sorted(HERE.glob("*.json"))
    if ".expected" not in path.name
]
BODIES = [
    (case["envelope"]["topic"], case["body"]) for case in CASES if isinstance(case["body"], dict)
]
REASONS = {
    "malformed_json",
    "too_deep",
    "not_an_object",
    "missing_topic",
    "missing_id",
    "missing_total",
    "invalid_quantity",
    "invalid_total",
}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["9" * 400, "gid://shopify/X/", "\0", "=1+1", "1e9", "-0.00004", "USD", "pos"]),
    st.sampled_from(["https://[", "//", "?", "9999-12-31T23:59:59-23:59", "0001-01-01", "24:00"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
topics = st.sampled_from(
    [*TOPICS, "customer.tags_added", "customers/enable", "products/update", "/"]
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside."""
    if path:
        yield path
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in entries:
        yield from paths(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at the path."""
    if not path:
        return new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = put(value[key], tuple(rest), new)
    return copy


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A good webhook with up to four of its values replaced by anything, perhaps under another topic."""
    topic, body = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(1, 4))):
        body = put(body, draw(st.sampled_from(sorted(paths(body), key=str))), draw(anything))
        if not isinstance(body, dict) or not body:
            break
    return draw(st.one_of(st.just(topic), topics)), json.dumps(body).encode()


def check(topic: Any, body: bytes, **envelope: Any) -> None:
    """Events that any database holds, or a known reason."""
    events = outcome(topic, body, **envelope)
    if isinstance(events, str):
        assert events in REASONS
        return
    assert events
    assert len({event.dedupe_key for event in events}) == len(events)
    for event in events:
        storable(event)


def outcome(topic: Any, body: bytes, **envelope: Any) -> Sequence[Event] | str:
    """The events of a webhook, or why there are none."""
    signal = Signal(
        source="shopify",
        trust=Trust.FULL,
        rank=SourceRank.WEBHOOK,
        received_at=1_781_524_800_000_000,
        body=body,
        envelope={"topic": topic, **envelope},
    )
    try:
        return translate(signal, SHOP)
    except Unusable as refusal:
        return refusal.reason


def storable(event: Event) -> None:
    """No NUL in a text, no number over 64 bits, and what a type of event promises."""
    written = msgspec.json.encode(event)
    assert b"\\u0000" not in written
    assert event.type
    assert len(event.type) <= 100 + len("shopify_")
    assert (event.order is not None) or event.type != "order_placed"
    assert (event.refund is not None) or event.type != "order_refunded"
    for number in numbers(msgspec.to_builtins(event)):
        assert isinstance(number, int)
        assert abs(number) < 1 << 63
    if event.order:
        keys = [line.key for line in event.order.lines]
        assert len(set(keys)) == len(keys)


def numbers(value: Any) -> Iterator[int | float]:
    """Every number inside."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers(inner)
    elif isinstance(value, int | float):
        yield value


@given(damaged())
def test_a_damaged_webhook_is_translated_or_refused(case: tuple[str, bytes]) -> None:
    check(*case)


@given(topics, anything)
def test_any_json_is_translated_or_refused(topic: str, body: Any) -> None:
    check(topic, json.dumps(body).encode())


@given(
    st.dictionaries(
        st.sampled_from(["topic", "webhook_id", "shop_domain", "triggered_at"]), anything
    )
)
def test_any_envelope_is_translated_or_refused(envelope: dict[str, Any]) -> None:
    check(envelope.pop("topic", None), json.dumps(BODIES[0][1]).encode(), **envelope)


@given(st.binary(max_size=200))
def test_any_bytes_are_translated_or_refused(body: bytes) -> None:
    check("orders/create", body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"id":' + b"9" * 5000 + b"}",
        b'{"id":' + b"9" * 4000 + b"}",
        b'{"id":"' + b"9" * 5000 + b'"}',
        b'{"id":1,"total_price":1e400}',
        b'{"id":1,"name":"\xff"}',
        b'{"id":1,"name":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"null",
        b"",
    ],
    ids=range(11),
)
@pytest.mark.parametrize("topic", ["orders/create", "customers/update", "products/update"])
def test_a_hostile_body_is_translated_or_refused(topic: str, body: bytes) -> None:
    check(topic, body)


def test_an_order_of_many_lines_keeps_them_all_and_lists_a_hundred() -> None:
    lines = [
        {"id": number, "price": "100000000000000", "quantity": 10**9} for number in range(1, 500)
    ]
    body = json.dumps({"id": 1, "total_price": "1", "line_items": lines}).encode()
    check("orders/create", body)
    (event,) = outcome("orders/create", body)
    assert isinstance(event, Event)
    assert event.order is not None
    assert len(event.order.lines) == 499
    assert len(event.properties["items"]) == 100

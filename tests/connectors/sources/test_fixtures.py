"""Each source translates its fixtures: <source name>/<case>.json -> <case>.expected.json.

A fixture is {"body": …, "envelope": {…}, "trust": "full" | "public", "rank": "server",
"received_at": ISO 8601, "shop": {"currency", "timezone", "country"}}; all but the body may be left
out. A body that is text is sent as it is, anything else as JSON. What is expected is the list of
events, or {"unusable": reason}.

With C360_WRITE_EXPECTED=1 the expected files are written anew instead of compared: read the
difference before you keep it.
"""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from customer360.clock import parse_instant
from customer360.connectors.sources import SOURCES
from customer360.events.model import ShopContext, Signal, SourceRank, Trust, Unusable

HERE = Path(__file__).parent
FIXTURES = sorted(path for path in HERE.rglob("*.json") if not path.name.endswith(".expected.json"))
TRANSLATE = {source.name: source.translate for source in SOURCES}
SHOP = {"currency": "EUR", "timezone": "Europe/Dublin", "country": "IE"}


def source_name(path: Path) -> str:
    """The folder right below this one is named after the source."""
    return path.relative_to(HERE).parts[0]


def signal_of(path: Path) -> tuple[Signal, ShopContext]:
    """The signal that a fixture describes, and the shop that it comes to."""
    case = json.loads(path.read_text())
    body = case["body"]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    signal = Signal(
        source=source_name(path),
        trust=Trust[case.get("trust", "full").upper()],
        rank=SourceRank[case.get("rank", "server").upper()],
        received_at=parse_instant(case.get("received_at", "2026-06-15T12:00:00Z")),
        body=text.encode(),
        envelope=case.get("envelope", {}),
    )
    return signal, ShopContext(**case.get("shop", SHOP))


def outcome_of(path: Path) -> Any:
    """What the source makes of a fixture, as plain JSON."""
    try:
        events = TRANSLATE[source_name(path)](*signal_of(path))
    except Unusable as refusal:
        return {"unusable": refusal.reason}
    # Through JSON text, so that nothing counts as equal which JSON writes differently.
    return json.loads(msgspec.json.encode(list(events)))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: str(path.relative_to(HERE))[:-5])
def test_a_source_translates_its_fixture_as_expected(path: Path) -> None:
    expected = path.with_suffix(".expected.json")
    outcome = outcome_of(path)
    if os.environ.get("C360_WRITE_EXPECTED") == "1":
        expected.write_text(json.dumps(outcome, indent=2, ensure_ascii=False) + "\n")
    assert outcome == json.loads(expected.read_text())


@pytest.mark.parametrize("name", TRANSLATE)
def test_every_source_has_fixtures(name: str) -> None:
    assert any(source_name(path) == name for path in FIXTURES)


def test_every_expected_outcome_has_its_fixture() -> None:
    expected = HERE.rglob("*.expected.json")
    assert {str(path).replace(".expected.json", ".json") for path in expected} == set(
        map(str, FIXTURES)
    )

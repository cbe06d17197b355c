"""The benchmark of segments asks what it says that it asks, on a tiny shop, untimed."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from customer360.bench.segments import bench_segments, named_rules
from customer360.segments.ast import AttributeIs, conditions_of, depth_of
from customer360.segments.sentence import Speaker

RULES = Path(__file__).parents[2] / "benchmarks" / "segments"


def quietly(*_: Any) -> None:
    """Nobody looks."""


@pytest.mark.parametrize("path", sorted(RULES.glob("*.json")), ids=lambda path: path.stem)
def test_a_rule_stands_beside_its_sentence(path: Path) -> None:
    told = msgspec.json.decode(path.read_bytes())

    assert Speaker("EUR").sentence(named_rules()[path.stem]) == told["sentence"]


def test_four_rules_are_of_attributes_six_of_events_and_two_are_nested() -> None:
    rules = named_rules()

    def kind(name: str) -> str:
        found = list(conditions_of(rules[name].root))
        if all(isinstance(one, AttributeIs) for one in found):
            return "attribute"
        return "nested" if len(found) > 2 and depth_of(rules[name].root) > 1 else "event"

    assert Counter(map(kind, rules)) == {"attribute": 4, "event": 6, "nested": 2}
    assert all(name.startswith(kind(name)) for name in rules)


def test_rules_are_asked_of_a_filled_shop_and_many_segments_find_their_members(
    tmp_path: Path,
) -> None:
    found = bench_segments(
        profiles=300,
        events=3000,
        rounds=1,
        segments=10,
        clickhouse=False,
        kept_in=tmp_path,
        progress=quietly,
    )

    assert found.limit_is == "left out: pip install 'customer360[clickhouse]'"
    assert found.more["whole"]["segments"] == 10
    assert found.more["whole"]["members"] > 0
    assert found.more["preview_ms"]["p50"] > found.figure > 0
    assert set(named_rules()) <= found.more.keys()

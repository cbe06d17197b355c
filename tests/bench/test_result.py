"""Figures: percentiles and how results are shown."""

import pytest

from customer360.bench.result import Result, percentile, spread_ms


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, 0.0),
        ([3.0], 0.99, 3.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([4.0, 1.0, 3.0, 2.0], 0.75, 3.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
    ],
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], share: float, expected: float
):
    assert percentile(values, share) == expected


def test_durations_are_told_in_milliseconds():
    assert spread_ms([0.0012, 0.25]) == {"p50": 1.2, "p95": 250.0, "p99": 250.0, "max": 250.0}


def test_a_result_tells_its_limit_and_ratio():
    result = Result("ingest", 12_000, "events/s", 300_000, "plain", 0.04, {"store_events": 5})
    told = result.as_json()
    assert (told["figure"], told["limit"], told["ratio"]) == (12_000, 300_000, 0.04)
    assert ("ratio", "4.0%") in result.as_pairs()
    assert ("store events", "5") in result.as_pairs()

"""What a body says is taken exactly or refused, never guessed."""

from typing import Any

import pytest

from customer360.connectors.sources.payload import total_of, whole
from customer360.events.model import Unusable
from customer360.values import LARGEST_AMOUNT


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2, 2),
        (2.0, 2),
        ("2", 2),
        (" 2.0 ", 2),
        (2_000_000, 2_000_000),
        ("1000000000", 1_000_000_000),
        (0, 0),
        (-3, 0),
    ],
)
def test_a_quantity_is_taken_as_it_is_written(value: Any, number: int) -> None:
    assert whole(value, 1) == number


@pytest.mark.parametrize("value", [None, True, "", "two", "nan", 1.5, "1.5", float("nan"), [3]])
def test_what_tells_no_quantity_leaves_the_usual_one(value: Any) -> None:
    assert whole(value, 1) == 1


@pytest.mark.parametrize("value", [1_000_000_001, 1e300, "1e999", "9" * 400, float("inf")])
def test_a_quantity_beyond_all_trade_is_refused(value: Any) -> None:
    with pytest.raises(Unusable) as refusal:
        whole(value, 1)
    assert refusal.value.reason == "invalid_quantity"


def test_a_sum_beyond_all_trade_is_refused_and_not_cut() -> None:
    assert total_of([LARGEST_AMOUNT, None]) == LARGEST_AMOUNT

    with pytest.raises(Unusable) as refusal:
        total_of([LARGEST_AMOUNT, 1])
    assert refusal.value.reason == "invalid_total"

"""Times of the far future are times to come; what cannot be a time is refused."""

from contextlib import closing
from pathlib import Path

import pytest

from customer360.clock import parse_instant, to_iso
from customer360.errors import InvalidTime
from tests.house import NOW, House


@pytest.mark.parametrize("text", ["2200-01-01", "2500-06-15T12:00:00Z", "9999-12-31T23:59:59.999Z"])
def test_a_date_after_2199_is_the_end_of_2199(text: str) -> None:
    assert to_iso(parse_instant(text)) == "2199-12-31T23:59:59.999Z"


@pytest.mark.parametrize(
    "value", ["1899-12-31", "0001-01-01T00:00:00Z", 1_779_271_201_000_000, float("nan"), "soon"]
)
def test_what_cannot_be_a_time_is_refused(value: str | float) -> None:
    with pytest.raises(InvalidTime):
        parse_instant(value)


@pytest.mark.parametrize("told", ["2099-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_an_event_of_the_future_happened_when_it_was_received(
    sqlite_url: str, tmp_path: Path, told: str
) -> None:
    with closing(House(sqlite_url, tmp_path)) as house:
        house.segment({"type": "track", "event": "A", "userId": "u1", "timestamp": told})
        house.work_off()
        (entry,) = house.timeline("user_id:u1").items
    assert to_iso(entry.occurred_at) == NOW

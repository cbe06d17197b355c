"""Plans are data."""

import pytest

from customer360.access.plans import DEFAULT_PLAN, PLANS, plan
from customer360.errors import NotFound


def test_the_default_plan_has_everything_on_and_a_week_to_undo() -> None:
    default = plan(DEFAULT_PLAN)
    assert default.name == "open"
    assert default.custom_segments is None
    assert all(switch for switch in default if isinstance(switch, bool))
    assert default.undo_hours == 7 * 24


@pytest.mark.parametrize(
    ("name", "custom_segments", "undo_days"),
    [
        ("free", 0, 1),
        ("starter", 5, 7),
        ("pro", 10, 7),
        ("agency", 10, 30),
        ("enterprise", None, 90),
    ],
)
def test_a_plan_has_its_limits(name: str, custom_segments: int | None, undo_days: int) -> None:
    assert plan(name).custom_segments == custom_segments
    assert plan(name).undo_hours == undo_days * 24


def test_an_unknown_plan_is_told_apart_with_the_names_of_those_there_are() -> None:
    with pytest.raises(NotFound, match="open, free, starter"):
        plan("gold")
    assert len({known.name for known in PLANS}) == len(PLANS)

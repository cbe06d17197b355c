"""The next best action: one for everybody, and none that nobody gets."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from customer360.enrichment.actions import (
    TABLE,
    as_markdown,
    next_best_action,
    next_best_actions,
)
from customer360.profiles.attributes import BY_NAME

ROOT = Path(__file__).parents[2]
STAGES = BY_NAME["lifecycle_stage"].choices
BANDS = BY_NAME["churn_band"].choices


@pytest.mark.parametrize(
    ("stage", "band", "reachable", "due", "action"),
    [
        ("churned", "likely_lost", False, True, "leave_out"),
        ("loyal", "healthy", False, True, "ask_consent"),
        ("churned", "likely_lost", True, True, "last_attempt"),
        ("churned", "", True, False, "last_attempt"),
        ("loyal", "drifting", True, True, "remind_reorder"),
        ("at_risk", "likely_lost", True, False, "last_attempt"),
        ("converted", "drifting", True, False, "second_order"),
        ("at_risk", "at_risk", True, False, "win_back"),
        ("loyal", "drifting", True, False, "soft_offer"),
        ("at_risk", "healthy", True, False, "wait"),
        ("at_risk", "", True, False, "soft_offer"),
        ("loyal", "healthy", True, False, "reward"),
        ("engaged", "", True, False, "first_order"),
        ("new", "", True, False, "welcome"),
    ],
)
def test_the_first_row_that_fits_decides(
    stage: str, band: str, reachable: bool, due: bool, action: str
) -> None:
    found = next_best_actions([stage], [band], np.array([reachable]), np.array([due]))

    assert found == [action]


def test_one_person_has_the_action_that_they_have_in_the_crowd() -> None:
    assert next_best_action("loyal", "healthy", True, True) == "remind_reorder"
    assert next_best_action("new", "", False, False) == "ask_consent"


def test_actions_are_those_that_segments_can_ask_for() -> None:
    actions = dict.fromkeys(row.action for row in TABLE)

    assert BY_NAME["next_best_action"].choices == tuple(actions)


def test_everybody_has_an_action_and_every_row_has_somebody() -> None:
    people = list(product(STAGES, (*BANDS, ""), (True, False), (True, False)))
    stages, bands, reachable, due = (list(column) for column in zip(*people, strict=True))

    found = next_best_actions(stages, bands, np.array(reachable), np.array(due))

    assert set(found) == {row.action for row in TABLE}


def test_rows_ask_for_stages_and_bands_that_exist() -> None:
    assert {stage for row in TABLE for stage in row.stages} <= set(STAGES)
    assert {band for row in TABLE for band in row.bands} <= set(BANDS)


def test_one_action_has_one_wording() -> None:
    assert len({row.action for row in TABLE}) == len({row.words for row in TABLE})
    assert len({(row.action, row.words) for row in TABLE}) == len({row.action for row in TABLE})


def test_the_documentation_shows_the_table() -> None:
    assert as_markdown() in (ROOT / "docs/enrichment.md").read_text()

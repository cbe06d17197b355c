"""What may the shop do next for each person? One table, for the code and for the documentation. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from customer360.enrichment.model import Bools


@dataclass(frozen=True, slots=True)
class Row:
    """An action, and for whom; a field that is None or empty leaves anybody in.

    reachable: whether a channel has consent. due: whether products are due to be ordered again.
    """

    action: str
    words: str
    stages: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    reachable: bool | None = None
    due: bool | None = None


TABLE = (
    Row("leave_out", "Leave out of messages and ads", stages=("churned",), reachable=False),
    Row("ask_consent", "Ask for consent at the next visit or order", reachable=False),
    Row("last_attempt", "One last attempt, then leave out", stages=("churned",)),
    Row("remind_reorder", "Remind of the products that are due", due=True),
    Row("last_attempt", "One last attempt, then leave out", bands=("likely_lost",)),
    Row("second_order", "Help to a second order: what goes with the first, a review", stages=("converted",)),
    Row("win_back", "Win back with an offer by name", bands=("at_risk",)),
    Row("soft_offer", "Newsletter, or a soft offer", bands=("drifting",)),
    Row("wait", "Nothing yet: they usually come back by themselves", stages=("at_risk",), bands=("healthy",)),
    Row("soft_offer", "Newsletter, or a soft offer", stages=("at_risk",)),
    Row("reward", "Thank them, and ask for a recommendation", stages=("loyal",)),
    Row("first_order", "Invite to a first order", stages=("engaged",)),
    Row("welcome", "Welcome, and show what the shop is about"),
)  # fmt: skip
"""The first row that fits decides."""

WORDS = {row.action: row.words for row in TABLE}
"""What each action is, in words."""


def next_best_actions(
    stages: Sequence[str], bands: Sequence[str], reachable: Bools, due: Bools
) -> Sequence[str]:
    """The action for each person; the band of who never ordered is empty."""
    at, band = np.array(stages, np.str_), np.array(bands, np.str_)
    fits = [
        (np.isin(at, row.stages) if row.stages else True)
        & (np.isin(band, row.bands) if row.bands else np.ones(len(reachable), np.bool_))
        & (reachable == row.reachable if row.reachable is not None else True)
        & (due == row.due if row.due is not None else True)
        for row in TABLE
    ]
    found: list[str] = np.select(fits, [row.action for row in TABLE], "").tolist()
    return found


def next_best_action(stage: str, band: str, reachable: bool, due: bool) -> str:
    """The action for one person."""
    return next_best_actions([stage], [band], np.array([reachable]), np.array([due]))[0]


def as_markdown() -> str:
    """The table as docs/enrichment.md shows it."""
    return "\n".join(
        (
            "| stage | churn band | consent | products due | action | in words |",
            "|---|---|---|---|---|---|",
            *_lines(),
        )
    )


def _lines() -> Iterator[str]:
    truth = {True: "yes", False: "no", None: "any"}
    for row in TABLE:
        cells = (
            ", ".join(row.stages) or "any",
            ", ".join(row.bands) or "any",
            truth[row.reachable],
            truth[row.due],
            f"`{row.action}`",
            row.words,
        )
        yield f"| {' | '.join(cells)} |"

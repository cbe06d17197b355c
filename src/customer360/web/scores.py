"""The scores of a customer as their page tells them, and the button that has all scores computed anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from starlette.responses import Response

from customer360.clock import Instant, local_date
from customer360.enrichment.actions import WORDS
from customer360.enrichment.card import ModelCard
from customer360.enrichment.churn import ADVICE, WEIGHTS
from customer360.enrichment.next_order import coming_day
from customer360.enrichment.standing import Standing, ask
from customer360.profiles.attributes import CONSENTS
from customer360.profiles.card import Card
from customer360.values import Amount
from customer360.web import formats
from customer360.web.deciding import came_from
from customer360.web.door import Door
from customer360.web.visit import Visit


class Part(NamedTuple):
    """A part of the churn index: `value` is 0 to 1, and counts `weight` times."""

    label: str
    weight: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """How far a buyer has drifted away.

    of_hundred: how many of 100 like this stay away, in words.
    not_calibrated: why the risk is the index itself, else None.
    """

    band: str
    advice: str
    index: float
    risk: float
    of_hundred: str
    parts: tuple[Part, ...]
    window_days: int
    not_calibrated: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a buyer has spent and is expected to; shop_means: why the shop's means stand in, else None."""

    ltv: Amount
    spent: Amount
    expected: Amount
    low: Amount
    high: Amount
    percentile: float
    shop_means: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """When a buyer is expected next; once the day is past, `coming` is the one rolled forward."""

    day: date
    low: date
    high: date
    overdue_days: int
    coming: date
    gap_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """All that is told of a person; None for what nobody knows, and `note` says why that is.

    is_behind: a run would tell more.
    """

    action: str
    reachable: bool
    churn: Churn | None
    value: Value | None
    expected: Expected | None
    products_due: list[str]
    rfm: str
    rfm_group: str
    engagement: float | None
    note: str
    is_behind: bool


def compute(door: Door, visit: Visit) -> Response:
    """Have a worker compute all scores of the shop."""
    with visit.app.database.write() as connection:
        ask(connection, visit.shop.shop_id, visit.now)
    return door.redirect(came_from(visit, "/customers"), "Scores are computed anew.")


def scored(visit: Visit, card: Card, known: Standing) -> Scored:
    """The scores of a person; whoever ordered for the first time since the last run has none yet."""
    scores: Any = card.scores
    attributes: Any = card.attributes
    model = known.card if scores.get("tier") is not None else None
    ordered_since = (attributes["last_order_at"] or 0) > (known.computed_at or 0)
    rhythm = scores.get("predicted_next_order_at") is not None
    timezone = visit.shop.timezone
    today = local_date(visit.now, timezone)
    is_behind = known.computed_at is None or ordered_since
    is_behind |= model is None and attributes["orders_count"] > 0
    return Scored(
        action=WORDS[attributes["next_best_action"]],
        reachable=any(attributes[consent] == "granted" for consent in CONSENTS),
        churn=_churn(scores, model) if model else None,
        value=_value(scores, model) if model else None,
        # Whoever ordered since is not overdue, and the day to come is not known yet.
        expected=_expected(scores, today, timezone) if rhythm and not ordered_since else None,
        products_due=scores.get("products_due") or [],
        rfm="-".join(str(scores[f"rfm_{one}"]) for one in "rfm") if model else "",
        rfm_group=scores["rfm_group"] if model else "",
        engagement=scores.get("engagement_score"),
        note=_note(known, attributes["orders_count"], is_behind),
        is_behind=is_behind,
    )


def _note(known: Standing, orders: int, is_behind: bool) -> str:
    if known.computed_at is None:
        return "Scores are computed each night, from all customers together. There are none yet."
    if not orders:
        return "They have not ordered: churn, value, RFM and next order are told of buyers."
    if is_behind:
        return "They ordered since the scores were computed; the next run takes that in."
    return ""


def _churn(scores: Any, model: ModelCard) -> Churn:
    return Churn(
        band=scores["churn_band"],
        advice=ADVICE[scores["churn_band"]],
        index=scores["churn_index"],
        risk=scores["churn_risk"],
        of_hundred=_of_hundred(scores["churn_risk"]),
        parts=tuple(
            Part(formats.in_words(name), weight, scores[f"churn_{name}"])
            for name, weight in WEIGHTS.items()
        ),
        window_days=model.churn_risk.churned_days,
        not_calibrated=model.churn_risk.not_calibrated,
    )


def _of_hundred(risk: float) -> str:
    """Nobody is certain: a risk that would round to none or all of them is told as near to it."""
    count = round(100 * risk)
    return {0: "fewer than 1", 100: "more than 99"}.get(count, str(count))


def _value(scores: Any, model: ModelCard) -> Value:
    expected = scores["predicted_spend_90d"]
    return Value(
        ltv=scores["ltv"],
        spent=scores["ltv"] - expected,
        expected=expected,
        low=scores["predicted_spend_90d_low"],
        high=scores["predicted_spend_90d_high"],
        percentile=scores["ltv_percentile"],
        shop_means=model.value.shop_means,
    )


def _expected(scores: Any, today: date, timezone: str) -> Expected:
    def day_of(at: Instant) -> date:
        return local_date(at, timezone)

    day = day_of(scores["predicted_next_order_at"])
    return Expected(
        day=day,
        low=day_of(scores["next_order_low_at"]),
        high=day_of(scores["next_order_high_at"]),
        overdue_days=max(0, (today - day).days),
        coming=coming_day(day, scores["order_gap_days"], today),
        gap_days=scores["order_gap_days"],
    )

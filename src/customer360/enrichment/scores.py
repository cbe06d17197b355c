"""All scores of all buyers on one day, as columns. Pure: arrays in, an Arrow table out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from customer360.enrichment.churn import ChurnIndex, churn_index
from customer360.enrichment.clv import Forecast, forecast, percentile_of
from customer360.enrichment.columns import DETAILS, KEPT
from customer360.enrichment.engagement import engagement_scores
from customer360.enrichment.model import Floats, Ints, Orders, places_in
from customer360.enrichment.next_order import NextOrder, is_due, next_orders, rhythm_of
from customer360.enrichment.origins import Acts, Facts, facts_on
from customer360.enrichment.rfm import Rfm, rfm
from customer360.enrichment.risk import NotCalibrated, RiskModel, learn_risk
from customer360.enrichment.tiers import Tiers, tiers
from customer360.profiles.stages import Windows
from customer360.storage.mirror import Kind
from customer360.values import AMOUNT_SCALE, listed

_PLACES = {"engagement_score": 1, "ltv_percentile": 2}
"""Decimals that are kept; of other numbers four, of money two: what nobody sees would only be written every night."""
_USUAL_PLACES = 4
_MONEY_PLACES = 2
_ARROW = {
    Kind.NUMBER: pa.float64(),
    Kind.WORD: pa.string(),
    Kind.TEXTS: pa.string(),
    Kind.PACKED: pa.binary(8 * len(DETAILS)),
}
SCHEMA = pa.schema(
    [("profile_id", pa.int64()), *((one.name, _ARROW.get(one.kind, pa.int64())) for one in KEPT)]
)
"""Of the table of scores: money and times are whole numbers, lists are one text."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What is known of each buyer, and what it rests on."""

    facts: Facts
    rfm: Rfm
    tiers: Tiers
    churn: ChurnIndex
    risk: Floats
    learned: RiskModel | NotCalibrated
    forecast: Forecast
    lifetime_value: Floats
    next: NextOrder


def score(
    orders: Orders,
    acts: Acts,
    today: int,
    windows: Windows,
) -> Scored:
    """The scores of all buyers of a shop at the end of today; each must have ordered by then."""
    facts = facts_on(orders, acts, today)
    count, spend = facts.orders_count, facts.total_spend
    churn = churn_index(facts.silent_days, count, spend, windows.churned_days)
    learned = learn_risk(orders, acts, today, windows.churned_days)
    ahead = forecast(orders, today)
    return Scored(
        facts=facts,
        rfm=rfm(today - orders.last_day(today), count, spend / count, windows.rfm_recency_days),
        tiers=tiers(count, spend),
        churn=churn,
        risk=learned.risk(facts) if isinstance(learned, RiskModel) else churn.index,
        learned=learned,
        forecast=ahead,
        lifetime_value=spend + ahead.ahead[90].spend,
        next=next_orders(orders, today),
    )


def due_lists(
    pairs: Orders, profile_ids: Ints, titles: Sequence[str], today: int
) -> tuple[Ints, list[str]]:
    """The people to whom products are due, and the names of these as one text each.

    pairs: one buyer for each pair of person and product; `profile_ids` and `titles` say whose and which it is.
    """
    rhythm = rhythm_of(pairs)
    names: dict[int, list[str]] = {}
    for pair in rhythm.buyer[is_due(rhythm, today)].tolist():
        names.setdefault(int(profile_ids[pair]), []).append(titles[pair])
    lists = [listed(sorted(set(one))) for one in names.values()]
    return np.fromiter(names, np.int64, len(names)), lists


def as_table(
    profile_ids: Ints,
    scored: Scored,
    due: tuple[Ints, list[str]],
    engaged: tuple[Ints, Floats],
    starts: Callable[[Ints], Ints],
) -> pa.Table:
    """The scores by profile id, sorted: of buyers, and of others whom only their engagement tells of.

    due, engaged: profile ids, and their lists or points. starts: the first instants of days.
    """
    who, points = engaged
    points = np.round(engagement_scores(points), _PLACES["engagement_score"])
    who, points = who[points > 0], points[points > 0]
    everybody = _together(profile_ids, who)
    rows = np.searchsorted(everybody, profile_ids)
    columns = {
        name: _spread(values, rows[places], len(everybody))
        for name, (values, places) in _of_buyers(scored, starts).items()
    }
    place, known = places_in(everybody, due[0])
    lists = pa.array(due[1], pa.string()).filter(pa.array(known))
    columns["products_due"] = _spread(lists, place, len(everybody))
    columns["engagement_score"] = _spread(points, np.searchsorted(everybody, who), len(everybody))
    columns["profile_id"] = pa.array(everybody)
    return pa.table([columns[name] for name in SCHEMA.names], SCHEMA)


def _together(some: Ints, others: Ints) -> Ints:
    """The ids of two sorted lists without repetition, sorted."""
    both = np.sort(np.concatenate([some, others]), kind="stable")
    first = np.ones(len(both), np.bool_)
    first[1:] = both[1:] != both[:-1]
    return both[first]


def _of_buyers(scored: Scored, starts: Callable[[Ints], Ints]) -> dict[str, tuple[pa.Array, Ints]]:
    """Each column, and of which buyers its values are."""
    month, quarter, following = scored.forecast.ahead[30], scored.forecast.ahead[90], scored.next
    everybody = np.arange(len(scored.risk))
    columns: dict[str, Sequence[str] | Floats | Ints] = {
        "tier": scored.tiers.tier,
        "rfm_r": scored.rfm.recency,
        "rfm_f": scored.rfm.frequency,
        "rfm_m": scored.rfm.monetary,
        "rfm_group": scored.rfm.group,
        "churn_index": scored.churn.index,
        "churn_band": scored.churn.band(),
        "churn_risk": scored.risk,
        "predicted_orders_90d": quarter.orders,
        "predicted_spend_30d": month.spend,
        "predicted_spend_90d": quarter.spend,
        "ltv": scored.lifetime_value,
        "ltv_percentile": percentile_of(scored.lifetime_value),
    }
    found = {name: (_column(name, values), everybody) for name, values in columns.items()}
    found["predicted_next_order_at"] = (pa.array(starts(following.day)), following.buyer)
    found["details"] = (_details(scored, starts), everybody)
    return found


def _details(scored: Scored, starts: Callable[[Ints], Ints]) -> pa.Array:
    """What explains each buyer's scores, packed."""
    month, quarter, following = scored.forecast.ahead[30], scored.forecast.ahead[90], scored.next
    columns: dict[str, Floats | Ints] = {
        "churn_recency": scored.churn.recency,
        "churn_frequency": scored.churn.frequency,
        "churn_monetary": scored.churn.monetary,
        "predicted_orders_30d": month.orders,
        "predicted_orders_90d_low": quarter.orders_low,
        "predicted_orders_90d_high": quarter.orders_high,
        "predicted_spend_30d_low": month.spend_low,
        "predicted_spend_30d_high": month.spend_high,
        "predicted_spend_90d_low": quarter.spend_low,
        "predicted_spend_90d_high": quarter.spend_high,
        "next_order_low_at": starts(following.low_day),
        "next_order_high_at": starts(following.high_day),
        "order_gap_days": following.mean_gap_days,
    }
    packed = np.full((len(scored.risk), len(DETAILS)), np.nan, "<f8")
    for place, one in enumerate(DETAILS):
        values = _kept(one.name, columns[one.name])
        rows = following.buyer if len(values) < len(packed) else slice(None)
        packed[rows, place] = values
    return pa.FixedSizeBinaryArray.from_buffers(
        SCHEMA.field("details").type, len(packed), [None, pa.py_buffer(packed)]
    )


_KINDS = {one.name: one.kind for one in (*KEPT, *DETAILS)}


def _kept(name: str, values: Floats | Ints) -> Floats | Ints:
    """The values as they are kept, rounded."""
    kind = _KINDS[name]
    if kind is Kind.MONEY:
        return (np.round(values, _MONEY_PLACES) * AMOUNT_SCALE).round().astype(np.int64)
    places = _PLACES.get(name, _USUAL_PLACES)
    return np.asarray(values, np.float64).round(places) if kind is Kind.NUMBER else values


def _column(name: str, values: Sequence[str] | Floats | Ints) -> pa.Array:
    if isinstance(values, np.ndarray):
        return pa.array(_kept(name, values))
    return pa.array(values, SCHEMA.field(name).type)


def _spread(values: pa.Array | Floats, rows: Ints, length: int) -> pa.Array:
    """A column of this length with the values in these rows, null elsewhere."""
    if len(rows) == length:
        return pa.array(values) if isinstance(values, np.ndarray) else values
    places = np.full(length, -1)
    places[rows] = np.arange(len(rows))
    return pa.array(values).take(pa.array(places, mask=places < 0))

"""Is the churn risk calibrated on a real shop? Rolling origins of the Online Retail II sheet, beside the bare index.

    python benchmarks/enrichment/calibration.py ../shared/data/online_retail_2009_2010.csv.gz

The file has the columns Invoice, Quantity, InvoiceDate, Price and CustomerID; orders are counted as an
import counts them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb
import numpy as np

from customer360.enrichment.backtest import backtest
from customer360.enrichment.evaluation import auc, brier, calibration_error, deciles, reliability
from customer360.enrichment.model import Bools, Floats, Orders
from customer360.enrichment.origins import Acts

WINDOW_DAYS = 90
STEP_DAYS = 20

# Positive quantities make an order; returns are none. Totals are in pence, so that their sums are exact.
_ORDERS_SQL = """
select
    dense_rank() over (order by CustomerID) - 1 as buyer,
    date_diff('day', min(min(InvoiceDate)) over (), min(InvoiceDate)) as day,
    sum(round(Quantity * Price * 100)) as total
from read_csv($path)
where CustomerID is not null and Quantity > 0
group by CustomerID, Invoice
"""


def orders_of(path: Path) -> Orders:
    """The orders of everybody the sheet knows by number."""
    rows = duckdb.execute(_ORDERS_SQL, {"path": str(path)}).fetchnumpy()
    buyer = rows["buyer"].astype(np.int64)
    return Orders(
        int(buyer.max()) + 1, buyer, rows["day"].astype(np.int64), rows["total"].astype(np.float64)
    )


def told(name: str, probability: Floats, away: Bools) -> str:
    """One line of measures."""
    error = calibration_error(reliability(probability, away))
    return f"{name:6} Brier {brier(probability, away):.4f}  AUC {auc(probability, away):.4f}  ECE {error:.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    orders = orders_of(parser.parse_args().file)
    last = int(orders.day.max()) - WINDOW_DAYS
    candidates = range(last, 0, -STEP_DAYS)
    found = backtest(orders, Acts.none(), sorted(candidates), WINDOW_DAYS)
    print(
        f"{orders.buyers:,} buyers, {len(orders.day):,} orders, origins on days {found.origins} of {orders.day.max()}"
    )
    begin = 0
    for origin in found.origins:
        known = int(np.count_nonzero(orders.until(origin).count()))
        here = slice(begin, begin + known)
        for name, values in (("index", found.index), ("risk", found.risk)):
            print(f"day {origin}: {told(name, values[here], found.away[here])}")
        begin += known
    print("pooled")
    for name, values in (("index", found.index), ("risk", found.risk)):
        print(told(name, values, found.away))
        for number, one in enumerate(deciles(values, found.away), 1):
            print(
                f"  decile {number:2}: {one.count:6,} buyers, told {one.predicted:.3f}, stayed away {one.observed:.3f}"
            )


if __name__ == "__main__":
    main()

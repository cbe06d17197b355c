"""CDNOW: who bought first in early 1997 and what they bought until June 1998, in files that lifetimes carries."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.metadata import distribution

import numpy as np

from customer360.enrichment.model import Orders

_BEGIN = np.datetime64("1997-01-01")


def day(text: str) -> int:
    """The number of a day in `orders`."""
    return int((np.datetime64(date.fromisoformat(text)) - _BEGIN).astype(int))


@cache
def orders(name: str) -> Orders:
    """The orders of the "master" or of the 1/10 "sample"; totals in cents, so that sums are exact."""
    path = distribution("lifetimes").locate_file(f"lifetimes/datasets/CDNOW_{name}.txt")
    lines = np.loadtxt(str(path), usecols=(0, -3, -1), skiprows=int(name == "master"))
    _, buyer = np.unique(lines[:, 0], return_inverse=True)
    written = lines[:, 1].astype(np.int64)
    months = (written // 10_000 - 1970) * 12 + written // 100 % 100 - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") - _BEGIN
    totals = np.rint(lines[:, 2] * 100)
    return Orders(int(buyer.max()) + 1, buyer, days.astype(np.int64) + written % 100 - 1, totals)

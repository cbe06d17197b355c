"""Where a value stands in a drawing: a zero baseline, and a few round grid lines. Pure."""

from __future__ import annotations

from math import ceil, floor, log10

_MOST_STEPS = 4
_ROUND = (1, 2, 2.5, 5, 10)


def ticks(largest: float, whole: bool = True) -> list[float]:
    """The values of the grid lines, from 0 to one that nothing passes: five at most."""
    if largest <= 0:
        return [0, 1]
    wanted = largest / _MOST_STEPS
    power = 10 ** floor(log10(wanted))
    step = next(power * one for one in _ROUND if power * one >= wanted * (1 - 1e-9))
    if whole:
        step = max(1, ceil(step))
    return [step * number for number in range(ceil(largest / step - 1e-9) + 1)]

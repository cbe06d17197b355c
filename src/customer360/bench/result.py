"""What a benchmark found, for people and for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One figure with the physical limit beside it; `more` holds whatever else was measured."""

    name: str
    figure: float
    unit: str
    limit: float
    limit_is: str
    ratio: float
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            "benchmark": self.name,
            "figure": round(self.figure, 3),
            "unit": self.unit,
            "limit": round(self.limit, 3),
            "limit_is": self.limit_is,
            "ratio": round(self.ratio, 5),
            **self.more,
            "machine": machine(),
        }

    def as_pairs(self) -> list[tuple[str, str]]:
        """As people read it."""
        return [
            (self.name, f"{_number(self.figure)} {self.unit}"),
            ("limit", f"{_number(self.limit)} {self.unit} ({self.limit_is})"),
            ("ratio", f"{self.ratio:.1%}"),
            *((name.replace("_", " "), _shown(value)) for name, value in self.more.items()),
        ]


def machine() -> dict[str, Any]:
    """Where the figures are from."""
    return {
        "processors": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of the values does not exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]


def spread_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile of durations, in milliseconds."""
    return {
        "p50": round(percentile(seconds, 0.50) * 1000, 1),
        "p95": round(percentile(seconds, 0.95) * 1000, 1),
        "p99": round(percentile(seconds, 0.99) * 1000, 1),
        "max": round(max(seconds, default=0.0) * 1000, 1),
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    return f"{value:,}" if isinstance(value, int | float) else str(value)

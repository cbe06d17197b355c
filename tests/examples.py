"""How many random examples a property is tried on: few in the suite, any number by C360_EXAMPLES."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

TIMES = int(os.environ.get("C360_EXAMPLES", "1"))


def examples(count: int, *, steps: int = 50) -> settings:
    """The same `count` examples in every run; with C360_EXAMPLES=n, n times as many, and others each time."""
    return settings(
        max_examples=count * TIMES,
        stateful_step_count=steps,
        derandomize=TIMES == 1,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )

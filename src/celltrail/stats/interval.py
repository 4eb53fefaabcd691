"""Means with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Two-sided 95% points of Student's t for 1 to 30 degrees of freedom.
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def mean_interval(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean, and how far its 95% interval reaches to either side; None with fewer than two values.

    >>> mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    (3.0, 1.9629284...)
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return mean, None
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    # beyond 30 the points follow 1.96 + 2.4 / df to the third digit
    t = _T95[n - 2] if n - 2 < len(_T95) else 1.96 + 2.4 / (n - 1)
    return mean, t * math.sqrt(variance / n)

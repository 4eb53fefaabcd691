"""Means with their uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence

# Two-sided 95% points of Student's t for 1 to 30 degrees of freedom.
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def t95(df: float) -> float:
    """The two-sided 95% point of Student's t, of any degrees of freedom from 1 on.

    Between whole numbers it is drawn straight over 1/df, which is never too small; below 1 it is that of 1.

    >>> t95(4), round(t95(4.5), 2), round(t95(1000), 2)
    (2.776, 2.66, 1.96)
    """
    if df > len(_T95):
        return 1.959964 + 2.37227 / df + 2.82250 / df**2  # the expansion of Cornish and Fisher
    whole = max(1, math.floor(df))
    share = 0.0 if df <= whole else (1 / whole - 1 / df) / (1 / whole - 1 / (whole + 1))
    return _T95[whole - 1] + share * (_T95[min(whole, len(_T95) - 1)] - _T95[whole - 1])


def beyond(t: float, df: float) -> float:
    """How likely Student's t is so far from 0 or farther, to either side, with these degrees of freedom.

    >>> round(beyond(2.776, 4), 3), round(beyond(-1.0, 2.5), 3), beyond(0.0, 3)
    (0.05, 0.404, 1.0)
    """
    x, a, b = df / (df + t * t), df / 2, 0.5
    if x >= 1:
        return 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, https://dlmf.nist.gov/8.17.E22, by Lentz's method."""
    least = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or least)
    value = d
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / (1 + term * d or least), 1 + term / c or least
            value *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return value


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
    return mean, t95(n - 1) * math.sqrt(variance / n)

"""Whether samples come from one population: counts of labels, and numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def homogeneous(counts: NDArray[np.int64]) -> float:
    """Pearson's test: how often chance alone would spread labels over samples so unevenly, or more.

    Args:
        counts: a row for each sample, a column for each label, shape (samples, labels).

    >>> round(homogeneous(np.array([[30, 70], [32, 68]])), 3)
    0.76
    """
    import numpy as np

    counts = counts[:, counts.sum(0) > 0]
    counts = counts[counts.sum(1) > 0]
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / max(1, counts.sum())
    degrees = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    if degrees < 1:
        return 1.0
    return _chi2_beyond(float((np.square(counts - expected) / expected).sum()), degrees)


def kolmogorov(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, float]:
    """The largest distance of the two distribution functions, and how often chance alone would give it (asymptotic).

    >>> kolmogorov(np.arange(50.0), np.arange(50.0))
    (0.0, 1.0)
    """
    import numpy as np

    first, second = np.sort(first), np.sort(second)
    every = np.concatenate([first, second])
    below = [np.searchsorted(each, every, "right") / len(each) for each in (first, second)]
    distance = float(np.abs(below[0] - below[1]).max())
    root = math.sqrt(len(first) * len(second) / (len(first) + len(second)))
    at = (root + 0.12 + 0.11 / root) * distance
    if at < 0.2:
        return distance, 1.0
    p = 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * at * at) for k in range(1, 101))
    return distance, min(1.0, max(0.0, p))


def stability(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """The population stability index of two samples counted in the same bins; 0 where their shares are equal.

    Half a row is added to each bin, so that an empty one is far and not infinitely far.

    >>> round(stability(np.array([50, 50]), np.array([80, 20])), 2)
    0.41
    """
    import numpy as np

    first, second = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (reference, current))
    return float(np.sum((second - first) * np.log(second / first)))


def by_chance(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """How often two samples of one population would have as large an index of stability, or a larger one.

    The index times ``n m / (n + m)`` is about chi-squared, as a sum of squared differences of shares is.

    >>> round(by_chance(np.array([50, 50]), np.array([55, 45])), 2)
    0.48
    """
    used = int(((reference + current) > 0).sum())
    n, m = int(reference.sum()), int(current.sum())
    if used < 2:
        return 1.0
    return _chi2_beyond(stability(reference, current) * n * m / (n + m), used - 1)


def wasserstein(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """How far the one sample must be moved on average to become the other, in the unit of its numbers.

    >>> wasserstein(np.array([0.0, 1.0]), np.array([5.0, 6.0]))
    5.0
    """
    import numpy as np

    first, second = np.sort(first), np.sort(second)
    every = np.sort(np.concatenate([first, second]))
    below = [np.searchsorted(each, every[:-1], "right") / len(each) for each in (first, second)]
    return float(np.sum(np.abs(below[0] - below[1]) * np.diff(every)))


def _chi2_beyond(value: float, degrees: int) -> float:
    """The upper tail of chi-squared, for whole degrees of freedom, by its recurrence.

    >>> round(_chi2_beyond(3.841, 1), 3), round(_chi2_beyond(5.991, 2), 3), round(_chi2_beyond(18.307, 10), 3)
    (0.05, 0.05, 0.05)
    """
    half = value / 2
    if half <= 0:
        return 1.0
    tail, a = (math.erfc(math.sqrt(half)), 0.5) if degrees % 2 else (math.exp(-half), 1.0)
    while a < degrees / 2:
        tail += math.exp(a * math.log(half) - half - math.lgamma(a + 1))
        a += 1
    return min(1.0, tail)

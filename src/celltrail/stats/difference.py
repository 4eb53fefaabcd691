"""Whether one thing is better than another, or only looks so: differences with a 95% interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from celltrail.contract import Goal
from celltrail.stats.interval import beyond, t95

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Word = Literal["better", "worse", "higher", "lower", "not distinguishable"]
Method = Literal["welch", "bootstrap", "paired bootstrap"]
DRAWS = 2000
_AT_ONCE = 4_000_000  # numbers drawn at a time


@dataclass(frozen=True, slots=True)
class Gap:
    """The second minus the first.

    Attributes:
        by: the difference of the means.
        low: the lower end of its 95% interval.
        high: the upper end.
        n: how many values stand behind each of the two.
        method: how the interval was made.
        p: how likely so large a difference is where there is none, by the same method.
    """

    by: float
    low: float
    high: float
    n: tuple[int, int]
    method: Method
    p: float

    def word(self, goal: Goal) -> Word:
        """What can be said of the second: nothing while the interval holds 0."""
        if self.low <= 0 <= self.high or math.isnan(self.low) or math.isnan(self.high):
            return "not distinguishable"
        if goal == "none":
            return "higher" if self.by > 0 else "lower"
        return "better" if (self.by > 0) == (goal == "max") else "worse"

    @property
    def count(self) -> str:
        """How many there are of each.

        >>> Gap(0.1, -0.1, 0.3, (3, 3), "welch", 0.2).count, Gap(0.1, -0.1, 0.3, (3, 5), "welch", 0.2).count
        ('n=3', 'n=3 and 5')
        """
        first, second = self.n
        if self.method == "paired bootstrap":
            return f"n={first} rows"
        return f"n={first}" if first == second else f"n={first} and {second}"


def welch(first: Sequence[float], second: Sequence[float]) -> Gap | None:
    """The difference of two means of unequal variance, by Welch (1947), https://doi.org/10.1093/biomet/34.1-2.28.

    None where one side has fewer than two values, or where neither varies: such repeats tell nothing.

    >>> gap = welch([0.91, 0.93, 0.92], [0.95, 0.96, 0.97])
    >>> gap.word("max"), gap.count
    ('better', 'n=3')
    """
    sides = [_spread(first), _spread(second)]
    if any(n < 2 for n, _, _ in sides):
        return None
    (n, mean, v), (m, other, w) = sides
    a, b = v / n, w / m
    if not a + b:
        return None
    df = (a + b) ** 2 / (a * a / (n - 1) + b * b / (m - 1))
    by, half = other - mean, t95(df) * math.sqrt(a + b)
    return Gap(by, by - half, by + half, (n, m), "welch", beyond(by / math.sqrt(a + b), df))


def bootstrap(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Gap | None:
    """The same by drawing again from each side: percentiles of Efron (1979), https://doi.org/10.1214/aos/1176344552.

    It asks for no normal distribution, and is too sure of itself with fewer than some ten values on a side.
    """
    import numpy as np

    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if len(one) < 2 or len(two) < 2 or not one.std() + two.std():
        return None
    rng = np.random.default_rng(seed)
    drawn = [side[rng.integers(0, len(side), (DRAWS, len(side)))].mean(axis=1) for side in (one, two)]
    by = drawn[1] - drawn[0]
    low, high = np.quantile(by, (0.025, 0.975))
    return Gap(
        float(two.mean() - one.mean()), float(low), float(high), (len(one), len(two)), "bootstrap", _beyond_zero(by)
    )


def paired(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Gap | None:
    """The mean difference of values that belong together, row by row: rows are drawn again as pairs.

    None with fewer than two rows, or where all of them differ by the same.
    """
    import numpy as np

    by = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    n = len(by)
    if n < 2 or not np.ptp(by):
        return None
    rng = np.random.default_rng(seed)
    means: list[Floats] = []
    for start in range(0, DRAWS, max(1, _AT_ONCE // n)):
        draws = min(max(1, _AT_ONCE // n), DRAWS - start)
        means.append(by[rng.integers(0, n, (draws, n))].mean(axis=1))
    drawn = np.concatenate(means)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Gap(float(by.mean()), float(low), float(high), (n, n), "paired bootstrap", _beyond_zero(drawn))


def flipped(first: Sequence[float], second: Sequence[float], seed: int = 0) -> float:
    """How likely so large a mean difference is where each pair could as well be the other way round.

    The permutation test for pairs, by random signs, the observed ones counted among them: Phipson and Smyth (2010),
    https://doi.org/10.2202/1544-6115.1585. NaN without a pair.
    """
    import numpy as np

    by = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    by = by[by != 0]
    n = len(by)
    if not n:
        return 1.0 if len(first) else math.nan
    rng = np.random.default_rng(seed)
    seen, limit, done = 1, abs(by.sum()) * (1 - 1e-12), 0
    while done < DRAWS:
        draws = min(max(1, _AT_ONCE // n), DRAWS - done)
        signs = rng.integers(0, 2, (draws, n), dtype=np.int8) * np.int8(2) - np.int8(1)
        seen += int((np.abs(signs @ by) >= limit).sum())
        done += draws
    return seen / (DRAWS + 1)


def mcnemar(fixed: int, broken: int) -> float:
    """How likely it is that of the rows judged differently so many or more go one way: McNemar's test, exact.

    The binomial form, twice the smaller tail: https://doi.org/10.1007/BF02295996.

    >>> mcnemar(12, 3)
    0.035...
    >>> mcnemar(0, 0)
    1.0
    """
    n, least = fixed + broken, min(fixed, broken)
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2) for k in range(least + 1)
    ]
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))


def holm(p: Sequence[float]) -> list[float]:
    """How likely each is where so many are asked for at once: Holm (1979), https://www.jstor.org/stable/4615733.

    Below 0.05 each, at most one family in twenty holds a difference that is none; the metrics may hang together.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted, most = [1.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda each: p[each])):
        most = max(most, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = most
    return adjusted


def _beyond_zero(drawn: Floats) -> float:
    """Twice the share of the draws on the rarer side of 0, the observed one counted among them."""
    rarer = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(drawn) + 1))


def _spread(values: Sequence[float]) -> tuple[int, float, float]:
    n = len(values)
    if n < 2:
        return n, math.nan, math.nan
    mean = math.fsum(values) / n
    return n, mean, math.fsum((value - mean) ** 2 for value in values) / (n - 1)

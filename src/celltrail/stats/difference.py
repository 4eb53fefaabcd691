"""Whether one thing is better than another, or only looks so: differences with a 95% interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
MOST_DRAWS = 50_000  # so that p still tells something after a correction over a thousand metrics
_RARE = 20  # draws on the rarer side of 0 that tell how rare they are
_AT_ONCE = 4_000_000  # numbers drawn at a time
_IN_ALL = 40_000_000
_KINDS = 16  # so few different values are drawn by how often each comes


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
        draws: how often the values were drawn again for it, which p cannot be much smaller than one part of; 0 of
            Welch's.
    """

    by: float
    low: float
    high: float
    n: tuple[int, int]
    method: Method
    p: float
    draws: int = 0

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

    def draw(count: int) -> Floats:
        mine, other = (side[rng.integers(0, len(side), (count, len(side)))].mean(axis=1) for side in (one, two))
        return other - mine

    return _by_draws(draw, len(one) + len(two), float(two.mean() - one.mean()), (len(one), len(two)), "bootstrap")


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
    kinds, counts = np.unique(by, return_counts=True)
    few = len(kinds) <= _KINDS

    def draw(count: int) -> Floats:
        if few:
            return rng.multinomial(n, counts / n, count) @ kinds / n
        return by[rng.integers(0, n, (count, n))].mean(axis=1)

    return _by_draws(draw, len(kinds) if few else n, float(by.mean()), (n, n), "paired bootstrap")


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


def _by_draws(draw: Callable[[int], Floats], size: int, by: float, n: tuple[int, int], method: Method) -> Gap:
    """A difference by drawing it again, each time of so many numbers, until it is known how rare 0 is among the draws.

    p is twice the share of the rarer side of 0, the observed one counted among them. A clear difference needs many
    draws to tell how clear, one that is none few: Besag and Clifford (1991), https://doi.org/10.1093/biomet/78.2.301.
    """
    import numpy as np

    most = max(DRAWS, min(MOST_DRAWS, _IN_ALL // size))
    drawn: list[Floats] = []
    done = below = above = 0
    while done < DRAWS or (done < most and min(below, above) < _RARE):
        drawn.append(draw(min(DRAWS, most - done, max(1, _AT_ONCE // size))))
        done += len(drawn[-1])
        below += int((drawn[-1] <= 0).sum())
        above += int((drawn[-1] >= 0).sum())
    low, high = np.quantile(np.concatenate(drawn), (0.025, 0.975))
    p = min(1.0, 2 * (min(below, above) + 1) / (done + 1))
    return Gap(by, float(low), float(high), n, method, p, done)


def _spread(values: Sequence[float]) -> tuple[int, float, float]:
    n = len(values)
    if n < 2:
        return n, math.nan, math.nan
    mean = math.fsum(values) / n
    return n, mean, math.fsum((value - mean) ** 2 for value in values) / (n - 1)

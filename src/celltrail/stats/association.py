"""How a column goes with a result, without a model: a correlation and how far it can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celltrail.stats.coded import Coded, ranks

if TYPE_CHECKING:
    from celltrail.stats.coded import Floats

FEWEST = 4
_DRAWS = 1000
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Association:
    """From -1 to 1 for what is ordered, from 0 to 1 for words; with a 95 % interval. NaN: cannot be told."""

    value: float
    low: float
    high: float


UNKNOWN = Association(math.nan, math.nan, math.nan)


def association(column: Coded, target: Floats) -> Association:
    """Spearman's rank correlation of an ordered column, the correlation ratio of the ranks for words."""
    import numpy as np

    if not column.ordered:
        return _ratio(column.matrix, ranks(target))
    there = ~np.isnan(column.matrix[:, 0])
    return _spearman(column.matrix[there, 0], target[there])


def _spearman(left: Floats, right: Floats) -> Association:
    """With the interval of Bonett and Wright (2000), https://doi.org/10.1007/BF02294183."""
    import numpy as np

    n = len(left)
    one, other = ranks(left), ranks(right)
    if n < FEWEST or not one.std() or not other.std():
        return UNKNOWN
    r = float(np.clip(np.corrcoef(one, other)[0, 1], -1 + 1e-9, 1 - 1e-9))
    half = _Z * math.sqrt((1 + r * r / 2) / (n - 3))
    return Association(round(r, 9), math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))


def _ratio(kinds: Floats, target: Floats) -> Association:
    """The correlation ratio, less what as many kinds of pure chance would have; its interval is of a bootstrap."""
    import numpy as np

    n = len(target)
    if n < FEWEST or not target.std() or kinds.shape[1] < 2 or n <= kinds.shape[1]:
        return UNKNOWN
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), _DRAWS).astype(float)
    value = float(_between(np.ones((1, n)), kinds, target)[0])
    high = np.quantile(_between(drawn, kinds, target), 0.975)
    # turned round the value below: a resample has fewer distinct rows, hence more chance in it
    return Association(value, float(np.clip(2 * value - high, 0, 1)), float(high))


def _between(weights: Floats, kinds: Floats, target: Floats) -> Floats:
    """The ratio for each row of weights, of shape (draws, n)."""
    import numpy as np

    n = weights.shape[1]
    counts, sums = weights @ kinds, weights @ (kinds * target[:, None])
    mean = weights @ target / n
    whole = weights @ target**2 - n * mean**2
    between = np.divide(sums**2, counts, out=np.zeros_like(sums), where=counts > 0).sum(axis=1) - n * mean**2
    groups = (counts > 0).sum(axis=1)
    share = np.divide(between, whole, out=np.zeros_like(whole), where=whole > 1e-12)
    adjusted = 1 - (1 - share) * (n - 1) / np.maximum(n - groups, 1)
    return np.sqrt(np.clip(adjusted, 0, 1))

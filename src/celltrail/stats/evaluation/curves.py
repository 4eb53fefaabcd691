"""The curves behind a metric, from arrays: ROC, precision over recall, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10


class Curve(NamedTuple):
    """Points of a curve and the score from which on a row counts as positive; arrays of one length."""

    x: Floats
    y: Floats
    threshold: Floats


class Calibration(NamedTuple):
    """Bins of predicted probability, those that have rows: from, to, mean predicted, observed share, rows."""

    low: Floats
    high: Floats
    predicted: Floats
    observed: Floats
    rows: NDArray[np.int64]


def roc(mark: Any, score: Any) -> Curve:
    """True over false positive rate, from (0, 0) on, one point for each different score.

    >>> curve = roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    import numpy as np

    found, seen, threshold = _counts(mark, score)
    n, there = seen[-1], found[-1]
    x = (seen - found) / max(n - there, 1)
    y = found / max(there, 1)
    return Curve(np.append(0.0, x), np.append(0.0, y), np.append(np.inf, threshold))


def precision_recall(mark: Any, score: Any) -> Curve:
    """Precision over recall, from recall 0 and precision 1 on, one point for each different score."""
    import numpy as np

    found, seen, threshold = _counts(mark, score)
    recall, precision = found / max(found[-1], 1), found / seen
    return Curve(np.append(0.0, recall), np.append(1.0, precision), np.append(np.inf, threshold))


def calibration(mark: Any, score: Any, bins: int = BINS) -> Calibration:
    """Bins of equal width from 0 to 1, the upper end of each its own.

    >>> calibration([0, 1, 1], [0.1, 0.7, 0.75], 2).observed.tolist()
    [0.0, 1.0]
    """
    import numpy as np

    true, told = np.asarray(mark, float), np.asarray(score, float)
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.searchsorted(edges, told, side="left") - 1, 0, bins - 1)
    rows = np.bincount(which, minlength=bins)
    there = rows > 0
    sums = [np.bincount(which, values, bins)[there] / rows[there] for values in (told, true)]
    return Calibration(edges[:-1][there], edges[1:][there], sums[0], sums[1], rows[there])


def _counts(mark: Any, score: Any) -> tuple[Floats, Floats, Floats]:
    """From the highest score down: positive rows, all rows, the score; where several rows have one score, once."""
    import numpy as np

    hits, told = np.asarray(mark, float), np.asarray(score, float)
    order = np.argsort(-told, kind="stable")
    last = np.append(np.nonzero(np.diff(told[order]))[0], len(told) - 1)
    return hits[order].cumsum()[last], (last + 1).astype(float), told[order][last]

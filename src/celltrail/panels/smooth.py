"""Smooth lines for the saved picture, as ``js/src/ui/plot/smooth.ts`` draws them in the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from celltrail.contract import Smoothing
    from celltrail.panels.columns import Floats

WIDEST = 1000  # points on either side that a median looks at


def smooth(x: Floats, y: Floats, how: Smoothing, weight: float, logged: int) -> Floats:
    """The values made smooth, NaN where they are not finite.

    Args:
        x: where the points stand, shape (n,), ascending.
        y: their values, shape (n,).
        how: "ema" weighs by points, "time" by the distance between them, "median" takes the middle of a window.
        weight: 0 changes nothing; towards 1 ever more of what came before counts.
        logged: how many points the line stands for: a thinned one is smoothed as if all of them were there.

    >>> smooth(np.arange(4.0), np.array([0.0, 1.0, 0.0, 1.0]), "ema", 0.5, 4).round(3).tolist()
    [0.0, 0.667, 0.286, 0.667]
    """
    if how == "none" or not len(y):
        return y
    if how == "median":
        return _median(y, int(weight / (1 - weight) * min(1.0, len(y) / logged) + 0.5))
    pace = (x[-1] - x[0]) / max(1, logged - 1) or 1.0
    each, total, mass, before = max(1.0, logged / len(y)), 0.0, 0.0, float(x[0])
    smoothed = np.full(len(y), np.nan)
    for place, (at, value) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        if np.isfinite(value):
            kept = weight ** ((at - before) / pace if how == "time" else each)
            before, total, mass = at, kept * total + value, kept * mass + 1
            smoothed[place] = total / mass
    return smoothed


def _median(y: Floats, reach: int) -> Floats:
    half, finite = min(reach, WIDEST), np.isfinite(y)
    values, smoothed = y[finite], np.full(len(y), np.nan)
    smoothed[finite] = [np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]
    return smoothed

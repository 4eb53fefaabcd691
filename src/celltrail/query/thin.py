"""Long series made short: for a line on a screen, and for a spark in a table cell."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

SPARK = 40
FEWEST = 4  # both ends, the lowest and the highest
_RATIO = 4  # candidates for each point kept; the paper finds no visible difference beyond it
_GAPS = 8  # at most an eighth of the points show where values are missing


def keep(values: Floats, most: int, x: NDArray[np.number] | None = None) -> Places:
    """Which points to draw so that a line looks like the line through all of them: their places, in order.

    MinMaxLTTB: the lowest and the highest of many short stretches are candidates, and of these the point
    that spans the largest triangle with its neighbours stays, one for each bucket. Both ends, the extremes
    (also the finite ones, where there are infinite ones) and the longest runs of NaN always stay, a run as
    one NaN, which a line shows as a gap: every run longer than ``8 / most`` of the series does. No value is
    invented and order is kept, so steps may repeat and go back.

    Sources: J. Van Der Donckt and others, "MinMaxLTTB: Leveraging MinMax-Preselection to Scale LTTB for
    Visualization", IEEE VIS 2023; S. Steinarsson, "Downsampling Time Series for Visual Representation",
    University of Iceland 2013.

    Args:
        values: the series.
        most: so many points at most; `FEWEST` or more.
        x: where the points lie, for irregular steps; without it they are evenly spaced.

    >>> import numpy as np
    >>> keep(np.array([0.0, 1.0, 9.0, 1.0, 0.0, 1.0, 0.0, 1.0]), 5).tolist()
    [0, 2, 4, 7]
    """
    import numpy as np

    count = len(values)
    if count <= most:
        return np.arange(count)
    values = np.ascontiguousarray(values, dtype=np.float64)
    ends = np.array([0, count - 1])
    # the first NaN, if there is any, is what argmin finds
    if not np.isnan(values[values.argmin()]):
        pinned = np.unique(np.concatenate([ends, _extremes(values, most)]))
        return np.union1d(pinned, _line(values, most - len(pinned) + 2, pinned, x))
    missing = np.isnan(values)
    present = np.flatnonzero(~missing)
    dense = values[present]
    extremes = _extremes(dense, most)
    pinned = np.unique(np.concatenate([ends, present[extremes], _longest_runs(missing, most // _GAPS)]))
    room = most - len(pinned) + int(not missing[0]) + int(not missing[-1])
    return np.union1d(pinned, present[_line(dense, room, extremes, None if x is None else x[present])])


def spark(values: Floats) -> list[float | None]:
    """At most 40 numbers that show the shape of a series; None is a gap.

    Each is the mean of the finite values of its stretch, to five digits: enough for a cell, small in JSON.

    >>> import numpy as np
    >>> spark(np.array([1.0, np.nan, 3.0]))
    [1.0, None, 3.0]
    """
    import numpy as np

    if len(values) > SPARK:
        edges = np.linspace(0, len(values), SPARK + 1).astype(np.int64)[:-1]
        finite = np.isfinite(values)
        counts = np.add.reduceat(finite, edges, dtype=np.int64)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            values = np.add.reduceat(np.where(finite, values, 0.0), edges) / counts
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]


def _extremes(values: Floats, most: int) -> Places:
    """Where the lowest and the highest value are, and the finite ones if there is room for them."""
    import numpy as np

    if not len(values):
        return np.empty(0, dtype=np.int64)
    found = [int(values.argmin()), int(values.argmax())]
    if most >= FEWEST + 2 and not np.isfinite(values[found]).all():
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            found += [int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])]
    return np.array(found)


def _longest_runs(missing: NDArray[np.bool_], most: int) -> Places:
    """The first place of each of the longest runs of NaN."""
    import numpy as np

    edges = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    return starts[np.argsort(-lengths, kind="stable")[:most]]


def _line(values: Floats, most: int, pinned: Places, x: NDArray[np.number] | None) -> Places:
    """The points of one line without NaN, by largest triangles among the candidates."""
    import numpy as np

    if most < 2 or not len(values):
        return np.empty(0, dtype=np.int64)
    chosen = _candidates(values, most, pinned)
    if len(chosen) <= most:
        return chosen
    at = chosen.astype(np.float64) if x is None else x[chosen].astype(np.float64)
    if not np.isfinite(at).all():
        at = chosen.astype(np.float64)
    return chosen[_largest_triangles(at, values[chosen], most, set(np.searchsorted(chosen, pinned).tolist()))]


def _candidates(values: Floats, most: int, pinned: Places) -> Places:
    """Both ends, what is pinned, and the lowest and the highest of each of so many equal stretches."""
    import numpy as np

    count, stretches = len(values), max(1, _RATIO * most // 2)
    if count <= 2 * stretches:
        return np.arange(count)
    width = math.ceil(count / stretches)
    whole = count - count % width
    table = values[:whole].reshape(-1, width)
    starts = np.arange(0, whole, width)
    found = [np.array([0, count - 1]), pinned, starts + table.argmin(axis=1), starts + table.argmax(axis=1)]
    if whole < count:
        rest = values[whole:]
        found.append(whole + np.array([rest.argmin(), rest.argmax()]))
    return np.unique(np.concatenate(found))


def _largest_triangles(x: Floats, y: Floats, most: int, pinned: set[int]) -> list[int]:
    """Both ends and one place in each of ``most - 2`` buckets; what is pinned is taken whatever it spans."""
    import numpy as np

    edges = np.linspace(1, len(y) - 1, most - 1).astype(np.int64)
    sizes, finite = np.diff(edges), np.isfinite(y)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        counts = np.add.reduceat(finite[:-1], edges[:-1], dtype=np.int64)
        means = np.add.reduceat(np.where(finite, y, 0.0)[:-1], edges[:-1]) / counts
    next_x = [*(np.add.reduceat(x[:-1], edges[:-1]) / sizes).tolist()[1:], float(x[-1])]
    next_y = [*means.tolist()[1:], float(y[-1])]
    xs, ys, places = x.tolist(), y.tolist(), edges.tolist()
    taken = [0]
    last_x, last_y = xs[0], ys[0] if finite[0] else 0.0
    # plain floats: each bucket depends on the point before it, and holds only a handful
    for bucket, (start, end) in enumerate(pairwise(places)):
        width, height = last_x - next_x[bucket], next_y[bucket] - last_y
        best, widest = start, -1.0
        for place in range(start, end):
            area = abs(width * (ys[place] - last_y) - (last_x - xs[place]) * height)
            if place in pinned:
                best, widest = place, math.inf
            elif area > widest:
                best, widest = place, area
        taken.append(best)
        last_x, last_y = xs[best], ys[best] if math.isfinite(ys[best]) else last_y
    taken.append(len(ys) - 1)
    return taken

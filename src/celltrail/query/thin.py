"""Long series made short: for a line on a screen, and for a spark in a table cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPARK = 40


def keep(values: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Which points to draw, four or more: the lowest and the highest of each stretch, and both ends.

    Order is kept and no value is invented, so a spike stays a spike. Infinite values count as extremes; a
    stretch of nothing but NaN gives one NaN, which a line shows as a gap.

    >>> import numpy as np
    >>> keep(np.array([0.0, 1.0, 9.0, 1.0, 0.0, 1.0, 0.0, 1.0]), 6).tolist()
    [0, 2, 4, 5, 7]
    """
    import numpy as np

    count = len(values)
    if count <= most:
        return np.arange(count)
    stretches = max(1, (most - 2) // 2)
    edges = np.linspace(0, count, stretches + 1).astype(np.int64)
    chosen = [0, count - 1]
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[start:end]
        if np.isnan(part).all():
            chosen.append(start)
        else:
            chosen += [start + int(np.nanargmin(part)), start + int(np.nanargmax(part))]
    return np.unique(np.array(chosen, dtype=np.int64))


def spark(values: NDArray[np.float64]) -> list[float | None]:
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

"""Where the points of a chart stand: at their step, in time or over a metric; ``js/src/ui/axis.ts`` agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from celltrail.query.ticks import ticks

if TYPE_CHECKING:
    from celltrail.panels.columns import Floats
    from celltrail.panels.figure import Line

PLAIN = ("step", "relative", "time")
_APART = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400]


def places(points: Floats, x: str, started: float, axis: Floats | None) -> Floats:
    """Where points stand on an axis; NaN is nowhere.

    Args:
        points: shape (3, n): step, seconds since the start, value.
        x: "step", "relative", "time" or a metric.
        started: seconds since the epoch.
        axis: the points of that metric, in the order logged; a point stands at its last value so far.

    >>> places(np.array([[0.0, 1.0], [0.1, 0.2], [5.0, 6.0]]), "epoch", 0.0, np.array([[1.0], [0.2], [3.0]])).tolist()
    [nan, 3.0]
    """
    if x in PLAIN:
        return points[0] if x == "step" else points[1] + (started if x == "time" else 0.0)
    if axis is None or not axis.shape[1]:
        return np.full(points.shape[1], np.nan)
    latest = np.searchsorted(axis[1], points[1], side="right") - 1
    return np.where(latest < 0, np.nan, axis[2][latest])


def placed(lines: Sequence[Line], x: str, started: Mapping[str, float]) -> list[Line]:
    """The lines of a picture with the places in the row of the steps, ascending; what stands nowhere is left out."""
    axes = {line.run: line.points for line in lines if line.metric == x}
    found: list[Line] = []
    for line in lines:
        where = places(line.points, x, started.get(line.run, 0.0), axes.get(line.run))
        order = np.argsort(where, kind="stable")
        order = order[np.isfinite(where[order])]
        found.append(replace(line, points=np.array([where[order], line.points[1][order], line.points[2][order]])))
    return found


def moments(low: float, high: float, about: int = 4) -> list[tuple[float, str]]:
    """Round times of day within [low, high], seconds since the epoch, with their words where the reader is."""
    apart = next((each for each in _APART if (high - low) / each <= about), 0)
    if not apart or high <= low:
        days = [day * 86_400.0 for day in ticks(low / 86_400, high / 86_400)] if high > low else [low]
        return [(day, datetime.fromtimestamp(day).strftime("%d %b")) for day in days]
    offset = (datetime.fromtimestamp(low).astimezone().utcoffset() or datetime.resolution * 0).total_seconds()
    first = np.ceil((low + offset) / apart) * apart - offset
    form = "%H:%M:%S" if apart < 60 else "%H:%M" if apart < 86_400 else "%d %b"
    found = [float(first + apart * place) for place in range(int((high - first) // apart) + 1)]
    return [(each, datetime.fromtimestamp(each).strftime(form)) for each in found]

"""Summaries of series: blocks of rows folded into one `Metric` per name.

Folding is incremental: what was folded before can be handed in again as `Metric` records, so a reader
continues where a document stopped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from celltrail.contract import Goal
from celltrail.model import Metric, goal_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Said(NamedTuple):
    """What was declared of a metric; None is nothing."""

    goal: Goal | None = None
    unit: str | None = None
    axis: str | None = None

    def over(self, other: Said) -> Said:
        """This, and what only the other says."""
        return Said(
            self.goal or other.goal,
            other.unit if self.unit is None else self.unit,
            self.axis or other.axis,
        )


class Summaries:
    """The running summary of every metric of one run.

    ``count`` is the number of points logged, NaN included; ``nan_count`` is how many of them are NaN, so
    the mean is ``sum / (count - nan_count)``. NaN takes no part in min, max and sum; infinity does. Of
    equal values the first one's step is kept.

    >>> import numpy as np
    >>> summaries = Summaries()
    >>> summaries.fold(("val/loss",), np.array([1, 2, 3]), np.array([[0.5], [0.2], [np.nan]]))
    >>> metric = summaries.metrics()["val/loss"]
    >>> metric.best, metric.best_step, metric.count, metric.nan_count
    (0.2, 2, 3, 1)
    """

    def __init__(self, known: Mapping[str, Metric] | None = None) -> None:
        self._metrics: dict[str, Metric] = dict(known or {})
        self._declared: dict[str, Said] = {}  # by name or pattern, in the order said

    def declare(self, name: str, said: Said) -> Said:
        """Say how a metric, or every metric a pattern such as ``val/*`` fits, is to be read; all said so far."""
        old = self._declared.pop(name, Said())
        known = self._declared[name] = said.over(old)
        for metric in list(self._metrics.values()):
            if _fits(metric.name, name):
                self._metrics[metric.name] = self._dressed(metric)
        return known

    def fold(self, names: Sequence[str], steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Take in a block of rows, in log order: ``values[i, j]`` is ``names[j]`` at ``steps[i]``."""
        import numpy as np

        if not len(steps):
            return
        # fmin and fmax leave NaN out; a column of nothing but NaN stays NaN and equals nothing
        lows, highs = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
        missing = np.isnan(values)
        with np.errstate(invalid="ignore", over="ignore"):
            sums = np.where(missing, 0.0, values).sum(axis=0)
        columns = zip(
            names,
            values[0].tolist(),
            values[-1].tolist(),
            lows.tolist(),
            steps[(values == lows).argmax(axis=0)].tolist(),
            highs.tolist(),
            steps[(values == highs).argmax(axis=0)].tolist(),
            sums.tolist(),
            missing.sum(axis=0).tolist(),
            strict=True,
        )
        for name, first, last, low, low_step, high, high_step, total, nans in columns:
            old = self._metrics.get(name) or self._dressed(Metric(name, goal_of(name)))
            if low == low and not old.min <= low:
                old = dataclasses.replace(old, min=low, min_step=low_step)
            if high == high and not old.max >= high:
                old = dataclasses.replace(old, max=high, max_step=high_step)
            self._metrics[name] = dataclasses.replace(
                old,
                first=old.first if old.count else first,
                last=last,
                last_step=int(steps[-1]),
                sum=old.sum + total,
                count=old.count + len(steps),
                nan_count=old.nan_count + nans,
            )

    def metrics(self) -> dict[str, Metric]:
        """The summaries so far, by name in the order first seen."""
        return dict(self._metrics)

    def _dressed(self, metric: Metric) -> Metric:
        """The metric with what was declared of it: by its own name before patterns, the latest first."""
        said = self._declared.get(metric.name, Said())
        for pattern, more in reversed(self._declared.items()):
            if _fits(metric.name, pattern):
                said = said.over(more)
        goal, unit, axis = said
        return dataclasses.replace(
            metric,
            goal=goal or metric.goal,
            unit=metric.unit if unit is None else unit,
            axis=axis or metric.axis,
        )


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or (any(sign in pattern for sign in "*?[") and fnmatchcase(name, pattern))

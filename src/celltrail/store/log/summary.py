"""Summaries of series: blocks of rows folded into one `Metric` per name.

Folding is incremental: what was folded before can be handed in again as `Metric` records, so a reader
continues where a document stopped.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from celltrail.model import Metric, goal_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.contract import Goal


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


class _Column(NamedTuple):
    """What a block of rows says of one metric; low and high are NaN where it has nothing but NaN."""

    name: str
    first: float
    last: float
    low: float
    low_step: int
    high: float
    high_step: int
    total: float
    nans: int


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

    def fold(
        self, names: Sequence[str], steps: NDArray[np.int64], values: NDArray[np.float64], in_order: bool = True
    ) -> None:
        """Take in a block of rows, in log order: ``values[i, j]`` is ``names[j]`` at ``steps[i]``.

        Rows of another writer than those before are not ``in_order``: their last value is the last one
        only where its step is not behind.
        """
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
        for column in columns:
            self._take(_Column(*column), int(steps[-1]), len(steps), in_order)

    def fold_few(self, names: Sequence[str], steps: Sequence[int], columns: Sequence[Sequence[float]]) -> None:
        """`fold` without NumPy, for a run that has had too few values to be worth loading it."""
        for name, values in zip(names, columns, strict=True):
            total, known = sum(values), values
            if total != total:  # NaN is among them, or infinity of both signs
                known = [value for value in values if value == value]
                total = sum(known)
            low, high = min(known, default=math.nan), max(known, default=math.nan)
            low_step, high_step = (steps[values.index(value)] if known else steps[0] for value in (low, high))
            nans = len(values) - len(known)
            column = _Column(name, values[0], values[-1], low, low_step, high, high_step, total, nans)
            self._take(column, steps[-1], len(steps))

    def _take(self, column: _Column, last_step: int, count: int, in_order: bool = True) -> None:
        old = self._metrics.get(column.name) or self._dressed(Metric(column.name, goal_of(column.name)))
        if column.low == column.low and not old.min <= column.low:
            old = dataclasses.replace(old, min=column.low, min_step=column.low_step)
        if column.high == column.high and not old.max >= column.high:
            old = dataclasses.replace(old, max=column.high, max_step=column.high_step)
        is_last = in_order or old.last_step is None or last_step >= old.last_step
        self._metrics[column.name] = dataclasses.replace(
            old,
            first=old.first if old.count else _one_nan(column.first),
            last=_one_nan(column.last) if is_last else old.last,
            last_step=last_step if is_last else old.last_step,
            sum=_one_nan(old.sum + column.total),
            count=old.count + count,
            nan_count=old.nan_count + column.nans,
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


def _one_nan(value: float) -> float:
    """The value; of all NaN one and the same, as what is decoded has it: so that equal summaries are equal."""
    return value if value == value else math.nan


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or (any(sign in pattern for sign in "*?[") and fnmatchcase(name, pattern))

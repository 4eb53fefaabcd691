"""Bounded columns: the points of one series as a panel needs them, never more than fit a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from celltrail.contract import Part
from celltrail.query.thin import keep

LIMIT = 4000  # points a series; the full series stays in the trail
MOST_LINES = 60  # of one chart

Floats = NDArray[np.float64]
Numbers = Sequence[float] | NDArray[np.int64] | Floats


def thin(columns: Floats, limit: int) -> Floats:
    """At most ``limit`` of the points, always with the extremes: a plain stride would lose spikes.

    Args:
        columns: shape (3, n): step, seconds, value.
        limit: most points to keep, at least 4.

    >>> line = np.arange(3000.0).reshape(3, 1000)
    >>> line[2, 501] = 9e9
    >>> small = thin(line, 100)
    >>> small.shape[1] <= 100, float(small[2].max())
    (True, 9000000000.0)
    """
    return columns[:, keep(columns[2], limit, columns[0])]


def evenly(places: NDArray[np.int64], values: Floats, most: int) -> NDArray[np.int64]:
    """At most so many of the points, those of a series as it grew: early ones are thinned no more than late ones.

    Of each of many equal stretches of the series stay the lowest value, the highest, and where one is missing; and
    both ends. Done again and again it gives what it gives once, which the largest triangles of `thin` do not.

    Args:
        places: where each point stands in the series; rising.
        values: the points.
        most: at least 5.

    >>> evenly(np.arange(9), np.array([0.0, 3, 1, 1, 2, 1, 1, 0, 1]), 5).tolist()
    [0, 1, 8]
    """
    if len(values) <= most:
        return np.arange(len(values))
    stretches = (most - 2) // 3
    stretch = (places - places[0]) * stretches // (places[-1] - places[0] + 1)
    order = np.lexsort((values, stretch))  # NaN is behind the highest
    starts = np.flatnonzero(np.diff(stretch[order], prepend=-1))
    missing = np.isnan(values[order])
    ends = starts + np.add.reduceat(~missing, starts, dtype=np.int64)
    sizes = np.diff(starts, append=len(order))
    gaps = ends[ends < starts + sizes]
    chosen = [order[starts], order[np.maximum(ends - 1, starts)], order[gaps], [0, len(values) - 1]]
    return np.unique(np.concatenate(chosen))


class Column:
    """The bounded points of one series, and those that no panel was told of yet."""

    def __init__(self) -> None:
        self._blocks: list[Floats] = []
        self._places: list[NDArray[np.int64]] = []  # in the series, of the points in the blocks
        self._size = 0
        self.total = 0  # points ever added
        self.last: float | None = None
        self._news: list[Floats] = []
        self._sent = 0
        self._is_other = False  # than what was sent

    def add(self, steps: Numbers, seconds: Numbers, values: Numbers) -> None:
        """Add points in the order they were logged."""
        block = np.array([steps, seconds, values], dtype=np.float64)
        self._blocks.append(block)
        self._places.append(np.arange(self.total, self.total + block.shape[1]))
        self._news.append(block)
        self._size += block.shape[1]
        self.total += block.shape[1]
        self.last = float(values[-1])
        if self._size > 2 * LIMIT:
            self._pack()

    def replace(self, columns: Floats, total: int) -> None:
        """Hold these points in place of all before, shape (3, n), of so many that were logged."""
        self._blocks, self._size = [columns], columns.shape[1]
        self._places = [np.linspace(0, max(0, total - 1), self._size).astype(np.int64)]
        self.total, self._news, self._is_other = total, [], True
        self.last = float(columns[2, -1]) if columns.shape[1] else None

    def _pack(self) -> None:
        columns, places = np.concatenate(self._blocks, axis=1), np.concatenate(self._places)
        kept = evenly(places, columns[2], LIMIT)
        self._blocks, self._places, self._size = [columns[:, kept]], [places[kept]], len(kept)

    def points(self) -> Floats:
        """All of it, shape (3, n <= LIMIT)."""
        if not self._blocks:
            return np.empty((3, 0))
        self._pack()
        return self._blocks[0]

    def news(self) -> tuple[int, Floats]:
        """What was added since the last call, and the index of its first point; index 0 replaces everything."""
        if self._is_other:
            return self.snapshot()
        block = np.concatenate(self._news, axis=1) if self._news else np.empty((3, 0))
        self._news = []
        if block.shape[1] > LIMIT:
            return self.snapshot()
        start, self._sent = self._sent, self._sent + block.shape[1]
        return start, block

    def snapshot(self) -> tuple[int, Floats]:
        """Everything again, as a replacement of what was sent before."""
        self._news, self._is_other = [], False
        points = self.points()
        self._sent = points.shape[1]
        return 0, points


def news_of(run: str, columns: Mapping[str, Column], full: bool) -> tuple[list[Part], list[Floats]]:
    """What to tell a panel of a run's columns: all of it, or what is new."""
    parts: list[Part] = []
    blocks: list[Floats] = []
    for name, column in list(columns.items()):
        start, block = column.snapshot() if full else column.news()
        if block.shape[1]:
            parts.append({"run": run, "metric": name, "start": start, "n": block.shape[1]})
            blocks.append(block)
    return parts, blocks

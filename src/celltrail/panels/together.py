"""Several ranks of a run in one plot: the line is their mean, the band behind it from the least to the most of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from celltrail.contract import Band, Detail
from celltrail.model import is_of_machine
from celltrail.panels.earlier import band
from celltrail.store.log.ranks import rank_of

if TYPE_CHECKING:
    from celltrail.panels.columns import Floats
    from celltrail.store import Series, SeriesMapping

MOST_TOLD = 4
PLACES = 400  # of a band: each holds whatever was between it and the next one


def mean_of(series: SeriesMapping, name: str) -> tuple[Series, Floats | None]:
    """The points of a metric as a line.

    Returns:
        Where several ranks logged the same steps, one point for each step, their mean, and the least and the most of
        them, shape (2, n). Otherwise the points as they are, and None.
    """
    whole = series[name]
    if is_of_machine(name) or not (np.diff(whole.step) == 0).any():
        return whole, None
    if len({rank_of(writer) for writer in series.apart(name)}) < 2:
        return whole, None
    order = np.argsort(whole.step, kind="stable")
    steps, first, counts = np.unique(whole.step[order], return_index=True, return_counts=True)
    values = whole.value[order]
    mean = np.add.reduceat(values, first) / counts
    ends = np.array([np.fmin.reduceat(values, first), np.fmax.reduceat(values, first)])
    return type(whole)(steps, np.maximum.reduceat(whole.t_us[order], first), mean), ends


def bands(series: SeriesMapping, names: list[str]) -> list[Band]:
    """The bands of those metrics that several ranks logged."""
    found: list[Band] = []
    for name in names:
        line, ends = mean_of(series, name)
        if ends is not None:
            first = np.unique(np.linspace(0, len(line.step) - 1, PLACES).astype(int))
            low, high = np.fmin.reduceat(ends[0], first), np.fmax.reduceat(ends[1], first)
            ranks = len({rank_of(writer) for writer in series.apart(name)})
            found.append(band(name, ranks, line.step[first].astype(np.float64), low, line.value[first], high))
    return found


def to_look_at(found: Detail) -> list[str]:
    """The ranks that died or are slow, in one line; empty when all is well."""
    rows = [row for section in found["sections"] if section["title"] == "ranks" for row in section["rows"] if row[-1]]
    told = [f"rank {row[0]} {row[-1]}" for row in rows[:MOST_TOLD]]
    return [" · ".join([*told, f"{len(rows) - MOST_TOLD} more"] if len(rows) > MOST_TOLD else told)] if told else []

"""Several processes of a run in one plot: the line is their mean, the band behind it from the least to the most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
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
        Where several ranks or workers logged the same steps, one point for each step, their mean, and the least and
        the most of them, shape (2, n). Otherwise the points as they are, and None.
    """
    whole = series[name]
    if is_of_machine(name) or not (np.diff(whole.step) == 0).any():
        return whole, None
    if not _are_beside(series.apart(name)):
        return whole, None
    order = np.argsort(whole.step, kind="stable")
    steps, first, counts = np.unique(whole.step[order], return_index=True, return_counts=True)
    values = whole.value[order]
    mean = np.add.reduceat(values, first) / counts
    ends = np.array([np.fmin.reduceat(values, first), np.fmax.reduceat(values, first)])
    return type(whole)(steps, np.maximum.reduceat(whole.t_us[order], first), mean), ends


def _are_beside(apart: Mapping[str, Series]) -> bool:
    """Whether several processes logged at one time, and not one after another as where a run was resumed."""
    if len({rank_of(writer) for writer in apart}) > 1:
        return True
    spans = sorted((each.t_us[0], each.t_us[-1]) for each in apart.values() if len(each.t_us))
    return any(after[0] < before[1] for before, after in pairwise(spans))


def bands(series: SeriesMapping, names: list[str]) -> list[Band]:
    """The bands of those metrics that several ranks or workers logged."""
    found: list[Band] = []
    for name in names:
        line, ends = mean_of(series, name)
        if ends is not None:
            first = np.unique(np.linspace(0, len(line.step) - 1, PLACES).astype(int))
            low, high = np.fmin.reduceat(ends[0], first), np.fmax.reduceat(ends[1], first)
            found.append(
                band(name, len(series.apart(name)), line.step[first].astype(np.float64), low, line.value[first], high)
            )
    return found


def to_look_at(found: Detail) -> list[str]:
    """The ranks that died or are slow, in one line; empty when all is well."""
    rows = [row for section in found["sections"] if section["title"] == "ranks" for row in section["rows"]]
    return said_of((row[0], row[-1]) for row in rows)


def said_of(ranks: Iterable[tuple[object, object]]) -> list[str]:
    """What there is to say of ranks, by number, in one line; empty where there is nothing."""
    told = [f"rank {rank} {words}" for rank, words in ranks if words]
    further = [f"{len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    return [" · ".join([*told[:MOST_TOLD], *further])] if told else []

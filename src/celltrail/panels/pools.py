"""Runs that belong together as one line: the mean over repeats, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from celltrail.contract import Grouping
from celltrail.model import is_seed
from celltrail.query.plain import number, shown

if TYPE_CHECKING:
    from celltrail.model import Json, RunRecord
    from celltrail.panels.columns import Floats
    from celltrail.panels.figure import Line

MOST_PLACES = 1000  # of a mean
MOST_GROUPINGS, MOST_GROUPS = 20, 24
# the 97.5 % quantiles of Student's t with 1, 2, 3 ... degrees of freedom
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131)


def groupings(records: Sequence[RunRecord]) -> list[Grouping]:
    """The ways in which these runs fall into groups: as they were put, alike but for a seed, by each param.

    A way that leaves every run alone, or all in one, is none but for seeds and declared groups.
    """
    if len(records) < 2:
        return []
    params = [{name: param.value for name, param in record.params.items()} for record in records]
    above = {record.parent for record in records}  # what the run of a search was given tells no trial from another
    told = (name for record, each in zip(records, params, strict=True) if record.id not in above for name in each)
    names = [name for name in dict.fromkeys(told) if _differs(params, name)]
    seeds = [name for name in names if is_seed(name)]
    others = [name for name in names if name not in seeds]
    found: list[Grouping] = []

    def add(by: str, label: Callable[[int], str], least: int) -> None:
        of = {record.id: label(at) for at, record in enumerate(records)}
        if least <= len(set(of.values())) < len(records):
            found.append({"by": by, "of": of})

    if any(record.group for record in records):
        add("group", lambda at: records[at].group or "no group", 1)
    if seeds or not others:
        add("all but seed", lambda at: _called(params[at], others), 1)
    for name in others[:MOST_GROUPINGS]:
        add(name, lambda at, name=name: _called(params[at], [name]), 2)
    return [each for each in found if len(set(each["of"].values())) <= MOST_GROUPS]


def _differs(params: Sequence[Mapping[str, Json]], name: str) -> bool:
    return len({repr(each.get(name)) for each in params}) > 1


def _called(params: Mapping[str, Json], names: Sequence[str]) -> str:
    """The settings of a group: "lr=0.1, width=64"."""
    told = [f"{name}={_word(params[name])}" for name in names if name in params]
    return ", ".join(told)[:80] or "all runs"


def _word(value: Json) -> str:
    return number(value) if isinstance(value, float) else shown(value)


def student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t; off by less than 1 % beyond 15 degrees of freedom."""
    return _T[freedom - 1] if freedom <= len(_T) else 1.96 + 2.4 / freedom


def pooled(lines: Sequence[Line], grouping: Grouping | None, how: Literal["interval", "range"]) -> list[Line]:
    """The lines of a picture with those of a group as their mean, and the band around it.

    Args:
        lines: with their places in the first row, ascending.
        grouping: which runs belong together; None leaves the lines as they are, without bands.
        how: the 95 % interval of the mean, or from the least to the most.
    """
    if grouping is None:
        return list(lines)
    together: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        together.setdefault((grouping["of"].get(line.run, ""), line.metric), []).append(line)
    found: list[Line] = []
    for (label, _), each in together.items():
        x, y, band = mean([line.points[[0, 2]] for line in each], how)
        points = np.array([x, np.full(len(x), np.nan), y])
        called = f"{label} (n={len(each)})"
        found.append(replace(each[0], run=label, label=called, points=points, total=0, band=np.array([x, *band])))
    return found


def mean(curves: Sequence[Floats], how: str) -> tuple[Floats, Floats, Floats]:
    """The mean of lines at all their places, at most a thousand, and the band around it.

    Between its points a line is straight, before its first and after its last it does not count.

    >>> x, y, band = mean([np.array([[0.0, 2.0], [1.0, 3.0]]), np.array([[1.0], [4.0]])], "range")
    >>> y.tolist(), band[0].tolist()
    ([1.0, 3.0, 3.0], [nan, 2.0, nan])
    """
    x = np.unique(np.concatenate([curve[0] for curve in curves])) if curves else np.empty(0)
    if len(x) > MOST_PLACES:
        x = x[np.floor(np.arange(MOST_PLACES) * (len(x) - 1) / (MOST_PLACES - 1) + 0.5).astype(np.int64)]
    values = np.array([_along(curve, x) for curve in curves])
    there = np.isfinite(values)
    n = there.sum(axis=0)
    held = np.where(there, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = held.sum(axis=0) / n
        apart = np.sqrt((np.where(there, values - middle, 0.0) ** 2).sum(axis=0) / (n - 1) / n)
        reach = apart * np.array([student(max(1, each - 1)) for each in n.tolist()])
    if how == "range":
        ends = [np.where(there, values, np.inf).min(axis=0), np.where(there, values, -np.inf).max(axis=0)]
    else:
        ends = [middle - reach, middle + reach]
    return x, middle, np.where(n < 2, np.nan, np.array(ends))


def _along(curve: Floats, places: Floats) -> Floats:
    """A line at other places; of several points at one place the last counts, beside a gap it is one."""
    x, y = curve
    last = np.searchsorted(x, places, side="right") - 1
    here = (last >= 0) & (x[last] == places)
    inside = (last >= 0) & (last < len(x) - 1)
    left, right = np.where(inside, last, 0), np.where(inside, last + 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (places - x[left]) / (x[right] - x[left])
        between = y[left] * (1 - share) + y[right] * share
    return np.where(here, y[last], np.where(inside, between, np.nan))

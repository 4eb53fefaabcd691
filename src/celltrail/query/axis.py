"""Where the points of a series stand: at their step, in time, or at the value of another metric."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, nearest
from celltrail.query import words
from celltrail.query.history import carried

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.model import RunRecord
    from celltrail.store import Series, SeriesMapping

    Numbers = NDArray[np.int64] | NDArray[np.float64]

Bound = float | str | datetime | None
PLAIN = ("step", "time", "relative")


def place(found: SeriesMapping, name: str, x: str, record: RunRecord) -> tuple[Numbers, NDArray[np.float64]]:
    """Where each point of a series stands, and its value.

    Args:
        found: the series of the run.
        name: the one to place.
        x: "step"; "time", in microseconds since the epoch; "relative", in seconds since the run started; or
            another metric: its value in the same log call, else in the last one before. Points before the
            first of these stand nowhere and are left out.
        record: the run.
    """
    if x in PLAIN:
        return standing(found[name], x, record.started_us), found[name].value
    if x not in found:
        tail = nearest(x, found) or f"; it has {', '.join(sorted(found)[:8])}"
        raise BadValue(f'no axis {x!r} in run {record.name!r}: x is "step", "time", "relative" or a metric{tail}')
    return _beside(found, name, x)


def standing(series: Series, x: str, started_us: int) -> Numbers:
    """Where each point of a series stands on one of the axes in `PLAIN`."""
    where: Mapping[str, Numbers] = {"step": series.step, "time": series.t_us}
    return where[x] if x in where else (series.t_us - started_us) / 1e6


def _beside(found: SeriesMapping, name: str, x: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    axes, parts = found.apart(x), found.apart(name)
    where: list[NDArray[np.float64]] = []
    values: list[NDArray[np.float64]] = []
    steps: list[NDArray[np.int64]] = []
    for writer, series in parts.items():
        if writer in axes:
            standing = carried(axes[writer], series)
            known = ~np.isnan(standing)
            where.append(standing[known])
            values.append(series.value[known])
            steps.append(series.step[known])
    if len(where) == 1:
        return where[0], values[0]
    if not where:
        return np.empty(0), np.empty(0)
    order = np.argsort(np.concatenate(steps), kind="stable")  # writers take turns as in any other series
    return np.concatenate(where)[order], np.concatenate(values)[order]


def bounds(window: tuple[Bound, Bound], x: str) -> tuple[float, float]:
    """Both ends of a window as numbers on this axis; None is open.

    >>> bounds((None, 100), "step")
    (-inf, 100)
    """
    low, high = (_bound(end, x) for end in window)
    low, high = -float("inf") if low is None else low, float("inf") if high is None else high
    if not low <= high:
        raise BadValue(f"window={window!r} ends before it begins; both ends are part of it")
    return low, high


def _bound(end: Any, x: str) -> float | None:
    if end is None:
        return None
    if x != "time":
        try:
            return end if isinstance(end, int | float) else float(end)
        except (TypeError, ValueError):
            raise BadValue(f"a window over {x} goes from number to number, not to {end!r}") from None
    if isinstance(end, str):
        seconds = words.moment_of(end)
    elif isinstance(end, datetime):
        seconds = end.timestamp()
    elif hasattr(end, "astype"):  # numpy's datetime64
        seconds = end.astype("datetime64[us]").astype("int64") / 1e6
    else:
        seconds = end
    if not isinstance(seconds, int | float):
        raise BadValue(f'{end!r} is no moment; a window over time takes datetime, "2026-11-01T12:00" or seconds')
    return seconds * 1e6

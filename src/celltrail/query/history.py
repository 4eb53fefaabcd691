"""The log calls of a run, put together again from its series: one row each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from celltrail.model import Json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from celltrail.store import Series, SeriesMapping

_EXACT = 2.0**53  # from here on a float does not tell neighbouring whole numbers apart
# no metric can have these names: none begins with a space
_STEP, _TIME, _RANK, _SUPERSEDED, _X = " step", " time", " rank", " superseded", " x"
_OURS = ("step", "time", "rank", "superseded")


class Calls(NamedTuple):
    """The log calls of one writer, in the order they were made."""

    step: NDArray[np.int64]
    t_us: NDArray[np.int64]
    rows: dict[str, NDArray[np.int64] | None]  # in which call each point of a series was; None: one in each

    def column(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values of a series, NaN for the calls without it."""
        import numpy as np

        places = self.rows[name]
        if places is None:
            return values
        column = np.full(len(self.step), np.nan)
        column[places] = values
        return column


def calls_of(series: Mapping[str, Series]) -> Calls:
    """The calls behind these series of one writer: points that share a moment and a step are of one call.

    A call that repeats moment and step (two threads) is told from the first by counting how often a series
    has had that pair.
    """
    import numpy as np

    groups = _logged_together(series)
    if len(groups) == 1:
        one, names = groups[0]
        if _is_rising(one.t_us):
            return Calls(one.step, one.t_us, dict.fromkeys(names))
    moments = np.concatenate([one.t_us for one, _ in groups])
    steps = np.concatenate([one.step for one, _ in groups])
    repeats = np.concatenate([_repeats(one) for one, _ in groups])
    order = np.lexsort((repeats, steps, moments))
    changes = np.ones(len(order), dtype=bool)
    for key in (moments, steps, repeats):
        sorted_key = key[order]
        changes[1:] &= sorted_key[1:] == sorted_key[:-1]
    changes[1:] = ~changes[1:]
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = np.cumsum(changes) - 1
    first = order[changes]
    places: dict[str, NDArray[np.int64] | None] = {}
    start = 0
    for one, names in groups:
        end = start + len(one.step)
        places |= dict.fromkeys(names, rows[start:end])
        start = end
    return Calls(steps[first], moments[first], places)


def carried(axis: Series, series: Series) -> NDArray[np.float64]:
    """The axis at each point of a series of the same writer: of that call, else of the last before; else NaN."""
    import numpy as np

    calls = calls_of({"axis": axis, "series": series})
    here, there = calls.rows["axis"], calls.rows["series"]
    if here is None:
        return axis.value
    latest = np.full(len(calls.step), -1)
    latest[here] = np.arange(len(axis.value))
    latest = np.maximum.accumulate(latest)[there]
    return np.where(latest < 0, np.nan, axis.value[latest])


def history(
    found: SeriesMapping,
    names: Sequence[str],
    integers: Callable[[], Iterable[Mapping[str, Json]]],
    started_us: int,
    x: str | None = None,
) -> pd.DataFrame:
    """A frame of the calls of all writers by time: step, time, rank where there are several, the metrics.

    Where the run was rewound, ``superseded`` says which calls count no more.

    A metric that is itself called "step", "time", "rank" or "superseded" becomes "metrics.step" and so on.

    Args:
        found: the series of the run.
        names: the metrics to show, in this order.
        integers: reads the run's events and items; only where a value is too large to be exact.
        started_us: when the run started.
        x: a column more: "relative" or a metric, each call with its last value.
    """
    import numpy as np
    import pandas as pd

    from celltrail.store import Series, rank_of

    writers: dict[str, dict[str, Series]] = {}
    for name in names:
        for writer, series in found.apart(name, superseded=True).items():
            writers.setdefault(writer, {})[name] = series
    if not writers:
        return pd.DataFrame({"step": pd.Series(dtype="int64"), "time": pd.Series(dtype="datetime64[us, UTC]")})
    parts: list[dict[str, Any]] = []
    axes = found.apart(x, superseded=True) if x is not None and x != "relative" and x not in names else None
    for writer, series in writers.items():
        calls = calls_of(series)
        part: dict[str, Any] = {_STEP: calls.step, _TIME: calls.t_us}
        part[_RANK] = np.full(len(calls.step), rank_of(writer))
        cut = found.cuts.get(writer)
        part[_SUPERSEDED] = np.full(len(calls.step), False) if cut is None else calls.step > cut
        none = np.full(len(calls.step), np.nan)
        part |= {name: calls.column(name, series[name].value) if name in series else none for name in names}
        if axes is not None:
            part[_X] = carried(axes[writer], Series(calls.step, calls.t_us, none)) if writer in axes else none
        parts.append(part)
    made = _stacked(parts)
    large = [name for name in names if _is_large(made[name])]
    if large:
        _set_exact(made, large, integers())
    moments = pd.DatetimeIndex(made[_TIME].view("datetime64[us]")).tz_localize("UTC")
    ranks = {"rank": made[_RANK]} if len({rank_of(writer) for writer in writers}) > 1 else {}
    rewound = {"superseded": made[_SUPERSEDED]} if found.cuts else {}
    metrics = {_named(name): made[name] for name in names}
    if x == "relative":
        made[_X] = (made[_TIME] - started_us) / 1e6
    axis = {_named(x): made[_X]} if x is not None and _X in made else {}
    return pd.DataFrame({"step": made[_STEP], "time": moments, **ranks, **rewound, **axis, **metrics})


def _named(metric: str) -> str:
    return f"metrics.{metric}" if metric in _OURS else metric


def _is_large(values: NDArray[np.float64]) -> bool:
    import numpy as np

    if len(values) and max(values.max(), -values.min()) < _EXACT:  # so are most; NaN is not
        return False
    with np.errstate(invalid="ignore"):
        return bool(((np.abs(values) >= _EXACT) & np.isfinite(values)).any())


def _logged_together(series: Mapping[str, Series]) -> list[tuple[Series, list[str]]]:
    """The names by the calls they were in, each with one series that has the steps and times of these."""
    import numpy as np

    groups: list[tuple[Series, list[str]]] = []
    for name, each in series.items():
        for one, names in groups:
            if one.t_us is each.t_us or (np.array_equal(one.t_us, each.t_us) and np.array_equal(one.step, each.step)):
                names.append(name)
                break
        else:
            groups.append((each, [name]))
    return groups


def _is_rising(t_us: NDArray[np.int64]) -> bool:
    return bool((t_us[1:] >= t_us[:-1]).all())


def _repeats(series: Series) -> NDArray[np.int64]:
    """For each point, how many earlier ones of this series have its moment and step."""
    import numpy as np

    count = len(series.step)
    if (series.t_us[1:] > series.t_us[:-1]).all():
        return np.zeros(count, dtype=np.int64)
    order = np.lexsort((series.step, series.t_us))
    same = np.zeros(count, dtype=bool)
    same[1:] = (np.diff(series.t_us[order]) == 0) & (np.diff(series.step[order]) == 0)
    index = np.arange(count)
    starts = np.maximum.accumulate(np.where(same, 0, index))
    repeats = np.empty(count, dtype=np.int64)
    repeats[order] = index - starts
    return repeats


def _stacked(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The calls of several writers by time."""
    import numpy as np

    if len(parts) == 1:
        return dict(parts[0])
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(whole[_TIME], kind="stable")
    return {name: column[order] for name, column in whole.items()}


def _set_exact(made: dict[str, Any], names: Sequence[str], integers: Iterable[Mapping[str, Json]]) -> None:
    """Put back the digits of whole numbers that a float cannot hold: the log keeps them as items beside the row."""
    waiting: dict[tuple[str, int], list[int]] = {}
    for item in integers:
        if item.get("type") == "integer" and item["name"] in names:
            waiting.setdefault((item["name"], item["step"]), []).append(item["value"])
    for name in names:
        if not any(key[0] == name for key in waiting):
            continue
        column = made[name].astype(object)
        for row, (step, value) in enumerate(zip(made[_STEP].tolist(), made[name].tolist(), strict=True)):
            exact = waiting.get((name, step))
            if exact and float(exact[0]) == value:
                column[row] = exact.pop(0)
        made[name] = column

"""Runs and series as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.model import RunRecord
from celltrail.query.columns import Column, is_time

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store import Series


def table_of(records: Sequence[RunRecord], columns: Sequence[Column]) -> pd.DataFrame:
    """One row per run. Metrics and durations are float64, times are UTC; the rest is as pandas infers it."""
    import pandas as pd

    made: dict[str, Any] = {}
    for column in columns:
        values = [column.value(record) for record in records]
        if is_time(column.name):
            # seconds as float are a tenth of a microsecond off; integers are not
            whole = [None if value is None else round(value * 1e6) for value in values]
            made[column.name] = pd.to_datetime(pd.Series(whole, dtype="Int64"), unit="us", utc=True)
        elif column.numeric:
            made[column.name] = pd.Series(values, dtype="float64")
        elif values and all(value is None for value in values):
            made[column.name] = pd.Series(values, dtype="object")
        else:
            made[column.name] = pd.Series(values) if values else pd.Series([], dtype="object")
    return pd.DataFrame(made, columns=[column.name for column in columns])


def history(series: Mapping[str, Series]) -> pd.DataFrame:
    """One row per ``log()`` call: the points of all series that share a moment and a step.

    A call that repeats moment and step (two ranks, two threads) is told from the first by counting how
    often a series has had that pair.
    """
    import numpy as np
    import pandas as pd

    if not series:
        return pd.DataFrame({"step": pd.Series(dtype="int64"), "time": pd.Series(dtype="datetime64[us, UTC]")})
    moments = np.concatenate([each.t_us for each in series.values()])
    steps = np.concatenate([each.step for each in series.values()])
    repeats = np.concatenate([_repeats(each) for each in series.values()])
    order = np.lexsort((repeats, steps, moments))
    changes = np.ones(len(order), dtype=bool)
    for key in (moments, steps, repeats):
        sorted_key = key[order]
        changes[1:] &= sorted_key[1:] == sorted_key[:-1]
    changes[1:] = ~changes[1:]
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = np.cumsum(changes) - 1
    first = order[changes]
    made: dict[str, Any] = {
        "step": steps[first],
        "time": pd.to_datetime(moments[first], unit="us", utc=True),
    }
    place = 0
    for name, each in series.items():
        column = np.full(len(first), np.nan)
        column[rows[place : place + len(each.value)]] = each.value
        place += len(each.value)
        made[name] = column
    return pd.DataFrame(made)


def _repeats(series: Series) -> Any:
    """For each point, how many earlier ones of this series have its moment and step."""
    import numpy as np

    count = len(series.step)
    order = np.lexsort((series.step, series.t_us))
    same = np.zeros(count, dtype=bool)
    same[1:] = (np.diff(series.t_us[order]) == 0) & (np.diff(series.step[order]) == 0)
    index = np.arange(count)
    starts = np.maximum.accumulate(np.where(same, 0, index))
    repeats = np.empty(count, dtype=np.int64)
    repeats[order] = index - starts
    return repeats

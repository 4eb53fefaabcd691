"""Runs and series as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.query.columns import Column, is_time

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store.catalogue.facts import Key


def table_of(facts: Mapping[Key, Sequence[Any]], columns: Sequence[Column]) -> pd.DataFrame:
    """One row per run, from the facts that the columns need.

    Metrics and durations are float64, times are UTC; the rest is as pandas infers it.
    """
    import pandas as pd

    made: dict[str, Any] = {}
    for column in columns:
        values = list(map(column.of, *(facts[key] for key in column.keys)))
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

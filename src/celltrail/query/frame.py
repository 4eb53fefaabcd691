"""Runs and series as pandas frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from celltrail.query.columns import Column, is_time

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store.catalogue.facts import Key


def keys_of(columns: Sequence[Column]) -> list[Key]:
    """The facts these columns need, each once."""
    return list(dict.fromkeys(key for column in columns for key in column.keys))


def table_of(facts: Sequence[Sequence[Any]], columns: Sequence[Column]) -> pd.DataFrame:
    """One row per run, from the facts that `keys_of` the columns names, in that order.

    Metrics and durations are float64, times are UTC; the rest is as pandas infers it.
    """
    import pandas as pd

    made: dict[str, Any] = {}
    places = {key: place for place, key in enumerate(keys_of(columns))}
    for column in columns:
        needed = [places[key] for key in column.keys]
        values = [column.of(*(line[place] for place in needed)) for line in facts]
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

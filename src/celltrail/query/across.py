"""One metric, or the log calls, of many runs in one long frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.errors import NoRun, nearest
from celltrail.model import RunRecord
from celltrail.query.axis import PLAIN, standing
from celltrail.query.columns import labels
from celltrail.query.stored import StoredRun, thinned
from celltrail.query.thin import FEWEST

if TYPE_CHECKING:
    import pandas as pd


def metric_frame(runs: Sequence[StoredRun], name: str, points: int | None, x: str) -> pd.DataFrame:
    """The points of a metric of all runs that have it: run, name, the axis, value."""
    import pandas as pd

    having = [run for run in runs if name in run.record.metrics]
    if not having:
        raise no_metric(name, [run.record for run in runs])

    # many small runs are in packs: there they are one read, and not one for each
    read = having[0].store.across(name, [run.id for run in having]) if x in PLAIN and _is_enough(points) else None

    def points_of(run: StoredRun) -> pd.DataFrame:
        series = read(run.id) if read is not None and run.store is having[0].store else None
        if series is None:
            where, values = run.series(name, points=points, x=x)
        else:
            where, values = thinned(standing(series, x, run.record), series.value, points, x)
        return pd.DataFrame({x if x not in {"value", "run", "name"} else "x": where, "value": values})

    return _long(having, points_of)


def history_frame(runs: Sequence[StoredRun], keys: Sequence[str] | None, x: str | None) -> pd.DataFrame:
    """The log calls of all runs, one row each: run, name, and the columns of `StoredRun.history`."""
    asked = [keys] if isinstance(keys, str) else keys

    def calls_of(run: StoredRun) -> pd.DataFrame:
        has = run.record.metrics
        wanted = None if asked is None else [key for key in asked if key in has]
        return run.history(wanted, x if x in has or x in {"step", "time", "relative"} else None)

    having = [run for run in runs if asked is None or any(key in run.record.metrics for key in asked)]
    if asked is not None:
        lost = next((key for key in asked if all(key not in run.record.metrics for run in runs)), None)
        if lost is not None:
            raise no_metric(lost, [run.record for run in runs])
    return _long(having, calls_of)


def _is_enough(points: int | None) -> bool:
    return points is None or points >= FEWEST  # for fewer a run has the sentence


def no_metric(name: str, records: Sequence[RunRecord]) -> NoRun:
    """The error for a metric that none of these runs has."""
    known = {metric for record in records for metric in record.metrics}
    count = len(records)
    return NoRun(f"none of {count} run{'s' * (count != 1)} has the metric {name!r}{nearest(name, known)}")


def _long(runs: Sequence[StoredRun], read: Callable[[StoredRun], Any]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    frames = [read(run) for run in runs]
    which = np.repeat(np.arange(len(runs)), [len(frame) for frame in frames])
    # as categories: a text for each of millions of points would be most of the memory
    ids = pd.Categorical.from_codes(which, [run.id for run in runs])
    names = pd.Categorical.from_codes(which, labels([run.record for run in runs]))
    whole: Any = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    whole.insert(0, "run", ids)
    whole.insert(1, "name", names, allow_duplicates=True)
    return whole

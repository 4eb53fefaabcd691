"""One metric, or the log calls, of many runs in one long frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from celltrail.errors import NoRun, nearest
from celltrail.model import RunRecord
from celltrail.query.axis import PLAIN, standing
from celltrail.query.columns import labels
from celltrail.query.stored import StoredRun, thinned
from celltrail.query.thin import FEWEST

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from celltrail.store import Store
    from celltrail.store.across import Across
    from celltrail.store.index import Look

    Placed = tuple[NDArray[Any], NDArray[np.float64]]


class _Having(NamedTuple):
    """A run that has a metric, as far as a frame of its points needs it."""

    id: str
    name: str
    started: float


def metric_frame(
    store: Store, ids: Sequence[str], name: str, points: int | None, x: str, *, known: bool = False
) -> pd.DataFrame:
    """The points of a metric of all of these runs that have it: run, name, the axis, value.

    ``known``: the runs were found just now, and the index need not be brought up to date once more.
    """
    import numpy as np
    import pandas as pd

    # many small runs are in packs: there they are one read, and not one for each
    is_plain = x in PLAIN and (points is None or points >= FEWEST)  # for fewer a run has the sentence
    across = store.across(name, ids, times=x != "step") if is_plain else None
    having = _having(store, ids, name, known, across)
    if not having:
        raise no_metric(name, list(store.fetch(ids).values()))

    def placed(run: _Having) -> Placed:
        series = across.series(run.id) if across is not None else None
        if series is None:
            return StoredRun(store.record(run.id), store).series(name, points=points, x=x)
        if points is None and x == "step":
            return series.step, series.value
        return thinned(standing(series, x, round(run.started * 1e6)), series.value, points, x)

    where, values = zip(*map(placed, having), strict=True)
    columns = _whose(having, list(map(len, values)))
    columns[x if x not in {"value", "run", "name"} else "x"] = np.concatenate(where)
    columns["value"] = np.concatenate(values)
    return pd.DataFrame(columns, copy=False)


def history_frame(runs: Sequence[StoredRun], keys: Sequence[str] | None, x: str | None) -> pd.DataFrame:
    """The log calls of all runs, one row each: run, name, and the columns of `StoredRun.history`."""
    import pandas as pd

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
    frames = list(map(calls_of, having))
    whole: Any = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    whose = _whose([run.record for run in having], [len(frame) for frame in frames])
    for place, (column, values) in enumerate(whose.items()):
        whole.insert(place, column, values, allow_duplicates=True)
    return whole


def no_metric(name: str, records: Sequence[RunRecord]) -> NoRun:
    """The error for a metric that none of these runs has."""
    known = {metric for record in records for metric in record.metrics}
    count = len(records)
    return NoRun(f"none of {count} run{'s' * (count != 1)} has the metric {name!r}{nearest(name, known)}")


def _having(store: Store, ids: Sequence[str], metric: str, known: bool, across: Across | None) -> list[_Having]:
    """The runs that have the metric, in their order; no document is read for it."""
    if not store.id:
        return []
    unsaid = [run_id for run_id in ids if across is None or across.has(run_id) is None]
    started, count = ("started",), ("metric", "count", metric)
    keys = (started, count) if unsaid else (started,)  # a column that nobody asked for yet is filled for every run

    def cells(look: Look) -> tuple[list[Any], dict[str, Any]]:
        own = look.cells(ids, ["id", "cast(name as text)", look.columns[started].sql])
        return own, dict(look.cells(unsaid, ["id", look.columns[count].sql])) if unsaid else {}

    found = store.again(keys, cells) if known else None
    if found is None or len(found[0]) < len(ids):
        found = store.look(keys, cells)
    runs, counts = found

    def has(run_id: str) -> bool:
        told = across.has(run_id) if across is not None else None
        return counts.get(run_id) is not None if told is None else told

    return [_Having._make(each) for each in runs if has(each[0])]


def _whose(runs: Sequence[_Having] | Sequence[RunRecord], lengths: Sequence[int]) -> dict[str, Any]:
    """The columns ``run`` and ``name``: categories, for a text for each of millions of points would fill the memory."""
    import numpy as np
    import pandas as pd

    which = np.repeat(np.arange(len(runs), dtype=np.min_scalar_type(-max(len(runs), 1))), lengths)
    texts = {"run": [run.id for run in runs], "name": labels(runs)}
    return {column: pd.Categorical.from_codes(which, each) for column, each in texts.items()}

"""What a chart asks its kernel: a stretch of its series at a higher resolution, and a note to be kept on a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from celltrail.contract import Comment, Flag, Mark, Note, Part, Window
from celltrail.errors import BadValue, NoRun
from celltrail.panels.places import PLAIN, places
from celltrail.panels.together import mean_of
from celltrail.panels.widget import Reply, answer
from celltrail.query.thin import FEWEST, keep

if TYPE_CHECKING:
    from celltrail.model import Intervention, RunRecord
    from celltrail.panels.columns import Floats
    from celltrail.query import StoredRun
    from celltrail.query.alerts import Alert
    from celltrail.run import Alerted
    from celltrail.store import Series, SeriesMapping, Store
    from celltrail.store.log.series import Integers

MOST_POINTS = 8000  # of one series in one answer
_FAR = 2.0**62  # beyond every step and moment


def closer(store: Store, records: Sequence[RunRecord], asked: Window) -> Reply:
    """The points of a stretch of x, from the one before it to the one after it, thinned to what was asked for."""
    parts: list[Part] = []
    blocks: list[bytes] = []
    most = min(max(asked["points"], FEWEST), MOST_POINTS)
    for record in records:
        if record.id in asked["runs"]:
            series = store.series(record.id)
            for name in asked["metrics"]:
                if name in series:
                    columns = _Line.of(series, name).stretch(series, record.started_us, asked, most)
                    parts.append({"run": record.id, "metric": name, "start": 0, "n": columns.shape[1]})
                    blocks.append(np.ascontiguousarray(columns, dtype="<f8").tobytes())
    return answer(asked["id"], parts=parts), [b"".join(blocks)]


class _Line:
    """The points of a metric as a chart draws them, and what was found out about where they stand.

    A hand that drags through a million points asks ten times a second: nothing of all of them is computed or copied
    more than once.
    """

    def __init__(self, points: Series) -> None:
        self._points = points
        self._places: dict[str, tuple[Floats | Integers, bool]] = {}  # by axis; whether they never go back

    @classmethod
    def of(cls, series: SeriesMapping, name: str) -> _Line:
        """That of a metric, kept for as long as its points are."""
        if name not in series.noted:
            series.noted[name] = cls(mean_of(series, name)[0])
        return series.noted[name]

    def stretch(self, series: SeriesMapping, started_us: int, asked: Window, most: int) -> Floats:
        """The points of a window and their neighbours outside, shape (3, n): step, seconds, value.

        Args:
            series: all of the run.
            started_us: when it began.
            asked: the window.
            most: points to keep, at least 4.
        """
        x, (low, high) = asked["x"], (asked["low"], asked["high"])
        if x in ("relative", "time"):  # half a microsecond: seconds are rounded
            began = started_us if x == "relative" else 0
            low, high = low * 1e6 + began - 0.5, high * 1e6 + began + 0.5
        where, is_rising = self._where(series, x, started_us)
        step, t_us, value = self._points
        first, end = _rising(where, low, high) if is_rising else _ends(where, low, high)
        some = slice(max(0, first - 1), end + 1) if first < end else slice(0)
        chosen = some.start + keep(value[some], most, step[some]) if first < end else np.empty(0, np.int64)
        return np.array([step[chosen], (t_us[chosen] - started_us) / 1e6, value[chosen]], dtype=np.float64)

    def _where(self, series: SeriesMapping, x: str, started_us: int) -> tuple[Floats | Integers, bool]:
        """Where each point stands on an axis, times in microseconds, and whether none stands before another."""
        name = "time" if x == "relative" else x
        if name not in self._places:
            where = self._points.step if x == "step" else self._points.t_us
            if x not in PLAIN:
                where = places(_columns(self._points, started_us), x, started_us / 1e6, _axis(series, x, started_us))
            self._places[name] = where, bool((where[1:] >= where[:-1]).all())
        return self._places[name]


def _axis(series: SeriesMapping, x: str, started_us: int) -> Floats | None:
    """The points of the metric that is the axis, where there is one."""
    return _columns(series[x], started_us) if x in series else None


def _columns(points: Series, started_us: int) -> Floats:
    """Shape (3, n): step, seconds, value."""
    return np.array([points.step, (points.t_us - started_us) / 1e6, points.value], dtype=np.float64)


def _rising(where: Floats | Integers, low: float, high: float) -> tuple[int, int]:
    """The first place within, and the end, of places that never go back."""
    if where.dtype.kind == "i":  # a number with a fraction would have all of them made such numbers first
        low, high = (math.ceil(max(low, -_FAR)), math.floor(min(high, _FAR))) if low <= high else (1, 0)
    return int(np.searchsorted(where, low, "left")), int(np.searchsorted(where, high, "right"))


def _ends(where: Floats | Integers, low: float, high: float) -> tuple[int, int]:
    """The first place within, and the end behind the last, in whichever order they stand."""
    inside = np.flatnonzero((where >= low) & (where <= high))
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)


def place_of(asked: Note) -> tuple[str, int]:
    """The text and the step of a note, or the sentence why it cannot be kept."""
    text = asked["text"].strip()
    if not text:
        raise BadValue("a note without words cannot be kept; write what is to be seen at this point")
    return text, round(asked["step"])


def comment_of(asked: Comment) -> str:
    """The text of a comment, or the sentence why it cannot be kept."""
    if not asked["text"].strip():
        raise BadValue("a comment without words cannot be kept; write what readers of this run should know")
    return asked["text"]


def flag_of(run: str, alert: Alert | Alerted) -> Flag:
    """An alert as it stands on the x axis of a chart."""
    level = alert.level if alert.level in ("info", "warn", "error") else "warn"
    text = f"{alert.title}: {alert.text}" if alert.text else alert.title
    step = None if alert.step is None else float(alert.step)
    return {"run": run, "metric": alert.metric, "step": step, "level": level, "text": text}


def flag_of_deed(run: str, deed: Intervention) -> Flag:
    """What somebody did to a run while it went on, as it stands on the x axis of a chart."""
    step = None if deed.step is None else float(deed.step)
    return {"run": run, "metric": None, "step": step, "level": "info", "text": str(deed)}


def flags_of_onward(record: RunRecord, store: Store) -> list[tuple[datetime, Flag]]:
    """Where a run was forked off another one and where it was resumed, with the time of each."""
    told = [(each.time, each.step, str(each)) for each in record.resumes]
    if record.parent and record.fork_step is not None:
        with suppress(NoRun):
            name = store.record(record.parent).name
            told.append(
                (datetime.fromtimestamp(record.created_us / 1e6, tz=UTC), record.fork_step, f"forked from {name}")
            )
    return [
        (
            time,
            {
                "run": record.id,
                "metric": None,
                "step": None if at is None else float(at),
                "level": "info",
                "text": text,
            },
        )
        for time, at, text in told
    ]


def flags_of(run: StoredRun) -> list[Flag]:
    """What a run said of places in it, and what was done to it there, by the time of each."""
    told = [(alert.time, flag_of(run.id, alert)) for alert in run.alerts]
    told += [(deed.time, flag_of_deed(run.id, deed)) for deed in run.interventions]
    told += flags_of_onward(run.record, run.store)
    return [flag for _, flag in sorted(told, key=lambda each: each[0])]


def marks_of(store: Store, runs: Sequence[str]) -> list[Mark]:
    """The notes on places in these runs, oldest first."""
    found: list[Mark] = []
    for run in runs:
        for field, told in sorted(store.edits(run).items()):
            if field.startswith("mark:") and isinstance(told, dict):
                step, metric = told.get("step"), told.get("metric")
                found.append(
                    {
                        "run": run,
                        "metric": metric if isinstance(metric, str) else None,
                        "step": float(step) if isinstance(step, int | float) else None,
                        "text": str(told.get("text", "")),
                    }
                )
    return found

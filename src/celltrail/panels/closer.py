"""What a chart asks its kernel: a stretch of its series at a higher resolution, and a note to be kept on a point."""

from __future__ import annotations

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
    from celltrail.store import SeriesMapping, Store

MOST_POINTS = 8000  # of one series in one answer


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
                    (step, t_us, value), _ = mean_of(series, name)
                    seconds = (t_us - record.started_us) / 1e6
                    columns = np.array([step, seconds, value], dtype=np.float64)
                    axis = _axis(series, asked["x"], record.started_us)
                    where = places(columns, asked["x"], record.started_us / 1e6, axis)
                    columns = stretch(columns, where, asked, most)
                    parts.append({"run": record.id, "metric": name, "start": 0, "n": columns.shape[1]})
                    blocks.append(np.ascontiguousarray(columns, dtype="<f8").tobytes())
    return answer(asked["id"], parts=parts), [b"".join(blocks)]


def _axis(series: SeriesMapping, x: str, started_us: int) -> Floats | None:
    """The points of the metric that is the axis, where one is."""
    if x in PLAIN or x not in series:
        return None
    step, t_us, value = series[x]
    return np.array([step, (t_us - started_us) / 1e6, value], dtype=np.float64)


def stretch(columns: Floats, where: Floats, asked: Window, most: int) -> Floats:
    """The points of a window and their neighbours outside, at most ``most`` of them.

    Args:
        columns: shape (3, n): step, seconds, value.
        where: shape (n,): where each point stands on the axis of the window.
        asked: the window.
        most: points to keep, at least 4.
    """
    inside = np.flatnonzero((where >= asked["low"]) & (where <= asked["high"]))
    if not len(inside):
        return columns[:, :0]
    some = columns[:, max(0, inside[0] - 1) : inside[-1] + 2]
    return some[:, keep(some[2], most, some[0])]


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

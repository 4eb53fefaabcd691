"""The curves of runs that are in the trail, as a chart takes them."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

import numpy as np

from celltrail.contract import Drawn, Goal, RunState
from celltrail.model import RunRecord, goal_of, is_of_machine, trained
from celltrail.panels import saved
from celltrail.panels.columns import MOST_LINES
from celltrail.panels.figure import Line
from celltrail.panels.pools import groupings
from celltrail.panels.together import mean_of
from celltrail.panels.wished import asked_to, is_held, knobs
from celltrail.query import RunSet, StoredRun
from celltrail.query.row import real, shortened

MOST_RUNS = 24
ROOM = 400_000  # bytes of one answer


def goals(record: RunRecord, metrics: Iterable[str]) -> dict[str, Goal]:
    """The direction each metric is better in."""
    known = record.metrics
    return {name: known[name].goal if name in known else goal_of(name) for name in metrics}


def axes(record: RunRecord) -> list[str]:
    """The metrics that others are declared to be drawn over, by name."""
    return sorted({metric.axis for metric in record.metrics.values() if metric.axis})


def curves(run: StoredRun, without: Collection[str] = ()) -> tuple[list[Line], list[int]]:
    """The series of a run as lines but for some, and how many points each has in the trail."""
    series = run.store.series(run.id)
    lines, totals = [], []
    for name in sorted(run.record.metrics, key=is_of_machine)[:MOST_LINES]:
        if name in series and name not in without:
            (step, t_us, value), _ = mean_of(series, name)
            points = np.array([step, (t_us - run.record.started_us) / 1e6, value], dtype=np.float64)
            lines.append(Line(run.id, name, name, points, len(step)))
            totals.append(len(series[name].step))
    return lines, totals


def last_step(record: RunRecord) -> int | None:
    """How far a run came: what is logged by epochs last of all does not stand for its steps."""
    return max((each.last_step for each in trained(record).values() if each.last_step is not None), default=None)


def state_of(run: StoredRun, lines: list[Line]) -> RunState:
    """What a chart says of a run besides its curves; steps and points are those of the run, not of the machine."""
    metrics = trained(run.record).values()
    drawn = {line.metric: line.points.shape[1] for line in lines}  # a run that goes on has more by now than its record
    told = [line for line in lines if not is_of_machine(line.metric)]
    return {
        "run": run.id,
        "name": run.name,
        "status": run.status,
        "step": last_step(run.record),
        "seconds": max(0.0, time.time() - run.record.started_us / 1e6) if run.duration is None else run.duration,
        "started": run.record.started_us / 1e6,
        "axes": axes(run.record),
        "points": sum(max(metric.count, drawn.get(metric.name, 0)) for metric in metrics),
        "last": {line.metric: real(_last(line, run.record)) for line in told},
        "earlier": 0,
        "beaten": {},
        "left": None,
        "goals": goals(run.record, [line.metric for line in told]),
        "error": None if run.record.error is None else shortened(str(run.record.error)),
        "asked_to": asked_to(run),
        "paused": is_held(run),
        "knobs": knobs(run),
    }


def _last(line: Line, record: RunRecord) -> float | None:
    """The last value of a metric; where its line ends, of a mean of processes and of points newer than the record."""
    metric, drawn = record.metrics[line.metric], line.points.shape[1]
    return float(line.points[2, -1]) if drawn not in (0, metric.count) else metric.last


def drawn(runs: RunSet) -> Drawn:
    """The curves of the first runs of a set."""
    lines: list[Line] = []
    totals: list[int] = []
    states: list[RunState] = []
    for run in runs[:MOST_RUNS]:
        found, counts = curves(run)
        states.append(state_of(run, found))
        lines += found
        totals += counts
    series = saved.packed(lines, totals, ROOM)
    beyond = sum(len(run.record.metrics) for run in runs[MOST_RUNS:])
    together = groupings([run.record for run in runs[:MOST_RUNS]])
    return {"runs": states, "groupings": together, "series": series, "omitted": len(lines) - len(series) + beyond}

"""The panel of one run: everything that is known of it, its curves first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from celltrail.contract import Answer, Detail, DetailOptions, Note, RunState, SavedPanel, Window
from celltrail.panels import saved
from celltrail.panels.chart import MOST_LINES, OPTIONS
from celltrail.panels.closer import closer, marks_of, place_of
from celltrail.panels.feed import goals
from celltrail.panels.figure import Line
from celltrail.panels.widget import Panel, Reply, answer
from celltrail.query import StoredRun
from celltrail.query.detail import detail
from celltrail.query.row import real

FIRST_TAB: DetailOptions = {"tab": "", "chart": OPTIONS}


class Details(Panel):
    """The widget: it holds all it shows, and asks for a stretch of its curves closer, or a note to be kept."""

    def __init__(self, run: StoredRun) -> None:
        self._run = run
        super().__init__("detail", payload(run), FIRST_TAB)

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | Reply | None]]:
        """What its chart asks."""
        return {"window": self._answer_window, "note": self._answer_note}

    def _answer_window(self, asked: Window) -> Reply:
        return closer(self._run.store, [self._run.record], asked)

    def _answer_note(self, asked: Note) -> Answer:
        text, step = place_of(asked)
        self._run.note(text, metric=asked["metric"], step=step)
        return answer(asked["id"], marks=marks_of(self._run.store, [self._run.id]))


def payload(run: StoredRun) -> SavedPanel:
    """All of a run as a panel holds it."""
    found = detail(run)
    lines, totals = curves(run)
    series = saved.packed(lines, totals)
    state = _state(run, found, lines, sum(totals))
    omitted = len(run.record.metrics) - len(series)
    return saved.panel(
        "detail",
        run.store.id,
        run.name,
        runs=[state],
        series=series,
        omitted=max(0, omitted),
        detail=found,
        hints=_hints(found),
        marks=marks_of(run.store, [run.id])[: saved.MOST_MARKS],
    )


def _hints(found: Detail) -> list[str]:
    """Why the run does not hold any more, as it is said above a chart."""
    facts = [row for section in found["sections"] if section["title"] == "run" for row in section["rows"]]
    return [f"stale: {value}" for name, value in facts if name == "stale"]


def bundle(run: StoredRun, widget: Details) -> saved.Bundle:
    """What a cell that ends in a run shows and keeps."""
    kept = saved.detail_bundle(cast("SavedPanel", widget.state), repr(run))
    return saved.with_view(kept, widget.model_id)


def curves(run: StoredRun) -> tuple[list[Line], list[int]]:
    """The series of a run as lines, and how many points each has in the trail."""
    series = run.store.series(run.id)
    lines, totals = [], []
    for name in list(run.record.metrics)[:MOST_LINES]:
        if name in series:
            step, t_us, value = series[name]
            points = np.array([step, (t_us - run.record.started_us) / 1e6, value], dtype=np.float64)
            lines.append(Line(run.id, name, name, points, len(step)))
            totals.append(len(step))
    return lines, totals


def _state(run: StoredRun, found: Detail, lines: list[Line], points: int) -> RunState:
    metrics = run.record.metrics.values()
    steps = [metric.last_step for metric in metrics if metric.last_step is not None]
    return {
        "run": run.id,
        "name": run.name,
        "status": run.status,
        "step": float(max(steps)) if steps else None,
        "seconds": run.duration or 0.0,
        "points": points,
        "last": {line.metric: real(run.record.metrics[line.metric].last) for line in lines},
        "earlier": 0,
        "beaten": {},
        "left": None,
        "goals": goals(run.record, [line.metric for line in lines]),
        "error": found["run"]["error"],
    }

"""The earlier runs of a cell, as what a running one is held against: a band, a standing, and when it may end."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from celltrail.contract import Band, Goal
from celltrail.query import runs

if TYPE_CHECKING:
    from celltrail.model import RunRecord
    from celltrail.panels.columns import Floats
    from celltrail.store import Store

MOST_RUNS, MOST_METRICS = 20, 8
LOOKED_AT = 60  # of the newest runs of the cell
FEWEST = 3  # runs that make a band
PLACES = 40  # of a band
BEGUN = 0.05  # of the steps of earlier runs that must be done before an end is foretold


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of earlier runs: by metric the steps and values of each, and how far and how long each went."""

    lines: Mapping[str, list[tuple[Floats, Floats]]]
    steps: list[float]
    seconds: list[float]

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.seconds)

    def bands(self) -> list[Band]:
        """The quartiles of each metric that at least three runs have."""
        return [_band(metric, lines) for metric, lines in self.lines.items() if len(lines) >= FEWEST]

    def beaten(self, metric: str, goal: Goal, step: float, value: float) -> float | None:
        """The share of runs that this value is better than at this step; None where too few had come so far."""
        there = np.array([_at(line, np.array([step]))[0] for line in self.lines.get(metric, [])])
        there = there[np.isfinite(there)]
        if goal == "none" or len(there) < FEWEST or not np.isfinite(value):
            return None
        return float(np.mean(there > value if goal == "min" else there < value))

    def left(self, step: float | None, seconds: float) -> float | None:
        """Seconds until the end, by steps where all runs had the same number of them, else by how long they took.

        >>> Earlier({}, [99.0, 99.0], [10.0, 20.0]).left(49, 8.0)
        8.0
        >>> Earlier({}, [10.0, 500.0], [10.0, 20.0]).left(3, 8.0)
        7.0
        """
        if not self.seconds:
            return None
        if self.steps and min(self.steps) == max(self.steps) and step is not None:
            last = self.steps[0]
            return seconds / (step + 1) * (last - step) if BEGUN * last <= step < last else None
        return max(0.0, float(np.median(self.seconds)) - seconds) or None


NONE = Earlier({}, [], [])


def earlier_runs(store: Store, record: RunRecord, metrics: Iterable[str], before_us: int | None = None) -> Earlier:
    """The newest finished runs of this run's cell that began before it, or before a moment."""
    cell = record.cell_id
    if cell is None:
        return NONE
    found = [
        run.record
        for run in runs(f"cell == {cell!r} and status == 'finished'", store=store).sort("-created")[:LOOKED_AT]
    ]
    before = [one for one in found if one.started_us < (before_us or record.started_us)][:MOST_RUNS]
    if len(before) < FEWEST:
        return NONE
    lines: dict[str, list[tuple[Floats, Floats]]] = {}
    for metric in list(metrics)[:MOST_METRICS]:
        for series in store.metric(metric, [one.id for one in before]).values():
            if line := _line(series.step, series.value):
                lines.setdefault(metric, []).append(line)
    steps = [max(metric.last_step or 0 for metric in one.metrics.values()) for one in before if one.metrics]
    seconds = [(one.ended_us - one.started_us) / 1e6 for one in before if one.ended_us]
    return Earlier(lines, [float(step) for step in steps], seconds)


def _line(step: Any, value: Floats) -> tuple[Floats, Floats] | None:
    finite = np.isfinite(value)
    order = np.argsort(step[finite], kind="stable")
    return (step[finite][order].astype(np.float64), value[finite][order]) if finite.any() else None


def _at(line: tuple[Floats, Floats], steps: Floats) -> Floats:
    return np.interp(steps, *line, left=np.nan, right=np.nan)


def _band(metric: str, lines: list[tuple[Floats, Floats]]) -> Band:
    first, last = min(step[0] for step, _ in lines), max(step[-1] for step, _ in lines)
    steps = np.unique(np.linspace(first, last, PLACES).round())
    values = np.array([_at(line, steps) for line in lines])
    enough = np.isfinite(values).sum(axis=0) >= FEWEST
    low, middle, high = np.nanpercentile(values[:, enough], [25, 50, 75], axis=0)
    return band(metric, len(lines), steps[enough], low, middle, high)


def band(metric: str, runs: int, steps: Floats, low: Floats, middle: Floats, high: Floats) -> Band:
    """A band of so many lines as it is sent."""
    return {
        "metric": metric,
        "runs": runs,
        "step": _base64(steps, "<f8"),
        "low": _base64(low, "<f4"),
        "middle": _base64(middle, "<f4"),
        "high": _base64(high, "<f4"),
    }


def decoded(band: Band) -> Floats:
    """A band as numbers, shape (4, n): step, low, middle, high."""
    parts = ((band["step"], "<f8"), (band["low"], "<f4"), (band["middle"], "<f4"), (band["high"], "<f4"))
    return np.array([np.frombuffer(base64.b64decode(part), kind).astype(np.float64) for part, kind in parts])


def _base64(values: Floats, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode()

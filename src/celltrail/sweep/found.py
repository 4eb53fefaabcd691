"""`Sweep`: what the trials of a sweep came to."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.model import RunRecord, goal_of
from celltrail.query import RunSet, StoredRun, plain, runs
from celltrail.query.columns import telling_metrics
from celltrail.query.evaluate import aggregate_of
from celltrail.stats.interval import mean_interval

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.contract import Goal
    from celltrail.store import Store


class Sweep:
    """What a sweep tried so far: its runs, the best of them, and a table of means over the repeats.

    Args:
        store: its trail.
        name: the group of its trials.
        params: what it varies, but for the seeds of repeats.
        metric: what is to become better; "" is the one that most of the trials have.
        goal: "min" or "max", None where the metric tells.
        is_repeated: whether points are tried more than once, so that a table puts the trials of each together.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        params: Sequence[str],
        metric: str = "",
        goal: Goal | None = None,
        is_repeated: bool = True,
    ) -> None:
        self.store, self.name, self.params = store, name, list(params)
        self._metric = metric
        self._goal: Goal | None = goal
        self._is_repeated = is_repeated

    @property
    def runs(self) -> RunSet:
        """The trials, those of earlier attempts among them, newest first; their table has the best points first."""
        found = self._trials
        found.look = {"group": [f"params.{name}" for name in self.params if self._is_repeated], "sort": self._order()}
        return found

    def _order(self) -> list[str]:
        """The column by which the best come first; none as long as there is no metric."""
        metric, goal = self.metric, self.goal
        named = f"metrics.{metric}" if goal == "none" else f"best.{metric}"
        return [f"-{named}" if goal == "max" else named] if metric else []

    @property
    def _trials(self) -> RunSet:
        return runs(f"group == {json.dumps(self.name)} and has(parent)", store=self.store)

    @property
    def metric(self) -> str:
        """The metric that is optimised; "" as long as no trial has one."""
        if not self._metric:
            named = telling_metrics(self._trials.records, most=1)
            return named[0].partition(".")[2] if named else ""
        return self._metric

    @property
    def goal(self) -> Goal:
        """Which way the metric is better."""
        if self._goal is not None:
            return self._goal
        for run in self._trials:
            known = run.record.metrics.get(self.metric)
            if known is not None and known.goal != "none":
                return known.goal
        return goal_of(self.metric)

    @property
    def best(self) -> StoredRun | None:
        """The finished trial with the best value of the metric."""
        metric, goal = self.metric, self.goal
        valued = [(value, run) for run in self.runs if (value := value_of(run.record, metric, goal)) is not None]
        sign = -1 if goal == "max" else 1
        return min(valued, key=lambda each: sign * each[0])[1] if valued else None

    def df(self) -> pd.DataFrame:
        """A row per point, best first: its parameters, ``n`` finished repeats, and the ``mean`` of the metric with
        its 95 % interval from ``low`` to ``high`` (NaN if there is only one repeat).
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for point, values in self._values():
            mean, reach = mean_interval(values) if values else (math.nan, None)
            ends = (math.nan, math.nan) if reach is None else (mean - reach, mean + reach)
            rows.append({**dict(point), "n": len(values), "mean": mean, "low": ends[0], "high": ends[1]})
        frame = pd.DataFrame(rows, columns=[*self.params, "n", "mean", "low", "high"])
        return frame.sort_values("mean", ascending=self.goal != "max", na_position="last", ignore_index=True)

    def __repr__(self) -> str:
        cells = [
            [*(plain.shown(row[name]) for name in self.params), str(row["n"]), _told(row)]
            for row in self.df().to_dict("records")
        ]
        heads = [*self.params, "n", self.metric or "(no metric)"]
        count = len(self.runs)
        told = f"sweep {self.name}: {count} trial{'' if count == 1 else 's'}"
        return f"{told}\n{plain.table(heads, cells, [False] * len(heads))}" if count else told

    def _values(self) -> list[tuple[tuple[tuple[str, Any], ...], list[float]]]:
        metric, goal = self.metric, self.goal
        found: dict[str, tuple[tuple[tuple[str, Any], ...], list[float]]] = {}
        for run in self.runs:
            point = tuple((name, run.params.get(name)) for name in self.params)
            _, values = found.setdefault(json.dumps(point, default=str), (point, []))
            value = value_of(run.record, metric, goal)
            if value is not None:
                values.append(value)
        return list(found.values())


def value_of(record: RunRecord, metric: str, goal: Goal) -> float | None:
    """What a finished trial came to; None where it did not end well or has no finite value."""
    known = record.metrics.get(metric)
    if record.status != "finished" or known is None:
        return None
    value = aggregate_of(known, goal if goal != "none" else "last")
    return value if value is not None and math.isfinite(value) else None


def holds(rule: str, run_id: str, store: Store) -> bool:
    """Whether an expression is true of a run."""
    return len(runs(f"id == {json.dumps(run_id)} and ({rule})", store=store)) > 0


def _told(row: Mapping[Any, Any]) -> str:
    if math.isnan(row["mean"]):
        return "-"
    reach = row["high"] - row["mean"]
    return plain.shown(row["mean"]) if math.isnan(reach) else f"{plain.shown(row['mean'])} ± {plain.shown(reach)}"

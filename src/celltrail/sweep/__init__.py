"""Sweeps: one function over many points, each a run below the sweep's own; what is done already is not done again."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import Goal, RunRecord, goal_of
from celltrail.query import RunSet, StoredRun, open_store, plain, runs
from celltrail.query.evaluate import aggregate_of
from celltrail.run import Run, start
from celltrail.run.facts import plain as plain_value
from celltrail.stats.interval import mean_interval
from celltrail.sweep.space import Point, SamplerName, Space, sampler, words

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store import Store

__all__ = ["Sweep", "sweep"]

OBJECTIVE = "objective"  # the metric of a function that returns one number
SEED = "seed"


class Sweep:
    """What a sweep tried so far: its runs, the best of them, and a table of means over the repeats."""

    def __init__(self, store: Store, name: str, params: list[str], metric: str, goal: Goal) -> None:
        self.store, self.name, self.metric, self.goal = store, name, metric, goal
        self._params = params

    @property
    def runs(self) -> RunSet:
        """The trials, those of earlier attempts among them, newest first."""
        found = runs(f"group == {json.dumps(self.name)} and has(parent)", store=self.store)
        found.look = {"group": [f"params.{name}" for name in self._params]}
        return found

    @property
    def best(self) -> StoredRun | None:
        """The finished trial with the best value of the metric."""
        valued = [(value, run) for run in self.runs if (value := self._value(run.record)) is not None]
        if not valued:
            return None
        sign = -1 if self.goal == "max" else 1
        return min(valued, key=lambda each: sign * each[0])[1]

    def df(self) -> pd.DataFrame:
        """A row per point: its parameters, ``n`` finished repeats, and of the metric the ``mean`` and its 95 %
        interval from ``low`` to ``high`` (NaN where there is one repeat only), best first.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for point, values in self._values():
            mean, reach = mean_interval(values) if values else (math.nan, None)
            ends = (math.nan, math.nan) if reach is None else (mean - reach, mean + reach)
            rows.append({**dict(point), "n": len(values), "mean": mean, "low": ends[0], "high": ends[1]})
        frame = pd.DataFrame(rows, columns=[*self._params, "n", "mean", "low", "high"])
        return frame.sort_values("mean", ascending=self.goal != "max", na_position="last", ignore_index=True)

    def __repr__(self) -> str:
        frame = self.df()
        cells = [
            [*(plain.shown(row[name]) for name in self._params), str(row["n"]), _told(row)]
            for row in frame.to_dict("records")
        ]
        heads = [*self._params, "n", self.metric]
        return f"sweep {self.name}: {len(self.runs)} trials\n{plain.table(heads, cells, [False] * len(heads))}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.runs)  # the run table, grouped by point

    def _values(self) -> list[tuple[tuple[tuple[str, Any], ...], list[float]]]:
        found: dict[str, tuple[tuple[tuple[str, Any], ...], list[float]]] = {}
        for run in self.runs:
            point = tuple((name, run.params.get(name)) for name in self._params)
            _, values = found.setdefault(json.dumps(point, default=str), (point, []))
            value = self._value(run.record)
            if value is not None:
                values.append(value)
        return list(found.values())

    def _value(self, record: RunRecord) -> float | None:
        metric = record.metrics.get(self.metric)
        if record.status != "finished" or metric is None:
            return None
        value = aggregate_of(metric, self.goal if self.goal != "none" else "last")
        return value if value is not None and math.isfinite(value) else None


def sweep(
    fn: Callable[..., Any],
    space: Space,
    sampler: SamplerName = "grid",
    repeats: int = 1,
    *,
    name: str | None = None,
    trials: int | None = None,
    metric: str | None = None,
    goal: Goal | None = None,
    seed: int = 0,
    stop: str = "",
    store: Store | None = None,
) -> Sweep:
    """Call a function at each point of a space; every call is a run of its own, with the point as its params.

    What the function logs by ``ct.log()`` is its run's. A number it returns is logged too, as ``metric`` (or as
    "objective"), and so are the numbers of a dict. A call that raises is a failed run, and the sweep goes on.
    Called again under the same name it goes on where it was: points that have a finished run are not tried again.

    Args:
        fn: is called with the parameters by name, and with ``seed`` if it takes one.
        space: of each parameter the values to choose from (a list, a range), or a stretch of numbers as a tuple:
            ``(low, high)`` or ``(low, high, "log")``.
        sampler: "grid" for every combination, "random", or "optuna" (``pip install 'celltrail[sweep]'``).
        repeats: how often each point is tried, with the seeds 0, 1, 2 ...; random, NumPy and PyTorch are seeded
            before each call if there are several.
        name: of the sweep; without it, the function's.
        trials: how many points a sampler other than the grid takes.
        metric: what is to become better, for ``best``, for the table and for Optuna.
        goal: "min" or "max", where the name of the metric does not tell.
        seed: of the sampler.
        stop: an expression such as ``best("val/acc") > 0.99``: the sweep ends after a trial for which it holds.
        store: another trail than the one of the working folder.

    >>> import celltrail as ct
    >>> found = ct.sweep(lambda x, y: (x - 2) ** 2 + y, {"x": [1, 2], "y": [0, 1]}, goal="min", name="doc")
    x=1 y=0: objective 1
    x=1 y=1: objective 2
    x=2 y=0: objective 0
    x=2 y=1: objective 1
    >>> len(found.runs), found.best.params["x"]
    (4, 2)
    """
    if repeats < 1:
        raise BadValue(f"repeats is {repeats!r}; each point is tried once at least")
    return _Work(fn, space, repeats, name, metric, goal, seed, stop, open_store(store)).go(sampler, trials)


class _Work:
    """One call of `sweep`."""

    def __init__(
        self,
        fn: Callable[..., Any],
        space: Space,
        repeats: int,
        name: str | None,
        metric: str | None,
        goal: Goal | None,
        seed: int,
        stop: str,
        store: Store,
    ) -> None:
        self.fn, self.space, self.repeats, self.seed, self.stop, self.store = fn, space, repeats, seed, stop, store
        self.metric = metric or OBJECTIVE
        self.goal: Goal = goal or goal_of(self.metric)
        title = name or getattr(fn, "__name__", "sweep")
        self.found = Sweep(store, "sweep" if title == "<lambda>" else title, list(space), self.metric, self.goal)
        self.takes_seed = _takes_seed(fn)
        if stop:
            runs(stop, store=store)  # what cannot be read is said before anything is computed

    def go(self, how: SamplerName, trials: int | None) -> Sweep:
        points = sampler(how, self.space, trials, self.seed, self.goal)
        done = self._done()
        about = {
            "sampler": how,
            "repeats": self.repeats,
            "space": {key: repr(told) for key, told in self.space.items()},
        }
        with start(self.found.name, about, tags=["sweep"], store=self.store):
            for point in points.points():
                values: list[float] = []
                for repeat in range(self.repeats):
                    record = done.get(self._key(point, repeat)) or self._try(point, repeat)
                    value = self.found._value(record)  # pyright: ignore[reportPrivateUsage]
                    if value is not None:
                        values.append(value)
                    if self._is_enough(record):
                        return self.found
                points.hear(point, math.fsum(values) / len(values) if values else None)
        return self.found

    def _try(self, point: Point, repeat: int) -> RunRecord:
        """One call as one run; what it raises ends the run, and not the sweep."""
        seeded = self.repeats > 1
        params = {**point, **({SEED: repeat} if seeded else {})}
        given = {**point, **({SEED: repeat} if seeded and self.takes_seed and SEED not in point else {})}
        run = start(words(params), params, group=self.found.name, seed=repeat if seeded else None, store=self.store)
        try:
            with run:
                if self.goal != "none":
                    run.define_metric(self.metric, goal=self.goal)
                self._log(run, self.fn(**given))
        except Exception as error:  # noqa: BLE001  the user's function: its run says what it raised
            print(f"{words(params)}: {type(error).__name__}: {error}")  # noqa: T201
        record = run.record()
        value = self.found._value(record)  # pyright: ignore[reportPrivateUsage]
        if record.status == "finished":
            print(f"{words(params)}: {self.metric} {plain.shown(value)}")  # noqa: T201
        return record

    def _log(self, run: Run, returned: Any) -> None:
        if isinstance(returned, Mapping):
            run.log({name: value for name, value in returned.items() if isinstance(value, Real)})
        elif isinstance(returned, Real) and not isinstance(returned, bool):
            run.log({self.metric: returned})

    def _done(self) -> dict[str, RunRecord]:
        """The finished trials of earlier attempts, by point and repeat."""
        finished = self.found.runs.where("status == 'finished'")
        names = [*self.space, SEED]
        return {_text({name: run.params[name] for name in names if name in run.params}): run.record for run in finished}

    def _key(self, point: Point, repeat: int) -> str:
        return _text({**point, **({SEED: repeat} if self.repeats > 1 else {})})

    def _is_enough(self, record: RunRecord) -> bool:
        if not self.stop:
            return False
        return len(runs(f"id == {json.dumps(record.id)} and ({self.stop})", store=self.store)) > 0


def _text(params: Mapping[str, Any]) -> str:
    return json.dumps({name: plain_value(value) for name, value in params.items()}, sort_keys=True, default=str)


def _takes_seed(fn: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # a function of C
        return False
    return SEED in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def _told(row: Mapping[Any, Any]) -> str:
    if math.isnan(row["mean"]):
        return "-"
    reach = row["high"] - row["mean"]
    return plain.shown(row["mean"]) if math.isnan(reach) else f"{plain.shown(row['mean'])} ± {plain.shown(reach)}"

"""Sweeps: one function over many points, each a run below the sweep's own; what is done already is not done again."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, StopTraining, nearest
from celltrail.model import RunRecord, goal_of
from celltrail.query import open_store, plain, runs
from celltrail.run import Run, start
from celltrail.run.facts import plain as plain_value
from celltrail.sweep.found import Sweep, holds, value_of
from celltrail.sweep.live import live
from celltrail.sweep.space import Point, SamplerName, Space, sampler, words

if TYPE_CHECKING:
    from celltrail.contract import Goal
    from celltrail.store import Store

__all__ = ["Sweep", "sweep"]

OBJECTIVE = "objective"  # the metric of a function that returns one number
SEED = "seed"


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
    """Call a function at each point of a space; each call is a run of its own, with the point as its params.

    Whatever the function logs by ``ct.log()`` goes to that run. A number it returns is logged too, as ``metric`` (or
    as "objective"), and so are the numbers of a dict. A call that raises is a failed run, and the sweep goes on.
    A sweep of the same name continues: points that have a finished run are not tried again.

    Args:
        fn: called with the parameters by name, and with ``seed`` if it takes one.
        space: for each parameter the values to choose from (a list, a range), or a range of numbers as a tuple:
            ``(low, high)`` or ``(low, high, "log")``.
        sampler: "grid" for every combination, "random", or "optuna" (``pip install 'celltrail[sweep]'``).
        repeats: how often to try each point, with the seeds 0, 1, 2 ...; random, NumPy and PyTorch are seeded
            before each call if there are several.
        name: the name of the sweep; that of the function unless given.
        trials: how many points a sampler other than the grid takes.
        metric: what to optimise, for ``best``, for the table and for Optuna.
        goal: "min" or "max", where the name of the metric does not tell.
        seed: the seed of the sampler.
        stop: an expression such as ``best("val/acc") > 0.99``: the sweep ends after a trial for which it is true.
        store: another trail; that of the working folder unless given.

    Returns:
        The sweep: ``.df()`` (means and 95% intervals over the repeats), ``.best``, ``.runs``.

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
    trail, aim = open_store(store), metric or OBJECTIVE
    if stop:
        runs(stop, store=trail)  # what cannot be read is said before anything is computed
    way: Goal = goal or goal_of(aim)
    if space:
        _check(fn, space, repeats)
    found = Sweep(trail, name or _name_of(fn), list(space), aim, way, repeats > 1)
    return _Work(fn, space, repeats, aim, way, seed, stop, found).go(sampler, trials)


@dataclass(slots=True)
class _Work:
    """One call of `sweep`, with its arguments; ``metric`` and ``goal`` are settled."""

    fn: Callable[..., Any]
    space: Space
    repeats: int
    metric: str
    goal: Goal
    seed: int
    stop: str
    found: Sweep
    is_shown: bool = False  # by a table that grows, so that nothing need be printed

    def go(self, how: SamplerName, trials: int | None) -> Sweep:
        points = sampler(how, self.space, trials, self.seed, self.goal)
        done = self._done()
        about = {
            "sampler": how,
            "repeats": self.repeats,
            **{f"space.{key}": repr(told) for key, told in self.space.items()},
        }
        own = start(self.found.name, about, tags=["sweep"], store=self.found.store)
        with own, live(self.found) as self.is_shown:
            for point in points.points():
                values: list[float] = []
                for repeat in range(self.repeats):
                    record = done.get(self._key(point, repeat)) or self._try(point, repeat, own)
                    value = value_of(record, self.metric, self.goal)
                    if value is not None:
                        values.append(value)
                    if self.stop and holds(self.stop, record.id, self.found.store):
                        return self.found
                points.hear(point, math.fsum(values) / len(values) if values else None)
        return self.found

    def _try(self, point: Point, repeat: int, own: Run) -> RunRecord:
        """One call as one run; what it raises ends the run, and not the sweep."""
        seeded = self.repeats > 1
        params = {**point, **({SEED: repeat} if seeded else {})}
        given = {**point, **({SEED: repeat} if seeded and _takes_seed(self.fn) and SEED not in point else {})}
        run = start(
            words(params), params, group=self.found.name, seed=repeat if seeded else None, store=self.found.store
        )
        with self._forgiven(words(params), own), run:
            if self.goal != "none":
                run.define_metric(self.metric, goal=self.goal)
            self._log(run, self.fn(**given))
        record = run.record()
        if record.status == "finished":
            self._say(f"{words(params)}: {self.metric} {plain.shown(value_of(record, self.metric, self.goal))}")
        return record

    @contextmanager
    def _forgiven(self, trial: str, own: Run) -> Generator[None]:
        """Whatever the user's function raises has ended its run, and does not end the sweep; an interrupt does.

        A rule stops the trial of which it holds; who presses stop means the sweep.
        """
        try:
            yield
        except StopTraining as stopped:
            if own.steering.is_asked:
                raise
            self._say(str(stopped))
        except Exception as error:  # noqa: BLE001  of whatever kind: it is not ours
            self._say(f"{trial}: {type(error).__name__}: {error}")

    def _say(self, line: str) -> None:
        if not self.is_shown:
            print(line)  # noqa: T201

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


def _text(params: Mapping[str, Any]) -> str:
    return json.dumps({name: plain_value(value) for name, value in params.items()}, sort_keys=True, default=str)


def _name_of(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", "sweep")
    return "sweep" if name == "<lambda>" else name


def _check(fn: Callable[..., Any], space: Space, repeats: int) -> None:
    """Refuse a space that the function cannot be called with, before every trial fails for it."""
    try:
        taken = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # a function of C
        return
    named = [name for name, each in taken.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    called, takes = _name_of(fn), ", ".join(named) or "nothing"
    if not any(each.kind is each.VAR_KEYWORD for each in taken.values()):
        for name in space:
            if name not in named:
                raise BadValue(f"{called}() takes no {name!r}{nearest(name, named) or ';'} it takes {takes}")
    for name in named:
        if taken[name].default is inspect.Parameter.empty and name not in space and not (name == SEED and repeats > 1):
            how = "repeats=2 or more gives seeds" if name == SEED else f"the space has {', '.join(space)}"
            raise BadValue(f"{called}() needs {name!r}; {how}")


def _takes_seed(fn: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # a function of C
        return False
    return SEED in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())

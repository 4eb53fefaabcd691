"""A rule applied to one run: it hears the points in their order, and says when it fires."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from celltrail.alerts.reading import Condition, read
from celltrail.alerts.watches import Watch
from celltrail.contract import Goal
from celltrail.errors import BadValue
from celltrail.model import Prices, RunRecord, goal_of, is_of_machine
from celltrail.query.evaluate import Question, truth
from celltrail.query.plain import number
from celltrail.query.tree import Field, walk
from celltrail.store.catalogue.facts import Key, aggregate_of, fact_of

if TYPE_CHECKING:
    from celltrail.model import Metric

CALM = 10  # points in a row that a rule does not hold, before it may fire again

Best = Callable[[str, Goal], tuple[float, str] | None]


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule held.

    Attributes:
        step: of the run at that moment, None before its first point.
        t_us: when.
        metric: what it is about, where it is about one.
        value: what that was.
        text: what is so, in words.
    """

    step: int | None
    t_us: int
    metric: str | None
    value: float | None
    text: str


@dataclass(slots=True)
class Around:
    """What a rule may ask of a run beside its points."""

    record: Callable[[], RunRecord]
    best: Best = lambda metric, goal: None  # of the earlier runs of its project
    priced: Callable[[], Prices] = Prices


@dataclass(slots=True)
class Hysteresis:
    """When a condition that comes and goes is worth a word.

    Args:
        times: points in a row that it must hold.
        until: whether it may fire again after it has; None: once it did not hold for ten points in a row.
    """

    times: int = 1
    has_until: bool = False
    _streak: int = field(default=0, init=False)
    _calm: int = field(default=0, init=False)
    _is_quiet: bool = field(default=False, init=False)

    def fires(self, holds: bool | None, until: bool | None = None, *, is_point: bool = True) -> bool:
        """Whether to say so now; None is not known and changes nothing, and time that passes is no point.

        >>> flapping = Hysteresis()
        >>> sum(flapping.fires(step % 2 == 0) for step in range(100))
        1
        """
        if self._is_quiet:
            if self.has_until:
                self._is_quiet = until is not True
            elif holds is not None and is_point:
                self._calm = 0 if holds else self._calm + 1
                self._is_quiet = self._calm < CALM
            return False
        streak = self._streak + 1 if holds else 0
        if holds is not None and is_point:
            self._streak = streak
        if streak < self.times:
            return False
        self._is_quiet, self._streak, self._calm = True, 0, 0
        return True


class _Track:
    """The summary of a metric as it grows, with the fields of `model.Metric` that the language asks for."""

    __slots__ = ("count", "first", "last", "last_step", "max", "max_step", "min", "min_step", "nan_count", "sum")

    def __init__(self) -> None:
        self.first = self.last = self.min = self.max = math.nan
        self.last_step = self.min_step = self.max_step = None
        self.sum, self.count, self.nan_count = 0.0, 0, 0

    def add(self, step: int, value: float) -> None:
        if not self.count:
            self.first = value
        self.count += 1
        self.last, self.last_step = value, step
        if value != value:
            self.nan_count += 1
            return
        self.sum += value
        if not value >= self.min:
            self.min, self.min_step = value, step
        if not value <= self.max:
            self.max, self.max_step = value, step


class Applied:
    """One rule and one run.

    Args:
        rule: its condition.
        until: what must come true before it fires again; "" is ten points of calm.
        times: points in a row that it must hold.
        around: what else it may ask of the run.
        started_us: when that started.
    """

    def __init__(self, rule: str, until: str, times: int, around: Around, started_us: int) -> None:
        conditions = [read(rule), *([read(until)] if until else [])]
        self.condition: Condition = conditions[0]
        self._around, self.started_us = around, started_us
        self.now_us, self.step = started_us, None
        self._watches: dict[str, Watch] = {}
        self._tracks: dict[str, _Track] = {}
        for each in conditions:
            self._watches |= each.watches()
            self._tracks |= {name: _Track() for name in each.metrics}
        self._questions = [Question(each.node, each.text, facts=self._fact) for each in conditions]
        self._hysteresis = Hysteresis(times, len(conditions) > 1)
        self._hearing = [watch for watch in self._watches.values() if watch.hears_all]
        told = {name for watch in self._watches.values() for name in watch.metrics}
        self.metrics = tuple(dict.fromkeys((*self._tracks, *sorted(told))))
        asks_time = any(isinstance(part, Field) and part.name == "duration" for part in walk(self.condition.node))
        self.by_clock = asks_time or any(watch.by_clock for watch in self._watches.values())
        self.hears_all = bool(self._hearing)
        self.has_heard = False  # any of its metrics
        self._goals: dict[str, Goal] = {}
        self._names: tuple[str, ...] = ()
        self._places: list[tuple[int, Callable[[int, float], None]]] = []

    def hear(self, names: tuple[str, ...], step: int, t_us: int, values: Sequence[float]) -> Fired | None:
        """A call of ``log()``."""
        if names is not self._names:
            self._names, self._places = names, self._find(names)
        is_machine = bool(names) and is_of_machine(names[0])
        if not is_machine or self.step is None:
            self.step = step
        self.now_us = t_us
        for place, hear in self._places:
            hear(step, values[place])
        is_news = bool(self._places)
        if self._hearing and not is_machine:
            is_news = True
            for watch in self._hearing:
                watch.hear_call(self, names, values)
        self.has_heard |= is_news
        return self._ask() if is_news else None

    def tick(self, t_us: int) -> Fired | None:
        """Time passes and nothing is logged."""
        if not self.by_clock or t_us < self.now_us:
            return None
        self.now_us = t_us
        return self._ask(is_point=False)

    # what its watches ask

    def goal(self, metric: str) -> Goal:
        """As the run declared it, or as its name says."""
        if metric not in self._goals:
            known = self._around.record().metrics.get(metric)
            goal = goal_of(metric) if known is None or known.goal == "none" else known.goal
            if goal == "none":
                raise BadValue(
                    f"whether less or more of {metric!r} is better is not known: "
                    f"run.define_metric({metric!r}, goal='max') says so"
                )
            self._goals[metric] = goal
        return self._goals[metric]

    def earlier_best(self, metric: str) -> tuple[float, str] | None:
        """Of the earlier runs of the project."""
        return self._around.best(metric, self.goal(metric))

    @property
    def prices(self) -> Prices:
        """What is known of them now."""
        return self._around.priced()

    def _find(self, names: tuple[str, ...]) -> list[tuple[int, Callable[[int, float], None]]]:
        found: list[tuple[int, Callable[[int, float], None]]] = []
        for place, name in enumerate(names):
            if name in self._tracks:
                found.append((place, self._tracks[name].add))
            found += [(place, self._into(watch, name)) for watch in self._watches.values() if name in watch.metrics]
        return found

    def _into(self, watch: Watch, name: str) -> Callable[[int, float], None]:
        return lambda step, value: watch.hear(self, name, value)

    def _fact(self, _: Any, key: Key) -> Any:
        if key[0] == "watch":
            return self._watches[key[1]].holds(self)
        if key[0] == "duration":
            return (self.now_us - self.started_us) / 1e6
        if key[0] != "metric":
            return fact_of(self._around.record(), key)
        track = self._tracks[key[2]]
        if not track.count:
            return None
        return self.goal(key[2]) if key[1] == "goal" else aggregate_of(cast("Metric", track), key[1])

    def _ask(self, *, is_point: bool = True) -> Fired | None:
        holds = truth(self._questions[0].value(None))
        until = truth(self._questions[1].value(None)) if len(self._questions) > 1 else None
        return self._fired() if self._hysteresis.fires(holds, until, is_point=is_point) else None

    def _fired(self) -> Fired:
        watching = [self._watches[text] for text in self.condition.makers]
        told = [watch.said() for watch in watching if watch.holds(self)]
        metrics = [name for name in self.condition.metrics if self._tracks[name].count]
        told += [f"{name} is {number(self._tracks[name].last)}" for name in metrics]
        about = next((watch for watch in watching if watch.metric is not None), None)
        if metrics:
            metric, value = metrics[0], self._tracks[metrics[0]].last
        elif about is not None:
            metric, value = about.metric, about.value
        else:
            metric, value = None, next((watch.value for watch in watching), None)
        return Fired(self.step, self.now_us, metric, value, ", ".join(told))

"""What a sweep tries: the values of each parameter, and the points that a sampler takes from them."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

from celltrail.errors import BadValue, CelltrailError
from celltrail.model import Json

Point = dict[str, Any]
Space = Mapping[str, Sequence[Any] | range]
SamplerName = Literal["grid", "random", "optuna"]
SAMPLERS: tuple[SamplerName, ...] = ("grid", "random", "optuna")


class Sampler(Protocol):
    """Gives points, and hears what came of them."""

    def points(self) -> Iterator[Point]:
        """The points to try, one after the other."""
        ...

    def hear(self, point: Point, value: float | None) -> None:
        """What the metric came to at a point, its mean over the repeats; None where there is none."""
        ...


class Span:
    """A stretch of numbers, written in a space as a tuple: ``(low, high)``, or ``(low, high, "log")``."""

    def __init__(self, name: str, told: tuple[Any, ...]) -> None:
        is_log = len(told) == 3 and told[2] == "log"
        if not (len(told) == 2 or is_log) or not all(_is_number(end) for end in told[:2]) or not told[0] < told[1]:
            raise BadValue(f'{name}={told!r} is no span; write (low, high) or (low, high, "log"), or a list of values')
        if is_log and told[0] <= 0:
            raise BadValue(f"{name}={told!r} begins at {told[0]}, where there is no logarithm; begin above 0")
        self.low, self.high, self.is_log = told[0], told[1], is_log
        self.is_whole = isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, chance: random.Random) -> float | int:
        """A number of the stretch."""
        if self.is_whole and not self.is_log:
            return chance.randint(int(self.low), int(self.high))
        if not self.is_log:
            return chance.uniform(self.low, self.high)
        drawn = math.exp(chance.uniform(math.log(self.low), math.log(self.high)))
        return round(drawn) if self.is_whole else drawn


def read(space: Space) -> dict[str, list[Any] | Span]:
    """A space as somebody writes it: lists, ranges and other sequences are values to choose from, a tuple is a `Span`.

    >>> read({"lr": [0.1, 0.01], "depth": range(2, 4)})
    {'lr': [0.1, 0.01], 'depth': [2, 3]}
    """
    if not space:
        raise BadValue("the space is empty; name at least one parameter: ct.sweep(train, {'lr': [0.1, 0.01]})")
    found: dict[str, list[Any] | Span] = {}
    for name, told in space.items():
        if isinstance(told, tuple):
            found[name] = Span(name, told)
        elif isinstance(told, str | bytes) or not hasattr(told, "__iter__"):
            raise BadValue(f"{name}={told!r} is one value; put it in a list: [{told!r}]")
        else:
            found[name] = list(told)
            if not found[name]:
                raise BadValue(f"{name} has no values to try")
    return found


class Grid:
    """Every combination, the last parameter changing quickest."""

    def __init__(self, space: Space) -> None:
        self._space = read(space)
        spans = [name for name, told in self._space.items() if isinstance(told, Span)]
        if spans:
            raise BadValue(f'{spans[0]} is a span, of which no grid is made; list its values, or say sampler="random"')

    def points(self) -> Iterator[Point]:
        """The points to try, one after the other."""
        for values in itertools.product(*(told for told in self._space.values() if isinstance(told, list))):
            yield dict(zip(self._space, values, strict=True))

    def hear(self, point: Point, value: float | None) -> None:
        """A grid does not learn."""


class Chance:
    """So many points drawn independently; the same seed draws the same points."""

    def __init__(self, space: Space, trials: int, seed: int) -> None:
        self._space, self._trials, self._seed = read(space), trials, seed

    def points(self) -> Iterator[Point]:
        """The points to try, one after the other."""
        chance = random.Random(self._seed)  # not the user's generators
        for _ in range(self._trials):
            yield {
                name: told.draw(chance) if isinstance(told, Span) else chance.choice(told)
                for name, told in self._space.items()
            }

    def hear(self, point: Point, value: float | None) -> None:
        """Chance does not learn."""


class Learned:
    """Points that Optuna proposes after what the earlier ones came to."""

    def __init__(self, space: Space, trials: int, seed: int, goal: str) -> None:
        try:
            import optuna
        except ImportError as error:
            raise CelltrailError('sampler="optuna" needs Optuna: pip install "celltrail[sweep]"') from error
        if goal not in ("min", "max"):
            raise BadValue('sampler="optuna" must know which way is better: say metric="val/acc", or goal="max"')
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._space, self._trials = optuna, read(space), trials
        direction = "minimize" if goal == "min" else "maximize"
        self._study = optuna.create_study(direction=direction, sampler=optuna.samplers.TPESampler(seed=seed))
        self._asked: list[tuple[Point, Any]] = []

    def points(self) -> Iterator[Point]:
        """The points to try, one after the other."""
        for _ in range(self._trials):
            trial = self._study.ask()
            point = {name: self._suggest(trial, name, told) for name, told in self._space.items()}
            self._asked.append((point, trial))
            yield point

    def hear(self, point: Point, value: float | None) -> None:
        """What the metric came to at a point."""
        trial = next(trial for asked, trial in reversed(self._asked) if asked == point)
        if value is None or not math.isfinite(value):
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def _suggest(self, trial: Any, name: str, told: list[Any] | Span) -> Any:
        if not isinstance(told, Span):
            return told[trial.suggest_categorical(name, range(len(told)))]
        suggest: Callable[..., Any] = trial.suggest_int if told.is_whole else trial.suggest_float
        return suggest(name, told.low, told.high, log=told.is_log)


def sampler(name: str, space: Space, trials: int | None, seed: int, goal: str) -> Sampler:
    """The sampler of this name over a space."""
    match name:
        case "grid":
            if trials is not None:
                raise BadValue('a grid tries every combination; trials= is for sampler="random" and "optuna"')
            return Grid(space)
        case "random":
            return Chance(space, _count(trials), seed)
        case "optuna":
            return Learned(space, _count(trials), seed, goal)
        case _:
            raise BadValue(f"there is no sampler {name!r}; there are {', '.join(SAMPLERS)}")


def _count(trials: int | None) -> int:
    if trials is None or trials < 1:
        raise BadValue(f"trials is {trials!r}; say how many points to try: trials=20")
    return trials


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def words(point: Mapping[str, Json]) -> str:
    """A point in a few words.

    >>> words({"lr": 0.001, "act": "relu"})
    'lr=0.001 act=relu'
    """
    return " ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in point.items()
    )

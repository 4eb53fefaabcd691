"""How metrics are named, whichever library tells of them: one grammar, ``split/name``, in one table.

The split is ``train``, ``val`` or ``test`` (``eval0``, ``eval1`` ... where several sets of data have no name that says
more), the name is the field's. What the library itself calls it is kept in the run's ``environment["autolog"]``.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import celltrail as ct
from celltrail.plugins.stopping import stopped

# what whoever leads a training tells of it
TRAINING = ("train/loss", "train/lr", "train/grad_norm", "train/grad_norm_applied", "train/samples_per_s", "epoch")

# where a library has another name than the field; scores of scikit-learn are taken without their ``_score``
NAMES = {
    "average_precision": "ap",
    "binary_logloss": "logloss",
    "epoch_loss": "loss",
    "grad_norm": "grad_norm",
    "l1": "mae",
    "l2": "mse",
    "learning_rate": "lr",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "merror": "error",
    "mlogloss": "logloss",
    "multi_error": "error",
    "multi_logloss": "logloss",
    "roc_auc": "auc",
    "root_mean_squared_error": "rmse",
    "samples_per_second": "samples_per_s",
    "steps_per_second": "steps_per_s",
    "runtime": "runtime_s",
}
UNITS = {"samples_per_s": "1/s", "steps_per_s": "1/s", "runtime_s": "s", "fit_s": "s"}
# the direction where neither the library nor a word of the name tells
GOALS = {"logloss": "min", "log_loss": "min", "hinge_loss": "min", "brier_score_loss": "min", "pre": "max",
         "aucpr": "max", "auc_mu": "max", "mape": "min", "poisson": "min", "tweedie": "min"}  # fmt: skip
_SPLITS = {"train": r"train(?:ing)?|tr|learn", "val": r"val(?:id(?:ation)?)?|dev|holdout|eval|oof", "test": r"te?st"}
_PREFIXES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "eval": "val", "test": "test"}
_FOUND = [(split, re.compile(rf"(?:.*[^a-z])?(?:{words})\d*(?:[^a-z].*)?")) for split, words in _SPLITS.items()]


class Key(NamedTuple):
    """One series as a library has it."""

    split: str
    metric: str  # the library's name of it, without that of the data
    own: str = ""  # the whole name that the library gives it, where that is another one


@lru_cache(maxsize=1024)  # asked for each set at each round
def split_of(name: str) -> str | None:
    """The split that a name of a set of data speaks of.

    >>> [split_of(name) for name in ("X_train", "y_test", "validation_set", "dev", "training", "x")]
    ['train', 'test', 'val', 'val', 'train', None]
    """
    return next((split for split, words in _FOUND if words.fullmatch(name.lower())), None)


def metric_of(name: str) -> str:
    """The field's name of a library's metric.

    >>> [metric_of(name) for name in ("accuracy_score", "roc_auc_score", "learning_rate", "ndcg@5", "loss")]
    ['accuracy', 'auc', 'lr', 'ndcg@5', 'loss']
    """
    short = name.removesuffix("_score") or name
    return NAMES.get(short, short)


@lru_cache(maxsize=1024)  # the same few names at each round
def key_of(name: str) -> Key:
    """The split that stands in front of a metric's name, and the rest; the split of training where none does.

    >>> key_of("eval_loss"), key_of("grad_norm")[:2], key_of("test/f1")[:2]
    (Key(split='val', metric='loss', own='eval_loss'), ('train', 'grad_norm'), ('test', 'f1'))
    """
    first, mark, rest = name.replace("/", "_", 1).partition("_")
    split = _PREFIXES.get(first) if mark and rest else None
    return Key(split, rest, name) if split else Key("train", name)


_reached: weakref.WeakKeyDictionary[ct.Run, list[int]] = weakref.WeakKeyDictionary()  # the last step told of a run


class Series:
    """The series that one plug-in writes into one run, each with its direction, unit and the library's own name."""

    def __init__(self, hand: Any, run: ct.Run, library: str) -> None:
        self._hand, self._run, self._library = hand, run, library
        self._names: dict[Key, str | None] = {}  # None: somebody else tells of it
        self._counts: dict[str, int] = {}
        self._reached = _reached.setdefault(run, [0])
        self._latest: tuple[tuple[Key, ...], list[str]] = ((), [])  # what the last call told, and under which names

    def log(
        self,
        values: Mapping[Key, Any],
        step: int | None = None,
        goals: Mapping[str, Any] = {},
        axes: Mapping[str, float] = {},
    ) -> None:
        """Write numbers of one moment.

        Args:
            values: by split and the library's own name; what is no number is passed over.
            step: without one each series counts by itself, and not back behind the step that the training is at.
            goals: the direction by the library's own name, where the library says it.
            axes: further axes of the same moment, such as ``epoch``.
        """
        # a round tells the same series as the one before it: then they are not asked for one by one
        keys, names = self._latest
        told = dict(zip(names, values.values())) if tuple(values) == keys else self._named(values, goals, axes)  # noqa: B905
        if not told:
            return
        try:
            if step is not None:
                self._reached[0] = step
                self._run.log(told, step, **axes)
                return
            at = self._hand.step(self._run)
            at = self._reached[0] if at is None else at
            for name, value in told.items():
                count = self._counts[name] = max(at, self._counts.get(name, -1) + 1)
                self._run.log({name: value}, count, **axes)
        except ct.CelltrailError:  # something is no number any more, or the run has ended
            return

    @property
    def is_over(self) -> bool:
        """Whether its run has ended."""
        return not self._run.is_running

    def names(self) -> list[str]:
        """The series that were written so far."""
        return sorted({name for name in self._names.values() if name is not None})

    def reserve(self, *names: str) -> None:
        """Be the one that tells of these series, before others have begun to."""
        for name in names:
            self._hand.claims(self._run, name)

    def log_curve(self, key: Key, values: Sequence[float]) -> None:
        """Write a whole series that came at once, after what is there."""
        import numpy as np

        if not self._run.is_running:
            return
        self._meet([key] if key not in self._names else [], {}, {})
        name = self._names[key]
        if name is not None and len(values):
            first = self._counts.get(name, -1) + 1
            steps = np.arange(first, first + len(values))
            self._reached[0] = self._counts[name] = first + len(values) - 1
            times = np.full(len(values), self._run.writer.clock())
            self._run.log_block((name,), steps, times, np.asarray(values, dtype=float)[:, None])

    def _named(self, values: Mapping[Key, Any], goals: Mapping[str, Any], axes: Mapping[str, float]) -> dict[str, Any]:
        """The numbers of these by the names of their series; nothing once the run has ended."""
        if not self._run.is_running:
            return {}
        numbers = {key: float(value) for key, value in values.items() if _is_number(value)}
        if not self._names.keys() >= numbers.keys():
            self._meet([key for key in numbers if key not in self._names], goals, axes)
        told = {name: value for key, value in numbers.items() if (name := self._names[key]) is not None}
        if len(told) == len(values):
            self._latest = tuple(values), list(told)
        return told

    def _meet(self, keys: list[Key], goals: Mapping[str, Any], axes: Mapping[str, float]) -> None:
        if not keys:
            return
        own: dict[str, str] = {}
        for key in keys:
            metric = metric_of(key.metric)
            name = f"{key.split}/{metric}"
            if not self._hand.claims(self._run, name):
                self._names[key] = None
                continue
            self._names[key], own[name] = name, f"{self._library}: {key.own or key.metric}"
            goal: Any = goals.get(key.metric) or GOALS.get(metric)
            unit, axis = UNITS.get(metric), next(iter(axes), None)
            if goal or unit or axis:
                self._run.define_metric(name, goal=goal, unit=unit, axis=axis)
        self._hand.note(self._run, keys=own)


def per_run(make: Callable[[ct.Run], Any]) -> Callable[[ct.Run], Any]:
    """One of these for each run, until it ends: what is made holds the run, and would hold it for ever."""
    made: dict[int, Any] = {}  # by the identity of the run: it lives as long as it is in here

    def of(run: ct.Run) -> Any:
        found = made.get(id(run))
        if found is None:
            found = make(run)
            if run.is_running:
                made[id(run)] = found
                run.at_end(lambda: made.pop(id(run), None))
        return found

    return of


def _is_number(value: Any) -> bool:
    if type(value) is float:
        return True
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, str | bytes | bool)


class Nobody:
    """In place of a plug-in's hand, where its callback is used by hand and the plug-in is off."""

    def claims(self, run: ct.Run, name: str) -> bool:
        """Nobody else tells of it."""
        return True

    def note(self, run: ct.Run, **facts: Any) -> None:
        """Kept nowhere."""

    def step(self, run: ct.Run) -> int | None:
        """Nobody counts the steps."""

    def describe(self, run: ct.Run, params: Mapping[str, Any] = {}, summary: Mapping[str, Any] = {}) -> None:
        """Set params and summaries."""
        run.params.update(params)
        run.summary.update(summary)

    def guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A callback that was given by hand raises as one's own does."""
        return function

    stopped = staticmethod(stopped)


def splits_of(call: Any, data: Any, sets: list[tuple[str, Any]], is_named: bool) -> dict[str, str]:
    """The split of each set of data that a library evaluates on while it trains.

    Args:
        call: the call, whose variables' names say more.
        data: what is trained on: the set that is this very object is ``train``, wherever it stands.
        sets: the library's name of each set, and the set.
        is_named: whether the caller gave the names, and not the library by their places.
    """
    found: dict[str, str] = {}
    for name, values in sets:
        if values is data:
            found[name] = "train"
        elif is_named:
            found[name] = split_of(name) or name
        else:
            found[name] = next((split for own in call.names(values) if (split := split_of(own))), "")
    unknown = [name for name, split in found.items() if not split]
    for place, name in enumerate(unknown):
        found[name] = "val" if len(unknown) == 1 and "val" not in found.values() else f"eval{place}"
    counts: dict[str, int] = {}
    for name, split in found.items():
        counts[split] = counts.get(split, 0) + 1
        found[name] = split if counts[split] == 1 else f"{split}{counts[split]}"
    return found


def put_params(hand: Any, call: Any, params: Any) -> None:
    """The settings that were given as a dict; what a variable of the cell says is recorded anyway."""
    given = params.items() if isinstance(params, Mapping) else ()
    told = {
        f"{call.name}.{name}": value
        for name, value in given
        if isinstance(value, bool | int | float | str) and not hand.has_param(call.run, name, value)
    }
    hand.describe(call.run, params=told)

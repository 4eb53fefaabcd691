"""scikit-learn in a tracked cell: what is fitted, with which parameters, and the scores it gets.

Tested with scikit-learn 1.9.1. Of each ``fit``, ``score``, ``cross_val_score``, ``cross_validate`` and metric function
that the cell, or a function it reaches, calls:

- params ``estimator`` and ``LogisticRegression.C`` ...: those that differ from the class's defaults
- ``train/loss``, ``val/score`` ... of estimators that keep a curve of their iterations
- ``val/accuracy``, ``test/f1`` ...: the numbers that scikit-learn returned. The split is ``train`` where the data is
  the one that the estimator was fitted on, else the one that the variables' names speak of, else ``val``
- of a search each candidate as a run of its own below this one, with its params and ``val/<scorer>``

A variable that is recorded anyway is not told of twice, and fits inside other fits are not told of.
"""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Key, Series, metric_of, per_run, split_of

_known_defaults: weakref.WeakKeyDictionary[type, dict[str, Any]] = weakref.WeakKeyDictionary()
FITS = ("fit", "partial_fit", "fit_predict", "fit_transform")
CROSS = ("cross_val_score", "cross_validate")
# what iterative estimators keep of their iterations; the losses of some are scores with the sign turned
CURVES = {
    "loss_curve_": ("train", "loss", 1),
    "validation_scores_": ("val", "score", 1),
    "train_score_": ("train", "score", 1),
    "validation_score_": ("val", "score", 1),
    "lower_bounds_": ("train", "lower_bound", 1),
}
SUMMARIES = ("n_iter_", "oob_score_", "inertia_", "best_score_", "best_index_")
MOST_CANDIDATES = 1000
MOST_VALUES = 50


def on(sklearn: Any, hand: Any) -> Callable[[], None]:
    """Hear of the calls of scikit-learn's estimators, scores and cross-validation."""
    return hand.calls(_Cells(hand).around)


class _Cells:
    """What is known of the runs in which estimators are fitted."""

    def __init__(self, hand: Any) -> None:
        self._hand = hand
        self._work = per_run(lambda run: _Work(run, hand))

    def around(self, call: Any) -> Callable[[Any], object] | None:
        """What is to be done once this call is over."""
        work: _Work = self._work(call.run)
        if hasattr(call.owner, "get_params"):
            if call.name in FITS:
                return partial(work.fitted, call)
            return partial(work.scored, call) if call.name == "score" else None
        if call.owner is None and call.name in CROSS:
            return partial(work.crossed, call)
        is_metric = getattr(call.function, "__module__", "").startswith("sklearn.metrics")
        return partial(work.measured, call) if is_metric else None


class _Work:
    """The estimators of one run."""

    def __init__(self, run: ct.Run, hand: Any) -> None:
        self._run, self._hand = run, hand
        self._series = Series(hand, run, "sklearn")
        self._fitted_on: list[Any] = []  # data, by weak reference
        self._told: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def fitted(self, call: Any, result: Any) -> None:
        """A fit is over: what it was, and what it kept of its iterations."""
        estimator = call.owner
        if result is None:
            return
        for data in (call.argument("X", 0), call.argument("y", 1)):
            if hasattr(type(data), "__weakref__") or hasattr(data, "__array__"):
                self._fitted_on.append(weakref.ref(data))
        self._describe(estimator)
        if hasattr(estimator, "cv_results_"):
            _Candidates(self._run, self._hand, estimator).write()
        self._curves(estimator, is_more=call.name == "partial_fit")
        kept = {name: getattr(estimator, name, None) for name in SUMMARIES}
        numbers = {
            name: value for name, value in kept.items() if isinstance(value, int | float) and math.isfinite(value)
        }
        told = {f"{type(estimator).__name__}.{name.rstrip('_')}": value for name, value in numbers.items()}
        self._hand.describe(self._run, summary=told)

    def scored(self, call: Any, result: Any) -> None:
        """``estimator.score(X, y)``."""
        data, truth = call.argument("X", 0), call.argument("y", 1)
        self._tell(call, default_scorer(call.owner), result, [data, truth])

    def measured(self, call: Any, result: Any) -> None:
        """A function of ``sklearn.metrics``."""
        truth, average = call.argument("y_true", 0), call.argument("average")
        name = f"{metric_of(call.name)}_{average}" if isinstance(average, str) and average != "binary" else call.name
        self._tell(call, name, result, [truth])

    def crossed(self, call: Any, result: Any) -> None:
        """``cross_val_score`` and ``cross_validate``: a point for each fold."""
        scoring = call.argument("scoring")
        scorer = scoring if isinstance(scoring, str) else default_scorer(call.argument("estimator", 0))
        if isinstance(result, Mapping):
            found = {name.replace("test_", "", 1): folds for name, folds in result.items() if name.startswith("test_")}
            columns = {Key("val", scorer if name == "score" else name): folds for name, folds in found.items()}
        else:
            columns = {Key("val", scorer): result}
        for key, folds in columns.items():
            for score in folds if folds is not None else ():
                self._series.log({key: score}, goals={key.metric: "max"})

    def _tell(self, call: Any, metric: str, value: Any, data: list[Any]) -> None:
        if isinstance(value, float | int) and call.target not in self._hand.recorded(self._run):
            self._series.log({Key(self._split(call, data), metric): value})

    def _split(self, call: Any, data: list[Any]) -> str:
        fitted = [there for each in self._fitted_on if (there := each()) is not None]
        if any(each is there for each in data for there in fitted):
            return "train"
        names = [name for each in data if each is not None for name in call.names(each)]
        return next((split for name in names if (split := split_of(name))), "val")

    def _curves(self, estimator: Any, is_more: bool) -> None:
        for attribute, (split, name, sign) in CURVES.items():
            curve = getattr(estimator, attribute, None)
            if curve is None or not hasattr(curve, "__len__") or not len(curve):
                continue
            told = self._told.get(estimator, 0) if is_more and attribute == "loss_curve_" else 0
            split, name, sign = _as_loss(estimator, split, name, sign)
            self._series.log_curve(Key(split, name, attribute), [sign * value for value in curve[told:]])
            if attribute == "loss_curve_":
                self._told[estimator] = len(curve)

    def _describe(self, estimator: Any) -> None:
        is_model = hasattr(estimator, "predict") or hasattr(estimator, "fit_predict")
        told: dict[str, Any] = {"estimator": _named(estimator)} if is_model else {}
        params = self._run.params
        told |= {
            name: value
            for name, value, is_default in settings(estimator)
            if (name in params or not is_default)  # a default after something else is told as well
            and not self._hand.has_param(self._run, name.rpartition(".")[2], value)
        }
        told = {name: _over(params.get(name, value), value) for name, value in told.items()}
        self._hand.describe(self._run, params=told)


class _Candidates:
    """The candidates of a search, each as a run below the one that searched."""

    def __init__(self, run: ct.Run, hand: Any, search: Any) -> None:
        self._run, self._hand, self._search = run, hand, search

    def write(self) -> None:
        results = self._search.cv_results_
        scorers = [name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")]
        scoring = self._search.scoring
        one = scoring if isinstance(scoring, str) else default_scorer(self._search.estimator)
        for place, params in enumerate(results["params"][:MOST_CANDIDATES]):
            plain = {name: _plain(value) for name, value in params.items()}
            took = sum(results[f"mean_{part}_time"][place] for part in ("fit", "score")) * self._search.n_splits_
            with self._run.trial(title_of(plain), plain, tags="candidate", seconds=max(0.0, float(took))) as candidate:
                series = Series(self._hand, candidate, "sklearn")
                values: dict[Key, float] = {}
                spread: dict[str, float] = {}
                for scorer in scorers:
                    name = one if scorer == "score" else scorer
                    values[Key("val", name)] = results[f"mean_test_{scorer}"][place]
                    if f"mean_train_{scorer}" in results:
                        values[Key("train", name)] = results[f"mean_train_{scorer}"][place]
                    spread[f"val/{metric_of(name)}.std"] = float(results[f"std_test_{scorer}"][place])
                self._hand.describe(candidate, summary=spread)
                goals = {key.metric: "max" for key in values}
                values[Key("train", "fit_s", "mean_fit_time")] = results["mean_fit_time"][place]
                series.log(values, step=place, goals=goals)
                if scorers and all(math.isnan(results[f"mean_test_{scorer}"][place]) for scorer in scorers):
                    candidate.finish("failed")  # a fold raised, or could not be scored
        best = getattr(self._search, "best_params_", {})
        self._hand.describe(self._run, summary={f"best.{name}": _plain(value) for name, value in best.items()})


def title_of(params: Mapping[str, Any]) -> str:
    """What a candidate is called; a number that was drawn has seventeen digits, of which four are enough here."""
    told = (f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in params.items())
    return " ".join(told)[:200] or "candidate"


def default_scorer(estimator: Any) -> str:
    """What the ``score`` of this estimator is: that of scikit-learn's mixins, else just a score."""
    owner = getattr(type(estimator), "score", None)
    name = getattr(owner, "__qualname__", "")
    if name.startswith("ClassifierMixin"):
        return "accuracy"
    if name.startswith("RegressorMixin"):
        return "r2"
    inner = getattr(estimator, "_final_estimator", None) or getattr(estimator, "estimator", None)
    return "score" if inner is None or isinstance(inner, str) else default_scorer(inner)


def settings(estimator: Any) -> Iterator[tuple[str, Any, bool]]:
    """The parameters and whether each is its class's default, those of the estimators inside it too: ``Class.name``."""
    seen: set[int] = set()
    waiting = [estimator]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        defaults = _defaults(type(each))
        for name, value in each.get_params(deep=False).items():
            if name in ("steps", "transformers", "estimators"):
                waiting += [part[1] for part in value if hasattr(part[1], "get_params")]
            elif hasattr(value, "get_params") and not isinstance(value, type):
                waiting.append(value)
            elif name not in ("verbose", "n_jobs") and not _is_nan(value):
                yield f"{type(each).__name__}.{name}", _plain(value), _is_same(value, defaults.get(name))


def _defaults(kind: type) -> dict[str, Any]:
    """What each parameter of a class is unless given; those that it hands on by ``**kwargs`` are of its bases."""
    known = _known_defaults.get(kind)
    if known is None:
        known = _known_defaults[kind] = {}
        for base in reversed(kind.__mro__):
            if "__init__" in vars(base) and base is not object:
                parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
                known.update((each.name, each.default) for each in parameters if each.default is not each.empty)
    return known


def _named(estimator: Any) -> str:
    steps = getattr(estimator, "steps", None)
    if isinstance(steps, list):
        return " > ".join(type(step).__name__ for _, step in steps)
    inner = getattr(estimator, "estimator", None)
    name = type(estimator).__name__
    return f"{name}({_named(inner)})" if hasattr(inner, "get_params") else name


def _as_loss(estimator: Any, split: str, name: str, sign: int) -> tuple[str, str, int]:
    """Where the curve of a score is really one of a loss."""
    if name != "score":
        return split, name, sign
    scoring = getattr(estimator, "scoring", ...)
    if scoring == "loss":  # histogram boosting keeps the loss with its sign turned
        return split, "loss", -1
    if isinstance(scoring, str):
        return split, scoring, sign
    if scoring is ... and hasattr(estimator, "subsample"):  # gradient boosting calls its loss so
        return split, "loss", sign
    return split, default_scorer(estimator), sign


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str | None):
        return value
    if hasattr(value, "item") and getattr(value, "size", None) == 1:
        return value.item()
    if isinstance(value, list | tuple) and len(value) <= MOST_VALUES:
        return [_plain(each) for each in value]
    if isinstance(value, Mapping) and len(value) <= MOST_VALUES:
        return {str(name): _plain(each) for name, each in value.items()}
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return type(value).__name__


def _over(before: Any, value: Any) -> Any:
    """A parameter over the fits of one run: one value, or a list of several."""
    if _is_same(before, value):
        return value
    known = before if isinstance(before, list) else [before]
    return known if value in known or len(known) >= MOST_VALUES else [*known, value]


def _is_same(one: Any, other: Any) -> bool:
    """Equal, where that is a plain question."""
    if one is other:
        return True
    try:
        return type(one) is type(other) and bool(one == other)
    except (TypeError, ValueError):  # arrays
        return False


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)

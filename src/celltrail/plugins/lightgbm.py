"""LightGBM: its rounds, by its public training callback. Tested with LightGBM 4.7.0.

In a tracked cell ``lightgbm.train(...)``, ``lightgbm.cv(...)`` and ``LGBMClassifier(...).fit(...)`` tell by themselves;
anywhere else ``callbacks=[celltrail.plugins.lightgbm.Callback()]`` does. A series for each evaluated set and metric,
with the round as the step and with the direction that LightGBM gives it. Which set is which is told by the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Key, Nobody, Series, put_params, split_of, splits_of

_hand: Any = Nobody()


def on(lightgbm: Any, hand: Any) -> Callable[[], None]:
    """Hear of each training."""
    global _hand
    _hand = hand
    return hand.calls(_around)


class Callback:
    """Records each round in the current run, for scripts; tracked cells do this by themselves.

    Args:
        splits: LightGBM's names of the evaluated sets -> ``train``, ``val`` ...; taken from the names unless given.
    """

    order = 25  # before early stopping, which ends the round by an exception
    before_iteration = False

    def __init__(self, splits: Mapping[str, str] | None = None) -> None:
        self._splits, self._series = dict(splits or {}), None
        self._keys: dict[tuple[str, str], Key] = {}
        self._goals: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_splits": self._splits, "_series": None, "_keys": {}, "_goals": {}}

    def __call__(self, env: Any) -> None:
        """LightGBM's protocol: after each round; its early stopping is an exception."""
        if _hand.stopped(self._tell, env):
            raise import_module("lightgbm.callback").EarlyStopException(env.iteration, env.evaluation_result_list)

    def _tell(self, env: Any) -> None:
        if not env.evaluation_result_list:
            return
        if self._series is None or self._series.is_over:  # one that was given by hand may be used again
            run = ct.current()
            if run is None:
                return
            self._series = Series(_hand, run, "lightgbm")
        values: dict[Key, Any] = {}
        for data, metric, value, is_more_better, *_ in map(_plain, env.evaluation_result_list):
            values[self._keys.get((data, metric)) or self._meet(data, metric, is_more_better)] = value
        self._series.log(values, step=env.iteration, goals=self._goals)

    def _meet(self, data: str, metric: str, is_more_better: bool) -> Key:
        split = self._splits.get(data) or split_of(data) or data
        self._goals[metric] = "max" if is_more_better else "min"
        key = self._keys[data, metric] = Key(split, metric, f"{data} {metric}")
        return key


def _plain(result: Any) -> tuple[Any, ...]:
    """One evaluation as a tuple, which it was before LightGBM had a class for it."""
    if isinstance(result, tuple):
        return result
    return result.dataset_name, result.metric_name, result.metric_value, result.maximize


def _around(call: Any) -> Callable[[Any], object] | None:
    if call.name not in ("train", "cv", "fit") or not call.accepts("callbacks"):
        return None
    if call.owner is None:
        put_params(_hand, call, call.argument("params", 0))
        sets = _of_function(call)
    else:
        sets = _of_estimator(call)
    call.kwargs["callbacks"] = [*(call.argument("callbacks") or ()), Callback(sets)]

    def after(result: Any) -> None:
        best = getattr(result, "best_iteration_", None) or getattr(result, "best_iteration", None)
        if isinstance(best, int) and best > 0:
            _hand.describe(call.run, summary={"best_iteration": best})

    return after


def _of_function(call: Any) -> dict[str, str]:
    given = call.argument("valid_sets", 3) if call.name == "train" else None
    sets = list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
    names, train = call.argument("valid_names", 4), call.argument("train_set", 1)
    own = [names] if isinstance(names, str) else list(names or ())
    named = [(own[place] if place < len(own) else f"valid_{place}", data) for place, data in enumerate(sets)]
    return {"training": "train", **splits_of(call, train, named, is_named=bool(own))}


def _of_estimator(call: Any) -> dict[str, str]:
    given, own = call.argument("eval_set"), list(call.argument("eval_names") or ())
    pairs = list(given) if isinstance(given, list | tuple) else []
    if pairs and not isinstance(pairs[0], list | tuple):
        pairs = [tuple(pairs)]
    named = [(own[place] if place < len(own) else f"valid_{place}", pair[0]) for place, pair in enumerate(pairs)]
    return {"training": "train", **splits_of(call, call.argument("X", 0), named, is_named=bool(own))}

"""CatBoost: its iterations, by its public training callback. Tested with CatBoost 1.2.10.

In a tracked cell ``CatBoostClassifier(...).fit(...)`` and the like tell by themselves; anywhere else
``callbacks=[celltrail.plugins.catboost.Callback()]`` does. A series for each evaluated set and metric, with the
iteration as the step, counted from 0 as in the other libraries of its kind. Which set is which is told by the data.
CatBoost takes no callbacks where it trains on a GPU: there only the parameters are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Key, Nobody, Series, split_of, splits_of

# what it optimizes for several classes is the loss that others call so
LOSSES = {"multiclass": "logloss", "crossentropy": "logloss"}
_hand: Any = Nobody()


def on(catboost: Any, hand: Any) -> Callable[[], None]:
    """Hear of each model that is fitted."""
    global _hand
    _hand = hand
    return hand.calls(_around)


class Callback:
    """Records each iteration in the current run, for scripts; tracked cells do this by themselves.

    Args:
        splits: CatBoost's names of the evaluated sets -> ``train``, ``val`` ...; taken from the names unless given.
    """

    def __init__(self, splits: Mapping[str, str] | None = None) -> None:
        self._splits, self._series = dict(splits or {}), None
        self._keys: dict[tuple[str, str], Key] = {}

    def after_iteration(self, info: Any) -> bool:
        """CatBoost's protocol: after each iteration; False stops the training."""
        return not _hand.stopped(self._tell, info)

    def _tell(self, info: Any) -> None:
        if self._series is None or self._series.is_over:  # one that was given by hand may be used again
            run = ct.current()
            if run is None:
                return
            self._series = Series(_hand, run, "catboost")
        values: dict[Key, Any] = {}
        for data, metrics in info.metrics.items():
            for metric, history in metrics.items():
                values[self._keys.get((data, metric)) or self._meet(data, metric)] = history[-1]
        self._series.log(values, step=info.iteration - 1)

    def _meet(self, data: str, metric: str) -> Key:
        split, name = self._splits.get(data) or split_of(data) or data, metric.lower()
        key = self._keys[data, metric] = Key(split, LOSSES.get(name) or name, f"{data} {metric}")
        return key


def _around(call: Any) -> Callable[[Any], object] | None:
    model = call.owner
    if call.name != "fit" or not hasattr(model, "get_params"):
        return None
    settings = model.get_params()
    name = type(model).__name__
    told = {
        f"{name}.{key}": value
        for key, value in settings.items()
        if isinstance(value, bool | int | float | str) and not _hand.has_param(call.run, key, value)
    }
    _hand.describe(call.run, params={"estimator": name, **told})
    if call.accepts("callbacks") and settings.get("task_type") != "GPU":
        call.kwargs["callbacks"] = [*(call.argument("callbacks") or ()), Callback(_splits(call))]
    return lambda result: _best(call)


def _splits(call: Any) -> dict[str, str]:
    given = call.argument("eval_set")
    sets = given if isinstance(given, list) else [] if given is None else [given]
    names = ["validation"] if len(sets) == 1 else [f"validation_{place}" for place in range(len(sets))]
    data = [each[0] if isinstance(each, tuple) else each for each in sets]
    named = list(zip(names, data, strict=True))
    return {"learn": "train", **splits_of(call, call.argument("X", 0), named, is_named=False)}


def _best(call: Any) -> None:
    """The iteration that the evaluated sets chose."""
    best = call.owner.get_best_iteration() if call.owner.is_fitted() else None
    if isinstance(best, int):
        _hand.describe(call.run, summary={"best_iteration": best})

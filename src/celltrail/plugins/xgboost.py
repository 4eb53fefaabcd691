"""XGBoost: its rounds, by its public training callback. Tested with XGBoost 3.2.0 (``xgboost-cpu``).

In a tracked cell ``xgboost.train(...)`` and ``XGBClassifier(...).fit(...)`` tell by themselves; anywhere else
``callbacks=[celltrail.plugins.xgboost.Callback()]`` does. A series for each evaluated set and metric, with the round as
the step: ``train/logloss``, ``val/auc``. Which set is which is told by the data, not by its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Key, Nobody, Series, put_params, split_of, splits_of

_TrainingCallback: Any = import_module("xgboost.callback").TrainingCallback
_hand: Any = Nobody()


def on(xgboost: Any, hand: Any) -> Callable[[], None]:
    """Hear of each training."""
    global _hand
    _hand = hand
    return hand.calls(_around)


class Callback(_TrainingCallback):
    """Records each round in the current run, for scripts; tracked cells do this by themselves.

    Args:
        splits: XGBoost's names of the evaluated sets -> ``train``, ``val`` ...; taken from the names unless given.
    """

    def __init__(self, splits: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._splits, self._series = dict(splits or {}), None
        self._keys: dict[tuple[str, str], Key] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {
            "_splits": self._splits,
            "_series": None,
            "_keys": {},
        }  # a model is stored with its callbacks, and not with a run

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """XGBoost's protocol: after each round; True stops the training."""
        return _hand.stopped(self._tell, epoch, evals_log)

    def _tell(self, epoch: int, evals_log: Mapping[str, Mapping[str, list[Any]]]) -> None:
        if self._series is None or self._series.is_over:  # one that was given by hand may be used again
            run = ct.current()
            if run is None:
                return
            self._series = Series(_hand, run, "xgboost")
        values: dict[Key, Any] = {}
        for data, metrics in evals_log.items():
            for metric, history in metrics.items():
                last = history[-1]  # of folds mean and deviation
                key = self._keys.get((data, metric)) or self._meet(data, metric)
                values[key] = last[0] if isinstance(last, tuple) else last
        self._series.log(values, step=epoch)

    def _meet(self, data: str, metric: str) -> Key:
        split = self._splits.get(data) or split_of(data) or data
        key = self._keys[data, metric] = Key(split, metric, f"{data}-{metric}")
        return key


def _around(call: Any) -> Callable[[Any], object] | None:
    if call.name in ("train", "cv") and call.owner is None:
        return _function(call)
    return _estimator(call) if call.name == "fit" and hasattr(call.owner, "callbacks") else None


def _function(call: Any) -> Callable[[Any], object] | None:
    put_params(_hand, call, call.argument("params", 0))
    if not call.accepts("callbacks"):
        return None
    sets = [(name, data) for data, name in call.argument("evals") or ()]
    splits = splits_of(call, call.argument("dtrain", 1), sets, is_named=True) or {"test": "val"}  # of folds
    call.kwargs["callbacks"] = [*(call.argument("callbacks") or ()), Callback(splits)]
    return partial(_best, call, None)


def _estimator(call: Any) -> Callable[[Any], object]:
    model, before = call.owner, call.owner.callbacks
    sets = [(f"validation_{place}", each[0]) for place, each in enumerate(call.argument("eval_set") or ())]
    model.callbacks = [*(before or ()), Callback(splits_of(call, call.argument("X", 0), sets, is_named=False))]

    def after(result: Any) -> None:
        model.callbacks = before
        _best(call, model, result)

    return after


def _best(call: Any, model: Any, result: Any) -> None:
    """The round that early stopping chose."""
    best = getattr(model or result, "best_iteration", None) if _stops_early(call, model) else None
    if isinstance(best, int):
        _hand.describe(call.run, summary={"best_iteration": best})


def _stops_early(call: Any, model: Any) -> bool:
    return bool(call.argument("early_stopping_rounds") or getattr(model, "early_stopping_rounds", None))

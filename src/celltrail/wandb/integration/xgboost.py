"""wandb's callback for XGBoost. Tested with XGBoost 3.2.0 (``xgboost-cpu``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import celltrail as ct
import celltrail.wandb as wandb
from celltrail.wandb.integration.boosting import begun, keep_model, show_importance

_TrainingCallback: Any = import_module("xgboost.callback").TrainingCallback
_LESS = ("rmse", "rmsle", "mae", "mape", "mphe", "error", "merror")
_MORE = ("auc", "aucpr", "ndcg", "map", "pre")


class WandbCallback(_TrainingCallback):
    """Logs each round under wandb's names: ``validation_0-logloss``, ``validation_0-auc``, ``epoch``.

    The booster's configuration becomes the run's; where early stopping chose a round, the summary has ``best_score``
    and ``best_iteration``. A stop that a person or a rule asked for ends the training as early stopping does.

    Args:
        log_model: keep the model with the run.
        log_feature_importance: draw how much each feature counts.
        importance_type: what that is: "weight", "gain", "cover", "total_gain" or "total_cover".
        define_metric: say in which direction the metrics are better.
    """

    def __init__(
        self,
        log_model: bool = False,
        log_feature_importance: bool = True,
        importance_type: str = "gain",
        define_metric: bool = True,
    ) -> None:
        super().__init__()
        begun("WandbCallback")
        self._keeps_model, self._importance = log_model, importance_type if log_feature_importance else ""
        self._names: dict[tuple[str, str], str] = {}
        self._defines = define_metric

    def before_training(self, model: Any) -> Any:
        """XGBoost's protocol."""
        wandb.config.update(json.loads(model.save_config()))
        return model

    def after_training(self, model: Any) -> Any:
        """XGBoost's protocol."""
        run = begun("the training ends")
        if self._keeps_model:
            keep_model(run, f"{run.id}_model.json", model.save_raw("json").decode())
        if self._importance:
            show_importance(run, model.get_score(importance_type=self._importance))
        best = model.attr("best_score")
        if best is not None:
            run.summary.update({"best_score": float(best), "best_iteration": int(model.attr("best_iteration"))})
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, list[Any]]]) -> bool:
        """XGBoost's protocol; True stops the training."""
        told: dict[str, Any] = {}
        for data, metrics in evals_log.items():
            for metric, history in metrics.items():
                name = self._names.get((data, metric)) or self._name(data, metric)
                last = history[-1]  # of folds mean and deviation
                told[name] = last[0] if isinstance(last, tuple) else last
        try:
            wandb.log({**told, "epoch": epoch})
        except ct.StopTraining:
            return True
        return False

    def _name(self, data: str, metric: str) -> str:
        name = self._names[data, metric] = f"{data}-{metric}"
        kind = metric.partition("@")[0]
        if self._defines and ("loss" in kind or kind in _LESS + _MORE):
            wandb.define_metric(name, summary="max" if kind in _MORE else "min")
        return name

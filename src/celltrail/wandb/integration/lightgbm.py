"""wandb's callback for LightGBM, and what it tells of a model. Tested with LightGBM 4.7.0."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import celltrail as ct
import celltrail.wandb as wandb
from celltrail.wandb.integration.boosting import begun, keep_model, show_importance


def wandb_callback(log_params: bool = True, define_metric: bool = True) -> Any:
    """A callback that logs each round under wandb's names: ``valid_0_auc``, ``iteration``.

    Of folds it logs ``valid_auc-mean`` and ``valid_auc-stdv``. A stop that a person or a rule asked for ends the
    training as early stopping does.

    Args:
        log_params: the parameters of the training become the run's configuration.
        define_metric: say in which direction the metrics are better, as LightGBM does.
    """
    begun("wandb_callback()")
    return _WandbCallback(log_params, define_metric)


def log_summary(model: Any, feature_importance: bool = True, save_model_checkpoint: bool = False) -> None:
    """Tell of a booster once it is trained: ``best_iteration`` and ``best_score``.

    Args:
        model: a ``lightgbm.Booster``.
        feature_importance: draw how much each feature counts.
        save_model_checkpoint: keep the model as it was at its best round, with the alias "best".
    """
    run = begun("log_summary()")
    run.summary.update({"best_iteration": model.best_iteration, "best_score": model.best_score})
    if feature_importance:
        show_importance(run, dict(zip(model.feature_name(), model.feature_importance(), strict=True)))
    if save_model_checkpoint:
        keep_model(run, f"model_{run.id}", model.model_to_string(num_iteration=model.best_iteration), "best")


class _WandbCallback:
    order = 20  # before early stopping, which ends the round by an exception
    before_iteration = False

    def __init__(self, log_params: bool, define_metric: bool) -> None:
        self._tells_params, self._defines = log_params, define_metric

    def __call__(self, env: Any) -> None:
        """LightGBM's protocol: after each round."""
        is_first = env.iteration == env.begin_iteration
        if is_first and self._tells_params:
            wandb.config.update(env.params)
        told: dict[str, Any] = {}
        for data, metric, value, is_more_better, *rest in env.evaluation_result_list or ():
            deviation = rest[0] if rest else None  # of folds
            mean = f"{data}_{metric}" if deviation is None else f"{data}_{metric}-mean"
            told[mean] = value
            if deviation is not None:
                told[f"{data}_{metric}-stdv"] = deviation
            if is_first and self._defines:
                wandb.define_metric(mean, summary="max" if is_more_better else "min")
        try:
            wandb.log({**told, "iteration": env.iteration})
        except ct.StopTraining:
            stop = import_module("lightgbm.callback").EarlyStopException
            raise stop(env.iteration, env.evaluation_result_list) from None

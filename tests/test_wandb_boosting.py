"""Scripts as one writes them for wandb's callbacks for XGBoost and LightGBM, held beside the libraries' own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import celltrail as ct
import celltrail.wandb as wandb

xgb: Any = pytest.importorskip("xgboost")
lgb: Any = pytest.importorskip("lightgbm")

X_train, X_val, y_train, y_val = train_test_split(*load_breast_cancer(return_X_y=True), random_state=0)
PLAIN = {"objective": "binary", "metric": ["auc", "binary_logloss"], "verbose": -1, "num_threads": 1}


@pytest.fixture
def store(trail: Path) -> Iterator[ct.Store]:
    """A trail of its own."""
    yield ct.Store(trail)
    wandb.finish()


def told(run: Any) -> dict[str, list[float]]:
    return {name: series.value.tolist() for name, series in run.store.series(run.id).items()}


def test_rounds_of_xgboost(store: ct.Store):
    """Each under wandb's names, the configuration, the best round, the bars and the model, which predicts the same."""
    from celltrail.wandb.integration.xgboost import WandbCallback

    wandb.init(project="boosted", name="rounds")
    model = xgb.XGBClassifier(
        n_estimators=30, max_depth=3, learning_rate=1.0, n_jobs=1, early_stopping_rounds=2, random_state=0,
        eval_metric=["auc", "logloss"], callbacks=[WandbCallback(log_model=True)],
    )  # fmt: skip
    model.fit(X_train, y_train, eval_set=[(X_train, y_train), (X_val, y_val)], verbose=False)
    wandb.finish()
    run, own = ct.run("rounds", store=store), model.evals_result()
    series = told(run)
    assert series.pop("epoch") == list(range(len(own["validation_0"]["auc"])))
    assert series == {f"{data}-{name}": each for data, metrics in own.items() for name, each in metrics.items()}
    assert (run.summary["best_iteration"], run.summary["best_score"]) == (model.best_iteration, model.best_score)
    assert run.params["learner"]["learner_train_param"]["objective"] == "binary:logistic"
    goals = run.record.metrics
    assert (goals["validation_1-auc"].goal, goals["validation_1-logloss"].goal) == ("max", "min")
    assert [each.name for each in run.items(kind="figure")] == ["Feature Importance"]
    assert ct.runs("name == 'rounds'", store=store).media().keys == [
        "Feature Importance"
    ]  # the model is no text to read
    kept = next(each for each in run.artifacts if each.name.endswith("_model.json"))
    again = xgb.XGBClassifier()
    again.load_model(kept.restore(store.root.parent / "again.json"))
    assert (again.predict(X_val) == model.predict(X_val)).all()


def test_rounds_of_lightgbm(store: ct.Store):
    """Each under wandb's names, the parameters, and what is told of the model at the end."""
    from celltrail.wandb.integration.lightgbm import log_summary, wandb_callback

    wandb.init(project="boosted", name="rounds")
    train, own = lgb.Dataset(X_train, y_train), dict[str, Any]()
    model = lgb.train(
        PLAIN, train, 20, valid_sets=[lgb.Dataset(X_val, y_val, reference=train)],
        callbacks=[wandb_callback(), lgb.record_evaluation(own), lgb.early_stopping(3, verbose=False)],
    )  # fmt: skip
    log_summary(model, save_model_checkpoint=True)
    wandb.finish()
    run = ct.run("rounds", store=store)
    series = told(run)
    assert series.pop("iteration") == list(range(len(own["valid_0"]["auc"])))
    assert series == {f"valid_0_{name}": each for name, each in own["valid_0"].items()}
    assert run.record.metrics["valid_0_auc"].goal == "max"
    assert run.params["objective"] == "binary"
    assert run.summary["best_iteration"] == model.best_iteration
    assert run.summary["best_score"]["valid_0"] == dict(model.best_score["valid_0"])
    assert [each.name for each in run.items(kind="figure")] == ["Feature Importance"]
    kept = next(each for each in run.artifacts if each.name.startswith("model_"))
    again = lgb.Booster(model_file=kept.restore(store.root.parent / "again.txt"))
    assert (again.predict(X_val) == model.predict(X_val, num_iteration=model.best_iteration)).all()


def test_folds_of_lightgbm(store: ct.Store):
    """Mean and deviation of each round."""
    from celltrail.wandb.integration.lightgbm import wandb_callback

    wandb.init(name="folds")
    own = lgb.cv(
        PLAIN | {"metric": "auc"}, lgb.Dataset(X_train, y_train), 4, nfold=3, seed=1, callbacks=[wandb_callback()]
    )
    wandb.finish()
    series = told(ct.run("folds", store=store))
    assert series["valid_auc-mean"] == own["valid auc-mean"]
    assert series["valid_auc-stdv"] == own["valid auc-stdv"]


def test_a_stop_ends_the_training_and_the_model_is_whole(store: ct.Store):
    """As early stopping does: the call returns, and the model predicts."""
    from celltrail.wandb.integration.lightgbm import wandb_callback
    from celltrail.wandb.integration.xgboost import WandbCallback

    wandb.init(name="stopped xgboost")
    ct.alert('count("validation_0-logloss") >= 3', stop=True)
    model = xgb.XGBClassifier(n_estimators=40, n_jobs=1, base_score=0.5, callbacks=[WandbCallback()])
    model.fit(X_train, y_train, eval_set=[(X_val, y_val)], verbose=False)
    assert (model.get_booster().num_boosted_rounds(), len(model.predict(X_val))) == (3, len(y_val))
    wandb.init(name="stopped lightgbm")
    ct.alert('count("valid_0_auc") >= 3', stop=True)
    own = lgb.LGBMClassifier(n_estimators=40, n_jobs=1, verbose=-1)
    own.fit(X_train, y_train, eval_set=[(X_val, y_val)], eval_metric="auc", callbacks=[wandb_callback()])
    assert (own.booster_.num_trees(), len(own.predict(X_val))) == (3, len(y_val))


def test_without_a_run(trail: Path):
    """What is missing is said in a sentence, before anything is trained."""
    from celltrail.wandb.integration.lightgbm import log_summary, wandb_callback
    from celltrail.wandb.integration.xgboost import WandbCallback

    for ask in (WandbCallback, wandb_callback, lambda: log_summary(None)):
        with pytest.raises(ct.CelltrailError, match=r"call wandb\.init\(\) before"):
            ask()

"""What cells with XGBoost, LightGBM, Optuna and tqdm tell by themselves, held beside the libraries' own numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from celltrail.store import Store
from kernels import SETTLE, Kernel

pytest.importorskip("xgboost")
pytest.importorskip("lightgbm")

DATA = """
import json
import lightgbm as lgb, optuna, time, xgboost as xgb
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from tqdm.auto import tqdm, trange
X, y = load_breast_cancer(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)
def boosted(rounds, **settings):
    return lgb.LGBMClassifier(n_estimators=rounds, verbose=-1, n_jobs=1, **settings)
"""
CELLS = {
    "xgboost": """
d_train, d_val, own = xgb.DMatrix(X_train, y_train), xgb.DMatrix(X_val, y_val), {}
settings = {"objective": "binary:logistic", "max_depth": 2, "eval_metric": ["logloss", "auc"], "nthread": 1}
sets = [(d_train, "fitted"), (d_val, "holdout")]
xgb.train(settings, d_train, 6, evals=sets, evals_result=own, verbose_eval=False)
""",
    "xgboost estimator": """
model = xgb.XGBClassifier(n_estimators=30, max_depth=3, early_stopping_rounds=2, n_jobs=1, learning_rate=1.0)
model.fit(X_train, y_train, eval_set=[(X_train, y_train), (X_val, y_val)], verbose=False)
own = [model.evals_result(), model.best_iteration, model.callbacks]
""",
    "tutorial": """
from sklearn.metrics import accuracy_score, log_loss
model = xgb.XGBClassifier(n_estimators=20, early_stopping_rounds=5, n_jobs=1, eval_metric="logloss")
model.fit(X_train, y_train, eval_set=[(X_val, y_val)], verbose=False)
accuracy_score(y_val, model.predict(X_val))
own = [log_loss(y_val, model.predict_proba(X_val)), len(model.evals_result()["validation_0"]["logloss"])]
""",
    "lightgbm": """
model = boosted(8, max_depth=2)
model.fit(X_train, y_train, eval_set=[(X_val, y_val), (X_train, y_train)], eval_metric=["auc"])
own = model.evals_result_
""",
    "lightgbm folds": """
settings = {"objective": "binary", "metric": "auc", "verbose": -1, "num_threads": 1}
own = lgb.cv(settings, lgb.Dataset(X_train, y_train), 4, nfold=3, seed=1)
""",
    "optuna": """
optuna.logging.set_verbosity(optuna.logging.WARNING)
def objective(trial):
    x = trial.suggest_float("x", -3, 3)
    time.sleep(0.05)
    trial.report(x, 0); trial.report(2 * x, 1)
    if x > 1: raise optuna.TrialPruned()
    return -x * x
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
study.optimize(objective, n_trials=6)
own = [[t.value, t.params["x"], t.state.name, t.duration.total_seconds()] for t in study.trials]
""",
    "xgboost stopped --stop-if count(val/logloss)>=3": """
model = xgb.XGBClassifier(n_estimators=40, max_depth=2, n_jobs=1, base_score=0.5)
model.fit(X_train, y_train, eval_set=[(X_val, y_val)], verbose=False)
own = [model.get_booster().num_boosted_rounds(), len(model.predict(X_val))]
""",
    "lightgbm stopped --stop-if count(val/logloss)>=3": """
model = boosted(40, max_depth=2)
model.fit(X_train, y_train, eval_set=[(X_val, y_val)])
own = [model.best_iteration_, len(model.predict(X_val))]
""",
    "optuna stopped --stop-if count(objective)>=3": """
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
study.optimize(lambda trial: trial.suggest_float("x", -3, 3) ** 2, n_trials=40)
own = [len(study.trials), study.best_value]
""",
    "tqdm": """
for i in (bar := trange(4)):
    loss = 1 / (i + 1)
    bar.set_postfix({"loss": loss, "val_acc": f"{i / 4:.2f}"}, note="warm", lr=0.5)
by_hand = tqdm(total=4)
for i in range(4):
    by_hand.update()
    by_hand.set_postfix(test_acc=i / 2)
own = None
""",
}


FAILING = """
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
def objective(trial):
    x = trial.suggest_float("x", 1, 2)
    if trial.number % 2:
        trial.report(x, 0)
        raise ValueError("diverged")
    return x
study = optuna.create_study()
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[ct.Store, Any, Any]]:
    """For each cell: the trail, its run, and what the cell kept of the library's own numbers."""
    folder: Path = tmp_path_factory.mktemp("boosting")
    store = Store(folder / ".celltrail")
    places = {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(folder / "c"), "OMP_NUM_THREADS": "1"}
    kernel = Kernel(folder, places)
    kernel.run("%load_ext celltrail")
    kernel.run(DATA)
    found: dict[str, Any] = {}
    for name, cell in CELLS.items():
        words, _, rest = name.partition(" --")
        reply = kernel.run(f"%%track {words.replace(' ', '-')} {rest and '--' + rest}{cell}")
        assert reply.status == "ok", reply.complaints + "\n".join(reply.content["traceback"])
        found[name] = json.loads(kernel.run("print(json.dumps(own))").text)
    kernel.run(SETTLE)
    kernel.stop()
    plain = {name.partition(" --")[0]: own for name, own in found.items()}
    return {name: (store, ct.run(name.replace(" ", "-"), store=store), own) for name, own in plain.items()}


def values(store: ct.Store, run: Any) -> dict[str, list[float]]:
    assert not run.record.problems
    return {name: series.value.tolist() for name, series in store.series(run.id).items()}


def test_xgboost_by_its_function(told: dict[str, Any]):
    """The set that it trains on is known by itself, the other by its name; directions and XGBoost's names are kept."""
    store, run, own = told["xgboost"]
    assert values(store, run) == {
        "train/logloss": own["fitted"]["logloss"],
        "train/auc": own["fitted"]["auc"],
        "val/logloss": own["holdout"]["logloss"],
        "val/auc": own["holdout"]["auc"],
    }
    assert (run.record.metrics["val/logloss"].goal, run.record.metrics["val/auc"].goal) == ("min", "max")
    assert run.record.environment["autolog"]["keys"]["val/auc"] == "xgboost: holdout-auc"
    assert [name for name in run.params if name.endswith("max_depth")] == ["settings.max_depth"]


def test_scores_after_a_fit_stand_where_it_ended(told: dict[str, Any]):
    """A score is no point of its first round; params are those that were given, and nothing that we put in."""
    store, run, (loss, rounds) = told["tutorial"]
    series = store.series(run.id)
    assert series["val/accuracy"].step.tolist() == [rounds - 1]
    assert (series["val/log_loss"].step.tolist(), series["val/log_loss"].value.tolist()) == ([rounds - 1], [loss])
    assert {name: value for name, value in run.params.items() if name.startswith("XGB")} == {
        "XGBClassifier.n_jobs": 1,
        "XGBClassifier.n_estimators": 20,
        "XGBClassifier.early_stopping_rounds": 5,
        "XGBClassifier.eval_metric": "logloss",
    }


def test_xgboost_by_its_estimator(told: dict[str, Any]):
    """The estimator has its own callbacks again, and early stopping does what it does."""
    store, run, (own, best, callbacks) = told["xgboost estimator"]
    assert values(store, run) == {
        "train/logloss": own["validation_0"]["logloss"],
        "val/logloss": own["validation_1"]["logloss"],
    }
    assert (run.summary["best_iteration"], callbacks) == (best, None)
    assert run.params["estimator"] == "XGBClassifier"
    assert run.params["XGBClassifier.max_depth"] == 3


def test_lightgbm_by_its_estimator(told: dict[str, Any]):
    """In a function of an earlier cell too, whatever the order of the sets."""
    store, run, own = told["lightgbm"]
    named = {"val": own["valid_0"], "train": own["training"]}
    assert values(store, run) == {
        f"{split}/{name.replace('binary_', '')}": history
        for split, metrics in named.items()
        for name, history in metrics.items()
    }
    assert run.record.metrics["train/auc"].goal == "max"
    assert (run.params["LGBMClassifier.max_depth"], run.params["LGBMClassifier.n_estimators"]) == (2, 8)


def test_lightgbm_over_folds(told: dict[str, Any]):
    """The mean of the folds, round by round."""
    store, run, own = told["lightgbm folds"]
    assert values(store, run) == {"val/auc": own["valid auc-mean"]}


def test_each_trial_of_optuna_is_a_run(told: dict[str, Any]):
    """With its param, what it reported, its objective in the study's direction, how it ended and how long it took."""
    store, run, own = told["optuna"]
    done = [value for value, _, state, _ in own if state == "COMPLETE"]
    assert values(store, run) == {"objective": done}
    trials = sorted(run.children, key=lambda each: int(each.name.split()[1]))
    assert [trial.params["x"] for trial in trials] == [x for _, x, *_ in own]
    for trial, (value, x, state, seconds) in zip(trials, own, strict=True):
        assert trial.record.duration_s == seconds >= 0.05
        assert trial.code.rstrip("\n") == run.code.rstrip("\n")  # the cell as it was typed
        assert trial.record.environment.keys() >= {"env", "hardware"}
        assert "sys/seconds" not in trial.summary  # nobody measured a trial that was over
        series = values(store, trial)
        assert series["intermediate"] == [x, 2 * x]
        assert series.get("objective") == (None if state == "PRUNED" else [value])
        assert ("pruned" in trial.tags) == (state == "PRUNED")
    assert {state for _, _, state, _ in own} == {"COMPLETE", "PRUNED"}
    assert run.record.metrics["objective"].goal == "max"


def test_a_trial_whose_error_ends_the_search_is_a_run_too(tmp_path: Path) -> None:
    """No callback hears of it; one that failed in an earlier search, or was told already, is not told again."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "c")})
    kernel.run("%load_ext celltrail")
    kernel.run(FAILING)
    first = kernel.run("%%track first\nstudy.optimize(objective, n_trials=9)")
    second = kernel.run("%%track second\nstudy.optimize(objective, n_trials=2, catch=(ValueError,))")
    kernel.stop()
    assert [first.status, second.status] == ["error", "ok"]
    assert not first.complaints, first.complaints
    found = {
        run.name: {trial.name: (trial.status, list(trial.summary)) for trial in run.children}
        for run in ct.runs("parent is None", store=store)
    }
    assert found == {
        "first": {"trial 0": ("finished", ["objective"]), "trial 1": ("failed", ["intermediate"])},
        "second": {"trial 2": ("finished", ["objective"]), "trial 3": ("failed", ["intermediate"])},
    }


def test_what_a_bar_shows(told: dict[str, Any]):
    """Numbers, also as text, by the bar's turns, moved on by hand or not; a loop variable stays where it is."""
    store, run, _ = told["tqdm"]
    assert store.series(run.id)["val/acc"].step.tolist() == [0, 1, 2, 3]
    assert store.series(run.id)["test/acc"].step.tolist() == [0, 1, 2, 3]
    assert values(store, run) == {
        "loss": [1.0, 0.5, 1 / 3, 0.25],
        "val/acc": [0.0, 0.25, 0.5, 0.75],
        "train/lr": [0.5] * 4,
        "test/acc": [0.0, 0.5, 1.0, 1.5],
    }


@pytest.mark.parametrize(("name", "metric"), [("xgboost", "val/logloss"), ("lightgbm", "val/logloss"), ("optuna", "")])
def test_a_rule_ends_a_training_as_the_library_does(told: dict[str, Any], name: str, metric: str):
    """By its own flag: the call returns, the model predicts, what comes after it in the cell runs, all is said."""
    store, run, (rounds, rest) = told[f"{name} stopped"]
    assert (rounds, run.status) == (3, "finished")
    assert rest is not None
    assert run.stopped_by == f"rule count({metric or 'objective'})>=3"
    assert len(values(store, run)[metric or "objective"]) == 3
    assert [alert.step for alert in run.alerts] == [2]


def test_a_callback_given_by_hand_serves_one_run_after_another(store: Store) -> None:
    """In a script it is made once; each run gets the rounds that were trained in it."""
    import lightgbm
    import numpy as np
    import xgboost

    from celltrail.plugins import lightgbm as lightgbm_plugin
    from celltrail.plugins import xgboost as xgboost_plugin

    x, y = np.arange(40.0)[:, None], np.arange(40) % 2
    matrix, by_hand = xgboost.DMatrix(x, y), xgboost_plugin.Callback()
    other = lightgbm_plugin.Callback()
    for rounds in (2, 3):
        with ct.start(f"{rounds} rounds", store=store):
            xgboost.train(
                {"nthread": 1}, matrix, rounds, evals=[(matrix, "train")], verbose_eval=False, callbacks=[by_hand]
            )
            lightgbm.train(
                {"metric": "auc", "verbose": -1, "num_threads": 1}, lightgbm.Dataset(x, y), rounds,
                valid_sets=[lightgbm.Dataset(x, y)], valid_names=["val"], callbacks=[other],
            )  # fmt: skip
    for rounds in (2, 3):
        metrics = ct.run(f"{rounds} rounds").metrics
        assert {name: metric.count for name, metric in metrics.items()} == {"train/rmse": rounds, "val/auc": rounds}

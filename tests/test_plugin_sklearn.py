"""What cells with scikit-learn tell by themselves, held beside scikit-learn's own numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import celltrail as ct
from celltrail.plugins.sklearn import default_scorer, settings, title_of
from celltrail.store import Store
from kernels import SETTLE, Kernel

DATA = """
import json, numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = load_breast_cancer(return_X_y=True)
X = X / X.max(0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
def fitted(C, X, y):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=500)).fit(X, y)
"""
CELLS = {
    "scores": """
model = fitted(0.5, X_train, y_train)
accuracy = model.score(X_test, y_test)
seen = model.score(X_train, y_train)
auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
macro = f1_score(y_test, model.predict(X_test), average="macro")
own = [accuracy, seen, auc, macro]
""",
    "curves": """
perceptron = MLPClassifier((8,), max_iter=6, early_stopping=True, random_state=0).fit(X_train, y_train)
forest = HistGradientBoostingClassifier(max_iter=7, early_stopping=True, scoring="loss").fit(X_train, y_train)
losses = [list(-forest.train_score_), list(-forest.validation_score_)]
own = [perceptron.loss_curve_, perceptron.validation_scores_, *losses]
""",
    "search": """
search = GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.01, 0.1, 1.0]}, cv=3, return_train_score=True)
search.fit(X_train, y_train)
means = [search.cv_results_[f"mean_{split}_score"].tolist() for split in ("test", "train")]
took = search.cv_results_["mean_fit_time"] + search.cv_results_["mean_score_time"]
own = [*means, search.best_params_, (3 * took).tolist()]
""",
    "half": """
GridSearchCV(LogisticRegression(max_iter=500), {"C": [-1.0, 1.0]}, cv=3).fit(X_train, y_train)
own = []
""",
    "folds": """
ridge = cross_val_score(Ridge(alpha=2.0), X_train, y_train, cv=4)
both = cross_validate(LogisticRegression(max_iter=500), X_train, y_train, cv=3, scoring=["roc_auc", "accuracy"])
own = [ridge.tolist(), both["test_roc_auc"].tolist(), both["test_accuracy"].tolist()]
""",
    "loop": """
for C in (0.1, 1.0):
    model = fitted(C, X_train, y_train)
    acc = model.score(X_test, y_test)
    error = 1 - accuracy_score(y_test, model.predict(X_test))
own = [acc, error]
""",
    "wrong": """
try:
    LogisticRegression().fit(X_train, y_test)
except ValueError as error:
    own = str(error)
LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test)
""",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[ct.Store, Any, Any, Any]]:
    """For each cell: the trail, its run, what the cell kept of scikit-learn's own numbers, and its reply."""
    folder: Path = tmp_path_factory.mktemp("sklearn")
    store = Store(folder / ".celltrail")
    kernel = Kernel(
        folder, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(folder / "c"), "OMP_NUM_THREADS": "1"}
    )
    kernel.run("%load_ext celltrail")
    kernel.run(DATA)
    found: dict[str, tuple[Any, Any]] = {}
    for name, cell in CELLS.items():
        reply = kernel.run(f"%%track {name}{cell}")
        found[name] = json.loads(kernel.run("print(json.dumps(own))").text), reply
    kernel.run(SETTLE)
    kernel.stop()
    return {name: (store, ct.runs(f"name == {name!r}", store=store)[0], *each) for name, each in found.items()}


def values(store: ct.Store, run: Any) -> dict[str, list[float]]:
    return {name: series.value.tolist() for name, series in store.series(run.id).items()}


def test_scores_are_those_of_sklearn_and_know_their_split(told: dict[str, Any]):
    """By the data where it was fitted on, else by the variables' names; and only what is no default is a param."""
    store, run, (accuracy, seen, auc, macro), _ = told["scores"]
    assert values(store, run) == {
        "test/accuracy": [accuracy],
        "train/accuracy": [seen],
        "test/auc": [auc],
        "test/f1_macro": [macro],
    }
    assert run.params["estimator"] == "StandardScaler > LogisticRegression"
    assert run.params["LogisticRegression.C"] == 0.5
    assert run.params["LogisticRegression.max_iter"] == 500
    assert not {name for name in run.params if "tol" in name or "with_mean" in name}
    assert run.record.metrics["test/f1_macro"].goal == run.record.metrics["test/auc"].goal == "max"
    assert run.record.environment["autolog"]["keys"]["test/auc"] == "sklearn: roc_auc_score"
    assert not run.record.problems


def test_curves_of_iterative_estimators(told: dict[str, Any]):
    """The losses and scores that they keep, one after the other."""
    store, run, (losses, scores, train, val), _ = told["curves"]
    assert values(store, run) == {
        "train/loss": [*losses, *train],
        "val/accuracy": scores,
        "val/loss": val,
    }
    assert run.params["estimator"] == ["MLPClassifier", "HistGradientBoostingClassifier"]


def test_the_candidates_of_a_search_are_runs_below_it(told: dict[str, Any]):
    """With their params and mean scores, exactly, the direction of a scorer, and the time that they took."""
    store, run, (test, train, best, took), _ = told["search"]
    children = sorted(run.children, key=lambda each: each.params["C"])
    assert [child.params for child in children] == [{"C": 0.01}, {"C": 0.1}, {"C": 1.0}]
    series = [values(store, child) for child in children]
    assert [each["val/accuracy"] for each in series] == [[value] for value in test]
    assert [each["train/accuracy"] for each in series] == [[value] for value in train]
    assert children[0].record.metrics["val/accuracy"].goal == "max"
    assert run.summary["best.C"] == best["C"]
    assert run.summary["GridSearchCV.best_score"] == max(test)
    assert {child.status for child in children} == {"finished"}
    assert [child.record.duration_s for child in children] == pytest.approx(took)


def test_a_candidate_that_could_not_be_fitted_has_failed(told: dict[str, Any]) -> None:
    """scikit-learn goes on with the others; its score of that one is no number."""
    _, run, _, _ = told["half"]
    assert {child.params["C"]: child.status for child in run.children} == {-1.0: "failed", 1.0: "finished"}
    assert run.status == "finished"


def test_a_candidate_is_called_by_what_was_tried() -> None:
    """In few digits, for a search draws them with seventeen; of a search over nothing by what it is."""
    drawn = {"svc__C": 2.351681338577186, "svc__gamma": 0.0001234567, "svc__kernel": "rbf", "n": 10, "whiten": True}
    assert title_of(drawn) == "svc__C=2.352 svc__gamma=0.0001235 svc__kernel=rbf n=10 whiten=True"
    assert title_of({}) == "candidate"


def test_folds_are_points(told: dict[str, Any]):
    """Of cross_val_score by the estimator's own score, of cross_validate by the scorers' names."""
    store, run, (ridge, auc, accuracy), _ = told["folds"]
    assert values(store, run) == {"val/r2": ridge, "val/auc": auc, "val/accuracy": accuracy}


def test_a_loop_variable_is_not_told_twice(told: dict[str, Any]):
    """``acc`` is recorded under its own name; what has no name comes beside it."""
    store, run, (acc, error), _ = told["loop"]
    series = values(store, run)
    assert sorted(series) == ["acc", "error", "test/accuracy"]
    assert (series["acc"][-1], series["error"][-1]) == (acc, error)
    assert series["test/accuracy"][-1] == 1 - error
    assert run.params["LogisticRegression.C"] == [0.1, 1.0]


def test_errors_are_those_of_sklearn(told: dict[str, Any]):
    """Message and traceback name the user's line and scikit-learn's, and nothing of ours."""
    _, run, own, reply = told["wrong"]
    assert own.startswith("Found input variables with inconsistent numbers of samples")
    assert reply.content["ename"] == "TypeError"
    assert "missing 1 required positional argument: 'y'" in reply.content["evalue"]
    assert not [line for line in reply.content["traceback"] if "celltrail" in line]
    assert run.status == "failed"
    assert not run.record.problems


def test_what_is_asked_of_estimators():
    """Parameters inside pipelines and searches, and the score of what is inside them."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(with_std=False), LogisticRegression(class_weight={0: 1, 1: 2}))
    assert {name: value for name, value, is_default in settings(pipeline) if not is_default} == {
        "StandardScaler.with_std": False,
        "LogisticRegression.class_weight": {"0": 1, "1": 2},
    }
    search = RandomizedSearchCV(RandomForestRegressor(n_estimators=7), {"max_depth": [1, 2]}, n_iter=1)
    assert ("RandomForestRegressor.n_estimators", 7, False) in settings(search)
    assert (default_scorer(pipeline), default_scorer(search)) == ("accuracy", "r2")

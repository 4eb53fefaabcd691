"""The evaluation panel: what it holds, the rows behind what is clicked, and its saved form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import confusion_matrix, precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import celltrail as ct
from celltrail import contract
from celltrail.panels import detail, saved
from celltrail.panels.evaluation import EvaluationPanel, bundle
from celltrail.panels.widget import Panel
from celltrail.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two classifiers of digits and a regression of diabetes, one of them with a name that is markup."""
    found = Store(tmp_path_factory.mktemp("evaluated") / ".celltrail")
    x, held, y, held_y = train_test_split(*datasets.load_digits(return_X_y=True), test_size=0.4, random_state=0)
    models = {
        "<b>tree</b>": DecisionTreeClassifier(max_depth=8, random_state=0),
        "linear": LogisticRegression(max_iter=50),
    }
    for name, model in models.items():
        with ct.start(name, store=found) as run:
            run.log({"train/loss": 0.5})
            run.evaluate(held_y, make_pipeline(StandardScaler(), model).fit(x, y).predict_proba(held))
    x, held, y, held_y = train_test_split(*datasets.load_diabetes(return_X_y=True), random_state=0)
    with ct.start("ridge", store=found) as run:
        run.evaluate(held_y, Ridge().fit(x, y).predict(held))
    return found


def ask(panel: Panel, **asked):
    heard: list = []
    panel.send = lambda content, buffers=None: heard.append(content)
    empty = {"truth": "", "output": "", "low": 0.0, "high": 0.0, "output_low": 0.0, "output_high": 0.0}
    panel._hear(None, {"kind": "pick", "id": "1", **empty, **asked}, [])
    return heard[0]


def test_it_holds_metrics_confusion_and_curves(store):
    """Two runs of ten labels: the matrix is scikit-learn's, the curves go from corner to corner."""
    found = ct.runs("name != 'ridge'", store=store).evaluation("val")
    panel = EvaluationPanel(found)
    (shown,) = panel.state["evaluations"]
    assert (shown["split"], shown["task"], shown["labels"]) == (
        "val",
        "multiclass",
        [str(label) for label in range(10)],
    )
    assert [run["name"] for run in shown["runs"]] == ["linear", "<b>tree</b>"]
    table = found[0].table
    assert shown["runs"][0]["confusion"] == confusion_matrix(table["truth"], table["output"]).tolist()
    scores = {score["name"]: score for score in shown["runs"][0]["scores"]}
    assert scores["log_loss"]["goal"] == "min"
    assert scores["accuracy"]["low"] < scores["accuracy"]["value"] < scores["accuracy"]["high"]
    curve = next(each for each in shown["runs"][1]["curves"] if each["kind"] == "roc" and each["label"] == "3")
    assert (curve["x"][0], curve["y"][0], curve["x"][-1], curve["y"][-1]) == (0, 0, 1, 1)
    bins = [each for each in shown["runs"][0]["bins"] if each["label"] == "3"]
    assert sum(each["rows"] for each in bins) == len(table)


def test_what_is_clicked_gives_its_rows(store):
    """A cell of the matrix, a bin of probabilities, a range of residuals: exactly the rows that are in it."""
    found = ct.runs("name != 'ridge'", store=store).evaluation("val")
    one, panel = found[1], EvaluationPanel(found)
    wanted = one.table[(one.table["truth"] == 8) & (one.table["output"] == 1)]
    assert len(wanted) > 1
    content = ask(panel, run=one.run.id, split="val", of="confusion", truth="8", output="1")["content"]
    assert content["heads"][:3] == ["id", "truth", "output"]
    assert [row[0] for row in content["rows"]] == wanted["id"].tolist()
    held = panel.state["evaluations"][0]["runs"][1]
    for each in (each for each in held["bins"] if each["label"] == "3"):
        content = ask(
            panel, run=one.run.id, split="val", of="calibration", truth="3", low=each["low"], high=each["high"]
        )
        got = len(content["content"]["rows"]) + content["content"]["more"]
        assert got == each["rows"]
    ridge = ct.run("ridge", store=store).evaluation()
    panel = EvaluationPanel(ct.runs("name == 'ridge'", store=store).evaluation())
    (shown,) = panel.state["evaluations"]
    low, high = shown["edges"][10:12]
    content = ask(panel, run=ridge.run.id, split="val", of="residuals", low=low, high=high)["content"]
    error = ridge.table["error"]
    assert [row[0] for row in content["rows"]] == ridge.table[(error >= low) & (error <= high)]["id"].tolist()
    assert sum(shown["runs"][0]["residuals"]) == len(error)
    assert "has no evaluation on 'test'" in ask(panel, run=ridge.run.id, split="test", of="residuals")["text"]


def test_a_threshold_gives_what_it_takes_wrongly(store):
    """A dot stands on scikit-learn's curves; behind it are the rows that are wrong there, the furthest first."""
    found = ct.runs("name != 'ridge'", store=store).evaluation("val")
    one, panel = found[0], EvaluationPanel(found)
    table = one.table
    mark, score = table["truth"] == 3, table[one.column(3)]
    dots = [dot for dot in panel.state["evaluations"][0]["runs"][0]["dots"] if dot["label"] == "3"]
    assert len(dots) == 9
    for dot in dots:
        counted = score >= dot["threshold"]
        assert dot["recall"] == pytest.approx(recall_score(mark, counted), abs=1e-4)
        assert dot["precision"] == pytest.approx(precision_score(mark, counted), abs=1e-4)
        assert dot["fpr"] == pytest.approx(1 - recall_score(~mark, ~counted), abs=1e-4)
    dot = dots[6]
    content = ask(panel, run=one.run.id, split="val", of="threshold", truth="3", low=dot["threshold"])["content"]
    wrong = table[mark != (score >= dot["threshold"])]
    assert {row[0] for row in content["rows"]} == set(wrong["id"])
    place = content["heads"].index(one.column(3))
    away = [abs(row[place] - dot["threshold"]) for row in content["rows"]]
    assert away == sorted(away, reverse=True)
    assert f"{int((mark & (score < dot['threshold'])).sum())} missed" in content["said"]
    assert "has no scores" in ask(panel, run=one.run.id, split="val", of="threshold", truth="none")["text"]


def test_every_row_of_a_regression_is_behind_one_dot(store):
    """The dots share the rows out among them, each with the mean of its own; the end of the range is in the last."""
    one = ct.run("ridge", store=store).evaluation()
    panel = EvaluationPanel(ct.runs("name == 'ridge'", store=store).evaluation())
    (shown,) = panel.state["evaluations"]
    seen = []
    for each in shown["runs"][0]["scatter"]:
        place = {name: each[name] for name in ("low", "high", "output_low", "output_high")}
        content = ask(panel, run=one.run.id, split="val", of="scatter", **place)["content"]
        assert len(content["rows"]) == each["rows"]
        rows = one.table[one.table["id"].isin([row[0] for row in content["rows"]])]
        assert rows["truth"].mean() == pytest.approx(each["truth"], rel=1e-4)
        assert rows["output"].mean() == pytest.approx(each["output"], rel=1e-4)
        seen += [row[0] for row in content["rows"]]
    assert sorted(seen) == sorted(one.table["id"])
    assert shown["span"][1] == max(one.table["truth"].max(), one.table["output"].max())


def test_the_saved_form_is_small_and_whole(store):
    """Metrics and confusion are in the HTML, names are no markup, and the file stays within its bound."""
    for question in ("name != 'ridge'", "name == 'ridge'"):
        found = ct.runs(question, store=store).evaluation("val")
        made = bundle(found, EvaluationPanel(found))
        assert saved.size(made) <= saved.BUDGET
        held = made[contract.MIME]["evaluations"][0]
        assert held["runs"][0]["scores"][0]["name"] in made["text/html"]
        assert "<script" not in made["text/html"]
        assert "<b>tree" not in made["text/html"]
        assert "data:image/svg+xml" in made["text/html"]
        json.dumps(made, allow_nan=False)


def test_many_labels_and_runs_stay_within_the_bound(tmp_path):
    """Sixty labels and eight runs: points, rows and at last runs go, and it says how many."""
    store = Store(tmp_path / ".celltrail")
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 60, 1200)
    for number in range(8):
        score = rng.random((1200, 60))
        score[np.arange(1200), truth] += 1
        with ct.start(f"run {number}", store=store) as run:
            run.evaluate(truth, score / score.sum(axis=1, keepdims=True))
    found = ct.runs(store=store).evaluation()
    made = bundle(found, EvaluationPanel(found))
    held = made[contract.MIME]["evaluations"][0]
    assert saved.size(made) <= saved.BUDGET
    assert len(held["runs"]) + held["omitted"] == 8


def test_the_panel_of_a_run_has_its_evaluation(store):
    """A tab of its own; the numbers of an evaluation are no curves, and one that was not evaluated has none."""
    panel = detail.Details(ct.run("linear", store=store))
    (shown,) = panel.state["evaluations"]
    assert [series["metric"] for series in panel.state["series"]] == ["train/loss"]
    assert panel.state["omitted"] == 0
    content = ask(panel, run=shown["runs"][0]["run"], split="val", of="confusion", truth="1", output="1")["content"]
    assert len(content["rows"]) == shown["runs"][0]["confusion"][1][1]
    made = detail.bundle(ct.run("linear", store=store), panel)
    assert saved.size(made) <= saved.BUDGET
    with ct.start("plain", store=store):
        pass
    assert detail.payload(ct.run("plain", store=store))["evaluations"] == []

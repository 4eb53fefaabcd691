"""How good predictions are: the metrics are scikit-learn's own, on its data, and every row can be read back."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets, metrics
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from celltrail.compare import compare
from celltrail.errors import BadValue, Damaged, NoRun
from celltrail.query import find, runs
from celltrail.run import start
from celltrail.stats import mcnemar
from celltrail.stats.evaluation import precision_recall, roc


@pytest.fixture(scope="module")
def digits():
    return train_test_split(*datasets.load_digits(return_X_y=True), test_size=0.4, random_state=0)


@pytest.fixture(scope="module")
def cancer():
    return train_test_split(*datasets.load_breast_cancer(return_X_y=True), test_size=0.5, random_state=0)


def linear():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))


def test_digits_have_the_numbers_of_sklearn(store, digits):
    """M1: Exactly, in the summary of the run that goes on, in the trail, in the query language; rows and confusion."""
    seen, held, seen_y, held_y = digits
    model = linear().fit(seen, seen_y)
    output, score = model.predict(held), model.predict_proba(held)
    with start("digits", store=store) as run:
        run.log({"train/loss": 0.1}, step=7)
        run.evaluate(held_y, output, y_score=score, split="val")
        assert run.summary["val/accuracy"] == metrics.accuracy_score(held_y, output)
        assert run.step == 7
    stored = find("digits", store)
    assert {name: stored.summary[f"val/{name}"] for name in ("accuracy", "f1_macro", "roc_auc_ovr", "log_loss")} == {
        "accuracy": metrics.accuracy_score(held_y, output),
        "f1_macro": metrics.f1_score(held_y, output, average="macro"),
        "roc_auc_ovr": metrics.roc_auc_score(held_y, score, multi_class="ovr"),
        "log_loss": metrics.log_loss(held_y, score),
    }
    assert stored.summary["val/precision_macro"] == metrics.precision_score(held_y, output, average="macro")
    assert stored.summary["val/balanced_accuracy"] == metrics.balanced_accuracy_score(held_y, output)
    assert len(runs("best('val/accuracy') > 0.9", store=store)) == 1
    found = stored.evaluation("val")
    assert (found.task, list(found.labels)) == ("multiclass", list(range(10)))
    assert (found.confusion.to_numpy() == metrics.confusion_matrix(held_y, output)).all()
    assert found.table["correct"].tolist() == (held_y == output).tolist()
    table = found.metrics
    assert table.loc["accuracy", "n"] == len(held_y)
    assert (table["ci_low"] < table["value"]).all()
    assert (table["value"] < table["ci_high"]).all()
    assert table.loc["accuracy", "ci_method"] == "wilson"
    curve, (x, y, _) = found.roc(3), metrics.roc_curve(held_y == 3, score[:, 3], drop_intermediate=False)
    assert np.allclose(curve.x, x)
    assert np.allclose(curve.y, y)
    worst = found.worst(5)
    assert not worst["correct"].any()
    assert found.sureness()[worst.index].is_monotonic_decreasing


def test_train_and_val_are_two_rows_of_one_table(store, digits):
    """M3.2: The same functions on either split: the same columns, each with the number of scikit-learn for its rows."""
    seen, held, seen_y, held_y = digits
    model = linear().fit(seen, seen_y)
    with start("both", store=store) as run:
        for split, x, y in (("train", seen, seen_y), ("val", held, held_y)):
            run.evaluate(y, model.predict(x), y_score=model.predict_proba(x), split=split)
    stored = find("both", store)
    table = pd.DataFrame({split: stored.evaluation(split).metrics["value"] for split in ("train", "val")}).T
    assert len(table.columns) >= 5
    assert not table.isna().any(axis=None)
    names = {
        split: {name.partition("/")[2] for name in stored.summary if name.startswith(f"{split}/")}
        for split in table.index
    }
    assert names["train"] == names["val"] == set(table.columns)
    assert table.loc["train", "accuracy"] == metrics.accuracy_score(seen_y, model.predict(seen))
    assert table.loc["val", "accuracy"] == metrics.accuracy_score(held_y, model.predict(held))
    assert (
        table.loc["train", "log_loss"]
        == metrics.log_loss(seen_y, model.predict_proba(seen))
        < table.loc["val", "log_loss"]
    )


def test_two_labels_and_their_curves(store, cancer):
    """Scores alone are enough; ROC, precision over recall and calibration are those of scikit-learn."""
    seen, held, seen_y, held_y = cancer
    model = linear().fit(seen, seen_y)
    score = model.predict_proba(held)[:, 1]
    with start("cancer", store=store) as run:
        run.evaluate(held_y, score, split="test")
    found = find("cancer", store).evaluation()
    assert found.split == "test"
    assert found.metrics["value"].to_dict() == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(held_y, score > 0.5),
            "balanced_accuracy": metrics.balanced_accuracy_score(held_y, score > 0.5),
            "precision": metrics.precision_score(held_y, score > 0.5),
            "recall": metrics.recall_score(held_y, score > 0.5),
            "f1": metrics.f1_score(held_y, score > 0.5),
            "roc_auc": metrics.roc_auc_score(held_y, score),
            "average_precision": metrics.average_precision_score(held_y, score),
            "log_loss": metrics.log_loss(held_y, score),
            "brier": metrics.brier_score_loss(held_y, score),
        },
        rel=0,
        abs=0,
    )
    precision, recall, _ = metrics.precision_recall_curve(held_y, score, drop_intermediate=False)
    curve = found.precision_recall()
    keep = len(curve.x)
    assert np.allclose(curve.x, recall[::-1][:keep])
    assert np.allclose(curve.y, precision[::-1][:keep])
    bins = found.calibration(bins=5)
    which = np.clip(np.ceil(score * 5).astype(int) - 1, 0, 4)
    assert bins.rows.tolist() == [int((which == b).sum()) for b in range(5) if (which == b).any()]
    assert np.allclose(bins.observed, [held_y[which == b].mean() for b in range(5) if (which == b).any()])
    assert np.allclose(bins.predicted, [score[which == b].mean() for b in range(5) if (which == b).any()])


def test_rows_of_one_score_are_one_point():
    """As scikit-learn has it, whatever order they come in."""
    rng = np.random.default_rng(0)
    mark, score = rng.integers(0, 2, 200), rng.integers(0, 6, 200) / 5
    x, y, _ = metrics.roc_curve(mark, score, drop_intermediate=False)
    assert np.allclose(roc(mark, score).x, x)
    assert np.allclose(roc(mark, score).y, y)
    precision, recall, _ = metrics.precision_recall_curve(mark, score)
    assert np.allclose(precision_recall(mark, score).y[1:], precision[:-1][::-1])
    assert np.allclose(precision_recall(mark, score).x[1:], recall[:-1][::-1])


def test_intervals_hold_what_they_say():
    """Of 80 samples of known accuracy and ROC area, about 95 % of the intervals hold the true value."""
    from celltrail.stats.evaluation import read, scores_of

    rng = np.random.default_rng(0)
    held = {"accuracy": 0, "roc_auc": 0, "f1": 0, "brier": 0, "average_precision": 0}
    population = rng.integers(0, 2, 40_000)
    sure = np.clip(0.5 + (population - 0.5) * 0.4 + rng.normal(0, 0.25, len(population)), 0, 1)
    true = {each.name: each.value for each in scores_of(read(population, sure))}
    for _ in range(80):
        rows = rng.choice(len(population), 150, replace=False)
        for each in scores_of(read(population[rows], sure[rows])):
            if each.name in held:
                held[each.name] += each.low <= true[each.name] <= each.high
    assert all(count >= 72 for count in held.values()), held


def test_diabetes_is_a_regression(store):
    """Whole numbers in the truth, fractions predicted; residuals are kept and the largest come first."""
    seen, held, seen_y, held_y = train_test_split(*datasets.load_diabetes(return_X_y=True), random_state=0)
    output = Ridge().fit(seen, seen_y).predict(held)
    with start("diabetes", store=store) as run:
        run.evaluate(held_y, output)
    found = find("diabetes", store).evaluation("val")
    assert found.task == "regression"
    value = found.metrics["value"].to_dict()
    assert value == {
        "mae": metrics.mean_absolute_error(held_y, output),
        "rmse": metrics.root_mean_squared_error(held_y, output),
        "r2": metrics.r2_score(held_y, output),
    }
    assert (
        (found.metrics["ci_low"] < found.metrics["value"]) & (found.metrics["value"] < found.metrics["ci_high"])
    ).all()
    assert np.allclose(found.table["error"], output - held_y)
    assert found.worst(3)["error"].abs().tolist() == sorted(abs(output - held_y))[::-1][:3]
    with pytest.raises(BadValue, match="a confusion matrix is of a classification, and this is a regression"):
        _ = found.confusion


def test_a_ranking_is_judged_by_query(store):
    """The mean over queries of scikit-learn's ndcg; queries with nothing relevant are left out."""
    rng = np.random.default_rng(1)
    relevance, score = rng.integers(0, 4, (20, 8)), rng.random((20, 8))
    relevance[3] = 0
    with start("search", store=store) as run:
        run.evaluate(relevance.ravel(), score.ravel(), task="ranking", groups=np.repeat(np.arange(20), 8))
    found = find("search", store).evaluation("val").metrics
    rest = np.arange(20) != 3
    assert found.loc["ndcg", "value"] == pytest.approx(metrics.ndcg_score(relevance[rest], score[rest]))
    assert found.loc["ndcg_at_10", "n"] == 19


def test_what_changed_between_two_runs_row_by_row(store, digits):
    """M1: Fixed, broken and still wrong are exactly the rows whose correctness changed, in any order of the rows."""
    seen, held, seen_y, held_y = digits
    outputs = {"tree": DecisionTreeClassifier(random_state=0), "linear": linear()}
    outputs = {name: model.fit(seen, seen_y).predict(held) for name, model in outputs.items()}
    rng = np.random.default_rng(0)
    for name, output in outputs.items():
        order = rng.permutation(len(held_y))
        with start(name, store=store) as run:
            run.evaluate(held_y[order], output[order], ids=np.array([f"img{at}" for at in order]))
    right = {name: output == held_y for name, output in outputs.items()}
    comparison = compare("tree", "linear", store=store)
    rows = comparison.rows(split="val")
    for found, wanted in (
        (rows.fixed, ~right["tree"] & right["linear"]),
        (rows.broken, right["tree"] & ~right["linear"]),
        (rows.still_wrong, ~right["tree"] & ~right["linear"]),
    ):
        assert set(found["id"]) == {f"img{at}" for at in np.nonzero(wanted)[0]}
    assert rows.p_value == mcnemar(len(rows.fixed), len(rows.broken)) < 0.001
    assert rows.verdict == "better"
    assert rows.ci[0] < right["linear"].mean() - right["tree"].mean() < rows.ci[1]
    assert f"{len(rows.fixed)} fixed, {len(rows.broken)} broken" in repr(rows)
    told = comparison.metrics.verdict["val/accuracy"]
    assert told.startswith("better by")
    assert told.endswith(f"(n={len(held_y)} rows)")
    (line,) = (each for each in comparison.payload()["metrics"] if each["name"] == "val/f1_macro")
    assert line["verdicts"][0]["around"].endswith(f"(n={len(held_y)} rows)")
    assert line["verdicts"][1]["word"] == ""
    with start("same", store=store) as run:
        run.evaluate(held_y, outputs["tree"], ids=[f"img{at}" for at in range(len(held_y))])
    again = compare("tree", "same", store=store).rows()
    assert (again.verdict, again.p_value, again.ci) == ("not distinguishable", 1.0, (0.0, 0.0))


def test_rows_that_do_not_belong_together_are_refused(store):
    """Other data under the same ids, no common row, another task, a run that was not evaluated: each in a sentence."""
    for name, truth in (("a", [0, 1, 1]), ("b", [0, 1, 0])):
        with start(name, store=store) as run:
            run.evaluate(truth, [0, 1, 1])
    with start("c", store=store) as run:
        run.evaluate([0, 1, 1], [0, 1, 1], ids=["x", "y", "z"], split="test")
        run.evaluate([0.5, 1.5], [0.5, 1.0], split="val")
    with start("none", store=store):
        pass
    with pytest.raises(BadValue, match="1 of 3 rows of the same id are not of the same truth"):
        compare("a", "b", store=store).rows("val")
    with pytest.raises(BadValue, match="a binary and a regression have no rows in common"):
        compare("a", "c", store=store).rows()
    with pytest.raises(NoRun, match=r"run 'none' was not evaluated on 'val'; run.evaluate"):
        compare("a", "none", store=store).rows()
    with pytest.raises(NoRun, match=r"did you mean 'test'.*it has test, val"):
        find("c", store).evaluation("tst")
    with pytest.raises(BadValue, match=r"evaluated as .* and "):
        runs(store=store).evaluation("val")
    assert [one.run.name for one in runs("name in ['a', 'b']", store=store).evaluation("val")] == ["b", "a"]
    assert set(runs("name == 'c'", store=store).evaluation("test").df()["run"]) == {"c"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([0, 1], [0, 1, 1]), "y_pred has 3 rows and y_true 2"),
        (([0, 1],), "nothing was predicted"),
        (([], []), "y_true is empty"),
        (([0, float("nan")], [0, 1]), "y_true has 1 missing or NaN value"),
        (([0, 1, 2], [[0.1, 0.9]] * 3), "y_score has 2 columns for 3 labels"),
        ((["a", "b"], [0, 1]), "labels of both must be of one type"),
    ],
)
def test_bad_input_is_a_sentence_and_keeps_nothing(store, given, said):
    """Nothing is half kept."""
    with start("bad", store=store) as run, pytest.raises(BadValue, match=said):
        run.evaluate(*given)
    assert find("bad", store).items() == []
    assert find("bad", store).metrics == {}


def test_labels_of_every_kind(store):
    """Text, flags, one label only, and labels that no row has; groups are kept."""
    with start("kinds", store=store) as run:
        run.evaluate(["cat", "dog", "dog"], ["cat", "cat", "dog"], split="text", groups=pd.Series(["x", "x", "y"]))
        run.evaluate([True, False, True], [0.9, 0.2, 0.4], split="flags")
        run.evaluate([1, 1], [1, 1], split="one")
        run.evaluate([0, 2, 2], np.eye(3)[[0, 2, 1]], split="unseen", labels=[0, 1, 2])
        with pytest.raises(BadValue, match="no task 'binry'; did you mean 'binary'"):
            run.evaluate([0, 1], [0, 1], task="binry")
        with pytest.raises(BadValue, match="ids has 1 values twice"):
            run.evaluate([0, 1], [0, 1], ids=["a", "a"])
        with pytest.raises(BadValue, match="a ranking needs groups"):
            run.evaluate([0, 1], [0.1, 0.2], task="ranking")
    stored = find("kinds", store)
    text = stored.evaluation("text")
    assert text.confusion.loc["dog", "cat"] == 1
    assert text.by_group().loc["x"].tolist() == [2, 0.5]
    assert stored.evaluation("flags").metrics.value["accuracy"] == pytest.approx(2 / 3)
    assert stored.evaluation("one").metrics.value["accuracy"] == 1
    assert stored.evaluation("unseen").confusion.loc[2, 1] == 1
    with pytest.raises(BadValue, match="labels only, no scores"):
        text.roc()


def test_rows_that_are_lost_are_named(store):
    """The bytes of a table are gone from the trail: a sentence, not a wrong number."""
    truth = np.arange(400) % 2
    with start("lost", store=store) as run:
        run.evaluate(truth, truth[::-1])
    for path in (store.root / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(Damaged, match="missing"):
        find("lost", store).evaluation()
    assert compare("lost", "lost", store=store).metrics.loc["val/accuracy"].tolist() == [0.0, 0.0]


def test_without_scikit_learn_the_extra_is_named(tmp_path):
    """The sentence has the command; what was kept elsewhere is read without it."""
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import celltrail as ct\n"
        "with ct.start('a') as run: run.evaluate([0, 1], [0, 1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "pip install 'celltrail[ml]'" in done.stderr.splitlines()[-1]

"""Fairness by group, on the vote of real people, held beside fairlearn's own numbers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

import celltrail as ct
from celltrail.errors import BadValue, NoRun
from celltrail.panels import saved
from celltrail.panels.evaluation import EvaluationPanel, bundle
from celltrail.query.gate import check, rule_of
from celltrail.stats.fairness import RATES
from celltrail.store import Store

fairlearn = pytest.importorskip("fairlearn.metrics")
anes96 = pytest.importorskip("statsmodels.datasets.anes96")


@pytest.fixture(scope="module")
def votes():
    """944 voters of 1996: whom they voted for, by what they think, and their age, schooling and income."""
    frame = anes96.load_pandas().data
    groups = frame[["age", "educ", "income"]]
    thinks = frame[["selfLR", "ClinLR", "DoleLR", "TVnews"]]
    parts = train_test_split(thinks, frame["vote"].astype(int), groups, test_size=0.5, random_state=0)
    model = LogisticRegression(max_iter=500).fit(parts[0], parts[2])
    return parts[3], model.predict(parts[1]), model.predict_proba(parts[1])[:, 1], parts[5]


def keep(store: Store, votes, name: str = "vote", **more):
    truth, output, score, groups = votes
    with ct.start(name, store=store) as run:
        run.evaluate(truth, score, split="test")
        run.alert("fair/dpd > 0.1", "unequal")
        run.fairness(truth, output, groups, y_score=score, split="test", **more)
    return ct.run(name, store=store)


def test_a_dict_of_columns_is_as_good_as_a_frame(votes):
    """Whatever holds them; columns of unlike lengths are refused in words."""
    truth, output, _, groups = votes
    held = {name: groups[name].to_numpy() for name in groups}
    assert ct.fairness(truth, output, held).by_group.equals(ct.fairness(truth, output, groups).by_group)
    with pytest.raises(BadValue, match="no columns of one length"):
        ct.fairness(truth, output, {"a": [1, 2], "b": [1]})


def test_the_numbers_are_fairlearn_s(store: Store, votes):
    """M11.1: By age, schooling and income: every gap and every rate; the intervals hold them."""
    truth, output, _, groups = votes
    found = keep(store, votes).fairness("test")
    assert found.features == ["age", "educ", "income"]
    wide = found.by_group
    for feature in found.features:
        column = wide.loc[feature].index
        label = groups[feature].map(lambda value, names=column: _group(value, names)).to_numpy()
        own = {
            "dpd": fairlearn.demographic_parity_difference(truth, output, sensitive_features=label),
            "dpr": fairlearn.demographic_parity_ratio(truth, output, sensitive_features=label),
            "eod": fairlearn.equalized_odds_difference(truth, output, sensitive_features=label),
            "eopd": fairlearn.equal_opportunity_difference(truth, output, sensitive_features=label),
        }
        gaps = {gap.name: gap for gap in found.gaps}
        assert {name: gaps[f"{name}/{feature}"].value for name in own} == own
        assert all(
            gaps[f"{name}/{feature}"].low <= value <= gaps[f"{name}/{feature}"].high for name, value in own.items()
        )
        functions = {name: getattr(fairlearn, name, accuracy_score) for name in RATES}
        frame = fairlearn.MetricFrame(metrics=functions, y_true=truth, y_pred=output, sensitive_features=label)
        own_rates, known = wide.loc[feature][list(RATES)], wide.loc[feature][list(RATES)].notna()
        assert (own_rates == frame.by_group)[known].fillna(True).all().all()
        assert known.loc[wide.loc[feature]["n"] >= 30].all().all()
        assert wide.loc[feature]["n"].tolist() == pd.Series(label).value_counts().sort_index().tolist()
    rates = found.table[found.table["ci_method"] == "wilson"].dropna()
    assert (rates["ci_low"] <= rates["value"] + 1e-12).all()
    assert (rates["value"] <= rates["ci_high"] + 1e-12).all()
    off = found.table[found.table["metric"] == "predicted_minus_true"]
    assert abs((off["value"] * off["n"]).groupby(off["feature"]).sum() / len(truth)).max() < 0.05


def _group(value: float, names) -> str:
    for name in names:
        low, _, high = name.partition(" to ")
        if float(low) <= value <= float(high or low):
            return name
    raise AssertionError(value)


def test_small_groups_and_worst_slices(store: Store, votes):
    """Groups of fewer than 30 rows are named; no slice is; intersections are among the slices, the worst first."""
    found = keep(store, votes).fairness()
    small = found.table[found.table["n"] < 30].drop_duplicates(["feature", "group"])
    assert len(small)
    assert [warning.split(" has only ")[0] for warning in found.warnings] == (
        small["feature"] + "=" + small["group"]
    ).tolist()
    assert found.slices["n"].min() >= 30
    assert found.slices["accuracy"].is_monotonic_increasing
    assert found.slices["slice"].str.contains(" & ").any()


def test_it_alerts_and_gates(store: Store, votes):
    """M11.1: The numbers are metrics of the run: a rule fires on them, a condition refuses the run and says why."""
    run = keep(store, votes)
    (alert,) = run.alerts
    assert (alert.title, alert.metric) == ("unequal", "fair/dpd")
    gaps = {gap.name: gap.value for gap in run.fairness().gaps}
    most = max(value for name, value in gaps.items() if name.startswith("dpd/"))
    assert run.summary["fair/dpd"] == most > 0.1
    assert run.summary["fair/dpd/age"] == gaps["dpd/age"]
    refused = check(rule_of("fair/dpd <= 0.1"), run, None)
    assert (refused.is_met, refused.value) == (False, most)
    assert len(ct.runs("best('fair/dpd') < 0.1", store=store)) == 0
    assert run.record.metrics["fair/eod"].goal == "min"


def test_the_panel_shows_it_beside_the_evaluation(store: Store, votes):
    """Live and in the file, within its bound; a run without it has none."""
    run = keep(store, votes, "<b>vote</b>")
    found = ct.runs(store=store).evaluation("test")
    panel = EvaluationPanel(found)
    shown = panel.state["evaluations"][0]["runs"][0]["fairness"]
    assert [gap["name"] for gap in shown["gaps"][:2]] == ["dpd/age", "dpr/age"]
    assert {group["feature"] for group in shown["groups"]} == {"age", "educ", "income"}
    made = bundle(found, panel)
    assert saved.size(made) <= saved.BUDGET
    assert "fairness, a gain is 1" in made["text/html"]
    assert "<b>vote" not in made["text/html"]
    assert not run.media().places
    with ct.start("plain", store=store) as plain:
        plain.evaluate([0, 1], [0, 1], split="test")
    assert (
        EvaluationPanel(ct.runs("name == 'plain'", store=store).evaluation()).state["evaluations"][0]["runs"][0][
            "fairness"
        ]
        is None
    )
    with pytest.raises(NoRun, match=r"run 'plain' was not held against groups; run.fairness"):
        ct.run("plain", store=store).fairness()
    with pytest.raises(NoRun, match="on 'tst'; did you mean 'test'"):
        run.fairness("tst")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([0, 1, 2], [0, 1, 2], ["a", "b", "a"]), "fairness is of two labels, not 3"),
        (([0, 1], [0, 1], ["a", "a"]), "'group' has 1 groups"),
        (([0, 1], [0, 1], ["a"]), "groups has 1 rows and y_true 2"),
        (([0, 1], [0, 1]), "fairness needs groups"),
    ],
)
def test_bad_input_is_a_sentence(given, said):
    """Nothing is half kept."""
    with pytest.raises(BadValue, match=said):
        ct.fairness(*given)
    with pytest.raises(BadValue, match="positive='x' is none of the labels 0 and 1"):
        ct.fairness([0, 1], [0, 1], ["a", "b"], positive="x")


def test_intervals_are_those_of_rows_drawn_again():
    """Drawing whole rows, as fairlearn does far more slowly, gives the same ends but for chance."""
    rng = np.random.default_rng(0)
    truth, groups = rng.integers(0, 2, 600), rng.choice(["a", "b", "c"], 600, p=[0.5, 0.3, 0.2])
    output = np.where(rng.random(600) < np.where(groups == "c", 0.6, 0.9), truth, 1 - truth)
    gap = next(gap for gap in ct.fairness(truth, output, groups, n_boot=4000).gaps if gap.name == "eopd/group")
    draws = []
    for _ in range(1500):
        rows = rng.integers(0, 600, 600)
        rates = [output[rows][(groups[rows] == name) & (truth[rows] == 1)].mean() for name in "abc"]
        draws.append(max(rates) - min(rates))
    assert np.allclose([gap.low, gap.high], np.quantile(draws, (0.025, 0.975)), atol=0.02)


def test_without_fairlearn_the_extra_is_named(tmp_path):
    """The sentence has the command."""
    code = (
        "import sys; sys.modules['fairlearn'] = None\nimport celltrail as ct\nct.fairness([0, 1], [0, 1], ['a', 'b'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "pip install 'celltrail[fairness]'" in done.stderr.splitlines()[-1]

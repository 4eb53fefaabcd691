"""Whether a difference is real: intervals and tests against scipy's, and a model held against itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_wine
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from celltrail.compare import compare
from celltrail.errors import BadValue
from celltrail.query import find, runs
from celltrail.run import start
from celltrail.stats import bootstrap, flipped, mcnemar, paired, welch
from celltrail.stats.interval import t95


def test_points_of_student_are_never_too_small():
    """Between the whole degrees of freedom they are a little larger than scipy's, never smaller."""
    for df in (1, 1.3, 1.5, 2, 2.5, 3.7, 9.2, 29.5, 30, 31, 44.4, 500):
        exact = stats.t.ppf(0.975, df)
        assert exact - 6e-4 <= t95(df) <= exact * (1.2 if df < 2 else 1.02)


def test_the_interval_of_welch_is_that_of_scipy():
    """Of unequal size and variance, to the digits of the table."""
    rng = np.random.default_rng(0)
    for n, m, scale in ((3, 3, 1.0), (5, 8, 4.0), (40, 12, 0.2)):
        first, second = rng.normal(0, 1, n), rng.normal(0.5, scale, m)
        gap = welch(first.tolist(), second.tolist())
        found = stats.ttest_ind(second, first, equal_var=False)
        exact = found.confidence_interval()
        assert gap is not None
        assert gap.p == pytest.approx(found.pvalue)
        assert gap.by == pytest.approx(second.mean() - first.mean())
        assert (gap.low, gap.high) == pytest.approx((exact.low, exact.high), rel=0.02, abs=0.01)
        assert gap.n == (n, m)


def test_what_tells_nothing_has_no_gap():
    """One value on a side, or no spread at all; where one side varies there is something to go by."""
    assert welch([1.0], [1.0, 2.0]) is None
    assert welch([1.0, 1.0], [2.0, 2.0]) is None
    assert bootstrap([1.0, 1.0], [2.0, 2.0]) is None
    assert paired([1.0, 2.0], [2.0, 3.0]) is None
    assert welch([1.0, 1.0], [2.0, 2.1]) is not None


def test_pairs_are_told_apart_where_groups_are_not():
    """Rows that differ much among each other and all a little between two models."""
    rng = np.random.default_rng(3)
    first = rng.normal(0, 1, 200)
    second = first + rng.normal(0.05, 0.1, 200)
    pairs, apart = paired(first.tolist(), second.tolist()), bootstrap(first.tolist(), second.tolist())
    assert pairs is not None
    assert apart is not None
    exact = stats.bootstrap((second - first,), np.mean, method="percentile", rng=0).confidence_interval
    assert (pairs.low, pairs.high) == pytest.approx((exact.low, exact.high), abs=0.002)
    assert pairs.word("min") == "worse"
    assert apart.word("min") == "not distinguishable"
    assert flipped(first.tolist(), second.tolist()) < 0.001
    assert flipped(first.tolist(), rng.permutation(first).tolist()) > 0.05


def test_a_clear_difference_stays_one_among_a_thousand_metrics():
    """A bootstrap draws until p is known: often where it is small, and no more than needed where it is not."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 1, 12), rng.normal(4, 1, 12)
    rows = (rng.random(5000) < 0.6).astype(float)
    better = np.where(rng.random(5000) < 0.3, 1.0, rows)
    for gap in (bootstrap(first, second), paired(rows.tolist(), better.tolist()), paired(first, second)):
        assert gap is not None
        assert 1000 * gap.p < 0.05
        assert gap.draws == 50_000
    none = bootstrap(first, first + rng.normal(0, 0.1, 12))
    assert none is not None
    assert none.p > 0.1
    assert none.draws == 2000


def test_tests_of_pairs_are_those_of_scipy():
    """McNemar's is the binomial one; signs drawn at random come close to all of them."""
    for fixed, broken in ((12, 3), (0, 5), (7, 7), (400, 350), (1, 0)):
        assert mcnemar(fixed, broken) == pytest.approx(stats.binomtest(fixed, fixed + broken).pvalue)
    by = [0.3, -0.1, 0.4, 0.2, 0.25, -0.05, 0.1]
    exact = stats.permutation_test((by,), np.mean, permutation_type="samples", n_resamples=np.inf).pvalue
    assert flipped([0.0] * 7, by) == pytest.approx(exact, abs=0.03)


@pytest.fixture(scope="module")
def accuracy():
    """The accuracy of one epoch of a linear model on wine, with this seed."""
    x, y = load_wine(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        StandardScaler().fit_transform(x), y, test_size=0.5, random_state=0
    )

    def fit(seed: int, **more) -> float:
        model = SGDClassifier(random_state=seed, max_iter=1, tol=None, **{"alpha": 0.05, **more})
        return float(model.fit(train_x, train_y).score(test_x, test_y))

    return fit


def test_a_model_is_seldom_told_apart_from_itself_and_a_worse_one_is(accuracy):
    """C8: A hundred comparisons of a model with itself over other seeds, and as many with one that learns slowly."""
    same = [accuracy(seed) for seed in range(1000)]
    worse = [accuracy(seed, learning_rate="constant", eta0=1e-4) for seed in range(500)]
    groups = [same[at : at + 5] for at in range(0, 1000, 5)]
    words = [gap.word("max") for gap in map(welch, groups[::2], groups[1::2]) if gap is not None]
    assert len(words) > 90
    assert sum(word != "not distinguishable" for word in words) <= 7
    others = [worse[at : at + 5] for at in range(0, 500, 5)]
    found = [gap.word("max") for gap in map(welch, groups[::2], others) if gap is not None]
    assert sum(word == "worse" for word in found) > 90


def train(store, accuracy, name, seeds, code="model = fit(seed)\n", **params):
    for seed in seeds:
        given = {"alpha": 0.05, **params}
        written = store.blobs.put(f"seed = {seed}\n{code}".encode())
        with start(name, {**given, "seed": seed}, store=store, code=written) as run:
            run.log({"val/acc": accuracy(seed, **given), "val/loss": 1 - accuracy(seed, **given), "epoch": 1})


def test_repeats_are_found_and_judged_aloud(store, accuracy):
    """C13: Two runs are compared over all their seeds: words in the frame, the text, the payload and what changed."""
    train(store, accuracy, "plain", range(5))
    train(store, accuracy, "slow", range(5), learning_rate="constant", eta0=1e-4)
    train(store, accuracy, "plain too", range(20, 25), code="model = fit( seed)\n")
    comparison = compare("plain", "slow", store=store)
    assert [len(group) for group in comparison.repeats] == [5, 5]
    told = comparison.metrics.verdict
    assert told["val/acc"].startswith("worse by ")
    assert told["val/acc"].endswith("(n=5)")
    assert told["val/loss"].startswith("worse by ")
    assert told["epoch"] == ""  # it never varies
    assert told["val/acc"] in repr(comparison)
    assert comparison.df().loc[("metrics", "val/acc"), "verdict"] == told["val/acc"]
    assert any(sentence.endswith("worse (n=5)") for sentence in comparison.changed)
    (line,) = (each for each in comparison.payload()["metrics"] if each["name"] == "val/acc")
    assert [verdict and verdict["word"] for verdict in line["verdicts"]] == ["", "worse"]
    frame = comparison.verdicts.set_index(["metric", "run"])
    values = [accuracy(seed) for seed in range(5)]
    assert frame.loc[("val/acc", "plain"), "mean"] == pytest.approx(np.mean(values))
    half = stats.t.ppf(0.975, 4) * stats.sem(values)
    assert frame.loc[("val/acc", "plain"), "high"] == pytest.approx(np.mean(values) + half, rel=1e-3)
    again = compare("plain", "plain too", store=store)
    assert again.metrics.verdict["val/acc"] == "not distinguishable (n=5)"
    assert "not distinguishable (n=5)" in repr(again)


def test_only_repeats_are_taken_for_repeats(store, accuracy):
    """Other params, code, names or a run that failed are none; of a seed the newer run counts; one is not judged."""
    train(store, accuracy, "a", [0, 1, 1, 2])
    train(store, accuracy, "a", [3], penalty="l1")
    train(store, accuracy, "a", [4], code="model = other(seed)\n")
    train(store, accuracy, "b", [5, 6])
    with pytest.raises(ZeroDivisionError), start("a", {"alpha": 0.05, "seed": 9}, store=store):
        _ = 1 / 0
    first = next(run for run in runs("name == 'a' and params.seed == 0", store=store))
    comparison = compare(first, "b", store=store)
    seeds = [sorted(record.params["seed"].value for record in group) for group in comparison.repeats]
    assert seeds == [[0, 1, 2], [5, 6]]
    own = compare(first, runs("name == 'a' and params.seed == 2", store=store)[0])
    assert [len(group) for group in own.repeats] == [1, 1]
    assert "verdict" not in own.metrics
    assert own.verdicts.empty
    assert "better" not in repr(own)


def test_repeats_can_be_given(store, accuracy):
    """Lists in the place of runs, and the interval of a bootstrap."""
    train(store, accuracy, "one", range(12))
    train(store, accuracy, "two", range(12), learning_rate="constant", eta0=1e-4)
    one, two = (runs(f"name == '{name}'", store=store) for name in ("one", "two"))
    assert [len(group) for group in compare(one[:3], list(two[:4]), store=store).repeats] == [3, 4]
    drawn = compare(one, two, store=store, interval="bootstrap").metrics.verdict["val/acc"]
    assert drawn.startswith("worse by ")
    assert drawn != compare(one, two, store=store).metrics.verdict["val/acc"]
    assert compare(find("one", store), two, store=store).repeats[0] == [find("one", store).record]
    with pytest.raises(BadValue, match="did you mean 'welch'"):
        compare(one, two, store=store, interval="welsh")  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadValue, match="a list of repeats is empty"):
        compare(one, [], store=store)


def test_of_many_metrics_what_chance_alone_gives_is_not_told_as_a_difference(store):
    """Twenty metrics of three seeds: one that is far apart stays, one that only passes alone does not; p is scipy's."""
    first = {f"noise/{i}": [0.1 * i, 0.1 * i + 1, 0.1 * i + 2] for i in range(18)}
    second = {name: [value + 0.1 for value in values] for name, values in first.items()}
    first |= {"far/acc": [0.70, 0.71, 0.72], "near/acc": [0.70, 0.71, 0.72]}
    second |= {"far/acc": [0.90, 0.91, 0.92], "near/acc": [0.73, 0.74, 0.75]}
    for name, told in (("one", first), ("two", second)):
        for seed in range(3):
            with start(name, {"name": name, "seed": seed}, store=store) as run:
                run.log({metric: values[seed] for metric, values in told.items()})
    comparison = compare(runs("name == 'one'", store=store), runs("name == 'two'", store=store), store=store)
    verdicts = comparison.verdicts.query("run == 'two'").set_index("metric")
    alone = {name: stats.ttest_ind(first[name], second[name], equal_var=False).pvalue for name in first}
    assert alone["near/acc"] < 0.05
    assert verdicts.verdict["near/acc"] == "not distinguishable"
    assert verdicts.p["near/acc"] == pytest.approx(19 * alone["near/acc"])
    assert verdicts.verdict["far/acc"] == "better"
    assert verdicts.p["far/acc"] == pytest.approx(20 * alone["far/acc"])
    assert "by Holm among 20 metrics (n=3)" in comparison.metrics.verdict["near/acc"]

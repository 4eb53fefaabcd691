"""Runs that belong together: which they are, and one line for each group in the saved picture."""

from __future__ import annotations

import base64
import re

import numpy as np
from scipy import stats

import celltrail as ct
from celltrail.panels import saved
from celltrail.panels.chart import OPTIONS
from celltrail.panels.curves import curves, drawn, state_of
from celltrail.panels.pools import groupings, mean, student
from celltrail.store import Store


def sweep(store: Store) -> None:
    """Two settings with three seeds each."""
    for lr in (0.1, 0.01):
        for seed in range(3):
            with ct.start(f"{lr} {seed}", {"lr": lr, "seed": seed, "depth": 2}, group=f"lr {lr}", store=store) as run:
                for step in range(10):
                    run.log({"val/loss": lr + seed / 10 + 1 / (1 + step)}, step=step)


def test_groups_are_declared_alike_but_for_a_seed_or_of_one_param(store: Store):
    """What never differs is no grouping, and neither is what leaves every run alone."""
    sweep(store)
    found = groupings([run.record for run in ct.runs(store=store)])
    assert [each["by"] for each in found] == ["group", "all but seed", "lr"]
    assert [sorted(set(each["of"].values())) for each in found] == [
        ["lr 0.01", "lr 0.1"], ["lr=0.01", "lr=0.1"], ["lr=0.01", "lr=0.1"],
    ]  # fmt: skip
    assert groupings([run.record for run in ct.runs("params.seed == 0", store=store)]) == []
    assert groupings([]) == []


def test_what_a_search_was_given_parts_none_of_its_trials(store: Store):
    """Its own settings tell it from all it tried, and nothing of those from each other."""
    with ct.start("search", {"sampler": "tpe", "folds": 3}, store=store) as run:
        for depth in (1, 1, 2, 2):
            run.trial(f"depth {depth}", {"depth": depth}, seconds=1)
    found = groupings([each.record for each in ct.runs(store=store)])
    assert [each["by"] for each in found] == ["group", "depth"]


def test_repeats_without_params_are_one_group(store: Store):
    """Three runs of the same settings differ in nothing that was said."""
    for _ in range(3):
        with ct.start("again", store=store) as run:
            run.log(loss=1.0)
    (found,) = groupings([run.record for run in ct.runs(store=store)])
    assert set(found["of"].values()) == {"all runs"}


def test_the_interval_is_that_of_student():
    """Mean and ends agree with scipy, wherever the runs are."""
    values = np.random.default_rng(0).normal(size=(5, 7))
    x, middle, band = mean([np.array([np.arange(7.0), row]) for row in values], "interval")
    low, high = stats.t.interval(0.95, 4, loc=values.mean(axis=0), scale=stats.sem(values, axis=0))
    assert np.array_equal(x, np.arange(7.0))
    assert np.allclose(middle, values.mean(axis=0))
    assert np.allclose(band, [low, high], rtol=1e-3)
    for freedom in (1, 5, 15, 16, 40, 500):
        assert abs(student(freedom) / stats.t.ppf(0.975, freedom) - 1) < 0.01


def test_a_saved_chart_has_one_line_for_each_group(store: Store):
    """The picture names each group with its n and draws a band around its mean; the payload keeps every run."""
    sweep(store)
    found = list(ct.runs(store=store))
    lines = [line for run in found for line in curves(run)[0]]
    states = [state_of(run, curves(run)[0]) for run in found]
    facts = saved.Facts(states, groupings=groupings([run.record for run in found]))
    bundle = saved.chart_bundle("t", "n", lines, [10] * 6, {**OPTIONS, "group": "lr", "y": "log"}, facts)
    picture = base64.b64decode(re.findall(r"base64,([^\"]+)", bundle["text/html"])[0]).decode()
    assert re.findall(r">(lr=[^<]+)<", picture) == ["lr=0.1 (n=3)", "lr=0.01 (n=3)"]
    assert picture.count("fill-opacity") == 2
    assert "nan" not in picture
    assert len(bundle[saved.contract.MIME]["series"]) == 6


def test_the_last_value_is_where_the_line_ends(store: Store):
    """Of a run that goes on, whose document lags behind its points, as of one whose tasks outlive their cell."""
    with ct.start("on", store=store) as run:
        run.log(loss=1.0)
        run.describe()
        found = ct.run("on", store=store)
        for value in (0.5, 0.25):
            run.log(loss=value)
        (line,), _ = curves(found)
        assert line.points[2].tolist() == [1.0, 0.5, 0.25]
        assert state_of(found, [line])["last"] == {"loss": 0.25}


def test_the_curves_of_a_table_know_their_groups(store: Store):
    """What a table's chart draws can be grouped as well."""
    sweep(store)
    assert [each["by"] for each in drawn(ct.runs(store=store))["groupings"]] == ["group", "all but seed", "lr"]

"""Sweeps: every point a run below the sweep, repeats with their seeds, what is done is not done again."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import celltrail as ct
from celltrail.errors import BadValue, CelltrailError
from celltrail.panels.viewing import options_of
from celltrail.query.sheet import Sheet
from celltrail.run import Wish
from celltrail.run.attribution import open_runs
from celltrail.store import Store
from celltrail.sweep import sweep


def noisy(lr: float, width: int = 1, seed: int = 0) -> None:
    """A function that logs: its metric depends on its parameters and on the global generators."""
    for step in range(3):
        ct.log({"val/acc": 1 - lr + width / 100 + random.random() / 1000 + float(np.random.rand()) / 1000}, step)


def test_a_grid_is_every_combination_each_a_run(store: Store) -> None:
    """The sweep is the parent; params are the point; runs bear the point's name."""
    found = ct.sweep(noisy, {"lr": [0.1, 0.5], "width": range(1, 4)}, metric="val/acc")
    assert len(found.runs) == 6
    (parent,) = {run.parent.name for run in found.runs}
    assert parent == "noisy"
    assert {(run.params["lr"], run.params["width"]) for run in found.runs} == {
        (lr, width) for lr in (0.1, 0.5) for width in (1, 2, 3)
    }
    assert found.best is not None
    assert (found.best.params["lr"], found.best.params["width"]) == (0.1, 3)
    assert found.best.name == "lr=0.1 width=3"
    assert ct.run("noisy").status == "finished"


def test_repeats_are_seeded_and_give_a_mean_with_its_interval(store: Store) -> None:
    """The same seeds in every point; the same sweep elsewhere gives the same numbers."""
    found = ct.sweep(noisy, {"lr": [0.1, 0.5]}, repeats=3, metric="val/acc")
    frame = found.df()
    assert frame["n"].tolist() == [3, 3]
    assert frame["lr"].tolist() == [0.1, 0.5]  # best first
    assert (frame["low"] < frame["mean"]).all()
    assert (frame["mean"] < frame["high"]).all()
    seeds = {run.params["seed"] for run in found.runs}
    assert seeds == {0, 1, 2}
    again = ct.sweep(noisy, {"lr": [0.1, 0.5]}, repeats=3, metric="val/acc", store=Store(store.root / "other"))
    assert again.df().equals(frame)
    assert "±" in repr(found)


@pytest.mark.parametrize(
    ("metric", "goal", "sort"),
    [("val/acc", None, ["-best.val/acc"]), (None, "min", ["best.objective"]), ("far", None, ["metrics.far"])],
)
def test_the_best_points_stand_first_in_its_table(store: Store, metric: str | None, goal: Any, sort: list[str]) -> None:
    found = sweep(lambda x: x, {"x": [2, 1, 3]}, repeats=2, metric=metric, goal=goal, name="sorted", store=store)
    options = options_of(found.runs)
    assert (options["sort"], options["group"]) == (sort, ["params.x"])
    listed = Sheet(found.runs).listing("", "", options["sort"], options["group"])["groups"]
    assert [group["values"] for group in listed or ()] == ([[3], [2], [1]] if sort[0][0] == "-" else [[1], [2], [3]])


def test_without_repeats_no_generator_is_touched(store: Store) -> None:
    """Principle 1: seeding changes the user's numbers."""
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist()
    ct.sweep(lambda x: x, {"x": [1, 2]}, goal="max", name="still")
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_what_it_returns_is_logged(store: Store) -> None:
    """A number as the metric, a dict by its names; text and None as nothing."""
    assert ct.sweep(lambda x: (x - 1) ** 2, {"x": [0, 1]}, goal="min", name="one").best.params["x"] == 1
    found = ct.sweep(lambda x: {"val/loss": x, "note": "no number"}, {"x": [2, 1]}, metric="val/loss", name="two")
    assert found.best.params["x"] == 1
    assert set(found.best.metrics) == {"val/loss"}


def test_a_call_that_raises_is_a_failed_run_and_the_sweep_goes_on(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it raised is with its run, and one line of what was printed."""
    found = ct.sweep(lambda x: 1 / x, {"x": [0, 2]}, goal="min", name="raising")
    assert {run.status for run in found.runs} == {"failed", "finished"}
    (failed,) = [run for run in found.runs if run.status == "failed"]
    assert failed.error is not None
    assert failed.error.ename == "ZeroDivisionError"
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().out
    assert found.df()["n"].tolist() == [1, 0]


def test_it_goes_on_where_a_killed_process_was(store: Store) -> None:
    """kill -9 in the third trial: the two that finished are not computed again."""
    script = """
import json, os, signal, sys
import celltrail as ct
def train(x):
    print(json.dumps(x), flush=True)
    if x == 3 and len(sys.argv) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    ct.log(loss=float(x))
found = ct.sweep(train, {"x": [1, 2, 3, 4]}, metric="loss")
print("done", len(found.df()), found.df()["n"].tolist(), flush=True)
"""
    died = subprocess.run([sys.executable, "-c", script, "die"], capture_output=True, text=True, timeout=60)
    assert died.returncode == -9
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    called = [json.loads(line) for line in ended.stdout.splitlines() if line.strip().isdigit()]
    assert called == [3, 4]
    assert "done 4 [1, 1, 1, 1]" in ended.stdout


def test_it_stops_when_a_rule_holds(store: Store) -> None:
    """After the trial for which the expression is true; one that cannot be read is refused before anything runs."""
    found = ct.sweep(lambda x: x, {"x": [1, 5, 9]}, goal="max", stop="best('objective') >= 5", name="early")
    assert sorted(run.params["x"] for run in found.runs) == [1, 5]
    with pytest.raises(CelltrailError):
        ct.sweep(lambda x: x, {"x": [1]}, stop="best(", name="never")
    assert not [run for run in ct.runs() if run.name == "never"]


def test_a_rule_stops_a_trial_and_a_person_the_sweep(store: Store) -> None:
    """What was stopped counts with what it logged; the next point is tried, unless the sweep itself was asked."""

    def train(x: int) -> None:
        run = ct.current()
        assert run is not None
        if x == 3:
            for each in open_runs:  # the button asks all that a chart shows: the trial and the sweep's own
                each.steer(Wish("1", "stop"))
        run.alert("m > 5", stop=True)
        for step in range(4):
            ct.log(m=x * step)

    with pytest.raises(ct.StopTraining, match="x=3 was stopped"):
        ct.sweep(train, {"x": [1, 2, 9, 3, 4]}, metric="m", goal="max", name="ruled", store=store)
    found = ct.runs("group == 'ruled' and has(parent)", store=store).sort("created")
    assert [(run.name, run.status, len(run.series("m")[0])) for run in found] == [
        ("x=1", "finished", 4), ("x=2", "finished", 4), ("x=9", "finished", 2), ("x=3", "finished", 1),
    ]  # fmt: skip
    assert ct.run("ruled", store).status == "finished"


def test_chance_draws_the_same_points_again(store: Store) -> None:
    """Within the spans, by its own seed; whole numbers stay whole, a logarithm spreads over the decades."""
    space = {"lr": (1e-5, 1e-1, "log"), "depth": (1, 8), "act": ["relu", "tanh"]}
    found = ct.sweep(lambda **point: 0, space, "random", trials=20, goal="min", name="a")
    points = [(run.params["lr"], run.params["depth"], run.params["act"]) for run in found.runs]
    assert all(1e-5 <= lr <= 1e-1 and isinstance(depth, int) and 1 <= depth <= 8 for lr, depth, _ in points)
    assert sum(lr < 1e-3 for lr, _, _ in points) in range(5, 16)
    again = ct.sweep(lambda **point: 0, space, "random", trials=20, goal="min", name="b")
    assert [(r.params["lr"], r.params["depth"], r.params["act"]) for r in again.runs] == points


def test_optuna_learns_from_the_trials(store: Store) -> None:
    """Its proposals come near the optimum; failed trials are told as such."""
    pytest.importorskip("optuna", reason="the extra [sweep] is not installed")
    found = ct.sweep(lambda x: (x - 2) ** 2, {"x": (-10.0, 10.0)}, "optuna", trials=25, goal="min", name="tpe")
    assert len(found.runs) == 25
    assert math.isclose(found.best.params["x"], 2, abs_tol=1.5)


@pytest.mark.parametrize(
    ("space", "more", "words"),
    [
        ({}, {}, "the space is empty"),
        ({"x": 1}, {}, "x=1 is one value; put it in a list"),
        ({"x": "abc"}, {}, "one value"),
        ({"x": []}, {}, "no values to try"),
        ({"x": (1, 2)}, {}, "of which no grid is made"),
        ({"x": (2, 1)}, {"sampler": "random", "trials": 1}, "is no span"),
        ({"x": (0.0, 1.0, "log")}, {"sampler": "random", "trials": 1}, "no logarithm"),
        ({"x": [1]}, {"sampler": "random"}, "say how many points to try"),
        ({"x": [1]}, {"trials": 3}, "a grid tries every combination"),
        ({"x": [1]}, {"sampler": "bayes"}, "there is no sampler 'bayes'"),
        ({"x": [1]}, {"repeats": 0}, "each point is tried once at least"),
        ({"x": [1], "y": [2]}, {}, r"sweep\(\) takes no 'y'; it takes x"),
    ],
)
def test_what_cannot_be_swept_is_said(store: Store, space: dict, more: dict, words: str) -> None:
    """Before the function is called."""
    with pytest.raises(BadValue, match=words):
        ct.sweep(lambda x: pytest.fail("called"), space, **more)
    assert len(ct.runs()) == 0


def test_a_function_that_wants_more_is_not_called(store: Store) -> None:
    """Each trial would fail for the same reason; what it lacks is said once instead."""
    with pytest.raises(BadValue, match=r"grow\(\) takes no 'witdh'; did you mean 'width'\? it takes width, depth"):
        ct.sweep(grow, {"witdh": [1]})
    with pytest.raises(BadValue, match=r"grow\(\) needs 'depth'; the space has width"):
        ct.sweep(grow, {"width": [1]})
    with pytest.raises(BadValue, match="drawn\\(\\) needs 'seed'; repeats=2 or more gives seeds"):
        ct.sweep(drawn, {"x": [1]})
    assert len(ct.runs()) == 0
    assert len(ct.sweep(drawn, {"x": [1]}, repeats=2).runs) == 2


def grow(width: int, depth: int) -> int:
    """A function that must be given all it takes."""
    return width * depth


def drawn(x: int, seed: int) -> int:
    """A function that must be given a seed."""
    return x + seed


def test_trials_of_a_point_stand_together_where_there_are_several(store: Store) -> None:
    """A group of one would be a line more for each trial."""
    assert ct.sweep(noisy, {"lr": [0.1, 0.5]}, metric="val/acc", name="one").runs.look["group"] == []
    assert ct.sweep(noisy, {"lr": [0.1]}, repeats=2, metric="val/acc", name="two").runs.look["group"] == ["params.lr"]

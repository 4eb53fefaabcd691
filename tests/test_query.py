"""Sets of runs, runs read back, rows, frames and charts, on a real trail."""

import math
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from celltrail.errors import BadValue, NoRun, QueryError
from celltrail.query import StoredRun, find, runs
from celltrail.query.row import real, row, scalar
from celltrail.run import start

LRS = [0.1, 0.01, 0.001]


@pytest.fixture
def trained(store):
    """Three runs with points; the second one fails."""
    for number, lr in enumerate(LRS):
        params = {"lr": lr, "layers": [64, 64], "optimizer": "adam"} | ({"warmup": 5} if number == 2 else {})
        try:
            with start(f"run-{number}", params, tags=["mlp"] if number else [], store=store) as run:
                for step in range(100):
                    run.log({"train/loss": 1 / (step + 1) / lr, "val/acc": 1 - lr * step / 100}, step=step)
                run.summary["size"] = number
                if number == 1:
                    raise ValueError("diverged\nbadly")
        except ValueError:
            pass
    return store


def names(found):
    return [run.name for run in found]


def test_all_runs_newest_first(trained):
    """Without an expression all runs come, the newest first."""
    found = runs(store=trained)
    assert names(found) == ["run-2", "run-1", "run-0"]
    assert len(found) == 3
    assert isinstance(found[0], StoredRun)
    assert names(found[1:]) == ["run-1", "run-0"]
    assert names(found[::-1]) == ["run-0", "run-1", "run-2"]
    assert found[-1].name == "run-0"
    with pytest.raises(IndexError):
        found[3]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("params.lr < 0.05", ["run-2", "run-1"]),
        ("status == 'failed'", ["run-1"]),
        ("'mlp' in tags and status != 'failed'", ["run-2"]),
        ("has(params.warmup)", ["run-2"]),
        ("not params.warmup > 1", []),
        ("best('train/loss') < 0.5", ["run-0"]),
        ("at('train/loss', 9.5) < 2", ["run-0"]),
        ("`val/acc` > 0.95 and best_step('train/loss') == 99", ["run-2", "run-1"]),
        ("matches(error, '^ValueError: div')", ["run-1"]),
        ("summary.size == 0 or metrics['val/acc'] > 0.995", ["run-2", "run-0"]),
        ("created > ago('1h') and duration < '1h'", ["run-2", "run-1", "run-0"]),
        ("64 in params.layers and params.layers == [64, 64]", ["run-2", "run-1", "run-0"]),
        ("name in ['run-0', 'x'] or 'n-2' in name", ["run-2", "run-0"]),
    ],
)
def test_expressions_find_runs(trained, where, expected):
    """An expression over a real trail finds the runs it describes."""
    assert names(runs(where, store=trained)) == expected


def test_sets_are_lazy_and_steady(store):
    """A set asks once, when first looked at; `refresh` asks again; an unreadable expression fails at once."""
    found = runs(store=store)
    start("late", store=store).finish()
    assert names(found) == ["late"]
    start("later", store=store).finish()
    assert names(found) == ["late"]
    assert names(found.refresh()) == ["later", "late"]
    with pytest.raises(QueryError):
        runs("params.lr <", store=store)


def test_sorting_puts_missing_and_nan_last_in_both_directions(store):
    """The table never leads with runs that know nothing of the column."""
    for name, value in [("a", 1.0), ("b", math.nan), ("c", 3.0), ("d", None), ("e", 2.0)]:
        with start(name, {} if value is None else {"x": value}, store=store):
            pass
    assert names(runs(sort="params.x", store=store)) == ["a", "e", "c", "d", "b"]
    assert names(runs(sort="-params.x", store=store)) == ["c", "e", "a", "d", "b"]
    assert names(runs(sort=["-params.x"], limit=2, store=store)) == ["c", "e"]


def test_sorting_by_several_keys_and_column_names(trained):
    """Keys are expressions or the names of columns; earlier keys count more; ties keep their order."""
    assert names(runs(store=trained).sort("-best('val/acc')", "created")) == ["run-0", "run-1", "run-2"]
    assert names(runs(store=trained).sort("-metrics.val/acc")) == ["run-2", "run-1", "run-0"]
    assert names(runs(store=trained).sort("best.train/loss")) == ["run-0", "run-1", "run-2"]
    assert names(runs(store=trained).sort("-status", "-params.lr")) == ["run-0", "run-2", "run-1"]
    with pytest.raises(QueryError):
        runs(store=trained).sort("-val/acc")


def test_mixed_kinds_sort_without_an_error(store):
    """A param that is a number in one run and a word in another still sorts: numbers first."""
    for name, value in [("a", "auto"), ("b", 2), ("c", [1]), ("d", True)]:
        start(name, {"x": value}, store=store).finish()
    assert names(runs(store=store).sort("params.x")) == ["d", "b", "a", "c"]


def test_best_needs_a_direction(store):
    """`best` of a metric whose name tells no direction says how to declare one, pointing at the place."""
    with start("a", store=store) as run:
        run.log({"gap": 1.0})
        run.log({"gap": 3.0})
    with pytest.raises(QueryError, match="define_metric") as caught:
        len(runs("name == 'a' and best('gap') > 0", store=store))
    assert (caught.value.start, caught.value.end) == (16, 27)
    with start("b", store=store) as run:
        run.define_metric("gap", goal="max")
        run.log({"gap": 2.0})
    # declared by any run, it holds for all
    assert names(runs(store=store).sort("-best('gap')")) == ["a", "b"]
    with start("c", store=store) as run:
        run.log({"gap": 9.0})
        run.log({"gap": 1.0})
    assert runs(store=store).df()["best.gap"].tolist() == [9, 2, 3]


def test_a_name_no_run_has_is_told(trained):
    """A misspelt param or metric finds nothing and says which name is near."""
    found = runs("params.warmpu > 1 or best('val/ac') > 2", store=trained)
    assert len(found) == 0
    assert "did you mean 'warmup'?" in repr(found)
    assert "did you mean 'val/acc'?" in repr(found)
    assert runs("params.lr > 1", store=trained).hints == []


def test_frame_has_typed_columns(trained):
    """Metrics and durations are float64, times UTC, params as pandas infers them; missing is NaN."""
    frame = runs(store=trained).df()
    assert list(frame["name"]) == ["run-2", "run-1", "run-0"]
    assert {str(frame[name].dtype) for name in frame if name.startswith(("metrics.", "best."))} == {"float64"}
    assert str(frame["duration"].dtype) == "float64"
    assert str(frame["created"].dtype).startswith("datetime64")
    assert "UTC" in str(frame["created"].dtype)
    assert frame["created"][0].to_pydatetime() == runs(store=trained)[0].created
    assert str(frame["params.lr"].dtype) == "float64"
    assert frame["params.warmup"].tolist()[0] == 5
    assert frame["params.warmup"].isna().tolist() == [False, True, True]
    assert frame["params.layers"][0] == [64, 64]
    assert frame["tags"][0] == ["mlp"]
    assert frame["best.val/acc"].tolist() == [1, 1, 1]
    assert frame["summary.size"].tolist() == [2, 1, 0]
    assert frame["error"][1] == "ValueError: diverged"


def test_frame_columns_can_be_chosen(trained):
    """Columns are asked for by name or as an expression; a slip names the nearest column."""
    frame = runs(store=trained).df(["name", "params.lr", "last('train/loss') * params.lr"])
    assert list(frame.columns) == ["name", "params.lr", "last('train/loss') * params.lr"]
    assert np.allclose(frame.iloc[:, 2], 0.01)
    # what no run here has is a column of nothing, so that a program need not ask first
    assert runs(store=trained).df(["best.val/f1", "params.momentum"]).isna().all(axis=None)
    with pytest.raises(BadValue, match="did you mean 'status'"):
        runs(store=trained).df(["statsu"])


def test_frame_of_no_runs(store):
    """An empty set is an empty frame with the same facts as columns, and shows itself in words."""
    frame = runs(store=store).df()
    assert len(frame) == 0
    assert {"id", "name", "status", "created"} <= set(frame.columns)
    assert repr(runs(store=store)) == "no runs in .celltrail"


def test_text_forms(trained, tmp_path):
    """Terminal, Markdown, LaTeX and CSV show the same runs."""
    found = runs(store=trained)
    assert repr(found).splitlines()[0] == "3 runs"
    assert "✗ failed" in repr(found)
    assert "best val/acc" in repr(found)
    assert found.to_markdown(["name", "params.lr"]).splitlines()[2] == "| run-2 | 0.001 |"
    assert r"run-2 & finished" in found.to_latex()
    assert found.to_csv(columns=["name", "tags"]) == "name,tags\nrun-2,mlp\nrun-1,mlp\nrun-0,\n"
    assert found.to_csv(tmp_path / "runs.csv") is None
    assert len(pd.read_csv(tmp_path / "runs.csv")) == 3


def test_a_long_list_is_cut(store):
    """A terminal is not flooded: twenty rows, and how many more there are."""
    for number in range(22):
        start(f"n{number}", store=store).finish()
    assert "… and 2 more" in repr(runs(store=store))


def test_find_by_name_id_and_beginning(trained):
    """A run is found by its newest name, its id or a beginning of the id that is the only one."""
    first = runs(store=trained)[-1]
    assert find("run-0", trained).id == first.id
    assert find(first.id.lower(), trained).id == first.id
    start("run-0", store=trained).finish()
    newest = find("run-0", trained)
    assert newest.id != first.id
    shared = 1
    while len({run.id[:shared] for run in runs(store=trained)}) < 4:
        shared += 1
    assert find(first.id[:shared], trained).id == first.id
    with pytest.raises(NoRun, match="4 runs have an id that begins"):
        find(first.id[:2], trained)
    with pytest.raises(NoRun, match=r"no run 'run-9' in \.celltrail; did you mean 'run-\d'\?"):
        find("run-9", trained)


def test_stored_run_tells_everything(trained):
    """What was recorded is read back under the names the public face promises."""
    run = find("run-1", trained)
    assert run.status == "failed"
    assert str(run.error) == "ValueError: diverged"
    assert run.params == {"lr": 0.01, "layers": [64, 64], "optimizer": "adam"}
    assert run.summary["size"] == 1
    assert run.summary["val/acc"] == pytest.approx(0.9901)
    assert run.tags == ["mlp"]
    assert run.notes == []
    assert run.outputs == []
    assert run.children == []
    assert run.ended is not None
    assert run.created <= run.started <= run.ended <= datetime.now(UTC)
    assert run.duration is not None
    assert 0 < run.duration < 60
    assert "run-1" in repr(run)
    assert "diverged" in repr(run)
    with start("outer", store=trained) as outer, start("inner", store=trained) as inner:
        pass
    assert [child.id for child in find(outer.id, trained).children] == [inner.id]
    parent = find(inner.id, trained).parent
    assert parent is not None
    assert parent.id == outer.id


def test_history_has_a_row_per_call(store):
    """One row per `log()` call in order, also where steps repeat or metrics alternate; NaN where absent."""
    with start("a", store=store) as run:
        run.log({"x": 1.0}, step=0)
        run.log({"y": 2.0}, step=0)
        run.log({"x": 3.0, "y": math.nan}, step=5)
        run.log({"x": 4.0}, step=5)
        run.log({"x": 5.0}, step=1)
    frame = find("a", store).history()
    assert list(frame.columns) == ["step", "time", "x", "y"]
    assert frame["step"].tolist() == [0, 0, 5, 5, 1]
    assert frame["x"].tolist()[2:] == [3, 4, 5]
    assert frame["y"][1] == 2
    assert frame["x"].isna().tolist() == [False, True, False, False, False]
    assert frame["time"].is_monotonic_increasing
    assert str(frame["time"].dtype).endswith("UTC]")
    assert find("a", store).history(keys=["y"])["step"].tolist() == [0, 5]
    with pytest.raises(NoRun, match="no metric 'z'"):
        find("a", store).history(keys=["z"])


def test_series_keeps_extremes_and_windows(store):
    """A shortened series keeps both ends and the spike; a window is both ends included."""
    with start("a", store=store) as run:
        for step in range(5_000):
            run.log({"x": 100.0 if step == 2_345 else math.sin(step / 100)}, step=step)
    stored = find("a", store)
    steps, values = stored.series("x")
    assert len(steps) == 5_000
    assert values[2_345] == 100
    steps, values = stored.series("x", points=100)
    assert len(steps) <= 100
    assert values.max() == 100
    assert (steps[0], steps[-1]) == (0, 4_999)
    steps, values = stored.series("x", window=(10, 20))
    assert steps.tolist() == list(range(10, 21))
    with pytest.raises(NoRun, match="no metric 'y'"):
        stored.series("y")
    with pytest.raises(BadValue, match="points=1"):
        stored.series("x", points=1)


def test_row_is_the_contract(store):
    """Numbers without JSON become words, long sparks become 40 values, and gaps become null."""
    with start("a", {"lr": math.inf, "seed": 2**63, "layers": [1, 2]}, store=store) as run:
        for step in range(1_000):
            run.log({"x/loss": math.nan if step < 500 else step, "y": -math.inf}, step=step)
    made = runs(store=store).rows()[0]
    assert made["params"]["lr"]["value"] == "inf"
    assert made["params"]["seed"]["value"] == str(2**63)
    assert made["params"]["layers"]["value"] == "[1, 2]"
    loss = made["metrics"]["x/loss"]
    assert (loss["goal"], loss["best"], loss["best_step"], loss["count"], loss["nan_count"]) == (
        "min",
        500,
        500,
        1000,
        500,
    )
    assert loss["spark"][:20] == [None] * 20
    assert loss["spark"][20] == 512
    assert len(loss["spark"]) == 40
    assert made["metrics"]["y"]["last"] == "-inf"
    assert made["metrics"]["y"]["spark"] == [None] * 40
    assert row(find("a", store).record, store, sparks=False)["metrics"]["x/loss"]["spark"] == []


def test_sparks_of_a_finished_run_are_read_once(store):
    """Listing again reads no log: it may even be gone."""
    with start("a", store=store) as run:
        run.log({"x": 1.0})
    first = runs(store=store).rows()
    for log in store.root.glob("runs/*/*/m/*"):
        log.unlink()
    assert runs(store=store).rows() == first
    assert first[0]["metrics"]["x"]["spark"] == [1.0]


def test_scalars_and_reals():
    """Everything a row holds has a JSON form that a browser reads back as the same value."""
    assert [real(value) for value in (1, 0.5, math.nan, -math.inf, None)] == [1, 0.5, "nan", "-inf", None]
    assert scalar({"a": math.nan}) == '{"a": NaN}'
    assert scalar("x" * 500) == "x" * 199 + "…"
    assert scalar(True) is True


def test_chart_over_steps_and_time(trained):
    """A line per run with readable titles, never more rows than a notebook carries."""
    found = runs(store=trained)
    spec = found.chart("val/acc").to_dict()
    assert spec["mark"]["type"] == "line"
    assert (spec["encoding"]["x"]["title"], spec["encoding"]["y"]["title"]) == ("step", "val/acc")
    (data,) = spec["datasets"].values()
    assert {point["run"] for point in data} == {"run-0", "run-1", "run-2"}
    assert len(data) == 300
    assert "seconds" in found.chart("val/acc", x="time").to_dict()["encoding"]["x"]["field"]
    with pytest.raises(NoRun, match="did you mean 'val/acc'"):
        found.chart("val/ac")


def test_chart_stays_small_and_keeps_spikes(store):
    """Long series are thinned to 5,000 rows in all; infinity is a gap, for JSON has none."""
    for name in ("a", "b"):
        with start(name, store=store) as run:
            for step in range(4_000):
                run.log({"x": math.inf if step == 7 else 50.0 if step == 1_234 else 0.0}, step=step)
    spec = runs(store=store).chart("x").to_dict()
    (data,) = spec["datasets"].values()
    assert len(data) <= 5_000
    assert max(point["value"] for point in data if point["value"] is not None) == 50


def test_chart_over_a_param(trained):
    """A point per run at the best value, logarithmic where the param spans decades."""
    spec = runs(store=trained).chart("val/acc", x="params.lr").to_dict()
    assert spec["mark"]["type"] == "circle"
    assert spec["encoding"]["x"]["scale"] == {"type": "log"}
    assert spec["encoding"]["x"]["title"] == "lr"
    assert spec["encoding"]["y"]["title"] == "best val/acc"
    (data,) = spec["datasets"].values()
    assert {point["x"] for point in data} == set(LRS)
    assert runs(store=trained).chart("val/acc", x="params.optimizer").to_dict()["encoding"]["x"]["type"] == "nominal"
    assert runs(store=trained).chart("val/acc", x="created").to_dict()["encoding"]["x"]["type"] == "temporal"
    with pytest.raises(BadValue, match="no run has both"):
        runs("name == 'run-0'", store=trained).chart("val/acc", x="params.warmup")


def test_import_is_light():
    """Asking for the room loads neither numpy nor pandas nor the store's machinery."""
    heavy = ["numpy", "pandas", "altair", "pyarrow", "tinydb", "IPython"]
    rooms = "celltrail.query, celltrail.compare, celltrail.cli"
    code = f"import sys, {rooms}; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"

"""Scripts as one writes them for wandb, with the import alone changed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import celltrail as ct
import celltrail.wandb as wandb

mpl.use("agg")
from matplotlib import pyplot as plt


@pytest.fixture
def store(trail: Path) -> Iterator[ct.Store]:
    """A trail of its own."""
    yield ct.Store(trail)
    wandb.finish()


def test_a_quick_start(store: ct.Store):
    """Settings, a loop, a summary, and the end: all of it is in the trail."""
    wandb.login()
    run = wandb.init(
        entity="me",
        project="cats",
        config={"lr": 0.02, "epochs": 4},
        tags=["first"],
        mode="offline",
        settings=wandb.Settings(silent=True),
    )
    assert (run.project, run.url) == ("cats", None)
    wandb.define_metric("val/*", step_metric="epoch", summary="max")
    for epoch in range(wandb.config.epochs):
        wandb.log({"train": {"loss": 1 / (epoch + 1)}, "epoch": epoch}, commit=False)
        run.log({"val/quality": np.float32(epoch), "done": epoch == 3})
    wandb.config.update({"batch": 8}, allow_val_change=True)
    wandb.config["lr"] = 0.01
    wandb.run.summary["best"] = 0.9
    wandb.finish()
    assert wandb.run is None
    kept = ct.run(run.name, store=store)
    assert (kept.status, kept.record.project, kept.tags) == ("finished", "cats", ["first"])
    assert kept.params == {"lr": 0.01, "epochs": 4, "batch": 8}
    assert kept.summary["best"] == 0.9
    history = kept.history()
    assert history["step"].tolist() == [0, 1, 2, 3]
    assert history["train.loss"].tolist() == [1, 1 / 2, 1 / 3, 1 / 4]
    assert history["done"].tolist() == [0, 0, 0, 1]
    assert (kept.record.metrics["val/quality"].goal, kept.record.metrics["val/quality"].axis) == ("max", "epoch")


def test_media(store: ct.Store):
    """Pictures with captions, tables, histograms, figures and texts, at the step of their call."""
    with wandb.init(name="media") as run:
        table = wandb.Table(columns=["word", "score"], data=[["a", 1.0]])
        table.add_data("b", np.float64(2.0))
        plt.plot([1, 2])
        run.log(
            {
                "one": wandb.Image(np.zeros((4, 4, 3), np.uint8), caption="black"),
                "many": [wandb.Image(np.full((2, 2), shade, np.uint8)) for shade in (0, 255)],
                "table": table,
                "frame": wandb.Table(dataframe=pd.DataFrame({"x": [1, 2]})),
                "spread": wandb.Histogram(np.arange(10.0)),
                "counts": wandb.Histogram(np_histogram=np.histogram([1, 2, 3], bins=2)),
                "array": np.arange(5.0),
                "figure": plt,
                "page": wandb.Html("<b>x</b>"),
                "text": "once",
                "words": ["a", "b"],
                "list": [1, 2.5],
                "loss": 0.5,
            },
            step=7,
        )
        with pytest.raises(ct.BadValue, match="a row of 1 values for 2 columns"):
            table.add_data("c")
    items = {item.name: item for item in ct.run("media", store=store).items()}
    assert {key: item.kind for key, item in items.items()} == {
        "one": "image", "one.caption": "text", "many/0": "image", "many/1": "image", "table": "table",
        "frame": "table", "spread": "histogram", "counts": "histogram", "array": "histogram", "figure": "figure",
        "page": "text", "text": "text", "words": "text", "list": "histogram",
    }  # fmt: skip
    assert {item.step for item in items.values()} == {7}


def test_how_runs_end(store: ct.Store):
    """By an exit code, by an exception, by the next init; alerts have wandb's levels."""
    run = wandb.init(name="code", config=argparse.Namespace(depth=3))
    run.alert("slow", "very", level=wandb.AlertLevel.WARN)
    wandb.finish(exit_code=1)
    with pytest.raises(ZeroDivisionError), wandb.init(name="raised"):
        1 / 0  # noqa: B018
    wandb.init(name="left")
    wandb.init(name="next", job_type="eval")
    wandb.finish()
    found = {each.name: each for each in ct.runs(store=store)}
    assert {name: each.status for name, each in found.items()} == {
        "code": "failed", "raised": "failed", "left": "finished", "next": "finished",
    }  # fmt: skip
    assert found["code"].params == {"depth": 3}
    assert [(each.title, each.level) for each in found["code"].alerts] == [("slow", "warn")]
    assert found["next"].tags == ["eval"]


def test_disabled_records_nothing_and_what_is_not_there_says_so(store: ct.Store):
    """The script runs through; names that do not exist are answered with those that do."""
    run = wandb.init(mode="disabled", config={"lr": 1})
    run.log({"loss": 1})
    run.watch(None)
    run.summary.best = 3
    assert (wandb.config.lr, run.summary["best"], len(ct.runs(store=store))) == (1, 3, 0)
    wandb.finish()
    with pytest.raises(AttributeError, match=r"celltrail\.wandb has no 'Api': celltrail.runs"):
        _ = wandb.Api
    with pytest.raises(ct.CelltrailError, match=r"call wandb.init\(\) first"):
        wandb.log({"loss": 1})


def test_artifacts(store: ct.Store, tmp_path: Path):
    """As wandb's own pages show them: a file under the artifact's name, several below it, and whatever is saved."""
    (tmp_path / "model.txt").write_text("weights")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("a,b")
    with wandb.init(project="files") as run:
        artifact = wandb.Artifact(name="classifier", type="model", metadata={"layers": 2})
        artifact.add_file(local_path=str(tmp_path / "model.txt"))
        assert run.log_artifact(artifact) is artifact
        both = wandb.Artifact("both", type="dataset", description="two of them")
        both.add_file(tmp_path / "model.txt", name="again.txt")
        both.add_dir(tmp_path / "data")
        wandb.log_artifact(both)
        wandb.save(str(tmp_path / "*.txt"))
        made = wandb.Artifact("made", type="report")
        with made.new_file("notes.txt") as file:
            file.write("by hand")
        made.add(wandb.Table(columns=["a"], data=[[1]]), "rows")
        run.log_artifact(made).wait()
        with pytest.raises(ct.BadValue, match=r"there is no 'nothing\.pt' to add to the artifact 'both'"):
            both.add_file(tmp_path / "nothing.pt")
    stored = ct.runs(store=store)[0]
    told = {each.name: (each.kind, [file.path for file in each.files]) for each in stored.artifacts}
    assert told == {
        "classifier": ("model", ["classifier"]),
        "both/again.txt": ("dataset", ["both/again.txt"]),
        "both/data": ("dataset", ["rows.csv"]),
        "model.txt": ("file", ["model.txt"]),
        "made": ("report", ["made"]),
    }
    assert stored.artifacts["made"].restore(tmp_path / "made").read_text() == "by hand"
    assert "made/rows" in {item.name for item in stored.items()}
    assert stored.artifacts["classifier"].restore(tmp_path / "back").read_text() == "weights"
    assert stored.notes == ["both: two of them"]


def test_a_run_is_resumed_by_the_id_it_was_given(store: ct.Store):
    """The same run goes on after its last step; what must be there and is not, and the other way round, says so."""
    with wandb.init(id="exp-1", resume="allow", config={"lr": 0.1}) as run:
        run.log({"loss": 1.0}, commit=False)
        run.log({"acc": 0.5})
        Path(run.dir, "notes.txt").write_text("kept at the end")
    run = wandb.init(id="exp-1", resume="must")
    assert (run.resumed, run.step, run.id) == (True, 1, "exp-1")
    run.log({"loss": 0.5})
    wandb.finish()
    with pytest.raises(ct.CelltrailError, match="there is a run of the id 'exp-1' already"):
        wandb.init(id="exp-1", resume="never")
    with pytest.raises(ct.CelltrailError, match="there is no run of the id 'exp-2' to resume"):
        wandb.init(id="exp-2", resume="must")
    (stored,) = ct.runs(store=store)
    assert stored.history()[["step", "loss", "acc"]].fillna(0).to_numpy().tolist() == [[0, 1.0, 0.5], [1, 0.5, 0]]
    assert [each.name for each in stored.artifacts] == ["notes.txt"]


def test_artifacts_are_used_again(store: ct.Store, tmp_path: Path):
    """By name, version and alias, of other runs and of the same; what is not there says what is."""
    for version in (b"one", b"two"):
        (tmp_path / "w.bin").write_bytes(version)
        with wandb.init() as run:
            made = wandb.Artifact("model", type="model", metadata={"layers": 2})
            made.add_file(tmp_path / "w.bin")
            run.log_artifact(made, aliases=["first"] if version == b"one" else [])
            assert Path(run.use_artifact("model:latest").download(tmp_path / "own"), "w.bin").read_bytes() == version
    with wandb.init(name="user") as run:
        used = wandb.use_artifact("me/cats/model:first", type="model")
        assert (used.name, used.metadata, used.aliases) == ("model:v0", {"layers": 2}, ["first"])
        assert Path(used.file(tmp_path / "v0")).read_bytes() == b"one"
        assert Path(run.use_artifact("model").file(tmp_path / "v1")).read_bytes() == b"two"
        with pytest.raises(ct.BadValue, match="no artifact 'model:v7': it has first, latest, v0, v1"):
            run.use_artifact("model:v7")
        with pytest.raises(ct.BadValue, match="model:v1 is a model, and no dataset"):
            run.use_artifact("model", type="dataset")
    assert ct.run("user", store=store).params == {"artifact.model": "model:v1"}


def test_charts_and_films(store: ct.Store):
    """What `wandb.plot` makes is kept as a chart, with scikit-learn's numbers; arrays are a film."""
    waves = wandb.Table(columns=["x", "y:0"], data=[[0, 1.0], [1, 3.0]])
    bars = wandb.Table(dataframe=pd.DataFrame({"label": ["b", "a"], "value": [1, 2]}))
    truths, sure = np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    with wandb.init(name="charts") as run:
        run.log(
            {
                "line": wandb.plot.line(waves, "x", "y:0", title="a wave"),
                "scatter": wandb.plot.scatter(waves, "x", "y:0"),
                "bar": wandb.plot.bar(bars, "label", "value"),
                "histogram": wandb.plot.histogram(waves, "y:0"),
                "series": wandb.plot.line_series([0, 1], [[1, 2], [2, 1]], keys=["up", "down"], xname="t"),
                "confusion": wandb.plot.confusion_matrix(y_true=truths, probs=sure, class_names=["cat", "dog"]),
                "roc": wandb.plot.roc_curve(truths, sure, labels=["cat", "dog"]),
                "pr": wandb.plot.pr_curve(truths, sure, classes_to_plot=[1]),
                "film": wandb.Video(np.zeros((3, 1, 8, 8), np.uint8), fps=10),
            }
        )
        with pytest.raises(ct.BadValue, match="the table has no column 'z'; it has x, y:0"):
            wandb.plot.line(waves, "x", "z")
        with pytest.raises(ct.BadValue, match="either preds or probs"):
            wandb.plot.confusion_matrix(y_true=truths)
    items = {item.name: item for item in ct.run("charts", store=store).items()}
    charts = {name: json.loads(item.bytes) for name, item in items.items() if item.kind == "figure"}
    rows = {name: chart["data"]["values"] for name, chart in charts.items()}
    assert charts["line"]["title"] == "a wave"
    assert charts["line"]["encoding"]["y"]["field"] == "y\\:0"
    assert [row["count"] for row in rows["confusion"]] == [2, 0, 1, 1]
    assert {(row["t"], row["value"]) for row in rows["series"] if row["key"] == "down"} == {(0, 2), (1, 1)}
    assert max(row["true positive rate"] for row in rows["roc"] if row["class"] == "dog") == 1
    assert {row["class"] for row in rows["pr"]} == {"1"}
    assert (items["film"].kind, items["film"].media) == ("video", "image/gif")


def test_a_sweep_by_an_agent(store: ct.Store):
    """Each trial is a run with its parameters as config; `init` begins no other one, and `finish` ends none early."""

    def train():
        run = wandb.init(config={"depth": 1, "lr": 9})
        wandb.log({"val_loss": (wandb.config.lr - 0.1) ** 2, "depth": run.config.depth})
        wandb.finish()

    about = {
        "method": "grid",
        "metric": {"name": "val_loss", "goal": "minimize"},
        "parameters": {"lr": {"values": [0.01, 0.1]}, "depth": {"value": 3}},
    }
    wandb.agent(wandb.sweep(about, project="cats"), function=train)
    found = ct.runs("params.lr > 0", store=store)
    assert sorted((run.params["lr"], run.params["depth"], run.status) for run in found) == [
        (0.01, 3, "finished"), (0.1, 3, "finished"),
    ]  # fmt: skip
    assert min(found, key=lambda run: run.record.metrics["val_loss"].last).params["lr"] == 0.1
    assert len(ct.runs(store=store)) == 3
    with pytest.raises(ct.BadValue, match="a random sweep has no end"):
        wandb.agent(wandb.sweep({**about, "method": "random"}), train)
    with pytest.raises(ct.BadValue, match="a parameter here has values"):
        wandb.sweep({**about, "parameters": {"lr": {"distribution": "normal"}}})

"""Scripts as one writes them for wandb, with the import alone changed."""

from __future__ import annotations

import argparse
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
    with pytest.raises(AttributeError, match=r"celltrail\.wandb has no 'sweep'; it has"):
        _ = wandb.sweep
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

"""Scripts in the style of wandb's own pages: each call works, or says in a sentence what is not there."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import celltrail as ct
import celltrail.wandb as wandb


@pytest.fixture
def store(trail: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ct.Store]:
    """A trail of its own, and a folder to be in."""
    monkeypatch.chdir(tmp_path)
    yield ct.Store(trail)
    wandb.finish()


def test_track_experiments(store: ct.Store):
    """The page one begins with: config from the command line, a loop, the last values in the summary."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-e", "--epochs", type=int, default=8)
    parser.add_argument("-lr", "--learning_rate", type=float, default=0.001)
    args = parser.parse_args([])
    with wandb.init(project="config_example", config=args, config_exclude_keys=["epochs"], job_type="train") as run:
        run.config.update({"dataset": "CIFAR-100", "optimizer": {"name": "adam", "beta": 0.9}})
        offset = random.random() / 5
        for epoch in range(2, args.epochs):
            run.log({"acc": 1 - 2**-epoch - offset, "loss": 2**-epoch + offset, "epoch": epoch})
        assert run.summary["loss"] == 2**-7 + offset
        assert run.config["optimizer"]["beta"] == 0.9
        assert "epochs" not in run.config
        run.tags += ("late",)
        run.notes = "it worked"
        assert (run.tags, run.notes, run.project) == (("train", "late"), "it worked", "config_example")
    kept = ct.runs(store=store)[0]
    assert (set(kept.tags), kept.notes) == ({"train", "late"}, ["it worked"])


def test_customise_axes(store: ct.Store):
    """`define_metric` with patterns, a step of one's own, and directions."""
    with wandb.init(name="axes") as run:
        run.define_metric("train/step")
        run.define_metric("train/*", step_metric="train/step")
        run.define_metric("val/acc", step_metric="epoch", summary="max")
        for step in range(4):
            run.log({"train/step": step * 10, "train/loss": 1 / (step + 1)}, commit=False)
            run.log({"val/acc": step / 4, "epoch": step})
    metrics = ct.run("axes", store=store).record.metrics
    assert (metrics["train/loss"].axis, metrics["val/acc"].axis, metrics["val/acc"].goal) == (
        "train/step", "epoch", "max",
    )  # fmt: skip


def test_tables(store: ct.Store):
    """Rows with pictures, columns added later, a frame, and a table that an artifact carries to another run."""
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, 1.5]})
    with wandb.init(name="tables") as run:
        table = wandb.Table(columns=["id", "image", "guess"])
        for number in range(2):
            table.add_data(number, wandb.Image(np.full((4, 4), number, np.uint8)), "cat")
        table.add_column("truth", ["cat", "dog"])
        run.log({"predictions": table, "frame": wandb.Table(data=frame)})
        made = wandb.Artifact("kept", type="table")
        made.add(wandb.Table(dataframe=frame), "rows")
        run.log_artifact(made)
        later = wandb.Table(dataframe=frame)
        later.add_data(3, 2.5)
        assert later.get_column("n", convert_to="numpy").tolist() == [1, 2, 3]
        assert next(row for _, row in later.iterrows()) == [1, 0.5]
        with pytest.raises(ct.BadValue, match="the column 'y' has 1 values for 3 rows"):
            later.add_column("y", [1])
        with pytest.raises(ct.BadValue, match="the table has no column 'z'; it has n, x"):
            later.get_column("z")
        again = run.use_artifact("kept:latest").get("rows")
        assert again.get_dataframe().to_dict("list") == {"n": [1, 2], "x": [0.5, 1.5]}
        with pytest.raises(ct.BadValue, match="kept:v0 has no table 'columns'; tables of its run: "):
            run.use_artifact("kept").get("columns")
    items = {item.name: item for item in ct.run("tables", store=store).items()}
    told = items["predictions"].value
    assert told["image"].tolist() == ["predictions/image/0", "predictions/image/1"]
    assert told["truth"].tolist() == ["cat", "dog"]
    assert items["predictions/image/1"].value.max() == 1
    assert items["frame"].value.dtypes.astype(str).tolist() == ["int64", "float64"]


def test_media_from_files(store: ct.Store, tmp_path: Path):
    """A page by its path, a figure of Plotly as it is, gradients of a tensor, and what is dropped says so."""
    (tmp_path / "page.html").write_text("<p>told</p>")
    torch = pytest.importorskip("torch")
    with wandb.init(name="media") as run:
        run.log({"page": wandb.Html("page.html"), "weights": torch.nn.Linear(4, 4).weight, "kept": True})
        with pytest.warns(UserWarning, match="boxes are not drawn onto pictures; draw them first"):
            wandb.Image(np.zeros((4, 4)), boxes={"predictions": {}})
        with pytest.raises(ct.BadValue, match=r"log takes a mapping of names, .* not a float"):
            run.log(0.5)  # pyright: ignore[reportArgumentType]
    items = {item.name: item for item in ct.run("media", store=store).items()}
    assert (items["page"].value, items["weights"].kind) == ("<p>told</p>", "histogram")


def test_save_and_restore(store: ct.Store, tmp_path: Path):
    """What is saved before it is written, or written again, is kept as it is at the end, and comes back by its name."""
    with wandb.init(id="saves") as run:
        (tmp_path / "log.txt").write_text("first")
        (tmp_path / "once.txt").write_text("once")
        assert wandb.save("log.txt") == ["log.txt"]
        assert wandb.save("*.h5") == []
        run.save("once.txt", policy="now")
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "model.h5").write_text("weights")
        run.save("sub/*.h5", base_path=".")
        len(run.celltrail.artifacts)
        (tmp_path / "log.txt").write_text("second and last")
        (tmp_path / "once.txt").write_text("twice")
    for path in ("log.txt", "once.txt", "sub/model.h5"):
        (tmp_path / path).unlink()
    with wandb.restore("log.txt", run_path="me/project/saves") as file:
        assert file.read() == "second and last"
    wandb.init(id="saves", resume="must")
    assert wandb.restore("sub/model.h5", root="back").read() == "weights"
    assert wandb.restore("once.txt").read() == "once"
    with pytest.raises(ct.BadValue, match=r"the run kept no file 'other.txt'; its files: log.txt, once.txt"):
        wandb.restore("other.txt")
    wandb.finish()
    with pytest.raises(ct.CelltrailError, match="has no files; take the mode away, or give run_path"):
        wandb.restore("nothing.txt")


def test_models_and_code(store: ct.Store, tmp_path: Path):
    """`log_model`, `use_model`, `log_code`, files of an artifact one by one."""
    (tmp_path / "model.pt").write_text("weights")
    (tmp_path / "train.py").write_text("print(1)")
    with wandb.init(name="made") as run:
        wandb.log_model("model.pt", name="net", aliases=["best"])
        run.log_code(".")
        two = wandb.Artifact("two", type="dataset")
        two.add_file("model.pt")
        two.add_file("train.py")
        run.log_artifact(two)
    with wandb.init(name="used") as run:
        assert Path(wandb.use_model("net:best")).read_text() == "weights"
        used = run.use_artifact("two")
        assert [entry.name for entry in used.files()] == ["model.pt", "train.py"]
        assert Path(used.get_entry("train.py").download(tmp_path / "out")).read_text() == "print(1)"
        with pytest.raises(ct.BadValue, match=r"two:v0 has no file 'none'; it has model.pt, train.py"):
            used.get_path("none")
    kept = {each.name: each.kind for each in ct.run("made", store=store).artifacts}
    assert kept == {"net": "model", "train.py": "code", "two/model.pt": "dataset", "two/train.py": "dataset"}


def test_alerts_wait(store: ct.Store):
    """The same title is told once within its time."""
    with wandb.init(name="alerts") as run:
        for accuracy in (0.1, 0.2, 0.3):
            run.alert("Low accuracy", f"Accuracy {accuracy}", wandb.AlertLevel.WARN, datetime.timedelta(minutes=5))
            run.alert(title="Every time", text="x", wait_duration=0)
    titles = [alert.title for alert in ct.run("alerts", store=store).alerts]
    assert sorted(titles) == ["Every time", "Every time", "Every time", "Low accuracy"]


def test_a_sweep_of_the_tutorial(store: ct.Store):
    """Distributions in multiples and of exponents; what would end trials early is said to be missing."""
    about = {
        "method": "random",
        "metric": {"name": "loss", "goal": "minimize"},
        "early_terminate": {"type": "hyperband", "min_iter": 3},
        "run_cap": 3,
        "parameters": {
            "optimizer": {"values": ["adam", "sgd"]},
            "epochs": {"value": 1},
            "learning_rate": {"distribution": "uniform", "min": 0, "max": 0.1},
            "decay": {"distribution": "log_uniform", "min": -9, "max": -2},
            "batch_size": {"distribution": "q_log_uniform_values", "q": 8, "min": 32, "max": 256},
        },
    }

    def train(config: object = None):
        with wandb.init(config=config) as run:
            config = run.config
            run.log({"loss": config.learning_rate, "epoch": 0})

    with pytest.warns(UserWarning, match="early_terminate: no trial is ended early"):
        sweep_id = wandb.sweep(about, project="pytorch-sweeps-demo")
    wandb.agent(sweep_id, train)
    trials = list(ct.runs("has(parent)", store=store))
    assert len(trials) == 3
    for run in trials:
        assert run.params["batch_size"] % 8 == 0
        assert 32 <= run.params["batch_size"] <= 256
        assert 1e-4 < run.params["decay"] < 0.14


def test_resume_and_fork_at_a_step(store: ct.Store):
    """`resume_from` rewinds, `fork_from` shares what was before."""
    with wandb.init(id="base") as run:
        for step in range(10):
            run.log({"loss": 1 / (step + 1)})
    with wandb.init(fork_from="base?_step=4", name="fork") as run:
        assert run.step == 5
        run.log({"loss": 0.0})
    with wandb.init(resume_from="base?_step=6") as run:
        run.log({"loss": 9.0})
    assert ct.run("fork", store=store).series("loss")[1].tolist() == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 0]
    (base,) = [each for each in ct.runs(store=store) if each.name != "fork"]
    assert base.series("loss")[1].tolist() == [1 / (step + 1) for step in range(7)] + [9]
    with pytest.raises(ct.BadValue, match="fork_from='base' names no step"):
        wandb.init(fork_from="base")


@dataclasses.dataclass
class Settings:
    """As scripts have them."""

    lr: float = 0.1


def test_what_is_not_there(store: ct.Store):
    """A sentence for each that says what does it instead; arguments that would be missed are warned of."""
    for name, said in {
        "Api": r"celltrail.runs\(...\) finds runs",
        "Object3D": "log a picture of it",
        "sklearn": "scikit-learn tells by itself",
        "nonsense": "it has AlertLevel, Artifact",
    }.items():
        with pytest.raises(AttributeError, match=f"celltrail.wandb has no '{name}'.*{said}"):
            getattr(wandb, name)
    with pytest.warns(UserWarning, match="what is written for TensorBoard is not read"):
        run = wandb.init(sync_tensorboard=True, config=Settings())
    assert run.config.lr == 0.1
    with pytest.raises(
        AttributeError, match=r"a run of celltrail.wandb has no 'link_artifact': .*registry name versions"
    ):
        run.link_artifact  # noqa: B018
    with pytest.raises(AttributeError, match=r"an Artifact of celltrail.wandb has no 'add_reference': "):
        wandb.Artifact("a", "b").add_reference("s3://bucket")
    wandb.finish()
    with pytest.raises(ct.BadValue, match=r"config='settings.yaml' is a text; read the file first"):
        wandb.init(config="settings.yaml")

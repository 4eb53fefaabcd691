"""Export: every point, event and parameter finds its way out, and a trail of chosen runs stands by itself."""

import csv
import json
import math
import os

import pandas as pd
import pytest

from celltrail.cli import main
from celltrail.run import start
from celltrail.store import Store


@pytest.fixture
def trained(store):
    for name in ("baseline", "sw\u00fc\u00dfp"):
        with start(name, {"lr": 0.1, "big": 2**70, "top": math.inf}, store=store, code=store.blobs.put(name)) as run:
            for step, value in enumerate([0.5, math.nan, -math.inf]):
                run.log({"loss": value, "val/acc": step}, step=step)
            run.writer.item("text", 1, "caf\u00e9 \u2713")
        store.edit(run.id, "note:x", "worth a look")
    return store


def test_jsonl_has_everything(trained, capsys):
    """Run, params, edits, events and points, one a line; NaN and infinity are words."""
    assert main(["export", "baseline", "sw\u00fc\u00dfp", "baseline"]) == 0
    told = [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]
    assert sum(line["kind"] == "run" for line in told) == 2
    record = trained.records()[1]
    mine = [line for line in told if line.get("run") == record.id]
    points = [(line["metric"], line["step"], line["value"]) for line in mine if line["kind"] == "point"]
    assert points == [("loss", 0, 0.5), ("loss", 1, "nan"), ("loss", 2, "-inf")] + [
        ("val/acc", step, float(step)) for step in range(3)
    ]
    assert {line["name"]: line["value"] for line in mine if line["kind"] == "param"} == {
        "lr": 0.1,
        "big": 2**70,
        "top": "inf",
    }
    assert [(line["field"], line["value"]) for line in mine if line["kind"] == "edit"] == [("note:x", "worth a look")]
    events = [line["event"] for line in mine if line["kind"] == "event"]
    assert [event["value"] for event in events if event["kind"] == "item"] == ["caf\u00e9 \u2713"]
    assert len(events) == len(trained.events(record.id))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_points_as_a_table(trained, kind, tmp_path, capsys):
    """One row a point, also NaN and infinity; the file is whole or not there."""
    path = tmp_path / f"points.{kind}"
    assert main(["export", "baseline", "sw\u00fc\u00dfp", f"--{kind}", "--out", str(path)]) == 0
    frame = pd.read_csv(path) if kind == "csv" else pd.read_parquet(path)
    assert list(frame.columns) == ["run", "name", "metric", "step", "t_us", "value"]
    assert sorted(set(frame["name"])) == ["baseline", "sw\u00fc\u00dfp"]
    loss = frame[(frame["name"] == "baseline") & (frame["metric"] == "loss")]["value"].tolist()
    assert (loss[0], math.isnan(loss[1]), loss[2]) == (0.5, True, -math.inf)
    assert len(frame) == 12
    if kind == "csv":
        rows = list(csv.reader(path.open(encoding="utf-8")))
        assert rows[2][-1] == "nan"
    assert not list(tmp_path.glob("*.tmp"))
    capsys.readouterr()


def test_a_trail_of_chosen_runs(trained, tmp_path):
    """It holds them and what they refer to, nothing else, and can be imported again."""
    small = tmp_path / "small"
    assert main(["export", "baseline", "--trail", str(small)]) == 0
    (record,) = Store(small).records()
    assert record.name == "baseline"
    assert [Store(small).blobs.get(file.digest) for file in Store(small).blobs.files()] == [b"baseline"]
    assert Store(small).edits(record.id) == {"note:x": "worth a look"}
    assert Store(small).examine().is_healthy
    other = Store(tmp_path / "third" / ".celltrail")
    other.merge(small)
    assert other.series(record.id)["loss"].step.tolist() == [0, 1, 2]
    assert main(["export", "sw\u00fc\u00dfp", "--trail", str(small)]) == 0
    assert len(Store(small).records()) == 2


def test_what_cannot_be_written(trained, tmp_path, capsys):
    """No such run answers no; a folder, Parquet on a terminal and two places are sentences."""
    assert main(["export", "basline"]) == 1
    assert "did you mean 'baseline'?" in capsys.readouterr().err
    wrong = (["--csv", "--out", str(tmp_path)], ["--parquet"], ["--trail", "x", "--out", "y"], ["--csv", "--jsonl"])
    for words in (*wrong, ["--out", str(tmp_path / "no" / "x")]):
        assert main(["export", "baseline", *words]) == 2
        assert str(tmp_path) not in capsys.readouterr().err
    assert "x" not in os.listdir(".")

"""The frame of a set of runs is read from the index without making records, and holds what the records hold."""

from __future__ import annotations

import dataclasses
import math

import pandas as pd

from celltrail.model import Failure, Metric, Param
from celltrail.query import runs
from celltrail.store import Store
from recovery.logs import begin

ASKED = ["name", "created", "params.a.b", "metrics.val/acc", "best.gap", "tags", "duration", "params.big + 1",
         "last('val/acc') / first('val/acc')", "at('loss', 1)", "summary.kept", "params.none"]  # fmt: skip


def odd_runs(store: Store) -> None:
    """Runs with every kind of value, goals that only some of them declare, edits, and one that goes on."""
    values = [
        1,
        0.5,
        True,
        math.nan,
        math.inf,
        -math.inf,
        2**70,
        "adam",
        "",
        None,
        [1, [2, math.nan]],
        {"b": 3},
        "日本 ✓",
    ]
    for number, value in enumerate(values):
        params = {"a": Param("a", {"b": number}), "big": Param("big", 2**70 - number), "v": Param("v", value)}
        if number % 3 == 0:
            params |= {"a.b": Param("a.b", value), "größe": Param("größe", number), "none": Param("none", None)}
        writer = begin(store, name=f"run {number}", params=params, tags=("x", "ü") if number % 2 else ())
        writer.row(("loss", "val/acc"), 1, writer.clock(), (number / 3, math.nan))
        goal = "max" if number == 4 else "none"
        metrics = {"gap": Metric("gap", goal, first=1, last=number, min=-1, max=number + 1, sum=3.0, count=2)}
        metrics["val/acc"] = Metric("val/acc", "max", first=math.nan, last=value if value == math.inf else 0.5, count=1)
        metrics["empty"] = Metric("empty", "min")
        ended = dataclasses.replace(store.record(writer.id), status="failed", error=Failure("E", "no\nmore"))
        ended = dataclasses.replace(ended, metrics=metrics, summary={"kept": value, f"s{number % 2}": [value]})
        if number % 5:
            writer.close(dataclasses.replace(ended, duration_s=number / 7, ended_us=ended.created_us + 10))
        else:
            writer.flush()
    ids = [record.id for record in store.records()]
    store.edit(ids[2], "param:v", "corrected")
    store.edit(ids[3], "param:only said", 4)
    store.edit(ids[4], "tag:late", True)
    store.edit(ids[5], "note:1", "a note")
    store.edit(ids[6], "starred", True)
    store.edit(ids[7], "rating", 0.5)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    assert list(one.columns) == list(other.columns)
    assert one.dtypes.tolist() == other.dtypes.tolist()
    assert repr(one.to_dict("list")) == repr(other.to_dict("list"))  # text: NaN is not equal to itself


def test_a_frame_from_the_index_is_the_one_from_the_records(store: Store) -> None:
    """Values, dtypes and the order of columns, for all there are and for chosen ones, in the order of the runs."""
    odd_runs(store)
    for asked in (None, ASKED):
        by_index = runs(store=store).sort("name")
        by_records = by_index.refresh()
        assert len(by_records.records) == 13
        same(by_index.df(asked), by_records.df(asked))
    assert not by_index._records
    assert runs(store=store).df(ASKED)["params.big + 1"].max() == 2**70 + 1


def test_a_frame_of_runs_of_which_one_is_gone(store: Store) -> None:
    """It is left out, as it is from the records."""
    odd_runs(store)
    found = runs(store=store)
    assert len(found) == 13
    run_id = found._resolve()[5]
    folder = store.root / "runs" / run_id[-2:] / run_id
    folder.rename(store.root / "elsewhere")
    assert len(Store(store.root).records()) == 12
    assert run_id not in found.df()["id"].tolist()
    assert len(found.df(["name"])) == 12

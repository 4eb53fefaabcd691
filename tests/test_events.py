"""What is no number in a log: text lines, media references, notes at a step, alerts; written, sealed, read back."""

from __future__ import annotations

import math
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from celltrail.cli import main
from celltrail.errors import BadValue, CelltrailError
from celltrail.query.detail import detail
from celltrail.query.stored import StoredRun, find
from celltrail.run import Run, start
from celltrail.run.items import INLINE_BYTES
from celltrail.store import Store
from celltrail.store.log import fallback
from recovery.seals import aged, drop_logs

PAGE = (files("celltrail.store") / "FORMAT.md").read_text(encoding="utf-8")


def everything(store: Store) -> Run:
    """A run with one event of each type, and an item of each way to hold its bytes."""
    with start("told", store=store) as run:
        run.log_alert("begun on one GPU", level="info")
        run.log({"loss": math.nan, "big": 2**60 + 1}, step=37)
        run.log_text("sample", "a line \N{CHECK MARK} \udcff")
        run.log_text("long", "x" * (INLINE_BYTES + 1), step=4)
        run.log_histogram("weights", [0.0, 1.0, math.nan, math.inf, -math.inf], step=4)
        run.log_image("dot", np.array([[0.0, 1.0]]), step=5)
        run.log_table("rows", [{"a": 1, "b": None}], step=6)
        run.note("look here", metric="loss", step=37)
        run.log_alert("loss is NaN", "for \N{CHECK MARK} one step", level="error", metric="loss", value=math.nan)
        run.log_alert("cost over 5", metric="cost/usd", value=5.5, step=2**60 + 1, rule="cost/usd > 5")
    return run


@pytest.mark.parametrize("sealed", [False, True])
def test_every_type_comes_back_as_it_was_told(store: Store, sealed: bool) -> None:
    """Alerts, texts, media, notes at a step, numbers a float cannot hold: from the log and from Parquet alike."""
    run = everything(store)
    if sealed:
        seal(store, run.id)
    found = find(run.id, store)
    begun, nan, cost = found.alerts
    assert (begun.title, begun.level, begun.text, begun.metric, begun.value) == (
        "begun on one GPU", "info", "", None, None,
    )  # fmt: skip
    assert begun.step is None
    assert (nan.level, nan.metric, nan.step, nan.text, nan.rule) == (
        "error", "loss", 37, "for \N{CHECK MARK} one step", "",
    )  # fmt: skip
    assert math.isnan(nan.value or 0.0)
    assert (cost.level, cost.value, cost.step, cost.rule) == ("warn", 5.5, 2**60 + 1, "cost/usd > 5")
    assert found.started <= begun.time <= nan.time <= cost.time
    assert found.items("sample")[0].value == "a line \N{CHECK MARK} \\udcff"
    assert found.items("sample")[0].step == 37
    assert found.items("long")[0].value == "x" * (INLINE_BYTES + 1)
    assert found.items("dot")[0].value.shape == (1, 2)
    assert found.items("rows")[0].value["a"].tolist() == [1]
    assert found.items("weights")[0].facts == {"values": 5, "min": 0.0, "max": 1.0, "nan": 1, "inf": 1, "-inf": 1}
    assert found.marks == [{"text": "look here", "metric": "loss", "step": 37}]
    assert found.history()["big"].tolist() == [2**60 + 1]


def seal(store: Store, run_id: str) -> None:
    """Into Parquet, with the logs gone."""
    aged(store, run_id)
    assert store.seal(run_id)
    drop_logs(store, run_id)


@pytest.mark.parametrize("sealed", [False, True])
def test_alerts_stand_in_the_detail_and_in_the_terminal(
    store: Store, sealed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The history of a run tells them beside its notes."""
    run = everything(store)
    if sealed:
        seal(store, run.id)
    sections = {part["title"]: part for part in detail(find(run.id, store))["sections"]}
    assert sections["alerts"]["tab"] == sections["notes"]["tab"] == "history"
    assert sections["alerts"]["rows"][1] == [
        "loss is NaN", "error", "loss", "nan", 37, "for \N{CHECK MARK} one step",
    ]  # fmt: skip
    assert len(sections["alerts"]["rows"]) == 3
    assert main(["show", run.id, "--outputs", "none"]) == 0
    shown = capsys.readouterr().out
    assert "- error: loss is NaN (loss nan, step 37): for \N{CHECK MARK} one step" in shown
    assert "- info: begun on one GPU\n" in shown


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"title": ""}, "is not one line"),
        ({"title": "two\nlines"}, "is not one line"),
        ({"title": "x" * 257}, "257 characters"),
        ({"title": 5}, "title was given an int 5; it is text"),
        ({"title": "t", "level": "fatal"}, "level 'fatal' is not one of 'info', 'warn', 'error'"),
        ({"title": "t", "text": None}, "text was given a NoneType"),
        ({"title": "t", "value": "high"}, "'value' was given a str 'high', which is not a number"),
        ({"title": "t", "step": 0.5}, "step 0.5 is not a whole number"),
        ({"title": "t", "metric": " loss"}, "begins or ends with a space"),
    ],
)
def test_a_wrong_alert_is_refused_and_leaves_nothing(store: Store, fields: dict[str, Any], sentence: str) -> None:
    """The sentence says what was given and what is allowed."""
    with start("wrong", store=store) as run, pytest.raises(BadValue) as refused:
        run.log_alert(**fields)
    assert sentence in str(refused.value)
    assert find(run.id, store).alerts == []


def test_a_run_that_has_ended_takes_no_alert(store: Store) -> None:
    """As with numbers."""
    with start("over", store=store) as run:
        run.log_alert("once")
    with pytest.raises(CelltrailError, match="has already finished"):
        run.log_alert("late")
    assert [alert.title for alert in find(run.id, store).alerts] == ["once"]
    assert "1 alert" in repr(run)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_an_alert_of_a_forked_child_is_in_the_run(store: Store) -> None:
    """Code that says something in a child is heard; it has a log of its own there."""
    with start("parent", store=store) as run:
        child = os.fork()
        if not child:
            run.log_alert("from below", level="error")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert [alert.title for alert in StoredRun(store.record(run.id), store).alerts] == ["from below"]


def test_the_page_names_every_field_of_items_and_alerts(store: Store, tmp_path: Path) -> None:
    """FORMAT.md tells what the code writes, and nothing that it does not."""
    run = everything(store)
    events = store.events(run.id)
    told = section("**item**", "**event**")
    for item in (event for event in events if event["kind"] == "item"):
        for name in item.keys() - {"kind", "step", "t", "name"}:
            assert f"| `{name}` |" in told, name
        for fact in item.get("facts", {}):
            assert fact in told, fact
        assert sum(item.get(name) is not None for name in ("value", "base64", "blob", "lost")) == 1
    (line,) = (line for line in PAGE.splitlines() if line.startswith("| `alert` |"))
    assert {name for name in next(event for event in events if event["kind"] == "alert") if f"`{name}`" in line} == {
        "title", "text", "level", "metric", "value", "step", "rule",
    }  # fmt: skip
    assert f"at most {INLINE_BYTES} bytes" in told
    outside = section("## Outside the trail", "## Trash")
    assert f"`{fallback.FOLDER}/<trail id>/`" in outside
    assert f"`{fallback.FOLDER}/{fallback.RESTING}/<trail id>." in outside
    assert f"after {fallback.REST_DAYS} days" in outside
    folder = fallback.prepare(tmp_path / "gone", "01HZX3V9YQ2T5W8A4B6C7D9E0F", run.id)
    (home,) = folder.parents[2].glob("home.*.json")
    assert home.read_bytes() == f'{{"home":"{tmp_path / "gone"}"}}'.encode()


def section(begin: str, end: str) -> str:
    """A stretch of the page."""
    return PAGE[PAGE.index(begin) : PAGE.index(end, PAGE.index(begin))]

"""What runs kept beside numbers, as a panel: by key and step, from the trail one item at a time."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, cast

import altair
import numpy as np
import pandas as pd
import pytest

import celltrail as ct
from celltrail import contract
from celltrail.contract.shape import misfits
from celltrail.errors import NoRun
from celltrail.panels import saved
from celltrail.panels.curves import state_of
from celltrail.panels.detail import Details
from celltrail.panels.healing import healed, is_left_behind
from celltrail.panels.media import MediaPanel, bundle, content_of
from celltrail.query.media import MOST_RUNS
from celltrail.store import Store
from kernels import Kernel, Reply

EVIL = "<img src=x onerror=alert(1)>"


def two(store: Store) -> None:
    """Two runs with a picture at each of three steps, and the first with something of each other kind."""
    noise = np.random.default_rng(0)
    for name in ("base", EVIL):
        with ct.start(name, store=store) as run:
            for step in (0, 5, 9):
                run.log_image("sample", noise.integers(0, 256, (96, 128, 3), dtype=np.uint8), step=step)
            if name == "base":
                run.log_text("said", EVIL * 2000, step=9)
                run.log_table("rows", pd.DataFrame({"a": range(500), "b": [np.nan, EVIL] * 250}), step=9)
                run.log_histogram("weights", np.array([0.0, 1.0, 1.0, 4.0]), step=9)
                run.log_audio("tone", (np.zeros(800), 8000), step=9)


def asked(panel: Any, run: str, number: int) -> tuple[dict[str, Any], bytes]:
    heard: list[tuple[dict[str, Any], bytes]] = []
    panel.send = lambda content, buffers=None: heard.append((content, buffers[0] if buffers else b""))
    panel._hear(None, {"kind": "take", "id": "t", "run": run, "number": number}, [])
    assert misfits(heard[0][0], contract.FromKernel) == []
    return heard[0]


def test_media_are_found_by_key_over_runs(store: Store):
    """The newest run first; a key that nobody used is named with its neighbour."""
    two(store)
    media = ct.runs(store=store).media("sample")
    assert [run.name for run in media.runs] == [EVIL, "base"]
    assert [item.step for item in media.items] == [0, 5, 9] * 2
    assert ct.runs(store=store).media().keys == ["sample", "said", "rows", "weights", "tone"]
    assert repr(media).startswith("6 items of 2 runs\n")
    with pytest.raises(NoRun, match=r"under 'sampel'.*sample"):
        ct.runs(store=store).media("sampel")
    assert ct.run("base", store).media("tone").items[0].kind == "audio"
    assert MOST_RUNS >= 2


def test_the_panel_lists_everything_and_takes_one_item_at_a_time(store: Store):
    """No bytes are in the state; each item comes with its own, or with the sentence why it does not."""
    two(store)
    media = ct.runs(store=store).media()
    panel = MediaPanel(media)
    assert misfits(panel.state, contract.SavedPanel) == []
    shown = panel.state["media"]
    assert len(shown["items"]) == 10
    assert shown["items"][0]["said"].startswith("128 x 96, ")
    run = media.runs[1].id
    message, data = asked(panel, run, 2)
    assert message["content"]["media"] == "image/png"
    assert data == media.runs[1].items()[2].bytes
    message, _ = asked(panel, run, 3)
    assert message["content"]["text"].startswith(EVIL)
    assert message["content"]["text"].endswith("more characters")
    message, _ = asked(panel, run, 4)
    content = message["content"]
    assert (content["heads"], len(content["rows"]), content["more"]) == (["a", "b"], 200, 300)
    assert content["rows"][:2] == [[0, "nan"], [1, EVIL]]
    message, _ = asked(panel, run, 5)
    assert sum(message["content"]["counts"]) == 4
    assert len(message["content"]["edges"]) == len(message["content"]["counts"]) + 1
    message, _ = asked(panel, run, 99)
    assert "kept no item 99" in message["text"]
    message, _ = asked(panel, "01NOBODY", 0)
    assert message["kind"] == "fault"


def test_bytes_that_are_gone_are_said(store: Store):
    """A blob that was deleted is a sentence, not a fault of the panel."""
    two(store)
    media = ct.runs(store=store).media("sample")
    for blob in (store.root / "blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()
    content, data = content_of(ct.runs(store=store).media("sample").items[0])
    assert data == b""
    assert "missing" in content["said"]
    assert len(media.items) == 6


def test_the_saved_form_holds_the_newest_within_the_budget(store: Store):
    """Small pictures and text stand in the file, and nothing in it is markup of a run's."""
    two(store)
    media = ct.runs(store=store).media()
    made = bundle(media, MediaPanel(media).model_id)
    assert saved.size(made) <= saved.BUDGET
    payload = made[contract.MIME]
    assert misfits(payload, contract.SavedPanel) == []
    kept = payload["media"]["kept"]
    pictures = [one for one in kept if one["content"]["media"] == "image/jpeg"]
    assert len(pictures) == 2
    assert base64.b64decode(pictures[0]["data"])[:2] == b"\xff\xd8"
    assert EVIL not in made["text/html"]
    assert made["text/html"].count("<img ") == 2
    assert "10 items" in made["text/html"]


def test_very_much_of_it_still_fits(store: Store):
    """The newest are listed, how many are not is told, and the file stays within the budget."""
    with ct.start("many", store=store) as run:
        for step in range(1500):
            run.log_text("said", f"text {step}", step=step)
    media = ct.run("many", store).media()
    made = bundle(media, MediaPanel(media).model_id)
    assert saved.size(made) <= saved.BUDGET
    shown = made[contract.MIME]["media"]
    assert len(shown["items"]) + shown["omitted"] == 1500
    assert shown["items"][-1]["step"] == 1499


def test_the_panel_of_a_run_has_its_media(store: Store):
    """A run with media lists them and gives them; one without has none."""
    two(store)
    panel = Details(ct.run("base", store))
    assert len(panel.state["media"]["items"]) == 7
    message, data = asked(panel, ct.run("base", store).id, 0)
    assert message["content"]["media"] == "image/png"
    assert data.startswith(b"\x89PNG")
    with ct.start("bare", store=store):
        pass
    assert Details(ct.run("bare", store)).state["media"] is None


def test_media_are_shown_in_a_notebook(tmp_path: Path):
    """A cell that ends in media shows the panel, without a widget view that breaks on reopening."""
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(tmp_path / ".celltrail")})
    try:
        kernel.run("import celltrail as ct\nwith ct.start('m') as run:\n    run.log_text('said', 'hello', step=1)")
        (result,) = kernel.run("ct.runs().media()").of("execute_result")
        kernel.run("%load_ext celltrail")
        tracked = kernel.run(TRACKED)
        silent = kernel.run("%%track\nct.log(x=1.0)\nct.current().log_histogram('weights/w', [1.0, 2.0])")
    finally:
        kernel.stop()
    assert set(result["data"]) == {contract.MIME, "text/html", "text/plain"}
    assert result["data"][contract.MIME]["media"]["items"][0]["key"] == "said"
    assert "hello" in result["data"]["text/html"]
    first, last = shown(tracked, "display_data")[0], shown(tracked, "update_display_data")[-1]
    assert first["transient"] == last["transient"]
    assert WIDGET in first["data"]
    assert set(last["data"]) == {contract.MIME, "text/html", "text/plain"}
    held = last["data"][contract.MIME]["media"]
    assert [(item["key"], item["step"]) for item in held["items"]] == [("said", 0), ("said", 1), ("rows", 1)]
    assert last["data"][contract.MIME]["view"] == first["data"][WIDGET]["model_id"]
    assert "<td" in last["data"]["text/html"]
    assert len(shown(tracked, "display_data")) == 1
    assert shown(silent, "display_data") == []


def shown(reply: Reply, kind: str) -> list[dict[str, Any]]:
    """The outputs of a cell that are media panels."""
    return [told for told in reply.of(kind) if told["data"].get(contract.MIME, {}).get("kind") == "media"]


WIDGET = "application/vnd.jupyter.widget-view+json"
TRACKED = """%%track pictures
run = ct.current()
run.log_text('said', 'one', step=0)
run.log_text('said', 'two', step=1)
run.log_table('rows', [{'a': 1}], step=1)
"""


def test_a_chart_of_altair_is_taken_as_what_draws_it(store: Store):
    """The page gets the specification as it was kept, and the file keeps it where it is small."""
    spec = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "mark": "bar"}
    with ct.start("drawn", store=store) as run:
        run.log_figure("chart", altair.Chart.from_dict({**spec, "data": {"values": [{"a": 1}]}}))
    media = ct.run("drawn", store).media()
    content, data = content_of(media.items[0])
    assert content["media"] == "application/vnd.vegalite.v6+json"
    assert json.loads(data)["mark"] == "bar"
    (kept,) = bundle(media, MediaPanel(media).model_id)[contract.MIME]["media"]["kept"]
    assert base64.b64decode(kept["data"]) == data


def test_media_saved_in_mid_run_are_made_good_from_the_trail(store: Store) -> None:
    """A kernel that died told the output of the first picture only: whoever saves the notebook adds the others."""
    run = ct.start("left", store=store)
    run.log_text("sample", "first", 0)
    found = ct.run(run.id, store=store).media()
    first = bundle(found, "widget", [state_of(each, []) for each in found.runs])
    assert is_left_behind(first[contract.MIME])
    run.log_text("sample", "second", 1)
    run.log_text("other", "third", 1)
    run.finish("interrupted")
    made = healed(cast("dict[str, Any]", first[contract.MIME]), store)
    assert made is not None
    payload = made[contract.MIME]
    assert [(item["key"], item["step"]) for item in payload["media"]["items"]] == [
        ("sample", 0.0), ("sample", 1.0), ("other", 1.0),
    ]  # fmt: skip
    assert {kept["content"]["text"] for kept in payload["media"]["kept"]} == {"second", "third"}
    assert payload["view"] == "widget"
    assert not is_left_behind(payload)
    assert not is_left_behind(bundle(found, None)[contract.MIME])  # one that was asked for stays as it is

"""What a chart asks its kernel: a closer look at a stretch, and notes on points."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import celltrail as ct
from celltrail import contract
from celltrail.panels import saved
from celltrail.panels.chart import OPTIONS, Chart
from celltrail.panels.closer import MOST_POINTS
from celltrail.panels.detail import Details
from celltrail.panels.feed import Feed
from celltrail.panels.figure import Line, Look, svg
from celltrail.panels.places import placed
from celltrail.panels.widget import Panel
from celltrail.server.shape import misfits
from celltrail.store import Store


def asked(panel: Panel, intent: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
    """What a panel sends for an intent: the message and the numbers of its buffer."""
    heard: list[tuple[dict[str, Any], np.ndarray]] = []

    def keep(content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        heard.append((content, np.frombuffer(buffers[0]) if buffers else np.empty(0)))

    panel.send = keep
    panel._hear(None, intent, [])  # pyright: ignore[reportArgumentType]
    assert [fault for message, _ in heard for fault in misfits(message, contract.FromKernel)] == []
    return heard[0]


def window(run: str, low: float, high: float, points: int, x: str = "step") -> dict[str, Any]:
    return {
        "kind": "window", "id": "w", "runs": [run], "metrics": ["loss", "absent"], "x": x,
        "low": low, "high": high, "points": points,
    }  # fmt: skip


def test_a_stretch_comes_with_the_points_that_the_chart_had_thinned_out(store: Store):
    """Of 50,000 points a zoom into 100 steps gets each of them and one neighbour at both ends."""
    with ct.start("long", store=store) as run:
        steps, times = np.arange(50_000), np.arange(50_000) + run.record().started_us
        run.log_block(("loss",), steps, times, np.sin(steps)[:, None])
        feed = Feed(run)
        panel = Chart(store.id, "long", {run.id: feed})
        message, data = asked(panel, window(run.id, 20_000, 20_099, 4000))
        (part,) = message["parts"]
        assert (part["metric"], part["n"]) == ("loss", 102)
        assert data[:102].tolist() == list(range(19_999, 20_101))
        assert np.array_equal(data[204:], np.sin(np.arange(19_999, 20_101)))
        message, data = asked(panel, window(run.id, 0, 1e9, 10**9))
        assert message["parts"][0]["n"] <= MOST_POINTS
        message, data = asked(panel, window(run.id, 0.010, 0.011, 4000, "relative"))
        n = message["parts"][0]["n"]
        assert (data[0], data[n - 1]) == (9_999, 11_001)
        message, _ = asked(panel, window(run.id, 1e7, 2e7, 100))
        assert message["parts"][0]["n"] == 0


def test_a_note_on_a_point_is_kept_in_the_trail(store: Store):
    """A note of the live chart and one of the run's panel stand in the run's marks and in what is saved."""
    with ct.start("noted", store=store) as run:
        run.log({"loss": 1.0}, step=7)
        panel = Chart(store.id, "noted", {run.id: Feed(run)})
        note = {"kind": "note", "id": "n", "run": run.id, "metric": "loss", "step": 7.0, "text": " a spike "}
        message, _ = asked(panel, note)
        mark = {"run": run.id, "metric": "loss", "step": 7.0, "text": "a spike"}
        assert message["marks"] == panel.state["marks"] == [mark]
    (stored,) = ct.runs(store=store)
    details = Details(stored)
    assert details.state["marks"] == [mark]
    message, _ = asked(details, {**note, "text": "and here"})
    assert [one["text"] for one in message["marks"]] == ["a spike", "and here"]
    assert [one["text"] for one in stored.refresh().marks] == ["a spike", "and here"]


@pytest.mark.parametrize(
    ("change", "said"), [({"text": "  "}, "without words"), ({"run": "01NOBODY"}, "shows no run '01NOBODY'")]
)
def test_a_note_that_cannot_be_kept_is_answered_with_a_sentence(store: Store, change: dict[str, Any], said: str):
    """Empty words and a foreign run leave the trail as it was."""
    with ct.start("noted", store=store) as run:
        panel = Chart(store.id, "noted", {run.id: Feed(run)})
        note = {"kind": "note", "id": "n", "run": run.id, "metric": "loss", "step": 7.0, "text": "x"}
        message, _ = asked(panel, {**note, **change})
        assert message["kind"] == "fault"
        assert said in message["text"]
        assert store.edits(run.id) == {}


def test_a_stretch_over_another_metric(store: Store):
    """A window of epochs brings the points logged in them, and the epochs themselves as closely."""
    with ct.start("epochs", store=store) as run:
        run.define_metric("loss", axis="epoch")
        for step in range(100):
            run.log({"loss": step / 100}, step=step, epoch=step // 10)
        feed = Feed(run)
        panel = Chart(store.id, "epochs", {run.id: feed})
        asking = window(run.id, 3, 4, 4000, "epoch") | {"metrics": ["loss", "epoch"]}
        message, data = asked(panel, asking)
        assert [(part["metric"], part["n"]) for part in message["parts"]] == [("loss", 22), ("epoch", 22)]
        assert (data[0], data[21]) == (29, 50)
        assert feed.state()["axes"] == ["epoch"]


@pytest.mark.parametrize(
    ("x", "first", "last"), [("step", 0, 9), ("relative", 1, 10), ("time", 1001, 1010), ("epoch", 0, 3)]
)
def test_the_picture_stands_where_the_panel_does(x: str, first: float, last: float):
    """Each axis places the points of the saved picture; its ticks are within it, those of time are times of day."""
    steps = np.arange(10.0)
    lines = [
        Line("r", "loss", "loss", np.array([steps, steps + 1, steps])),
        Line("r", "epoch", "epoch", np.array([steps, steps + 1, steps // 3])),
    ]
    drawn = placed(lines, x, {"r": 1000.0})
    assert [(line.points[0, 0], line.points[0, -1]) for line in drawn] == [(first, last)] * 2
    assert "nan" not in svg(drawn, Look(x=x))
    if x == "time":
        assert re.search(r">\d\d:\d\d:\d\d<", svg(drawn, Look(x=x)))


def test_a_line_that_stands_nowhere_leaves_the_step(store: Store):
    """A picture over a metric that no run has is one over steps, not an empty one."""
    points = np.array([[0.0, 1.0], [0.5, 0.6], [2.0, 3.0]])
    with ct.start("plain", store=store) as run:
        run.log(loss=1.0)
        states = [Feed(run).state()]
    lines = [Line(run.id, "loss", "loss", points)]
    over = [
        saved.chart_bundle("t", "n", lines, [2], {**OPTIONS, "x": x}, saved.Facts(states))["text/html"]
        for x in ("epoch", "step")
    ]
    assert over[0] == over[1]

"""What a chart asks its kernel: a closer look at a stretch, and notes on points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import celltrail as ct
from celltrail import contract
from celltrail.panels.chart import Chart
from celltrail.panels.closer import MOST_POINTS
from celltrail.panels.detail import Details
from celltrail.panels.feed import Feed
from celltrail.panels.widget import Panel
from celltrail.store import Store
from fits import misfits


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
        message, data = asked(panel, window(run.id, 0.010, 0.011, 4000, "time"))
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

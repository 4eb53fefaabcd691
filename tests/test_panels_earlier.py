"""What a chart tells of earlier runs of the same cell: their band, how the live run stands, when it may end."""

from __future__ import annotations

import base64
import math
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import celltrail as ct
from celltrail.panels.chart import LOOK_BACK_TICKS, LiveChart
from celltrail.panels.earlier import NONE, Earlier, earlier_runs
from celltrail.run import Logged, Run
from celltrail.store import Store


def train(store: Store, offset: float, steps: int = 50, cell: str = "c1") -> None:
    with ct.start(f"run {offset}", store=store) as run:
        run.describe(cell_id=cell, notebook="n.ipynb")
        for step in range(steps):
            run.log({"train/loss": offset + math.exp(-step / 9), "lr": 0.1}, step=step)


@pytest.fixture
def now(store: Store) -> Iterator[Run]:
    """A run of the cell c1 that is at step 20, after five others of it and one of another cell."""
    for offset in (0.0, 1.0, 2.0, 3.0, 4.0):
        train(store, offset)
    train(store, 100.0, cell="c2")
    with ct.start("now", store=store) as run:
        run.describe(cell_id="c1", notebook="n.ipynb")
        run.log({"train/loss": 0.5 + math.exp(-20 / 9), "lr": 0.1}, step=20)
        yield run


def floats(text: str, kind: str) -> list[float]:
    return np.frombuffer(base64.b64decode(text), kind).tolist()


def test_the_band_is_the_middle_half_of_earlier_runs_of_the_cell(store: Store, now: Run):
    """Quartiles at each step, of runs of this cell only."""
    found = earlier_runs(store, now.record(), ["train/loss", "lr"])
    assert found.runs == 5
    (band,) = [band for band in found.bands() if band["metric"] == "train/loss"]
    steps = np.array(floats(band["step"], "<f8"))
    assert (steps[0], steps[-1]) == (0, 49)
    for name, offset in (("low", 1.0), ("middle", 2.0), ("high", 3.0)):
        assert np.allclose(floats(band[name], "<f4"), offset + np.exp(-steps / 9), atol=1e-5)


def test_a_run_is_held_against_them_at_its_own_step(store: Store, now: Run):
    """Of five losses at this step four are higher; a metric without a goal is better than nothing."""
    found = earlier_runs(store, now.record(), ["train/loss", "lr"])
    assert found.beaten("train/loss", "min", 20, 0.5 + math.exp(-20 / 9)) == 0.8
    assert found.beaten("train/loss", "max", 20, 0.5 + math.exp(-20 / 9)) == 0.2
    assert found.beaten("lr", "none", 20, 0.1) is None
    assert found.beaten("train/loss", "min", 60, 0.0) is None, "none came so far"
    assert found.beaten("train/loss", "min", 20, math.nan) is None
    assert found.left(24, 10.0) == pytest.approx(10.0)


def test_too_few_runs_and_a_run_without_a_cell_are_held_against_nothing(store: Store):
    """Two earlier runs make no band, and what comes from no cell has no earlier runs."""
    train(store, 0.0)
    train(store, 1.0)
    with ct.start("third", store=store) as run:
        assert earlier_runs(store, run.record(), ["train/loss"]) is NONE
        run.describe(cell_id="c1", notebook="n.ipynb")
        assert earlier_runs(store, run.record(), ["train/loss"]) is NONE
    assert NONE.left(5, 1.0) is None


def test_other_trials_of_a_sweep_are_no_earlier_runs(store: Store, now: Run):
    """What began after the first of the chart's runs is not what it is held against."""
    began = [record.started_us for record in store.records() if record.cell_id == "c1"]
    assert earlier_runs(store, now.record(), ["train/loss"], sorted(began)[4]).runs == 4
    assert earlier_runs(store, now.record(), ["train/loss"], sorted(began)[2]) is NONE


def test_an_end_is_foretold_only_where_it_can_be():
    """Not in the first steps, not beyond the last one, and not after all that was taken before."""
    same = Earlier({}, [99.0] * 3, [10.0] * 3)
    assert [same.left(step, 5.0) for step in (1, 49, 99, 150)] == [None, 5.0, None, None]
    assert Earlier({}, [9.0, 20.0], [10.0, 10.0]).left(3, 12.0) is None


def test_a_live_chart_looks_back_once_and_keeps_what_it_found(store: Store, now: Run):
    """After a second the band is in the panel's state, the standing in what it sends, and both in the saved form."""
    shown: list[dict[str, object]] = []
    chart = LiveChart(lambda bundle, display_id, *, update: shown.append(bundle))
    chart.add(now)
    chart.show()
    feed = chart.feeds[now.id]
    feed.put(Logged(now, ("train/loss",), 20, now.record().started_us + 10**6, [0.5 + math.exp(-20 / 9)]))
    for _ in range(LOOK_BACK_TICKS + 1):
        chart.tick()
    for thread in threading.enumerate():
        if thread.name == "celltrail-earlier":
            thread.join(20)
    state = feed.state()
    assert (state["earlier"], state["beaten"]) == (5, {"train/loss": 0.8})
    assert chart.widget is not None
    assert [band["runs"] for band in chart.widget.state["bands"]] == [5]
    now.finish()
    chart.swap()
    payload = shown[-1]["application/vnd.celltrail.panel+json"]
    assert [band["metric"] for band in payload["bands"]] == ["train/loss"]
    assert payload["runs"][0]["beaten"] == {"train/loss": 0.8}

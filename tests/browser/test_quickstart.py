"""The tutorial as a newcomer goes through it: open it, run every cell, look."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from browser.screen import MIME, Screen
from browser.test_saved import assert_portable

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"


@both
def test_the_quickstart_by_clicking(screen: Screen, folder: str) -> None:
    """Every cell runs, the chart grows while the first training is busy, and each panel shows what it should."""
    target = screen.server.root / folder / NOTEBOOK.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(NOTEBOOK, target)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    place = {cell["id"]: index for index, cell in enumerate(cells)}
    screen.open(target)
    for index, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        if cell["id"] == "baseline":
            watch_it_grow(screen, index)
        else:
            screen.run(index, wait=90)
        raised = any(output["output_type"] == "error" for output in screen.outputs(index))
        assert raised == ("raises-exception" in cell["metadata"].get("tags", [])), cell["id"]

    screen.says(place["failed"], "failed")
    screen.says(place["interrupted"], "interrupted")
    screen.says(place["sweep"], "finished")
    assert screen.runs_of(place["sweep"]).locator("tbody tr").count() == 6
    screen.picture("sweep")
    table = screen.panel(place["table"], "table")
    assert table.get_by_role("rowheader").count() == 9
    screen.picture("table")
    screen.panel(place["compare"], "compare").get_by_text("hidden").or_(
        screen.panel(place["compare"], "compare").get_by_text("lr", exact=True)
    ).first.wait_for()
    screen.picture("compare")
    screen.cell(place["chart"]).locator(".vega-embed canvas, .vega-embed svg").first.wait_for()
    screen.picture("altair")

    saved = screen.save()
    assert_portable(screen, saved)
    charts = [output for cell in saved["cells"] for output in cell.get("outputs", []) if MIME in output.get("data", {})]
    assert len(charts) >= 7
    screen.assert_quiet()


def watch_it_grow(screen: Screen, index: int) -> None:
    """The first training: at least three different last values before the kernel is idle again."""
    screen.run(index, wait=None)
    last = screen.panel(index, "chart").get_by_label("values of loss").locator("td.last").first
    last.wait_for()
    seen: set[str] = set()
    while screen.running(index) and len(seen) < 3:
        seen.add(last.inner_text())
        screen.page.wait_for_timeout(50)
    assert len(seen) == 3
    screen.picture("training")
    screen.finished(index)

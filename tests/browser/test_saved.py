"""What is in the file after a run, and what it shows where there is no kernel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from browser.screen import MIME, WIDGET, Screen

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)

BUDGET = 60_000
CELLS = [
    "%load_ext celltrail\nimport celltrail as ct",
    '%%track good --tag kept\nlr = 0.1\nfor i in range(400):\n    ct.log({"train/loss": 1 / (1 + i), "acc": i / 400})',
    '%%track bad\nlr = 0.5\nfor i in range(5):\n    ct.log({"train/loss": i})\nraise ValueError("too far")',
    "ct.runs()",
    'ct.compare("good", "bad")',
]


def panels_of(notebook: dict[str, Any], cell: int) -> list[dict[str, Any]]:
    """The celltrail outputs of a cell in a saved notebook."""
    outputs = notebook["cells"][cell]["outputs"]
    return [output["data"] for output in outputs if MIME in output.get("data", {})]


def assert_portable(screen: Screen, notebook: dict[str, Any]) -> None:
    """No widget, script, secret or place of this machine in any output, and no output above the budget."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            text = json.dumps(output)
            assert WIDGET not in text
            assert "<script" not in text
            for word in (screen.server.token, f":{screen.server.port}", str(screen.server.home)):
                assert word not in text
            assert len(text) <= BUDGET or MIME not in output.get("data", {})
    assert "widgets" not in notebook["metadata"]


@both
def test_the_file_and_no_kernel(screen: Screen, folder: str) -> None:
    """Saved after the runs, the file holds our form, HTML, PNG and text; reopened without a kernel it shows them."""
    screen.open(screen.server.write(folder, "kept", CELLS))
    for index in range(len(CELLS)):
        screen.run(index)
    saved = screen.save()
    assert_portable(screen, saved)
    kinds = [[panel[MIME]["kind"] for panel in panels_of(saved, cell)] for cell in range(len(CELLS))]
    assert kinds == [[], ["chart"], ["chart"], ["table"], ["compare"]]
    for cell in (1, 2):
        chart = panels_of(saved, cell)[0]
        assert chart.keys() == {MIME, "text/html", "text/plain", "image/png"}
        assert "data:image/svg+xml;base64," in "".join(chart["text/html"])
    assert [panels_of(saved, cell)[0][MIME]["runs"][0]["status"] for cell in (1, 2)] == ["finished", "failed"]

    screen.open_without_kernel(screen.notebook)
    chart = screen.panel(1, "chart")
    chart.get_by_label("values of acc").wait_for()
    assert chart.get_by_label("values of acc").locator("td.last").inner_text() == "0.9975"
    screen.picture("chart")
    screen.panel(2, "chart").get_by_text("ValueError: too far").wait_for()
    table = screen.panel(3, "table")
    table.get_by_role("rowheader").first.wait_for()
    box = table.get_by_role("searchbox").or_(table.get_by_role("textbox")).first
    box.fill("bad")
    screen.until("the saved table filters", lambda: table.get_by_role("rowheader").count() == 1)
    screen.picture("table")
    screen.panel(4, "compare").get_by_text("train/loss").first.wait_for()
    screen.picture("compare")
    assert not screen.page.get_by_text("model not found").is_visible()
    screen.assert_quiet()

"""Hands on a cell that keeps its kernel busy: stop, pause, note and knobs, by clicks in the chart below it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from browser.screen import Screen

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)

LOAD = "%load_ext celltrail\nimport celltrail as ct"
# as in a kernel that has no such switch: what a panel sends waits for the end of the cell
SWITCH_OFF = "import celltrail.panels.widget as widget\nwidget._answer_while_busy = lambda panel: None"
BUSY = """%%track {name}
from itertools import count
for i in count():
    rate = ct.knob("rate", 1e-3, 1e-5, 1e-1)
    try:
        ct.log({{"train/loss": 1 / (1 + i)}}, step=i)
    except Exception:
        continue
    sum(range(2000))
"""
TOLD = """for r in ct.runs().sort("created"):
    print(r.name, r.status, r.stopped_by, *[deed.do for deed in r.interventions], sep="|")
"""
SILENT = "%%track silent\nct.log(loss=1.0)\nwhile True:\n    pass"


def hands(screen: Screen, cell: int) -> Locator:
    """The buttons below the runs of a chart."""
    found = screen.panel(cell, "chart").locator(".hands")
    found.wait_for()
    return found


def press(held: Locator, name: str) -> None:
    held.get_by_role("button", name=name, exact=True).click()


@both
def test_a_busy_cell_is_paused_changed_and_stopped(screen: Screen, folder: str) -> None:
    """By the subshell of the widget, then by the trail alone; a cell that never logs says why nothing happens."""
    cells = [LOAD, BUSY.format(name="first"), SWITCH_OFF, BUSY.format(name="second"), SILENT, TOLD]
    screen.open(screen.server.write(folder, "hands", cells))
    screen.run(0)
    screen.run(1, wait=None)
    held, chart = hands(screen, 1), screen.panel(1, "chart")
    rate = held.get_by_label("rate", exact=True)
    rate.fill("0.05")
    rate.press("Enter")
    chart.get_by_text("rate 0.001 → 0.05").wait_for()
    press(held, "pause")
    held.get_by_text("paused at step").wait_for()
    press(held, "note")
    screen.page.keyboard.type("this is where it turns")
    screen.page.keyboard.press("Enter")
    chart.get_by_text("this is where it turns").wait_for()
    screen.picture("paused")
    press(held, "resume")
    held.get_by_text("paused at step").wait_for(state="hidden")
    press(held, "stop")
    screen.finished(1, 5)
    assert screen.outputs(1)[-1]["ename"] == "StopTraining"
    screen.says(1, "finished")
    held.wait_for(state="hidden")

    screen.run(2)
    screen.run(3, wait=None)
    press(hands(screen, 3), "stop")
    screen.finished(3, 5)
    screen.says(3, "finished")

    screen.run(4, wait=None)
    held = hands(screen, 4)
    press(held, "stop")
    held.get_by_text("the stop button of Jupyter interrupts the cell at once").wait_for()
    screen.picture("silent")
    screen.ask("await panel.sessionContext.session.kernel.interrupt()")
    screen.finished(4)
    screen.says(4, "interrupted")
    screen.run(5)
    assert screen.outputs(5)[0]["text"].splitlines() == [
        "first|finished|panel|knob|pause|stop",
        "second|finished|panel|stop",
        "silent|interrupted|None",
    ]
    screen.assert_quiet()

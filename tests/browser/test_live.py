"""The live chart in a real notebook: it grows while the kernel is busy and ends as what happened."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from browser.screen import Screen

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)

LOAD = "%load_ext celltrail\nimport time\nimport celltrail as ct"
SLOW = """%%track slow --tag demo
lr, steps = 0.1, {steps}
for i in range(steps):
    ct.log({{"train/loss": 1 / (1 + i), "val/loss": 1.2 / (1 + i), "acc": i / steps}}, step=i)
    time.sleep(0.05)
"""


def open_with(screen: Screen, folder: str, *cells: str) -> None:
    """A new notebook of these cells, celltrail loaded."""
    screen.open(screen.server.write(folder, "live", [LOAD, *cells]))
    screen.run(0)


@both
def test_points_arrive_while_the_cell_is_busy(screen: Screen, folder: str) -> None:
    """The last values move while the kernel is still busy, and afterwards they are those of the last step."""
    open_with(screen, folder, SLOW.format(steps=200))
    screen.run(1, wait=None)
    last = screen.panel(1, "chart").get_by_label("values of acc").locator("td.last")
    last.wait_for()
    seen = set()

    def grows() -> bool:
        seen.add(last.inner_text())
        return len(seen) >= 5

    screen.until("five different last values", grows, 8)
    assert screen.running(1)
    screen.picture("mid-run")
    screen.finished(1)
    screen.until("the last value of the last step", lambda: last.inner_text() == "0.9950")
    screen.says(1, "finished")
    screen.says(1, "step 199")
    screen.assert_quiet()


def test_the_status_bar_tells_the_run(screen: Screen, folder: str) -> None:
    """The current run, its step and its last loss stand in JupyterLab's status bar; an alert is a notification."""
    open_with(screen, folder, SLOW.format(steps=100).replace("demo", "demo --alert 'acc > 0.3'"))
    screen.run(1, wait=None)
    item = screen.page.locator("#jp-main-statusbar").get_by_text(re.compile("slow.*step", re.DOTALL)).first
    item.wait_for()
    before = item.inner_text()
    assert "loss" in before
    screen.until("the step moves on", lambda: item.inner_text() != before)
    screen.page.locator(".Toastify__toast").get_by_text("acc > 0.3: acc is 0.31 (slow, step 31)").wait_for()
    screen.finished(1)
    screen.assert_quiet()


def test_axes_and_legend_by_mouse(screen: Screen, folder: str) -> None:
    """Linear or log, step or seconds, and a series switched off in the legend; the saved form remembers it."""
    open_with(screen, folder, SLOW.format(steps=120))
    screen.run(1, wait=None)
    chart = screen.panel(1, "chart")
    chart.get_by_role("radio", name="log", exact=True).check()
    chart.get_by_label("x axis").select_option("relative")
    series = chart.get_by_label("values of loss").get_by_role("button").first
    series.click()
    assert series.get_attribute("aria-pressed") == "false"
    screen.finished(1)
    options = screen.outputs(1)[0]["data"][screen.MIME]["chart"]
    assert (options["x"], options["y"], len(options["hidden"])) == ("relative", "log", 1)
    screen.assert_quiet()


@both
def test_a_reload_in_mid_run(screen: Screen, folder: str) -> None:
    """After the browser's reload the chart is there again, goes on growing, and says when the run has ended."""
    open_with(screen, folder, SLOW.format(steps=400))
    screen.run(1, wait=None)
    screen.panel(1, "chart").get_by_label("values of acc").locator("td.last").wait_for()
    screen.save()
    screen.reload()
    last = screen.panel(1, "chart").get_by_label("values of acc").locator("td.last")
    last.wait_for()
    before = last.inner_text()
    screen.until("the chart goes on", lambda: last.inner_text() != before)
    screen.says(1, "running")
    first = screen.panel(1, "chart").get_by_label("values of acc").locator("td.min")
    screen.until("what was before the reload is there too", lambda: first.inner_text() == "0")
    screen.picture("reloaded")
    screen.says(1, "finished", 90)
    assert last.inner_text() == "0.9975"
    screen.assert_quiet()


def test_a_run_that_raises(screen: Screen, folder: str) -> None:
    """The cell fails as it would alone; its chart stays, reads failed and gives the exception."""
    open_with(screen, folder, '%%track bad\nfor i in range(20):\n    ct.log(loss=20 - i)\nraise ValueError("too far")')
    screen.run(1)
    kinds = [output["output_type"] for output in screen.outputs(1)]
    assert kinds[-1] == "error"
    chart = screen.panel(1, "chart")
    chart.get_by_text("ValueError: too far").wait_for()
    screen.says(1, "failed")
    screen.picture("failed")
    screen.assert_quiet()


def test_the_stop_button(screen: Screen, folder: str) -> None:
    """An interrupt stops the cell at once, and the chart reads interrupted with the points up to there."""
    open_with(screen, folder, SLOW.format(steps=1000), 'ct.run("slow").status, len(ct.run("slow").history())')
    screen.run(1, wait=None)
    last = screen.panel(1, "chart").get_by_label("values of acc").locator("td.last")
    last.wait_for()
    screen.interrupt()
    screen.finished(1, 10)
    assert screen.outputs(1)[-1]["ename"] == "KeyboardInterrupt"
    screen.says(1, "interrupted")
    screen.run(2)
    shown = screen.outputs(2)[0]["data"]["text/plain"]
    assert shown.startswith("('interrupted', ")
    screen.assert_quiet()


def test_a_flood_of_points(screen: Screen, folder: str) -> None:
    """A hundred thousand calls of log() neither stall the cell nor drop the last point from the chart."""
    flood = '%%track flood\nfor i in range(100_000):\n    ct.log({"acc": i}, step=i)'
    open_with(screen, folder, flood)
    screen.run(1, wait=60)
    last = screen.panel(1, "chart").get_by_label("values of acc").locator("td.last")
    screen.until("the last point is shown", lambda: last.inner_text() == "99999")
    assert [output["output_type"] for output in screen.outputs(1)] == ["display_data"]
    screen.assert_quiet()


def test_a_kernel_killed_in_mid_run(screen: Screen, folder: str) -> None:
    """After kill -9 a new kernel finds every point that log() had returned, and the run reads killed."""
    told = """%%track doomed
with open("returned.txt", "w", buffering=1) as returned:
    for i in range(1000):
        ct.log({"loss": 1 / (1 + i)}, step=i)
        print(i, file=returned)
        time.sleep(0.02)
"""
    read = 'r = ct.run("doomed")\nprint(r.status, r.series("loss")[0].max(), open("returned.txt").read().split()[-1])'
    again = "%%track again\nct.log(loss=1.0)"
    open_with(screen, folder, told, read, again, 'ct.run("again").status')
    screen.run(1, wait=None)
    screen.panel(1, "chart").get_by_label("values of loss").locator("td.last").wait_for()
    screen.kill_kernel()
    screen.page.locator(".jp-Dialog").get_by_label("Ok").click()
    screen.until("the kernel is back", lambda: screen.kernel_status() == "idle", 40)
    screen.run(0)
    screen.run(2)
    status, last, returned = screen.outputs(2)[0]["text"].split()
    assert status == "killed"
    assert int(last) >= int(returned) > 0
    screen.run(3)
    screen.run(4)
    assert screen.outputs(4)[0]["data"]["text/plain"] == "'finished'"


@both
def test_dark_theme(screen: Screen, folder: str) -> None:
    """A chart drawn in the light theme follows a switch to the dark one: light ink, and its lines anew."""
    open_with(screen, folder, SLOW.format(steps=20))
    screen.run(1)
    chart = screen.panel(1, "chart")
    chart.get_by_label("values of acc").wait_for()
    screen.picture("light")
    light = screen.ink(chart)
    screen.theme("JupyterLab Dark")
    screen.until("the ink is light", lambda: screen.ink(chart) > 160)
    assert light < 100
    screen.page.wait_for_timeout(300)
    screen.picture("dark")
    screen.assert_quiet()


@both
def test_a_chart_whose_run_ended_goes_on_to_answer(screen: Screen, folder: str) -> None:
    """A zoom shows points that were thinned away, a note is kept and saved; after a reload of the page too."""
    code = """%%track long
for i in range(30_000):
    ct.log({"loss": (i * 7919 % 1000) / 1000}, step=i)
ct.current().log_alert("loss is odd", metric="loss", step=20_000)"""
    open_with(screen, folder, code)
    screen.run(1)
    chart = screen.panel(1, "chart")
    chart.locator("canvas").first.wait_for()
    head = chart.get_by_label("values of loss").locator("th.at")

    def steps_apart() -> int:
        plot = chart.get_by_role("group", name="loss:")
        plot.focus()
        places = []
        for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
            screen.page.keyboard.press(key)
            places.append(int(head.inner_text().removeprefix("step ")))
        return max(after - before for before, after in pairwise(places))

    def zoom_in() -> None:
        plot = chart.get_by_role("group", name="loss:")
        plot.focus()
        for _ in range(7):
            screen.page.keyboard.press("+", delay=80)  # each from the window that is drawn
        screen.until("neighbouring steps are shown", lambda: steps_apart() == 1)

    screen.until("the chart is the living one", lambda: steps_apart() > 1)
    zoom_in()
    screen.page.keyboard.press("n")
    screen.page.keyboard.type("look here")
    screen.page.keyboard.press("Enter")

    def marks() -> list[str]:
        saved = next(each["data"][screen.MIME] for each in screen.outputs(1) if screen.MIME in each.get("data", {}))
        return [mark["text"] for mark in saved["marks"]]

    screen.until("the note is in the saved form", lambda: marks() == ["look here"])
    chart.get_by_text("step 20,000: warning: loss is odd").wait_for()
    screen.picture("noted")
    screen.save()
    screen.reload()
    chart.locator("canvas").first.wait_for()
    screen.until("it is the living one again", lambda: chart.get_by_label("group runs by").count() == 1)
    screen.page.wait_for_timeout(3000)
    zoom_in()
    screen.shut_down_kernel()
    chart.get_by_text("look here").first.wait_for()
    screen.assert_quiet()

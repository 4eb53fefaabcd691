"""The runs in the side bar and in tabs: what the trail holds is there with no kernel started."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator

from browser.screen import Screen
from celltrail.run import Run, start
from celltrail.store import Store

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def store(screen: Screen, folder: str) -> Store:
    """Four runs that ended, in the folder of the test's notebook."""
    found = Store(screen.server.root / folder / ".celltrail")
    for name, rate in (("wide", 0.1), ("narrow", 0.01), ("deep", 0.001), (EVIL, 0.5)):
        with start(name, {"lr": rate}, tags=["mlp"], store=found) as run:
            for step in range(30):
                run.log({"train/loss": rate / (step + 1)}, step)
    return found


@pytest.fixture(autouse=True)
def closed(screen: Screen) -> Iterator[None]:
    """No tab stays in the layout that the next page restores."""
    yield
    screen.ask("for (const tab of [...app.shell.widgets('main')]) if (tab.node.dataset.shown) tab.close()")
    screen.page.wait_for_timeout(1500)


@pytest.fixture
def live(store: Store) -> Iterator[Run]:
    run = start("long training", {"lr": 1.0}, store=store)
    run.log({"train/loss": 1.0}, 0)
    yield run
    if run.status == "running":
        run.finish()


def show(screen: Screen, folder: str, *, kernel: bool = False) -> Locator:
    """The side bar with the runs of this test's trail; the notebook in front has no kernel unless one is wanted."""
    notebook = screen.server.write(folder, "work", ["1 + 1"])
    if kernel:
        screen.open(notebook)
    else:
        screen.open_without_kernel(notebook)
    screen.ask("await app.commands.execute('celltrail:show-runs')")
    side = screen.page.locator(".celltrail-runs .ct")
    choice = side.get_by_label("trail")
    screen.until("the trail is offered", lambda: folder in choice.inner_text(), 30)
    choice.select_option(label=next(text for text in choice.inner_text().splitlines() if folder in text))
    screen.until("its runs are there", lambda: "wide" in side.inner_text())
    return side


def panel_of(screen: Screen, kind: str) -> Locator:
    """What a panel shows in the tab in front."""
    return screen.page.locator(f'.celltrail-tab .celltrail[data-kind="{kind}"] .ct:visible').first


def row(side: Locator, name: str) -> Locator:
    return side.locator(".ct-rl-row").filter(has_text=name)


@both
def test_without_a_kernel(screen: Screen, folder: str, live: Run) -> None:
    """A live run stands on top and moves; a run opens with its panel; names are text; nothing is executed."""
    side = show(screen, folder)
    rows = side.locator(".ct-rl-row")
    screen.until("the live run is on top", lambda: "long training" in rows.first.inner_text())
    spark = rows.first.locator(".ct-rl-spark svg")
    for step in range(1, 40):
        live.log({"train/loss": 1 / (step + 1)}, step)
    screen.until("its curve is there", lambda: spark.count() == 1 and "0.02500" in rows.first.inner_text())
    drawn = spark.inner_html()
    for step in range(40, 50):
        live.log({"train/loss": 5.0}, step)
    screen.until("its curve has moved", lambda: spark.inner_html() != drawn and "loss 5" in rows.first.inner_text())
    assert row(side, EVIL).count() == 1
    assert side.locator("img").count() == 0

    row(side, "narrow").dblclick()
    detail = panel_of(screen, "detail")
    screen.until("the run is open", lambda: detail.count() == 1 and "narrow" in detail.inner_text())
    live.finish()
    screen.until("it is over in the list", lambda: side.get_by_role("group", name="running").inner_text() == "")
    assert screen.kernel_status() == "none"
    assert not screen.outside


def test_a_live_run_grows_in_its_tab(screen: Screen, folder: str, live: Run) -> None:
    """The chart of a run that another process writes follows it, and is whole when the run is over."""
    side = show(screen, folder)
    row(side, "long training").dblclick()
    chart, detail = panel_of(screen, "chart"), panel_of(screen, "detail")
    screen.until("the chart is there", lambda: chart.count() == 1)
    for step in range(1, 25):
        live.log({"train/loss": 1 / (step + 1)}, step)
    screen.until("it follows", lambda: "step 24" in chart.inner_text())
    metrics = detail.get_by_role("row").filter(has_text="train/loss").first
    screen.until("so does what is known of it", lambda: "0.04000" in metrics.inner_text())
    detail.get_by_role("tab", name="comments").click()
    box = detail.get_by_label("say something about this run")
    box.fill("half a sentence")
    live.log({"train/loss": 9.0}, 25)
    screen.page.wait_for_timeout(3000)
    assert box.input_value() == "half a sentence"  # what somebody writes meanwhile stays
    live.finish()
    screen.until("it is at rest", lambda: chart.count() == 0 and "finished" in detail.inner_text())
    assert "charts" in detail.inner_text()


def test_search_select_and_change(screen: Screen, folder: str, store: Store) -> None:
    """An expression narrows the list, a wrong one says why; what is selected is compared, tagged, archived."""
    side = show(screen, folder)
    rows = side.locator(".ct-rl-row")
    box = side.locator("input").first
    box.fill("params.lr < 0.05")
    screen.until("two runs are left", lambda: rows.count() == 2)
    box.fill("params.lr << 1")
    screen.page.keyboard.press("Escape")
    fault = side.locator(".ct-fault")
    screen.until("the fault is told", lambda: fault.is_visible() and fault.inner_text() != "")
    box.fill("")
    screen.until("all are back", lambda: rows.count() == 4)

    row(side, "wide").click()
    row(side, "narrow").click(modifiers=["Control"])
    side.get_by_role("button", name="tag").click()
    side.get_by_label("tag", exact=True).fill("chosen")
    screen.page.keyboard.press("Enter")
    screen.until("the tag is shown", lambda: rows.filter(has_text="chosen").count() == 2)
    side.get_by_role("button", name="compare").click()
    compared = panel_of(screen, "compare")
    screen.until("they are compared", lambda: compared.count() == 1 and "0.1" in compared.inner_text())

    row(side, "deep").click()
    side.get_by_role("button", name="archive").click()
    screen.until("it is out of the list", lambda: rows.count() == 3)


def test_the_code_that_loads_a_run(screen: Screen, folder: str, store: Store) -> None:
    """A click puts the code below the active cell, a drop where it falls; run there, it shows that very run."""
    side = show(screen, folder, kernel=True)
    row(side, "narrow").drag_to(screen.cell(0).locator(".cm-content"))
    screen.until("what is dropped is the same code", lambda: "ct.run(" in source(screen, 0))
    row(side, "deep").click()
    side.get_by_role("button", name="insert code").click()
    screen.until("the cell is there", lambda: "ct.run(" in source(screen, 1))
    empty = screen.page.locator(".jp-Notebook").first
    row(side, "wide").drag_to(empty, target_position={"x": 300, "y": 600})
    screen.until("what falls beside the cells is a cell at the end", lambda: "ct.run(" in source(screen, 2))
    screen.run(1)
    detail = screen.panel(1, "detail").locator(".ct").first
    screen.until("the run is shown", lambda: detail.count() == 1 and "deep" in detail.inner_text())


def test_there_again_after_a_reload(screen: Screen, folder: str, store: Store) -> None:
    """A tab that was open is open in the page that is loaded anew."""
    side = show(screen, folder)
    row(side, "narrow").dblclick()
    detail = panel_of(screen, "detail")
    screen.until("the run is open", lambda: detail.count() == 1 and "narrow" in detail.inner_text())
    screen.page.wait_for_timeout(2500)  # Jupyter keeps the layout a moment after it changed
    screen.page.reload(wait_until="domcontentloaded")
    screen.until("it is open again", lambda: detail.count() == 1 and "narrow" in detail.inner_text(), 60)


def test_settings_do_what_they_say(screen: Screen, folder: str) -> None:
    """No badges, runs in groups that stay closed and are asked for as often as wanted; a stop waits for its yes."""
    looks = {"group": "status", "refresh": 60}
    chosen = {"cells": {"badges": False}, "runs": looks, "commands": {"confirm_stop": True}}
    for name, values in chosen.items():
        file = screen.server.home / "settings" / "celltrail" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    loop = (
        "%%track endless\nimport time\nfor step in range(4000):\n    ct.log({'loss': 1.0}, step)\n    time.sleep(0.01)"
    )
    setup = "%load_ext celltrail\nimport celltrail as ct\nwith ct.start('short') as run:\n    run.log(loss=1)"
    screen.open(screen.server.write(folder, "work", [setup, loop]))
    screen.run(0)
    screen.ask("await app.commands.execute('celltrail:show-runs')")
    side = screen.page.locator(".celltrail-runs .ct")
    finished = side.get_by_role("group", name="finished")
    screen.until("they are grouped", lambda: "short" in finished.inner_text())
    finished.get_by_role("button").first.click()
    assert "short" not in finished.inner_text()

    screen.run(1, wait=None)
    may = "return app.commands.isEnabled('celltrail:stop-run')"
    screen.until("there is a run to stop", lambda: screen.ask(may))
    running = side.get_by_role("group", name="running")
    screen.until("it is in the list", lambda: "endless" in running.inner_text())
    screen.page.wait_for_timeout(1000)
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url) if "celltrail/runs?" in request.url else None)
    screen.page.wait_for_timeout(3000)
    assert asked == []  # as often as they are asked for unless one wants it otherwise, this were once or twice
    dialog = screen.page.locator(".jp-Dialog")
    for answer in ("Cancel", "Stop"):
        screen.ask("void app.commands.execute('celltrail:stop-run')")
        dialog.get_by_role("button", name=answer).click()
        screen.page.wait_for_timeout(1500)
        assert screen.running(1) == (answer == "Cancel")
    screen.until("its end is seen at once", lambda: asked and "endless" not in running.inner_text())
    assert screen.page.locator(".celltrail-badge").count() == 0
    screen.save()
    screen.reload()
    screen.ask("await app.commands.execute('celltrail:show-runs')")
    screen.until("the group is still closed", lambda: finished.inner_text().startswith("finished"), 60)
    assert "short" not in finished.inner_text()
    finished.get_by_role("button").first.click()
    assert "short" in finished.inner_text()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_no_fault(screen: Screen, folder: str, store: Store, theme: str) -> None:
    """In either theme, with a run selected."""
    side = show(screen, folder)
    screen.theme(f"JupyterLab {theme}")
    side.get_by_label("group runs by").select_option("project")
    row(side, "wide").click()
    screen.page.add_script_tag(path=AXE)
    asked = "return (await axe.run('.celltrail-runs')).violations.map((found) => found.id + ': ' + found.help)"
    assert screen.ask(asked, seconds=30) == []


def source(screen: Screen, index: int) -> Any:
    return screen.ask("return panel?.content.widgets[argument]?.model.sharedModel.getSource() ?? ''", index)

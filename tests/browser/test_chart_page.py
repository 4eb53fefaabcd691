"""The chart in a plain page, no Jupyter: a real run's saved points, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

import celltrail as ct
from browser.test_panels_page import SHOW, STATIC, violations
from celltrail.panels.detail import FIRST_TAB, payload

Opened = Callable[[], Locator]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1000, "height": 760})
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.fixture
def charts(page: Page, trail: Path) -> Opened:
    """The charts of a run of 200 steps, as its panel shows them."""
    with ct.start("curves") as run:
        for step in range(200):
            run.log({"train/loss": 1 / (1 + step), "val/loss": 1.1 / (1 + step), "acc": step / 200}, step=step)

    def opened() -> Locator:
        page.set_content(
            '<!doctype html><html lang="en"><title>p</title><main><h1>p</h1><div id="output"></div></main>'
        )
        options: dict[str, Any] = dict(FIRST_TAB)
        page.evaluate(SHOW, [(STATIC / "detail.js").read_text(), payload(ct.run("curves")), options, None])
        page.locator("canvas").first.wait_for()
        return page.locator(".celltrail[data-kind=plots]")

    return opened


def cursor(panel: Locator, name: str) -> str:
    """What the legend of a plot says the cursor stands at."""
    return panel.get_by_label(f"values of {name}").locator("th.at").inner_text()


def test_drag_pan_and_reset(page: Page, charts: Opened) -> None:
    """A drag zooms every plot, the cursor stands in all of them, Shift-drag pans, a double click shows all again."""
    panel = charts()
    box = panel.locator("canvas + canvas").first.bounding_box()
    assert box
    y, left, width = box["y"] + 60, box["x"] + 52, box["width"] - 62
    page.mouse.move(left + 0.25 * width, y)
    assert cursor(panel, "loss") == cursor(panel, "acc") == "step 50"
    page.mouse.down()
    page.mouse.move(left + 0.5 * width, y, steps=3)
    page.mouse.up()
    reset = panel.get_by_role("button", name="reset zoom")
    reset.wait_for()
    page.mouse.move(left + 2, y)
    assert cursor(panel, "acc") == "step 50"
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(left + width, y, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.wait_for_timeout(100)
    page.mouse.move(left - 2, y)
    assert cursor(panel, "acc") == "step 0"
    page.mouse.dblclick(left + 0.5 * width, y)
    reset.wait_for(state="hidden")
    page.mouse.move(left + width - 1, y)
    assert cursor(panel, "loss") == "step 199"


def test_plots_by_keyboard(page: Page, charts: Opened) -> None:
    """Arrows read the points aloud, plus and minus zoom about the cursor, brackets pan, 0 shows all; axe is content."""
    panel = charts()
    plot = panel.get_by_role("group", name="loss: arrow keys")
    plot.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert cursor(panel, "acc") == "step 198"
    spoken = panel.locator(".card [aria-live]").first
    assert spoken.inner_text() == "step 198: train 0.005025, val 0.005528"
    page.keyboard.press("Home")
    page.keyboard.press("+")
    page.wait_for_timeout(100)
    page.keyboard.press("End")
    assert cursor(panel, "acc") == "step 99"
    page.keyboard.press("]")
    page.wait_for_timeout(100)
    page.keyboard.press("End")
    assert cursor(panel, "acc") == "step 124"
    page.keyboard.press("0")
    panel.get_by_role("button", name="reset zoom").wait_for(state="hidden")
    assert violations(page) == []


def test_smooth_fold_and_take_away(page: Page, charts: Opened) -> None:
    """Smoothing is chosen by keyboard, the menu of exports opens and closes by it, and a picture comes as a file."""
    panel = charts()
    panel.get_by_label("smoothing", exact=True).focus()
    page.keyboard.press("ArrowDown")
    panel.get_by_label("strength of smoothing").wait_for()
    panel.get_by_role("button", name="export").press("Enter")
    panel.get_by_role("menuitem", name="picture as PNG").wait_for()
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    with page.expect_download(timeout=10_000) as taken:
        page.keyboard.press("Enter")
    text = Path(taken.value.path()).read_text()
    assert text.startswith("<svg")
    assert all(f">{word}</text>" in text for word in ("loss", "acc", "train", "val"))
    assert panel.get_by_text("val \N{MINUS SIGN} train +0.0005000").is_visible()

"""The media panel in a plain page: real items of a trail, taken from the panel's own Python, axe, and the keyboard."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page

import celltrail as ct
from browser.test_panels_page import COLOURS, NAMES, STATIC, is_narrow, violations
from celltrail.panels.media import OPTIONS, MediaPanel

SHOW = """async ([code, state, options]) => {
  const heard = [];
  const model = {
    get: (name) => ({ state, options })[name], set() {}, save_changes() {}, off() {},
    on(event, hear) { if (event === "msg:custom") heard.push(hear); },
    async send(asked) {
      const [answer, data] = await window.answered(asked);
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      heard.forEach((hear) => hear(answer, [new DataView(bytes.buffer)]));
    },
  };
  const { default: panel } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  window.close_panel = panel.render({ model, el: document.querySelector("#output") });
}"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1000, "height": 760})
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.fixture
def media(page: Page, trail: Path) -> Callable[[str], Locator]:
    """The panel of two runs in this theme: pictures at three steps, a table, a histogram and text of one."""
    for name, red in (("base", 40), ("wide", 90)):
        with ct.start(name) as run:
            for step in (0, 10, 20):
                picture = np.zeros((24, 32, 3), np.uint8)
                picture[:12, :, 0] = red
                picture[12:, :, 1] = step
                run.log_image("sample", picture, step=step)
    run = ct.start("other")
    run.log_table("rows", pd.DataFrame({"p": [0.5, 1.0], "said": ["<b>x</b>", "y"]}))
    run.log_histogram("weights", np.arange(50.0))
    run.log_text("said", "<b>once</b>")
    run.finish()
    panel = MediaPanel(ct.runs().media())

    def answered(asked: Any) -> list[Any]:
        heard: list[Any] = []
        panel.send = lambda content, buffers=None: heard.append(
            [content, base64.b64encode(buffers[0] if buffers else b"").decode()]
        )
        panel._hear(None, asked, [])
        return heard[0]

    page.expose_function("answered", answered)

    def opened(theme: str) -> Locator:
        body = "".join(f"--jp-{name}:{value};" for name, value in zip(NAMES, COLOURS[theme], strict=False))
        body += f"--jp-brand-color0:{COLOURS[theme][-1]};background:{COLOURS[theme][0]};color:{COLOURS[theme][3]}"
        page.set_content(
            f'<!doctype html><html lang="en"><title>panel</title><body style="{body}" '
            f'data-jp-theme-light="{json.dumps(theme == "light")}"><main><h1>Output</h1><div id="output"></div></main>'
        )
        page.evaluate(SHOW, [(STATIC / "media.js").read_text(), panel.state, dict(OPTIONS)])
        return page.locator(".celltrail[data-kind=media]")

    return opened


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_media(page: Page, media: Callable[[str], Locator], theme: str) -> None:
    """WCAG 2.2 A and AA, for pictures, their overlay and difference, and everything else that is kept."""
    shown = media(theme)
    key = shown.get_by_label("media", exact=True)
    for name, there in (("sample", "img"), ("rows", "table"), ("weights", "svg"), ("said", "pre")):
        key.select_option(name)
        shown.locator(there).first.wait_for()
        assert violations(page) == [], name
        assert is_narrow(page), name
    key.select_option("sample")
    for how, there in (("overlay", ".laid"), ("difference", "canvas")):
        shown.get_by_role("radio", name=how).check()
        shown.locator(there).wait_for()
        assert violations(page) == [], how


def test_steps_and_difference(page: Page, media: Callable[[str], Locator]) -> None:
    """Arrows go through the steps; the difference is that of the real pixels; on closing no address is left."""
    shown = media("light")
    shown.get_by_label("media", exact=True).select_option("sample")
    shown.locator("img").nth(1).wait_for()
    assert shown.locator("output").inner_text() == "step 20 (3 of 3)"
    shown.get_by_label("step", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    shown.get_by_text("step 10 (2 of 3)").wait_for()
    shown.get_by_role("button", name="step before").click()
    shown.get_by_text("step 0 (1 of 3)").wait_for()
    widths = shown.locator("img").evaluate_all("all => all.map(one => [one.naturalWidth, one.naturalHeight])")
    assert widths == [[32, 24]] * 2
    shown.get_by_role("radio", name="difference").check()
    shown.get_by_text("50.0 % of the pixels differ, by 50 of 255 at most").wait_for()
    first = shown.get_by_label("first run")
    first.select_option(label="base")
    shown.get_by_label("second run").select_option(label="base")
    shown.get_by_text("the same in every pixel").wait_for()
    shown.get_by_role("radio", name="beside").check()
    shown.locator("img").first.wait_for()
    url = shown.locator("img").first.get_attribute("src")
    gone = "url => fetch(url).then(() => false, () => true)"
    assert not page.evaluate(gone, url)
    page.evaluate("window.close_panel()")
    page.wait_for_timeout(100)
    assert page.evaluate(gone, url)

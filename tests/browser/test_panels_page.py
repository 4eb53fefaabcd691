"""The table, the comparison and a run in a plain page, no Jupyter: real facts from a trail, axe, and the keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

import celltrail as ct
from celltrail.panels import saved
from celltrail.panels.detail import FIRST_TAB, payload
from celltrail.panels.viewing import OPTIONS

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "celltrail" / "static"
AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Jupyter's own values: the panel takes its colours from them.
COLOURS = {
    "light": ("white", "#e0e0e0", "#eeeeee", "rgba(0,0,0,.87)", "rgba(0,0,0,.54)", "#1976d2", "#0d47a1"),
    "dark": ("#111111", "#424242", "#424242", "rgba(255,255,255,1)", "rgba(255,255,255,.7)", "#2196f3", "#82b1ff"),
}
NAMES = ("layout-color0", "border-color2", "layout-color2", "ui-font-color1", "ui-font-color2", "brand-color1")

SHOW = """async ([code, state, options, comparison]) => {
  const heard = {};
  const model = {
    get: (name) => ({ state, options })[name], set() {}, save_changes() {}, off() {},
    on(event, hear) { (heard[event] ??= []).push(hear); },
    send(asked) {
      const answer = asked.kind === "compare"
        ? { kind: "answer", reply_to: asked.id, rows: null, comparison }
        : { kind: "fault", reply_to: asked.id, text: "a value is missing\\n  params.lr <\\n             ^" };
      setTimeout(() => heard["msg:custom"].forEach((hear) => hear(answer, [])), 10);
    },
  };
  const { default: panel } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  panel.render({ model, el: document.querySelector("#output") });
}"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1000, "height": 760})
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.fixture
def facts(trail: Path) -> tuple[list[Any], Any, Any]:
    """Rows and a comparison of three runs, one of which failed with a NaN, and all of another."""
    for name, lr in [("baseline", 0.1), ("slow", 0.001)]:
        with ct.start(name, params={"lr": lr, "epochs": 20}, tags=["mlp"]) as run:
            for step in range(30):
                run.log({"train/loss": 1 / (1 + lr * step), "val/acc": 1 - 1 / (2 + lr * step)}, step=step)
    run = ct.start("wild", params={"lr": 10.0})
    run.log({"train/loss": float("nan")}, step=0)
    run.finish(error=ValueError("diverged <b>at once</b>"))
    return ct.runs().rows(), ct.compare("baseline", "slow", "wild").payload(), payload(ct.run("baseline"))


@pytest.fixture
def show(page: Page, facts: tuple[list[Any], Any, Any]) -> Callable[[str, str], None]:
    """Shows the panel of this kind in this theme."""
    rows, comparison, alone = facts

    def opened(kind: str, theme: str) -> None:
        body = "".join(f"--jp-{name}:{value};" for name, value in zip(NAMES, COLOURS[theme], strict=False))
        body += f"--jp-brand-color0:{COLOURS[theme][-1]};background:{COLOURS[theme][0]};color:{COLOURS[theme][3]}"
        page.set_content(
            f'<!doctype html><html lang="en"><title>panel</title><body style="{body}" '
            f'data-jp-theme-light="{json.dumps(theme == "light")}"><main><h1>Output</h1>'
            '<div tabindex="0" id="cell" aria-label="cell" role="group"><div id="output"></div></div></main>'
        )
        code = (STATIC / f"{kind}.js").read_text()
        state = (
            alone
            if kind == "detail"
            else saved.panel(
                "table" if kind == "table" else "compare",
                "trail",
                "all runs",
                rows=rows if kind == "table" else [],
                comparison=comparison if kind == "compare" else None,
            )
        )
        page.evaluate(SHOW, [code, state, dict(FIRST_TAB if kind == "detail" else OPTIONS), comparison])
        page.get_by_role({"table": "grid", "detail": "tablist"}.get(kind, "table")).wait_for()

    return opened


def is_narrow(page: Page) -> bool:
    """Whether everything fits into a column of 320 pixels, with nothing that moves where that is not wanted."""
    page.set_viewport_size({"width": 320, "height": 760})
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_timeout(150)
    moving = page.evaluate("document.querySelector('.celltrail').shadowRoot.getAnimations({ subtree: true }).length")
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1000, "height": 760})
    return width <= 320 and moving == 0


def violations(page: Page) -> list[str]:
    """What axe finds, a line for each node."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "rules => axe.run(document, { runOnly: rules }).then(found => found.violations)",
        RULES,
    )
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, show: Callable[[str, str], None], theme: str) -> None:
    """Neither the table, with an error under the box and a comparison open, nor the comparison alone breaks a rule."""
    show("table", theme)
    assert violations(page) == []
    page.locator(".ct-head .ct-box").click()
    page.get_by_role("button", name="Compare 3 runs").click()
    page.get_by_role("table").wait_for()
    page.get_by_role("combobox", name="filter runs").fill("params.lr <")
    page.get_by_text("a value is missing").wait_for()
    assert violations(page) == []
    assert is_narrow(page)
    show("compare", theme)
    assert violations(page) == []
    assert is_narrow(page)
    show("detail", theme)
    for tab in page.get_by_role("tab").all():
        tab.click()
        assert violations(page) == [], tab.inner_text()
        assert is_narrow(page), tab.inner_text()


def test_the_tabs_of_a_run_by_keyboard(page: Page, show: Callable[[str, str], None]) -> None:
    """One tab can be reached with Tab, arrows change the page shown, and the curves are drawn."""
    show("detail", "light")
    page.locator("canvas").first.wait_for()
    page.locator("#cell").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.get_by_role("tab", name="summary", selected=True).wait_for()
    assert page.get_by_role("rowheader", name="train/loss").is_visible()
    page.keyboard.press("End")
    page.get_by_role("tab", name="comments", selected=True).wait_for()


def test_by_keyboard_alone(page: Page, show: Callable[[str, str], None]) -> None:
    """Tab reaches the grid; sorting, selecting, filtering and leaving need no mouse."""
    show("table", "light")

    def at() -> str:
        script = "document.querySelector('.celltrail').shadowRoot.activeElement?.innerText?.trim() ?? ''"
        return page.evaluate(script)

    page.locator("#cell").focus()
    for key in ["Tab"] * 6:
        page.keyboard.press(key)
    assert at() == "wild", "filter, only differing, columns, groups, views, then the grid's one cell"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    names = page.get_by_role("rowheader")
    assert names.all_inner_texts() == ["baseline", "slow", "wild"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowDown")
    assert page.get_by_role("row", selected=True).count() == 2
    page.keyboard.press("/")
    page.keyboard.type("wild")
    assert names.all_inner_texts() == ["wild"]
    page.keyboard.press("Escape")
    assert at() == "wild"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "cell"


def test_an_error_is_text(page: Page, show: Callable[[str, str], None]) -> None:
    """Markup in an error's message is shown, not obeyed."""
    show("table", "light")
    row = page.get_by_role("row").filter(has_text="ValueError")
    assert row.get_attribute("title") == "ValueError: diverged <b>at once</b>"
    assert page.locator(".celltrail b").count() == 0

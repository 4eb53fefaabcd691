"""Every panel in the real front ends: axe in both themes, and the table by keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator

from browser.screen import Screen

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
KINDS = ("chart", "table", "compare", "detail")

FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at?.textContent ?? "";
}"""
CELLS = [
    """import celltrail as ct
%load_ext celltrail
for name, lr in [("small", 0.1), ("large", 0.01)]:
    with ct.start(name, params={"lr": lr, "size": 16}, tags=["demo"]) as run:
        for i in range(10):
            run.log({"train/loss": 1 / (1 + i * lr), "val/acc": lr * i / 10}, step=i)
""",
    "%%track fit\nlr = 0.3\nfor i in range(12):\n    ct.log({'train/loss': lr / (1 + i), 'val/acc': i / 12}, step=i)",
    "ct.runs()",
    'ct.compare("small", "large")',
    'ct.run("fit")',
]


@pytest.fixture
def panels(screen: Screen, folder: str) -> dict[str, Locator]:
    """All four panels, each below its cell."""
    screen.open(screen.server.write(folder, "access", CELLS))
    for index in range(len(CELLS)):
        screen.run(index)
    found = {kind: screen.panel(index, kind).first for index, kind in enumerate(KINDS, 1)}
    for panel in found.values():
        panel.wait_for()
    return found


def complaints(screen: Screen) -> list[str]:
    """What axe finds in the panels of this page; Jupyter's own parts are not ours to mend."""
    loaded = screen.page.evaluate("typeof axe !== 'undefined'")
    if not loaded:
        screen.page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found: list[Any] = screen.page.evaluate(
        "rules => axe.run({ include: ['.celltrail'] }, { runOnly: rules }).then(found => found.violations)", RULES
    )
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


@both
def test_axe_finds_nothing_in_either_theme(screen: Screen, panels: dict[str, Locator]) -> None:
    """Chart, table, comparison and run, light and dark, each seen."""
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        screen.theme(theme)
        for index, kind in enumerate(KINDS, 1):
            screen.cell(index)
            panels[kind].wait_for()
            screen.picture(f"{kind}-{theme.split()[1].lower()}")
            assert complaints(screen) == [], f"{kind}, {theme}"
    screen.assert_quiet()


def test_the_table_by_keyboard_alone(screen: Screen, panels: dict[str, Locator]) -> None:
    """In from the filter, over cells and headers, sort, select, compare and out again to the notebook's cell."""
    table, page = panels["table"], screen.page
    screen.cell(2)
    table.get_by_role("combobox", name="filter runs").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("dd")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    table.get_by_text("2 runs selected").wait_for(timeout=5000)
    for key in ("Control+Home", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert table.locator('[aria-sort="ascending"]').count() == 1
    for _ in range(40):
        if "Compare 2" in page.evaluate(FOCUSED):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    table.get_by_text("Comparison of 2 runs").wait_for(timeout=10_000)
    screen.picture("by-keyboard")
    assert screen.ask("return panel.content.widgets.length") == len(CELLS), "dd deleted no cell"
    screen.assert_quiet()

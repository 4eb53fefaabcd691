"""The run table by mouse: sort, filter, select two and compare."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from browser.screen import Screen

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)

RUNS = """import celltrail as ct
%load_ext celltrail
for name, lr, size in [("small", 0.1, 16), ("large", 0.1, 256), ("slow", 0.001, 16)]:
    with ct.start(name, params={"lr": lr, "size": size}, tags=["demo"]) as run:
        for i in range(10):
            run.log({"loss": 1 / (1 + i * lr * size), "acc": lr * i / 10}, step=i)
"""


@pytest.fixture
def table(screen: Screen, folder: str) -> Locator:
    """The table of three runs under the second cell."""
    screen.open(screen.server.write(folder, "table", [RUNS, "ct.runs()"]))
    screen.run(0)
    screen.run(1)
    shown = screen.panel(1, "table")
    shown.get_by_role("grid").wait_for()
    return shown


def names(table: Locator) -> list[str]:
    """The names of the runs, from top to bottom."""
    # asked in one go: a row that is filtered away meanwhile would be waited for
    placed = table.get_by_role("rowheader").evaluate_all(
        "rows => rows.map((row) => [row.getBoundingClientRect().y, row.innerText.trim()])"
    )
    return [name for _, name in sorted(placed)]


@both
def test_sort_and_filter(screen: Screen, table: Locator) -> None:
    """A click on a heading sorts, another the other way; words and expressions filter."""
    assert names(table) == ["slow", "large", "small"], "newest first"
    heading = table.get_by_role("columnheader").filter(has_text="size")
    heading.click()
    first = names(table)
    heading.click()
    assert {first[0], names(table)[0]} > {"large"}
    box = table.get_by_role("combobox", name="filter runs")
    box.click()
    screen.page.keyboard.type("larg")
    screen.until("only one row is left", lambda: names(table) == ["large"])
    box.fill("params.lr >= 0.1 and best('loss') < 0.1")
    screen.until("the kernel answers the expression", lambda: set(names(table)) == {"small", "large"})
    box.fill("params.lr >>> 1")
    table.get_by_role("alert").or_(table.locator(".ct-error:visible")).first.wait_for()
    screen.picture("bad-expression")
    box.fill("")
    screen.until("all rows are back", lambda: len(names(table)) == 3)
    screen.assert_quiet()


@both
def test_select_two_and_compare(screen: Screen, table: Locator) -> None:
    """Two boxes and one button: what differs between two runs stands under the table."""
    for name in ("small", "large"):
        row = table.get_by_role("row").filter(has=screen.page.get_by_role("rowheader", name=name))
        row.locator(".ct-box").click()
    table.get_by_role("button", name="compare").click()
    size = table.get_by_role("row").filter(has_text="size").filter(has_text="256").filter(has_text="16")
    size.last.wait_for()
    screen.picture("compared")
    screen.assert_quiet()


def test_change_undo_group_and_baseline(screen: Screen, table: Locator) -> None:
    """A name is changed in its cell and changed back; runs stand in groups; a baseline stays on top."""
    page = screen.page
    table.get_by_role("rowheader", name="small").dblclick(timeout=5000)
    page.keyboard.type("tiny")
    page.keyboard.press("Enter")
    screen.until("the kernel renamed it", lambda: "tiny" in names(table))
    table.get_by_role("button", name="Undo").click(timeout=5000)
    screen.until("the kernel took it back", lambda: "small" in names(table))
    table.get_by_role("rowheader", name="small").click(timeout=5000)
    page.keyboard.press("b")
    screen.until("the baseline is on top", lambda: names(table)[0].startswith("small"))
    assert table.locator(".ct-delta").count() > 0
    screen.picture("baseline")
    table.get_by_role("button", name="Group").click(timeout=5000)
    table.get_by_role("menuitemcheckbox", name="size").click(timeout=5000)
    table.get_by_role("treegrid").wait_for(timeout=5000)
    assert table.get_by_role("row", expanded=True).count() == 2
    screen.picture("grouped")
    assert screen.ask("return panel.content.widgets.length") == 2
    screen.assert_quiet()


def test_a_view_is_kept_and_latex_is_written(screen: Screen, table: Locator) -> None:
    """What is shown gets a name that Python knows; a table of rows x columns is seen before it is copied."""
    page = screen.page
    box = table.get_by_role("combobox", name="filter runs")
    box.fill("params.lr >= 0.1")
    screen.until("the kernel answers the expression", lambda: set(names(table)) == {"small", "large"})
    table.get_by_role("button", name="Views").click(timeout=5000)
    table.get_by_role("menuitem", name="Save what is shown").click(timeout=5000)
    page.keyboard.type("fast")
    page.keyboard.press("Enter")
    table.get_by_text("saved the view fast").wait_for(timeout=10_000)
    table.get_by_role("button", name="Copy").click(timeout=5000)
    table.get_by_role("menuitem", name="rows").click(timeout=5000)
    written = table.locator(".ct-written")
    screen.until("the kernel wrote it", lambda: "\\begin{tabular}" in written.inner_text(timeout=5000))
    screen.picture("latex")
    page.keyboard.press("Escape")
    screen.assert_quiet()


def test_typing_stays_in_the_table(screen: Screen, table: Locator) -> None:
    """`dd` typed into the table is no command to the notebook, which would delete the cell."""
    table.get_by_role("rowheader").first.click()
    screen.page.keyboard.type("dd")
    screen.page.wait_for_timeout(300)
    assert screen.ask("return panel.content.widgets.length") == 2
    screen.assert_quiet()


def test_after_a_reload_the_table_still_asks_the_kernel(screen: Screen, table: Locator) -> None:
    """The saved table finds its live widget again while the kernel lives."""
    table.get_by_role("rowheader").first.wait_for()
    screen.save()
    screen.reload()
    again = screen.panel(1, "table")
    box = again.get_by_role("combobox").or_(again.get_by_role("searchbox")).first
    box.wait_for()
    expression = "params.lr >= 0.1"

    def answered() -> bool:
        if box.input_value() != expression:  # the living table has taken the place of the saved one
            box.fill(expression)
        return set(names(again)) == {"small", "large"}

    screen.until("the kernel answers the expression", answered)
    screen.assert_quiet()


def test_dark_table(screen: Screen, table: Locator) -> None:
    """The table follows the dark theme."""
    screen.picture("light")
    screen.theme("JupyterLab Dark")
    screen.until("the ink is light", lambda: screen.ink(table) > 160)
    screen.picture("dark")
    screen.assert_quiet()

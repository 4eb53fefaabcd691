"""Badges on tracked cells, and what can be done to a cell and its runs by commands and the notebook's toolbar."""

from __future__ import annotations

import json

from playwright.sync_api import Locator

from browser.screen import Screen

LOAD = "%load_ext celltrail\nimport celltrail as ct"
FIRST = "%%track first\nrate = 0.1\nfor i in range(20):\n    ct.log({'val/loss': 1 / (1 + i)}, step=i)"
PLAIN = """from itertools import count
for i in count():
    ct.log({"train/loss": 1 / (1 + i)}, step=i)
    sum(range(2000))"""


QUIET = "%%track quiet --no-chart\nscore = 0.5\nct.log({'val/acc': score})"


def badge(screen: Screen, cell: int) -> Locator:
    return screen.cell(cell).locator(".celltrail-badge")


def command(screen: Screen, name: str) -> None:
    screen.ask("await app.commands.execute(argument)", f"celltrail:{name}")


def enabled(screen: Screen, name: str) -> bool:
    return screen.ask("return app.commands.isEnabled(argument)", f"celltrail:{name}")


def choose(screen: Screen, cell: int) -> None:
    screen.ask("panel.content.activeCellIndex = argument", cell)


def source(screen: Screen, cell: int) -> str:
    return screen.ask("return panel.content.widgets[argument].model.sharedModel.getSource()", cell)


def room_of_badge(screen: Screen, cell: int) -> dict[str, float]:
    """How many pixels below the last line of the cell and below its toolbar the badge begins."""
    choose(screen, cell)
    screen.cell(cell).locator(".jp-cell-toolbar").wait_for()
    return screen.ask(
        """
        const node = panel.content.widgets[argument].node;
        const top = node.querySelector(".celltrail-badge").getBoundingClientRect().top;
        const below = (found) => top - found.getBoundingClientRect().bottom;
        const line = below([...node.querySelectorAll(".cm-line")].at(-1));
        return {line, toolbar: below(node.querySelector(".jp-cell-toolbar"))};
        """,
        cell,
    )


def test_badges_and_commands(screen: Screen, folder: str) -> None:
    """State, name and metric stand on the cell, also after a reload; nothing of it gets into the document."""
    screen.open(screen.server.write(folder, "cells", [LOAD, FIRST, PLAIN, QUIET]))
    screen.run(0)
    screen.run(1)
    badge(screen, 1).filter(has_text="✓ first").wait_for()
    assert "val/loss" in badge(screen, 1).inner_text()
    assert badge(screen, 0).count() == 0
    screen.run(3)
    badge(screen, 3).filter(has_text="✓ quiet").wait_for()
    assert room_of_badge(screen, 1)["line"] >= 0
    screen.ask("panel.content.widgets[3].model.sharedModel.setSource('score = 0.6')")
    assert min(room_of_badge(screen, 3).values()) >= 0
    screen.picture("one line")
    screen.ask("panel.content.widgets[3].model.sharedModel.setSource('%%track quiet --no-chart\\nscore = 0.6')")
    saved = screen.save()
    badge(screen, 3).filter(has_text="stale").wait_for()
    assert "its cell has been edited" in str(badge(screen, 3).get_attribute("title"))
    assert "celltrail-badge" not in json.dumps(saved)
    screen.page.wait_for_timeout(1500)
    assert not screen.ask("return panel.context.model.dirty")
    screen.reload()
    badge(screen, 1).filter(has_text="✓ first").wait_for()
    assert not screen.ask("return panel.context.model.dirty")

    choose(screen, 1)
    screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    command(screen, "copy-run-id")
    copied = screen.ask("return navigator.clipboard.readText()")
    assert len(copied) == 26
    assert not enabled(screen, "compare-previous")
    before = source(screen, 1)
    screen.ask("panel.content.activeCell.model.sharedModel.setSource('%%track first\\nrate = 0.2')")
    screen.run(1)
    screen.until("another run", lambda: enabled(screen, "compare-previous"))
    screen.ask("panel.content.activeCell.model.sharedModel.setSource('lost')")
    command(screen, "restore-cell")
    assert source(screen, 1) == before.split("\n")[0] + "\nrate = 0.2"

    choose(screen, 2)
    screen.page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name=celltrail-track]").click()
    assert source(screen, 2) == f"%%track\n{PLAIN}"
    screen.run(2, wait=None)
    badge(screen, 2).filter(has_text="▶").wait_for()
    screen.picture("running")
    assert enabled(screen, "stop-run")
    command(screen, "stop-run")
    screen.finished(2, 10)
    badge(screen, 2).filter(has_text="✓").wait_for()
    choose(screen, 2)
    command(screen, "track-cell")
    assert source(screen, 2) == PLAIN

    choose(screen, 1)
    command(screen, "compare-previous")
    screen.page.locator(".celltrail-tab").get_by_text("rate").first.wait_for()
    screen.picture("compared")
    settings = screen.server.home / "settings" / "celltrail" / "cells.jupyterlab-settings"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text('{"badges": false}')
    screen.reload()
    screen.ask("app.shell.activateById(panel.id)")  # the tab of the comparison may be in front of it, as before
    screen.panel(1, "chart").get_by_label("values of loss").wait_for()
    screen.page.wait_for_timeout(1500)
    assert badge(screen, 1).count() == 0
    screen.assert_quiet()

"""What a trail or a file says is text in JupyterLab as well: in the side bar, in tabs, and in a notebook's outputs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_output

import celltrail as ct
from browser.hostile import EVIL, harm
from browser.screen import MIME, Screen
from celltrail.panels import detail

KINDS = ("chart", "table", "detail", "compare", "media", "evaluation")


def outputs(kind: str) -> list[dict[str, Any]]:
    """A panel of the trail as a file keeps it, and the same with markup in the place of every other thing."""
    runs = list(ct.runs())
    whole = {
        **detail.payload(runs[0]),
        "kind": kind,
        "title": EVIL,
        "rows": ct.runs().rows(),
        "comparison": ct.compare(*runs).payload(),
        "view": EVIL,
    }
    return [{MIME: payload, "text/html": EVIL, "text/plain": EVIL} for payload in (whole, spoilt(whole))]


def spoilt(value: Any) -> Any:
    """Words where numbers are expected, and markup for words, but for what says which panel it is."""
    if isinstance(value, dict):
        return {key: part if key in ("v", "kind") else spoilt(part) for key, part in value.items()}
    if isinstance(value, list):
        return [spoilt(part) for part in value]
    return EVIL


def clicked(screen: Screen, panel: Any) -> None:
    """Every tab of a run's panel, one after the other."""
    tabs = panel.locator(".ct-tabs").first.get_by_role("tab")
    tabs.first.wait_for()
    for tab in tabs.all():
        tab.click()
        screen.page.wait_for_timeout(250)
        assert harm(screen.page) == [[], None], tab.inner_text()


def test_markup_is_text_everywhere(screen: Screen, folder: str, planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs, nothing is asked of another place, and no panel of a file changes anything in the trail."""
    place = screen.server.root / folder
    shutil.copytree(planted, place / ".celltrail")
    monkeypatch.setenv("CELLTRAIL_STORE", str(place / ".celltrail"))
    ct.runs(f"name != {EVIL!r}").save(EVIL)
    notebook = screen.server.write(folder, "found", ["pass"] * len(KINDS))
    content = nbformat.read(notebook, 4)
    for cell, kind in zip(content.cells, KINDS, strict=True):
        cell.outputs = [new_output("display_data", data=data) for data in outputs(kind)]
    nbformat.write(content, notebook)
    posts: list[str] = []
    screen.page.on("request", lambda asked: posts.append(asked.url) if asked.method == "POST" else None)
    screen.open_without_kernel(notebook)
    for index, kind in enumerate(KINDS):
        screen.cell(index).locator(f'.celltrail[data-kind="{kind}"]').first.wait_for()
    screen.page.wait_for_timeout(1000)
    assert harm(screen.page) == [[], None]
    screen.picture("file")

    screen.ask("await app.commands.execute('celltrail:show-runs')")
    side = screen.page.locator(".celltrail-runs .ct")
    choice = side.get_by_label("trail")
    screen.until("the trail is offered", lambda: folder in choice.inner_text(), 30)
    choice.select_option(label=next(text for text in choice.inner_text().splitlines() if folder in text))
    rows = side.locator(".ct-rl-row").filter(has_text="window.evil")
    screen.until("both runs are there", lambda: rows.count() == 2)
    for by in ("status", "project", "cell", "folder", "sweep", "nothing"):
        side.get_by_label("group runs by").select_option(by)
        screen.until("they are there again", lambda: rows.count() == 2)
    screen.picture("side")
    rows.first.dblclick()
    shown = screen.page.locator(".celltrail-tab .celltrail:visible")
    clicked(screen, shown.and_(screen.page.locator('[data-kind="detail"]')).first)
    screen.picture("detail")
    rows.first.click()
    rows.last.click(modifiers=["Control"])
    side.get_by_role("button", name="compare").click()
    shown.and_(screen.page.locator('[data-kind="compare"]')).get_by_text("0.2").first.wait_for()
    screen.picture("compare")
    side.get_by_role("button", name="table").click()
    table = shown.and_(screen.page.locator('[data-kind="table"]')).first
    table.get_by_role("grid").wait_for()
    table.get_by_role("button", name="Views").click()
    table.get_by_text("window.evil").last.wait_for()
    screen.picture("table")
    assert harm(screen.page) == [[], None]
    assert not [url for url in posts if "/celltrail/" in url and "/questions?" not in url]  # a question changes nothing
    screen.assert_quiet()

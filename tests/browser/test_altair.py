"""Altair charts of runs in JupyterLab and Notebook 7: drawn without a network, and again without a kernel."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import Locator

from browser.screen import Screen

both = pytest.mark.parametrize("front", ["lab", "notebook"], indirect=True)

VEGALITE = "application/vnd.vegalite.v6+json"
RUNS = """%load_ext celltrail
import celltrail as ct
for rate in (0.001, 0.01, 0.1):
    with ct.start(f"rate {rate}", {"lr": rate}) as run:
        for step in range(40):
            run.log({"val/acc": 1 - 1 / (1 + rate * 100 * step)}, step=step)
"""
CELLS = [
    RUNS,
    'ct.runs().chart("val/acc", x="params.lr")',
    'ct.runs().chart("val/acc").interactive()',
    'import altair as alt\nct.runs().chart("val/acc") | ct.runs().chart("val/acc", x="params.lr")',
]
# Remembers who turns text into code: a strict content security policy would forbid it.
COMPILERS = """
window.compilers = [];
window.Function = new Proxy(Function, {
  construct(target, args) { window.compilers.push(new Error().stack); return Reflect.construct(target, args); },
  apply(target, self, args) { window.compilers.push(new Error().stack); return Reflect.apply(target, self, args); },
});
"""


def chart(screen: Screen, index: int) -> Locator:
    """The drawing in the output of a cell."""
    drawing = screen.cell(index).locator(".celltrail-vega svg.marks")
    drawing.wait_for()
    return drawing


def lightness(part: Locator, style: str) -> float:
    """How light a colour of a part is, from 0 to 255."""
    colour = part.evaluate("(el, style) => getComputedStyle(el)[style]", style)
    return sum(float(number) for number in re.findall(r"[\d.]+", colour)[:3]) / 3


def ink(drawing: Locator) -> float:
    """How light the text of the axes is."""
    return lightness(drawing.locator("text").first, "fill")


def ground(drawing: Locator) -> float:
    """How light the background is."""
    return lightness(drawing, "backgroundColor")


def width(part: Locator) -> float:
    """On the screen."""
    box = part.bounding_box()
    assert box is not None
    return box["width"]


def height(part: Locator) -> float:
    """On the screen."""
    return part.evaluate("el => el.getBoundingClientRect().height")


def assert_drawn(screen: Screen) -> None:
    """A point for each run, a line for each run, and both side by side."""
    assert chart(screen, 1).locator(".mark-symbol.role-mark path").count() >= 3
    assert chart(screen, 2).locator(".mark-line.role-mark path").count() == 3
    assert chart(screen, 3).locator(".mark-line.role-mark path").count() == 3
    assert chart(screen, 3).get_by_text("lr", exact=True).count() == 1


@both
def test_charts_with_and_without_a_kernel(screen: Screen, folder: str) -> None:
    """Marks are drawn with no request to another machine and no code made of text, also when reopened later."""
    screen.page.add_init_script(COMPILERS)
    screen.open(screen.server.write(folder, "altair", CELLS))
    for index in range(len(CELLS)):
        screen.run(index)
    assert_drawn(screen)
    screen.picture("drawn")
    saved = screen.save()
    for cell in saved["cells"][1:]:
        assert [set(output["data"]) for output in cell["outputs"]] == [{VEGALITE, "text/html", "text/plain"}]

    screen.open_without_kernel(screen.notebook)
    assert_drawn(screen)
    chart(screen, 2)
    screen.picture("no-kernel")
    assert [stack for stack in screen.page.evaluate("window.compilers") if "celltrail" in stack] == []
    screen.assert_quiet()


def test_chart_follows_the_theme(screen: Screen, folder: str) -> None:
    """Dark text on light ground becomes light text on dark ground, at once and without running the cell again."""
    screen.open(screen.server.write(folder, "theme", CELLS[:3]))
    for index in range(3):
        screen.run(index)
    screen.theme("JupyterLab Light")
    screen.until("light", lambda: ink(chart(screen, 2)) < 100 < 200 < ground(chart(screen, 2)))
    screen.picture("light")
    screen.theme("JupyterLab Dark")
    screen.until("dark", lambda: ground(chart(screen, 2)) < 60 < 150 < ink(chart(screen, 2)))
    screen.picture("dark")
    screen.theme("JupyterLab Light")  # the server remembers it for the tests that follow
    screen.assert_quiet()


def test_narrow_cell_and_pointer(screen: Screen, folder: str) -> None:
    """A chart wider than its cell shrinks to it, and the point under the pointer still tells of itself."""
    screen.open(screen.server.write(folder, "narrow", CELLS))
    for index in range(len(CELLS)):
        screen.run(index)
    wide = width(chart(screen, 1))
    screen.page.set_viewport_size({"width": 720, "height": 800})
    for index in (1, 2):
        drawing = chart(screen, index)
        screen.until("it fits", lambda: width(drawing) <= width(screen.cell(index)) - 60)  # noqa: B023
    assert height(chart(screen, 1).locator("text").first) >= 9, "the text keeps its size"
    assert height(chart(screen, 3).locator("text").first) >= 5, "two side by side shrink no further than one can read"
    chart(screen, 1).locator(".mark-symbol.role-mark path").last.hover()
    screen.page.locator("#vg-tooltip-element.visible").get_by_text("rate 0").wait_for()
    screen.picture("narrow")
    chart(screen, 3).locator(".mark-symbol.role-mark path").last.hover()
    screen.page.locator("#vg-tooltip-element.visible").get_by_text("rate 0").wait_for()
    screen.picture("narrow-two")
    screen.page.set_viewport_size({"width": 1280, "height": 900})
    screen.until("it is as wide as it was", lambda: width(chart(screen, 1)) == pytest.approx(wide, abs=2))
    screen.assert_quiet()


SWEEP = """%load_ext celltrail
import celltrail as ct
for place in range(24):
    rate, optimizer = 10.0 ** -(place % 4), ["adam", "sgd"][place // 4 % 2]
    with ct.start(f"run {place}", {"lr": rate, "optimizer": optimizer, "seed": place // 8}) as run:
        run.log({"val/acc": 0.9 - 0.1 * abs(place % 4 - 1) - 0.05 * (optimizer == "sgd") + 0.001 * (place // 8)})
rs = ct.runs()
"""
ANALYSES = [
    SWEEP,
    "rs.parallel()",
    'rs.scatter("params.lr", "params.optimizer", "val/acc", color="params.optimizer")',
    'rs.scatter("params.lr", "params.seed", contour="val/acc")',
    'rs.importance("val/acc")',
]


def lit(drawing: Locator) -> int:
    """How many lines of parallel coordinates are not faded."""
    strength = "els => els.filter(el => Number(getComputedStyle(el).opacity) > 0.5).length"
    return drawing.locator(".mark-line.role-mark path").evaluate_all(strength)


def brush(screen: Screen, drawing: Locator, axis: str, low: float, high: float) -> None:
    """Drag along an axis, from and to parts of its height counted from below."""
    label = drawing.locator(".role-axis-label text").get_by_text(axis, exact=True).bounding_box()
    plot = drawing.locator(".mark-group.role-frame.root .background").first.bounding_box()
    assert label is not None
    assert plot is not None
    x = label["x"] + label["width"] / 2
    down, up = (plot["y"] + plot["height"] * (1 - part) for part in (low, high))
    screen.page.mouse.move(x, down)
    screen.page.mouse.down()
    screen.page.mouse.move(x, (down + up) / 2)
    screen.page.mouse.move(x, up)
    screen.page.mouse.up()


def test_analyses_with_and_without_a_kernel(screen: Screen, folder: str) -> None:
    """A brush on one axis, then on a second, leaves the runs that pass both; so it does in the saved notebook."""
    screen.open(screen.server.write(folder, "analyses", ANALYSES))
    for index in range(len(ANALYSES)):
        screen.run(index)
    for name in ("live", "saved"):
        assert chart(screen, 2).locator(".mark-symbol.role-mark path").count() == 3 * 24
        assert chart(screen, 3).locator(".mark-symbol.role-mark path").count() == 24
        assert chart(screen, 4).get_by_text("depends on lr").count() == 1
        drawing = chart(screen, 1)
        screen.until("all are lit", lambda: lit(drawing) == 24)  # noqa: B023
        brush(screen, drawing, "optimizer", 0.02, 0.3)
        screen.until("those by adam are lit", lambda: lit(drawing) == 12)  # noqa: B023
        brush(screen, drawing, "seed", 0.7, 0.99)
        screen.until("those of the last seed are lit", lambda: lit(drawing) == 4)  # noqa: B023
        screen.picture(name)
        drawing.dblclick(position={"x": 150, "y": 150})
        screen.until("all are lit again", lambda: lit(drawing) == 24)  # noqa: B023
        if name == "live":
            screen.save()
            screen.open_without_kernel(screen.notebook)
    screen.assert_quiet()


def test_frame_offers_pictures_only(screen: Screen, folder: str) -> None:
    """The menu saves as PNG or SVG; nothing in it leads to another site."""
    screen.open(screen.server.write(folder, "menu", CELLS[:2]))
    screen.run(0)
    screen.run(1)
    chart(screen, 1)
    screen.cell(1).locator(".celltrail-vega summary").click()
    actions = screen.cell(1).locator(".vega-actions a")
    assert actions.all_inner_texts() == ["Save as SVG", "Save as PNG"]
    screen.picture("menu")
    with screen.page.expect_download() as download:
        actions.last.click()
    assert download.value.suggested_filename == "chart.png"
    screen.assert_quiet()


def test_an_untrusted_chart_asks_nobody(screen: Screen, folder: str) -> None:
    """In a notebook from elsewhere a chart is drawn, but loads nothing and chooses nothing about its frame."""
    path = screen.server.write(folder, "stranger", ["", ""])
    notebook = nbformat.read(path, 4)
    point = {"mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}}
    bold = {"embedOptions": {"ast": False, "actions": True, "config": "https://example.org/config.json"}}
    charts = [
        {**point, "data": {"values": [{"a": 1}, {"a": 2}]}, "usermeta": bold},
        {**point, "data": {"url": "https://example.org/rows.csv"}},
    ]
    for cell, spec in zip(notebook.cells, charts, strict=True):
        cell.outputs = [nbformat.v4.new_output("display_data", {VEGALITE: spec})]
    nbformat.write(notebook, path)
    screen.page.add_init_script(COMPILERS)
    screen.open_without_kernel(path)
    assert chart(screen, 0).locator(".mark-symbol.role-mark path").count() == 2
    screen.cell(0).locator(".celltrail-vega summary").click()
    assert screen.cell(0).locator(".vega-actions a").all_inner_texts() == ["Save as SVG", "Save as PNG"]
    assert chart(screen, 1).locator(".mark-symbol.role-mark path").count() == 0
    assert [stack for stack in screen.page.evaluate("window.compilers") if "celltrail" in stack] == []
    assert screen.outside == []


def test_data_beside_the_notebook(screen: Screen, folder: str) -> None:
    """A chart of a file is drawn from the file, found from the notebook's own folder."""
    spec = {
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
        "data": {"url": "rows.json"},
    }
    rows = 'open("rows.json", "w").write(\'[{"a": 1}, {"a": 2}]\')'
    cell = f"{rows}\ndisplay({{{VEGALITE!r}: {spec!r}}}, raw=True)"
    screen.open(screen.server.write(folder, "beside", [cell]))
    screen.run(0)
    screen.until("two points", lambda: chart(screen, 0).locator(".mark-symbol.role-mark path").count() == 2)
    screen.assert_quiet()

"""What of celltrail there is in a host of widgets that is not Jupyter: the columns of the matrix for such places."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Locator

from browser.hosting import Host, Kind, packages

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
WORDS = {
    "vscode": "VS Code's widget manager (@vscode/jupyter-ipywidgets8 1.0.9) in a simulated webview",
    "colab": "Jupyter's widget manager for web pages (html-manager 1.0.15) in a simulated output frame as Colab has it",
}
COLUMNS = {
    "live": "chart grows while the cell runs",
    "ended": "its figure stays when the cell has ended",
    "panels": "table, run and comparison are drawn",
    "asked": "they ask the kernel, and are answered",
    "legible": "legible in light and dark",
    "stop": "stop by a click in a busy cell",
    "kept": "widgets kept in a file, no kernel",
}
WAITS = "waits for the cell, and says so"


def tried(kind: Kind, browser: Browser, build: Path, told: Callable[[Callable[[], str]], str]) -> dict[str, str]:
    """What was seen, by column; `told` runs one and gives its word, or what went wrong."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        host = Host(kind, browser, Path(home), packages(build / "npm"), build / "pictures")
        try:
            if kind == "colab":
                host.run("begin", "import google.colab")
            host.run("load")
            seen: dict[str, Callable[[Host], str]] = {
                "live": live, "ended": ended, "panels": panels, "asked": asked, "legible": legible, "stop": stop,
                "kept": kept,
            }  # fmt: skip
            found: dict[str, str] = {}
            for column, see in seen.items():
                if column == "kept" and kind == "vscode":
                    continue  # no widgets are kept in its files
                found[column] = told(lambda see=see: see(host))
                print(f"  {column}: {found[column]}", flush=True)
            return found
        finally:
            host.stop()


def panel(host: Host, kind: str) -> Locator:
    """The newest panel of a kind."""
    return host.frame.locator(f'.celltrail[data-kind="{kind}"]').last


def live(host: Host) -> str:
    host.start("short")
    chart = host.frame.locator("table[aria-label=runs]")
    for word in ("step 1", "step 2"):  # the teens, and the twenties
        host.until(f"the chart says {word}", lambda word=word: chart.count() and word in chart.inner_text())
    assert "running" in chart.inner_text(), "the chart came with the end of the cell"
    host.picture("live")
    host.until("the cell has ended", lambda: "short" in host.idle)
    return "yes"


def ended(host: Host) -> str:
    figure = host.frame.locator("figure img[alt*='val/loss']").first
    host.until("there is a figure", figure.count)
    assert figure.evaluate("img => img.complete && img.naturalWidth > 0"), "the figure is empty"
    assert "39" in host.frame.locator("table").first.inner_text()
    return "yes"


def panels(host: Host) -> str:
    for cell in ("other", "table", "detail", "compare"):
        host.run(cell)
    host.until("the table is drawn", lambda: panel(host, "table").get_by_role("rowheader").count() == 2)
    host.until("the run is drawn", lambda: panel(host, "detail").locator("canvas").count())
    host.until("the comparison is drawn", lambda: panel(host, "compare").get_by_text("0.001").count())
    return "yes"


def asked(host: Host) -> str:
    table = panel(host, "table")
    table.get_by_role("combobox", name="filter runs").fill("params.lr < 0.01")
    host.until("the kernel has found one run", lambda: table.get_by_role("rowheader").all_inner_texts() == ["other"])
    table.get_by_role("combobox", name="filter runs").fill("")
    host.until("all are back", lambda: table.get_by_role("rowheader").count() == 2)
    table.locator(".ct-head .ct-box").click()
    table.get_by_role("button", name="Compare 2 runs").click()
    host.until("the kernel has compared them", lambda: table.get_by_role("table").get_by_text("0.001").count())
    return "yes"


def legible(host: Host) -> str:
    axe = AXE.read_text()
    for theme in ("light", "dark"):
        host.theme(theme)
        host.picture(theme)
        host.frame.evaluate(axe)
        found = host.frame.evaluate(
            "() => axe.run('#outputs', { runOnly: ['color-contrast'] }).then((said) => said.violations"
            ".flatMap(({ nodes }) => nodes.map((node) => node.html + ' ' + node.any[0]?.message)))"
        )
        assert not found, f"{theme}: {found[0]}"
    host.theme("light")
    return "yes"


def stop(host: Host) -> str:
    host.start("busy")
    chart = host.frame.locator('.celltrail[data-kind="chart"] .ct')
    host.until("it runs", lambda: chart.count() and "running" in chart.inner_text())
    chart.get_by_role("button", name="stop").click()
    try:
        host.until(
            "something came of it", lambda: "busy" in host.idle or "waiting: the kernel" in chart.inner_text(), 8
        )
        return "yes" if "busy" in host.idle else WAITS
    finally:
        host.picture("stop")
        host.kernel.manager.interrupt_kernel()
        host.until("the cell has ended", lambda: "busy" in host.idle)


def kept(host: Host) -> str:
    host.run("state")
    state = json.loads(host.text["state"])
    page = host.context.new_page()
    page.goto(f"{host.servers[-1]}/frame.html")
    page.wait_for_function("'restore' in globalThis")
    page.evaluate("state => restore(state)", state)
    page.locator('.celltrail[data-kind="table"]').get_by_role("rowheader").first.wait_for()
    page.locator('.celltrail[data-kind="detail"] canvas').first.wait_for()
    page.locator('.celltrail[data-kind="compare"]').get_by_text("0.001").first.wait_for()
    page.screenshot(path=host.pictures / f"{host.kind}-kept.png", full_page=True)
    return "yes"

"""What a person does with a notebook in a browser, with a time limit on every step."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request

from browser.server import Server

MIME = "application/vnd.celltrail.panel+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
OPEN_SECONDS = 60

# Jupyter's own: the notebook in front, or behind another tab, also while the page is still starting.
PANEL = """
const app = window.jupyterapp;
const isNotebook = (shown) => shown?.content?.widgets && shown.sessionContext;
const open = app?.shell ? [app.shell.currentWidget, ...app.shell.widgets("main")] : [];
const panel = open.find(isNotebook);
"""


class Screen:
    """One browser page with one notebook open in it."""

    MIME = MIME

    def __init__(self, page: Page, server: Server, pictures: Path) -> None:
        self.page, self.server, self.pictures = page, server, pictures
        self.outside: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(15_000)
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error.stack or error}"))

    def _request(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme in ("http", "https", "ws", "wss") and place.hostname != "127.0.0.1":
            self.outside.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            place = (message.location or {}).get("url", "")
            self.complaints.append(f"{message.text} ({place.split('?')[0]})")

    # -- asking the page -----------------------------------------------------------------------------------------

    def ask(self, body: str, argument: Any = None, seconds: float = 10) -> Any:
        """The value of a JavaScript function body with `argument`, `app` and `panel` in scope.

        Playwright's evaluate has no time limit of its own and a promise of Jupyter's may never settle.
        """
        return self.page.evaluate(
            "([argument, ms]) => Promise.race(["
            f"(async () => {{ {PANEL} {body} }})(),"
            "new Promise((_, refuse) => setTimeout(() => refuse(new Error('no answer in ' + ms + ' ms')), ms))])",
            [argument, int(seconds * 1000)],
        )

    def until(self, what: str, holds: Callable[[], Any], seconds: float = 20, every: float = 0.1) -> Any:
        """Wait for a condition and give its value; the failure says which one and shows the page."""
        limit = time.monotonic() + seconds
        while True:
            value = holds()
            if value:
                return value
            if time.monotonic() > limit:
                self.picture("timeout")
                raise AssertionError(f"not within {seconds} s: {what}")
            self.page.wait_for_timeout(every * 1000)

    # -- the notebook --------------------------------------------------------------------------------------------

    def open(self, notebook: Path, kernel: bool = True) -> None:
        """Open a notebook; its kernel comes up idle, or is refused in the dialog when `kernel` is False."""
        self.notebook = notebook
        self.page.goto(self.server.page_of(notebook), wait_until="domcontentloaded", timeout=OPEN_SECONDS * 1000)
        self._appeared()
        if kernel:
            self.until("the kernel is idle", lambda: self.kernel_status() == "idle", OPEN_SECONDS)
            # a widget that comes before Jupyter's own plug-in listens is closed by the page, in the kernel too
            listens = "return 'jupyter.widget' in panel.sessionContext.session.kernel._targetRegistry"
            self.until("the page listens to widgets", lambda: self.ask(listens), OPEN_SECONDS)
        else:
            self.page.locator(".jp-Dialog").get_by_label("No Kernel").click()
            self.until("there is no kernel", lambda: self.kernel_status() == "none")

    def open_without_kernel(self, notebook: Path) -> None:
        """Open a copy that names a kernel nobody has, as on another machine, and go on with none."""
        copy = notebook.with_name(f"{notebook.stem}-reopened.ipynb")
        content = json.loads(notebook.read_text())
        # with a language it knows, Jupyter would start another kernel of that language
        content["metadata"] = {"kernelspec": {"name": "gone", "display_name": "Gone", "language": "none"}}
        copy.write_text(json.dumps(content))
        self.open(copy, kernel=False)

    def _appeared(self) -> None:
        path = self.notebook.relative_to(self.server.root).as_posix()
        ready = "return panel?.context?.path === argument && panel.context.isReady"
        self.until("the notebook is open", lambda: self.ask(ready, path), OPEN_SECONDS)

    def reload(self) -> None:
        """The browser's reload button; the kernel goes on and the page finds it again."""
        self.page.reload(wait_until="domcontentloaded", timeout=OPEN_SECONDS * 1000)
        self._appeared()
        # of a busy kernel a new page learns nothing until it is free: to Jupyter it is "unknown" meanwhile
        self.until("the kernel is found", lambda: self.kernel_status() in ("idle", "busy", "unknown"), OPEN_SECONDS)

    def kernel_status(self) -> str:
        """idle, busy, starting, dead ... as the page believes."""
        return self.ask("return panel?.sessionContext?.session?.kernel?.status ?? 'none'")

    def kernel_id(self) -> str:
        """The id under which the server knows the kernel."""
        return self.ask("return panel.sessionContext.session.kernel.id")

    def cell(self, index: int) -> Locator:
        """A cell, in the order of the notebook, scrolled into view."""
        found = self.page.locator(".jp-Notebook .jp-Cell").nth(index)
        found.scroll_into_view_if_needed()
        return found

    def panel(self, index: int, kind: str) -> Locator:
        """The celltrail panel that a cell shows: "chart", "table" or "compare"."""
        return self.cell(index).locator(f'.celltrail[data-kind="{kind}"]:visible')

    def runs_of(self, index: int) -> Locator:
        """The lines of a chart that tell how its runs stand."""
        return self.panel(index, "chart").locator("table[aria-label=runs]")

    def says(self, index: int, words: str, seconds: float = 20) -> None:
        """Wait until those lines hold these words."""
        lines = self.runs_of(index)
        self.until(f"the chart says {words}", lambda: lines.count() and words in lines.inner_text(), seconds)

    def ink(self, panel: Locator) -> float:
        """How light the panel's text is, from 0 to 255."""
        colour = panel.evaluate("el => getComputedStyle(el.shadowRoot.querySelector('.ct')).color", timeout=5000)
        return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3

    def run(self, index: int, wait: float | None = 60) -> None:
        """Click into a cell and press Ctrl+Enter; wait for its end unless told otherwise."""
        # a new kernel counts from one again, so the number of an earlier execution must not be taken for this one's
        self.ask("panel.content.widgets[argument].setPrompt('')", index)
        self.cell(index).locator(".jp-InputArea-editor .cm-content").first.click()
        self.page.keyboard.press("Control+Enter")
        if wait is None:
            self.until(f"cell {index} has begun", lambda: self.running(index) or self.count(index) is not None)
        else:
            self.finished(index, wait)

    def finished(self, index: int, seconds: float = 60) -> None:
        """Wait for an execution to end."""
        self.until(f"cell {index} has ended", lambda: self.count(index) is not None, seconds)

    def running(self, index: int) -> bool:
        """Whether the cell shows a star."""
        return self._prompt(index) == "*"

    def count(self, index: int) -> int | None:
        """The number in the cell's brackets; none before it has run in this kernel, or while it runs."""
        shown = self._prompt(index)
        return int(shown) if shown.isdigit() else None

    def _prompt(self, index: int) -> str:
        text = self.ask("return panel.content.widgets[argument].inputArea.promptNode.textContent", index)
        return text.strip().strip("[]:").strip()

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """The outputs of a cell as the page holds them, in the notebook format."""
        return self.ask("return panel.content.widgets[argument].model.outputs.toJSON()", index)

    def interrupt(self) -> None:
        """Press i twice in command mode, as the menu's shortcut says."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("i")
        self.page.keyboard.press("i")

    def save(self) -> dict[str, Any]:
        """Ctrl+S, and the file as it is on disk then."""
        before = self.notebook.stat().st_mtime_ns
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")
        self.until("the notebook is saved", lambda: self.notebook.stat().st_mtime_ns != before)
        self.until("the notebook is clean", lambda: not self.ask("return panel.context.model.dirty"))
        return json.loads(self.notebook.read_text())

    def theme(self, name: str) -> None:
        """Switch the theme as the menu does: "JupyterLab Dark" or "JupyterLab Light"; kept for one test."""
        self.ask("await app.commands.execute('apputils:change-theme', { theme: argument })", name)
        light = "false" if "Dark" in name else "true"
        self.until("the theme is applied", lambda: self.page.get_attribute("body", "data-jp-theme-light") == light)

    def shut_down_kernel(self) -> None:
        """End the kernel as the menu does."""
        self.ask("await panel.sessionContext.shutdown()", seconds=20)

    def kill_kernel(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self.server.kernel_process(self.kernel_id()).kill()

    # -- judging -------------------------------------------------------------------------------------------------

    def picture(self, name: str) -> Path:
        """A screenshot in the folder of this test."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path, timeout=15_000)
        return path

    def assert_quiet(self) -> None:
        """Nothing was asked of another machine, and nothing of ours is among the console's errors."""
        assert self.outside == []
        # the widgets' modules are loaded from blobs, the extension from a folder of its name
        assert [text for text in self.complaints if "celltrail" in text.lower() or "blob:" in text] == []

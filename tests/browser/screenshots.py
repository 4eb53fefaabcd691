"""Takes the README's pictures of the real thing: ``python tests/browser/screenshots.py [FOLDER]``.

The quickstart is opened in JupyterLab and run by clicking; nothing is drawn for the picture.
"""

from __future__ import annotations

import itertools
import math
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from browser.conftest import ARGUMENTS  # noqa: E402
from browser.screen import Screen  # noqa: E402
from browser.server import Server  # noqa: E402
from celltrail.run import start  # noqa: E402
from celltrail.store import Store  # noqa: E402

SIZE = {"width": 1240, "height": 900}


class Album:
    """The quickstart in a browser, and the folder its pictures go to."""

    def __init__(self, page: Page, server: Server, folder: Path) -> None:
        self.screen, self.page, self.folder = Screen(page, server, folder), page, folder
        path = server.root / "quickstart" / "01_quickstart.ipynb"
        path.parent.mkdir()
        shutil.copy(ROOT / "notebooks" / path.name, path)
        self.screen.open(path)
        self.page.keyboard.press("Control+b")  # the file browser has no part in it
        sources = self.screen.ask("return panel.content.widgets.map(w => w.model.sharedModel.source)")
        self.cells = {source.split("\n")[0]: index for index, source in enumerate(sources)}

    def at(self, start: str) -> int:
        """The cell whose first line begins like this."""
        return next(index for line, index in self.cells.items() if line.startswith(start))

    def run_until(self, start: str) -> int:
        """Run every code cell before this one; its index."""
        last = self.at(start)
        for index in range(last):
            is_code = self.screen.ask("return panel.content.widgets[argument].model.type === 'code'", index)
            if is_code and self.screen.count(index) is None:
                self.screen.run(index)
        return last

    def show(self, index: int, above: int = 0) -> None:
        """Scroll so that a cell is at the top of the notebook, with so many pixels of room."""
        scroll = (
            "const cell = panel.content.widgets[argument[0]].node;"
            "const outer = panel.content.node.querySelector('.jp-WindowedPanel-outer') ?? panel.content.node;"
            "outer.scrollTop += cell.getBoundingClientRect().top - outer.getBoundingClientRect().top - argument[1];"
        )
        for _ in range(3):  # cells coming into view change the heights
            self.screen.ask(scroll, [index, above])
            self.page.wait_for_timeout(400)

    def take(self, name: str, of: Locator | None = None) -> None:
        """A picture of the page or of one thing in it."""
        self.page.mouse.move(5, 5)
        self.page.wait_for_timeout(600)
        (of or self.page).screenshot(path=self.folder / f"{name}.png", timeout=15_000)
        print(f"{name}.png")


def training(album: Album) -> None:
    """The live chart in the middle of its run, light and dark."""
    screen, first = album.screen, album.run_until("%%track baseline")
    for theme, word in (("JupyterLab Light", "light"), ("JupyterLab Dark", "dark")):
        screen.theme(theme)
        screen.run(first, wait=None)
        screen.until("points come", lambda: screen.panel(first, "chart").count() > 0, 20)
        album.page.wait_for_timeout(1500)
        album.show(first)
        album.take(f"live-{word}")
        screen.until("it is over", lambda: not screen.running(first), 90)
        album.show(first)
        album.take(f"finished-{word}")
    screen.theme("JupyterLab Light")


def table_and_comparison(album: Album) -> None:
    """The failed run, the table of all runs, and what differs between two."""
    screen = album.screen
    failed = album.run_until("%%track stopped") - 2
    album.show(failed)
    album.take("failed-light")
    table = album.run_until('ct.runs("params')  # all cells up to the first table
    compare = album.at('ct.compare("')
    for index in (table, compare):
        screen.run(index)
    for theme, word in (("JupyterLab Light", "light"), ("JupyterLab Dark", "dark")):
        screen.theme(theme)
        for index, name, kind in ((album.at("ct.runs()"), "table", "table"), (compare, "compare", "compare")):
            album.show(index, 10)
            album.take(f"{name}-{word}", screen.panel(index, kind).first)
    screen.theme("JupyterLab Light")


def side_bar(album: Album) -> None:
    """The runs of the trail in the side bar, one of another process among them, which opens in a tab as it trains."""
    screen, page = album.screen, album.page
    store = Store(screen.notebook.parent / ".celltrail")
    over = threading.Event()

    def train() -> None:
        with start("all night, other process", {"lr": 0.01, "hidden": 512}, tags=["mlp"], store=store) as run:
            for step in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
                run.log(
                    {"train/loss": 2.3 * math.exp(-step / 60) + 0.02, "val/acc": 0.97 - 0.87 * math.exp(-step / 40)}
                )
                time.sleep(0.05)

    other = threading.Thread(target=train)
    other.start()
    try:
        page.wait_for_timeout(6000)
        screen.ask("return app.commands.execute('celltrail:show-runs')")
        side = page.locator(".celltrail-runs")
        side.get_by_text("running", exact=True).wait_for(timeout=20_000)
        side.get_by_role("option").filter(has_text="all night").dblclick()
        page.locator('.celltrail-tab .celltrail[data-kind="chart"]').wait_for(timeout=20_000)
        for theme, word in (("JupyterLab Light", "light"), ("JupyterLab Dark", "dark")):
            screen.theme(theme)
            page.wait_for_timeout(2500)
            album.take(f"side-{word}")
    finally:
        over.set()
        other.join()
    screen.theme("JupyterLab Light")
    page.locator(".lm-TabBar-tabCloseIcon").last.click()
    page.keyboard.press("Control+b")


def reopened(album: Album) -> None:
    """The saved notebook where there is no kernel."""
    screen = album.screen
    screen.save()
    screen.open_without_kernel(screen.notebook)
    for theme, word in (("JupyterLab Light", "light"), ("JupyterLab Dark", "dark")):
        screen.theme(theme)
        album.show(album.at("%%track baseline"))
        album.take(f"reopened-{word}")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "notebooks" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server("lab", Path(home))
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), headless=True, args=ARGUMENTS
            )
            album = Album(browser.new_page(viewport=SIZE), server, folder)
            for chapter in (training, table_and_comparison, side_bar, reopened):
                chapter(album)
            print("outside requests:", album.screen.outside, "complaints:", album.screen.complaints)
        finally:
            server.stop()


if __name__ == "__main__":
    main()

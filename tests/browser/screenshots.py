"""Takes the pictures of the README and its gallery: ``python tests/browser/screenshots.py [FOLDER [CHAPTER...]]``.

The tutorials are opened in JupyterLab and run by clicking; nothing is drawn for the picture.
"""

from __future__ import annotations

import itertools
import math
import re
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
THEMES = (("JupyterLab Light", "light"), ("JupyterLab Dark", "dark"))


class Album:
    """A tutorial in a browser, and the folder its pictures go to."""

    def __init__(self, page: Page, server: Server, folder: Path, notebook: str = "01_quickstart") -> None:
        self.screen, self.page, self.folder = Screen(page, server, folder), page, folder
        path = server.root / notebook / f"{notebook}.ipynb"
        path.parent.mkdir()
        shutil.copy(ROOT / "notebooks" / path.name, path)
        self.screen.open(path)
        if self.page.locator("#jp-left-stack").is_visible():
            self.page.keyboard.press("Control+b")  # the file browser has no part in it
        sources = self.screen.ask("return panel.content.widgets.map(w => w.model.sharedModel.source)")
        self.cells = {source.split("\n")[0]: index for index, source in enumerate(sources)}

    def at(self, start: str) -> int:
        """The cell whose first line begins like this."""
        return next(index for line, index in self.cells.items() if line.startswith(start))

    def run_until(self, start: str, wait_s: float = 60) -> int:
        """Run every code cell before this one, each for so long at most; its index."""
        last = self.at(start)
        for index in range(last):
            is_code = self.screen.ask("return panel.content.widgets[argument].model.type === 'code'", index)
            if is_code and self.screen.count(index) is None:
                self.screen.run(index, wait=wait_s)
        return last

    def ask(self, source: str) -> int:
        """Add a cell with this code at the end and run it; its index."""
        index = self.screen.ask(
            "const model = panel.content.model.sharedModel;"
            "model.addCell({cell_type: 'code', source: argument}); return model.cells.length - 1;",
            source,
        )
        self.screen.run(index)
        return index

    def take_both(self, index: int, name: str, of: str) -> None:
        """What this selector finds in the outputs of a cell, in both themes."""
        found = self.screen.cell(index).locator(of).first
        box = found.bounding_box()
        # what is higher than the notebook's own window is cut off in the picture
        self.page.set_viewport_size({**SIZE, "height": max(SIZE["height"], int(box["height"]) + 200 if box else 0)})
        for theme, word in THEMES:
            self.screen.theme(theme)
            self.show(index, 10)
            self.take(f"{name}-{word}", found)
        self.screen.theme("JupyterLab Light")
        self.page.set_viewport_size(SIZE)

    def show(self, index: int, above: int = 0) -> None:
        """Scroll so that a cell is at the top of the notebook, with so many pixels of room."""
        scroll = (
            "const cell = panel.content.widgets[argument[0]].node;"
            "const outer = panel.content.node.querySelector('.jp-WindowedPanel-outer') ?? panel.content.node;"
            "const left = cell.getBoundingClientRect().top - outer.getBoundingClientRect().top - argument[1];"
            "outer.scrollTop += left; return Math.abs(left);"
        )
        calm = 0
        for _ in range(20):  # cells coming into view change the heights, of a page just opened for a while
            calm = calm + 1 if self.screen.ask(scroll, [index, above]) < 2 else 0
            self.page.wait_for_timeout(400)
            if calm == 3:
                return

    def take(self, name: str, of: Locator | None = None, rest_ms: int = 600) -> None:
        """A picture of the page or of one thing in it, once it has come to rest."""
        self.page.mouse.move(5, 5)
        self.page.wait_for_timeout(rest_ms)
        (of or self.page).screenshot(path=self.folder / f"{name}.png", timeout=15_000)
        print(f"{name}.png")


def training(album: Album) -> None:
    """The live chart in the middle of its run, light and dark."""
    screen, first = album.screen, album.run_until("%%track baseline")
    middle = screen.panel(first, "chart").get_by_text(re.compile("^step (6|7|8|9|1.)[0-9]$"))
    for theme, word in THEMES:
        screen.theme(theme)
        album.show(first)
        screen.run(first, wait=None)
        screen.until("it is in the middle", lambda: middle.count() > 0, 20)
        album.take(f"live-{word}", rest_ms=0)
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
    for index, name in ((album.at("ct.runs()"), "table"), (compare, "compare")):
        album.take_both(index, name, PANEL.format(name))


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
        side.get_by_role("option").filter(has_text="all night").dblclick()
        page.locator('.celltrail-tab .celltrail[data-kind="chart"]').wait_for(timeout=20_000)
        for theme, word in THEMES:
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
    for theme, word in THEMES:
        screen.theme(theme)
        album.show(album.at("%%track baseline"))
        album.take(f"reopened-{word}")


def detail(album: Album) -> None:
    """Everything of one run: its summary and where it came from."""
    album.run_until("ct.runs()")
    index = album.ask('ct.run("baseline")')
    panel = album.screen.panel(index, "detail").first
    for tab in ("summary", "lineage"):
        panel.get_by_role("tab", name=tab).click()
        album.take_both(index, tab, PANEL.format("detail"))


def media(album: Album) -> None:
    """Pictures with their steps, of two runs side by side."""
    album.run_until("%%track baseline")
    album.ask(WEIGHTS)
    index = album.ask("ct.runs(\"name in ['narrow', 'wide']\").media()")
    album.screen.panel(index, "media").locator("img").first.wait_for(timeout=15_000)
    album.take_both(index, "media", PANEL.format("media"))


def evaluation(album: Album) -> None:
    """Two models judged on the same rows."""
    index = album.run_until("ct.runs(\"name in ['linear', 'forest']\")", 240)
    album.screen.run(index)
    album.take_both(index, "evaluation", PANEL.format("evaluation"))


def analysis(album: Album) -> None:
    """A sweep: all of its runs at once, and which of its settings mattered."""
    last = album.run_until('sweep[:8].importance("val/acc")', 400)
    for name, line in (("parallel", "sweep.parallel()"), ("importance", "importance = sweep.importance")):
        assert album.at(line) < last
        album.take_both(album.at(line), name, ".jp-OutputArea-output")


def steered(album: Album) -> None:
    """What can be done to a cell while it runs."""
    album.run_until("%%track baseline")
    index = album.screen.ask("return panel.content.model.sharedModel.cells.length", None)
    album.screen.ask(
        "panel.content.model.sharedModel.addCell({cell_type: 'code', source: argument})",
        STEERED,
    )
    for theme, word in THEMES:
        album.screen.theme(theme)
        album.screen.run(index, wait=None)
        album.screen.until("points come", lambda: album.screen.panel(index, "chart").count() > 0, 20)
        album.page.wait_for_timeout(3000)
        album.show(index, 10)
        album.take(f"steered-{word}", album.screen.panel(index, "chart").first)
        album.screen.until("it is over", lambda: not album.screen.running(index), 60)
    album.screen.theme("JupyterLab Light")


PANEL = '.celltrail[data-kind="{}"]'
WEIGHTS = """
import matplotlib.pyplot as plt
for name, hidden in (("narrow", 16), ("wide", 64)):
    with ct.start(name, {"hidden": hidden}) as run:
        rng = np.random.default_rng(0)
        net = Network(hidden, rng)
        for epoch in range(4):
            net.train(x_train, y_train, 0.05, 8, rng)
            figure, axes = plt.subplots(2, 4, figsize=(4, 2))
            for axis, weights in zip(axes.flat, net.w1.T):
                axis.imshow(weights.reshape(8, 8), cmap="RdBu"), axis.axis("off")
            run.log_figure("first layer", figure, step=epoch)
            plt.close(figure)
"""
STEERED = """%%track steered --watch loss --tag mlp
rng = np.random.default_rng(0)
net = Network(128, rng)
for epoch in range(200):
    lr = ct.knob("lr", 0.05, 0.001, 0.5)
    loss = net.train(x_train, y_train, lr, 8, rng)
    val_loss, val_acc = net.score(x_val, y_val)
    ct.log({"val/loss": val_loss, "val/acc": val_acc}, step=epoch)
"""
CHAPTERS = {
    "01_quickstart": (training, table_and_comparison, side_bar, detail, media, steered, reopened),
    "07_evaluate": (evaluation,),
    "04_compare": (analysis,),
}


def main() -> None:
    folder, wanted = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "notebooks" / "screenshots"), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server = Server("lab", Path(home))
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), headless=True, args=ARGUMENTS
            )
            for notebook, chapters in CHAPTERS.items():
                asked = [chapter for chapter in chapters if not wanted or chapter.__name__ in wanted]
                if not asked:
                    continue
                album = Album(browser.new_page(viewport=SIZE), server, folder, notebook)
                for chapter in asked:
                    chapter(album)
                print("outside requests:", album.screen.outside, "complaints:", album.screen.complaints)
        finally:
            server.stop()


if __name__ == "__main__":
    main()

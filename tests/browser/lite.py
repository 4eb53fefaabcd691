"""JupyterLite: a site of files with no server and no kernel of ours, in which a saved notebook is opened."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, Page

from browser.screen import Screen
from browser.server import Server

PINS = ("jupyterlite-core==0.8.6",)
WORDS = "JupyterLite (jupyterlite-core 0.8.6), a saved notebook"
# Pyodide 314 has no build of blake3 or psutil, and starts no thread
NONE = {"live": "no kernel there", "stop": "no kernel there", "badge": "no server there", "side": "no server there"}


class Quiet(SimpleHTTPRequestHandler):
    """Files, and no word about them."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def tried(
    python: str, cells: list[str], browser: Browser, build: Path, told: Callable[[Callable[[], str]], str]
) -> dict[str, str]:
    """What was seen, by column; `python` is of an environment that can build such a site."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        files = saved(cells, browser, Path(home), build)
        site = built(python, files, Path(home))
        served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
        threading.Thread(target=served.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(90_000)
        page.goto(f"http://127.0.0.1:{served.server_port}/lab/index.html?path=work.ipynb")
        found = {**NONE, "reopened": told(lambda: reopened(page, build))}
        print(f"  reopened: {found['reopened']}", flush=True)
        page.close()
        served.shutdown()
        return found


def saved(cells: list[str], browser: Browser, home: Path, build: Path) -> Path:
    """The folder with a notebook that ran in JupyterLab."""
    server = Server("lab", home / "lab")
    try:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        screen = Screen(context.new_page(), server, build / "pictures")
        screen.open(server.write("files", "work", cells))
        for index in range(len(cells)):
            screen.run(index)
        screen.page.wait_for_timeout(2000)
        content = screen.save()
        context.close()
    finally:
        server.stop()
    # a page without kernels asks which one to start, and this one is to have none
    content["metadata"] = {"kernelspec": {"name": "gone", "display_name": "Gone", "language": "none"}}
    files = home / "files"
    files.mkdir()
    (files / "work.ipynb").write_text(json.dumps(content))
    return files


def built(python: str, files: Path, home: Path) -> Path:
    """The site, with the extensions that the environment has, celltrail's among them."""
    command = [str(Path(python).with_name("jupyter")), "lite", "build", "--contents", str(files)]
    subprocess.run([*command, "--output-dir", str(home / "site")], cwd=home, check=True, capture_output=True)
    assert (home / "site" / "extensions" / "celltrail").is_dir(), "the site has no celltrail"
    return home / "site"


def reopened(page: Page, build: Path) -> str:
    chart = page.locator('.celltrail[data-kind="chart"]').first
    chart.locator("canvas").first.wait_for()
    assert "step 29" in chart.locator("table[aria-label=runs]").inner_text()
    table = page.locator('.celltrail[data-kind="table"]')
    table.get_by_role("rowheader").first.wait_for()
    table.get_by_role("searchbox").or_(table.get_by_role("textbox")).first.fill("nothing like it")
    page.wait_for_function(
        "!document.querySelector('.celltrail[data-kind=table]').shadowRoot.querySelector('[role=rowheader]')"
    )
    (build / "pictures").mkdir(parents=True, exist_ok=True)
    page.screenshot(path=build / "pictures" / "lite.png")
    return "yes"

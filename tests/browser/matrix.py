"""Where celltrail works: a small notebook through one front end after the other, each in an environment of its own.

    python tests/browser/matrix.py [NAME ...]     tries them, keeps what was seen in matrix.json and in the README
    python tests/browser/matrix.py --print        puts what is kept into the README again

Slow, since it installs other versions below build/matrix; `make matrix`, not part of `make test`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from tables import markdown, write_between  # noqa: E402

from browser import hosted, lite  # noqa: E402
from browser.conftest import ARGUMENTS  # noqa: E402
from browser.screen import Screen  # noqa: E402
from browser.server import Front, Server  # noqa: E402

KEPT = Path(__file__).with_suffix(".json")
BUILD = ROOT / "build" / "matrix"
CELLS = [
    "%load_ext celltrail\nimport celltrail as ct, time",
    "%%track short\nfor i in range(30):\n    ct.log({'val/loss': 1 / (1 + i)}, step=i)\n    time.sleep(0.02)",
    "%%track busy\nfrom itertools import count\nfor i in count():\n"
    "    ct.log({'train/loss': 1 / (1 + i)}, step=i)\n    sum(range(2000))",
]


class Place(NamedTuple):
    """A front end to be tried."""

    words: str
    front: Front
    pins: tuple[str, ...] = ()  # what its environment has in the place of what this one has; none means this one
    base: str = "/"


PLACES = {
    "lab": Place("JupyterLab", "lab"),
    "lab-oldest": Place("JupyterLab", "lab", ("jupyterlab==4.2.0", "notebook==7.2.0")),
    "notebook": Place("Notebook", "notebook"),
    "notebook-oldest": Place("Notebook", "notebook", ("jupyterlab==4.2.0", "notebook==7.2.0")),
    "base": Place("JupyterLab below a base address, as JupyterHub has it", "lab", base="/user/me/"),
    "collaboration": Place("JupyterLab with jupyter-collaboration", "lab", ("jupyter-collaboration",)),
}
NOT_TRIED = {
    "VS Code and Colab themselves": "the first needs a desktop, the second its maker's servers",
    "Python in JupyterLite": "Pyodide has no build of blake3 and psutil, which celltrail needs, and no threads",
    "GitHub, nbviewer": "a saved panel has a figure and a table beside it that they could show",
}
ELSEWHERE = (
    "Elsewhere no program was run, only what could be had of it: the widget manager that its maker publishes, with a "
    "real kernel, in a page that stands in for the rest (another origin, no Jupyter, and for VS Code no request and "
    "no `eval`)."
)
COLUMNS = {
    "live": "chart grows while the cell runs",
    "stop": "stop by a click in a busy cell",
    "badge": "badge on the cell",
    "side": "side bar without a kernel",
    "reopened": "saved file without its kernel",
    "nbconvert": "HTML of nbconvert",
}
PACKAGES = {"lab": "jupyterlab", "notebook": "notebook"}


def python_of(name: str, pins: tuple[str, ...]) -> str:
    """The Python of an environment that has these, and everything else from this one."""
    if not pins:
        return sys.executable
    folder = BUILD / "-".join(pins).replace("==", "-").replace(" ", "")
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        venv.create(folder, with_pip=True, clear=True)
        packages = [*pins, "ipykernel", "ipywidgets", "anywidget"]
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
        purelib = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        below = [path for path in sys.path if path.endswith("site-packages")]
        (Path(purelib) / "below.pth").write_text("\n".join(f"import site; site.addsitedir({path!r})" for path in below))
        extensions = folder / "share" / "jupyter" / "labextensions"
        extensions.mkdir(parents=True, exist_ok=True)
        (extensions / "celltrail").symlink_to(ROOT / "src" / "celltrail" / "labextension")
        config = folder / "etc" / "jupyter" / "jupyter_server_config.d"
        config.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "src" / "celltrail" / "server" / "celltrail.json", config)
        (folder / "made").touch()
    return str(python)


def version_of(python: str, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def tried(place: Place, python: str, browser: Browser) -> dict[str, str]:
    """What was seen, by column: "yes", or why not."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        server = Server(place.front, Path(home), python=python, base=place.base)
        try:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            screen = Screen(context.new_page(), server, BUILD / "pictures")
            screen.open(server.write("work", "matrix", CELLS))
            running = screen.ask("return app.version")
            assert running == version_of(python, PACKAGES[place.front]), f"the page is of {running}"
            screen.run(0)
            found: dict[str, str] = {}
            for column, see in (
                ("live", live), ("badge", badge), ("stop", stop), ("nbconvert", nbconvert), ("reopened", reopened),
                ("side", side),
            ):  # fmt: skip
                found[column] = told(lambda see=see: see(screen) or "yes")
                print(f"  {column}: {found[column]}", flush=True)
            return found
        finally:
            server.stop()


def told(see: Callable[[], str]) -> str:
    try:
        return see()
    except (AssertionError, RuntimeError) as problem:
        return str(problem).splitlines()[0][:200]
    except Exception as problem:  # noqa: BLE001  whatever a browser says is an answer here
        return f"{type(problem).__name__}: {str(problem).splitlines()[0][:160]}"


def live(screen: Screen) -> None:
    screen.run(1, wait=None)
    screen.says(1, "running", 30)
    screen.finished(1, 60)
    screen.says(1, "step 29", 30)


def badge(screen: Screen) -> None:
    screen.cell(1).locator(".celltrail-badge").filter(has_text="short").wait_for(timeout=25_000)


def stop(screen: Screen) -> None:
    screen.run(2, wait=None)
    screen.says(2, "running", 30)
    screen.panel(2, "chart").get_by_role("button", name="stop").click()
    try:
        screen.finished(2, 10)
    except AssertionError:
        screen.interrupt()
        raise
    screen.says(2, "finished", 20)


def nbconvert(screen: Screen) -> None:
    screen.save()
    page = screen.notebook.with_suffix(".html")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(screen.notebook), "--output", page.name]
    subprocess.run(command, check=True, capture_output=True)
    plain = screen.page.context.browser.new_context(offline=True) if screen.page.context.browser else None
    assert plain is not None
    shown = plain.new_page()
    shown.goto(page.as_uri())
    figures = shown.locator("figure img[alt*='val/loss']")
    assert figures.count() == 1, "no figure in the page"
    assert figures.first.evaluate("img => img.complete && img.naturalWidth > 0"), "the figure is empty"
    plain.close()


def reopened(screen: Screen) -> None:
    screen.shut_down_kernel()
    screen.open_without_kernel(screen.notebook)
    screen.says(1, "step 29", 30)


def side(screen: Screen) -> None:
    screen.ask("await app.commands.execute('celltrail:show-runs')")
    screen.page.locator(".celltrail-runs .ct-rl-row").filter(has_text="short").first.wait_for(timeout=30_000)


def table(kept: dict[str, dict[str, str]]) -> str:
    """A table of the Jupyters and one of the other hosts, what did not work, and what was not tried."""
    hosts = set(hosted.WORDS.values())
    faults = [
        f"{name}, {(hosted.COLUMNS if name in hosts else COLUMNS)[column]}: {said}"
        for name, row in sorted(kept.items()) for column, said in row.items() if mark(said) == "**no**"
    ]  # fmt: skip
    beyond = "; ".join(f"{name} ({why})" for name, why in NOT_TRIED.items())
    said = [
        rows({name: row for name, row in kept.items() if name not in hosts}, COLUMNS),
        ELSEWHERE,
        rows({name: row for name, row in kept.items() if name in hosts}, hosted.COLUMNS),
        *faults,
        f"Not tried: {beyond}.",
    ]
    return "\n\n".join(said)


def rows(kept: dict[str, dict[str, str]], columns: dict[str, str]) -> str:
    told = [
        [name, *(mark(row.get(column, "")) for column in columns), row["date"]] for name, row in sorted(kept.items())
    ]
    return markdown(["", *columns.values(), "tried"], told)


def mark(said: str) -> str:
    if said in ("yes", hosted.WAITS, *lite.NONE.values()) or is_date(said):
        return said
    return "**no**" if said else "not tried"


def is_date(said: str) -> bool:
    return said[:2] == "20" and len(said) == len("2026-01-01")


def keep(kept: dict[str, dict[str, str]], name: str, found: dict[str, str]) -> None:
    kept[name] = {**found, "date": date.today().isoformat()}
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def main() -> int:
    words = sys.argv[1:]
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if words != ["--print"]:
        with sync_playwright() as playwright:
            program = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
            for name in words or [*PLACES, *hosted.WORDS, "lite"]:
                if name == "lite":
                    print(lite.WORDS, flush=True)
                    found = lite.tried(python_of(name, lite.PINS), [*CELLS[:2], "ct.runs()"], browser, BUILD, told)
                    keep(kept, lite.WORDS, found)
                    continue
                if name in hosted.WORDS:
                    print(hosted.WORDS[name], flush=True)
                    found = hosted.tried(name, browser, BUILD, told)
                    keep(kept, hosted.WORDS[name], found)
                    continue
                place = PLACES[name]
                python = python_of(name, place.pins)
                label = f"{place.words} ({PACKAGES[place.front]} {version_of(python, PACKAGES[place.front])})"
                print(label, flush=True)
                keep(kept, label, tried(place, python, browser))
    write_between(ROOT / "README.md", "<!-- matrix -->", "<!-- /matrix -->", table(kept))
    print(table(kept))
    return 0


if __name__ == "__main__":
    sys.exit(main())

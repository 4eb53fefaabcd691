"""``celltrail view`` in a browser: the runs with no notebook open, below a base address, as a hub has one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from browser.conftest import PICTURES
from browser.hostile import harm
from browser.server import free_port
from browser.test_access import AXE, RULES
from celltrail.run import start
from celltrail.store import Store

BASE = "/hub/user/me/"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two trails in it."""
    sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
    from trails import make_trail

    found = tmp_path_factory.mktemp("view")
    make_trail(found / "many" / ".celltrail", 700)
    return found


@pytest.fixture(scope="module")
def store(root: Path, planted: Path) -> Store:
    """Two runs that ended, and two that say markup wherever a run can say something."""
    shutil.copytree(planted, root / "project" / ".celltrail")
    found = Store(root / "project" / ".celltrail")
    for name, rate in (("wide", 0.1), ("narrow", 0.01)):
        with start(name, {"lr": rate}, tags=["mlp"], store=found) as run:
            for step in range(30):
                run.log({"train/loss": rate / (step + 1)}, step)
    return found


@pytest.fixture(scope="module")
def address(store: Store, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    own = {name: str(home / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "XDG_CACHE_HOME")}
    words = ["view", "--port", str(free_port()), "--no-browser", "--json"]
    words.append(f"--jupyter=--ServerApp.base_url={BASE}")
    with (home / "log").open("wb") as log:
        served = subprocess.Popen(
            [sys.executable, "-m", "celltrail", *words],
            env=os.environ | own, stdout=subprocess.PIPE, stderr=log, text=True, cwd=root,
            # tests that run in the background of a shell have Ctrl-C ignored, and so would their children
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        assert served.stdout is not None
        yield json.loads(served.stdout.readline())["address"]
        served.send_signal(signal.SIGINT)
        assert served.wait(20) == 0


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    found = context.new_page()
    found.set_default_timeout(15_000)
    outside: list[str] = []
    complaints: list[str] = []
    found.on("request", lambda request: outside.append(request.url))
    found.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.goto(address)
    found.locator(".ct-rl-row").first.wait_for()
    yield found
    assert {urlsplit(url).netloc for url in outside if not url.startswith(("data:", "blob:"))} == {
        urlsplit(address).netloc
    }
    assert complaints == []
    context.close()


def test_runs_are_opened_compared_changed_and_linked_to(page: Page, store: Store) -> None:
    """The side bar's list and its panels, with no notebook; what is open has an address and is there after a reload."""
    row = lambda name: page.locator(".ct-rl-row").filter(has_text=name)  # noqa: E731
    assert "token" not in page.url
    assert urlsplit(page.url).path == f"{BASE}celltrail/view"
    row("wide").dblclick()
    page.locator('[data-kind="detail"]').get_by_text("charts").wait_for()
    linked = page.url
    row("wide").click()
    row("narrow").click(modifiers=["Control"])
    page.get_by_role("button", name="compare").click()
    page.locator('[data-kind="compare"]').get_by_text("0.1").first.wait_for()
    page.get_by_role("button", name="tag").click()
    page.get_by_label("tag", exact=True).fill("chosen")
    page.keyboard.press("Enter")
    page.locator(".ct-rl-said").filter(has_text="tagged 2 runs chosen").wait_for()
    assert all("chosen" in run.tags for run in (store.find("wide"), store.find("narrow")))
    page.get_by_role("button", name="table").click()
    page.locator('[data-kind="table"] [role=grid]').wait_for()
    assert page.get_by_role("tab").all_inner_texts() == ["wide", "2 runs", page.get_by_role("tab").last.inner_text()]
    with start("goes on", {"lr": 1.0}, store=store) as run:
        run.log({"train/loss": 0.5}, 7)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when one comes back to the page
        page.locator(".ct-rl-row").filter(has_text="goes on").wait_for(timeout=20_000)
    page.goto(linked)
    page.reload()
    page.locator('[data-kind="detail"]:visible').get_by_text("charts").wait_for()
    page.get_by_role("tab", name="wide").press("Delete")
    page.locator('[data-kind="compare"]:visible').wait_for()


def test_more_runs_than_a_page_holds(page: Page, store: Store) -> None:
    """All trails at once, each run with its own; the table of one can be ordered and scrolled through to the last."""
    row = page.locator(".ct-rl-row")
    assert "in project" in row.filter(has_text="narrow").inner_text()
    many = row.filter(has_text="in many").first
    many.click()
    row.filter(has_text="narrow").click(modifiers=["Control"])
    assert page.get_by_role("button", name="compare").is_disabled()
    many.click()
    page.get_by_role("button", name="table").click()
    grid = page.locator('[data-kind="table"] [role=grid]')
    grid.wait_for()
    page.locator("[role=grid][aria-rowcount='701']").wait_for()
    head = grid.get_by_role("columnheader").filter(has_text="name")
    head.click()
    grid.locator("[role=row][aria-rowindex='2']").filter(has_text="baseline-").wait_for()
    grid.evaluate("el => el.scrollTo(0, el.scrollHeight)")
    grid.locator("[role=row][aria-rowindex='701']").filter(has_text="transformer-").wait_for()


def test_it_serves_runs_and_starts_nothing(page: Page) -> None:
    """No kernels, no terminals, no files: the login is worth no more than the runs."""
    for path in (
        "api/kernels",
        "api/kernelspecs",
        "api/sessions",
        "api/terminals",
        "api/contents",
        "files/x",
        "lab",
        "tree",
    ):
        assert page.request.get(urlsplit(page.url)._replace(path=BASE + path, fragment="").geturl()).status == 404, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_trail_says_is_never_markup(page: Page, scheme: str) -> None:
    """A run that says markup in every field, in the list, in its panel and in a table; axe finds nothing there."""
    page.emulate_media(color_scheme=scheme)
    page.locator(".ct-rl-row").filter(has_text="window.evil").first.dblclick()
    detail = page.locator('[data-kind="detail"]')
    detail.get_by_role("tab").first.wait_for()
    for tab in detail.locator(".ct-tabs").first.get_by_role("tab").all():
        tab.click()
        page.wait_for_timeout(300)
        assert harm(page) == [[], None], tab.inner_text()
    page.get_by_role("button", name="table").click()
    page.locator('[data-kind="table"] [role=grid]').wait_for()
    assert harm(page) == [[], None]
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"view-{scheme}.png")
    page.evaluate(AXE.read_text())
    asked = (
        "axe.run({ runOnly: rules }).then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))"
    )
    assert page.evaluate(f"rules => {asked}", RULES) == []

"""Chromium, the two front ends, and a page for each test. Pictures of every test go to build/browser/."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.hostile import plant
from browser.screen import Screen
from browser.server import Front, Server

PICTURES = Path(__file__).parents[2] / "build" / "browser"
# Root needs no-sandbox; the rest keeps the browser from calling its maker and from small shared memory.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None and os.environ.get("CI"):
        pytest.fail("no chromium on this machine; .ci/run installs it")
    if program is None:
        pytest.skip("no chromium on this machine: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Front], Server]]:
    """The server of a front end, started when first asked for."""
    servers: dict[Front, Server] = {}

    def of(front: Front) -> Server:
        if front not in servers:
            servers[front] = Server(front, tmp_path_factory.mktemp(front))
        return servers[front]

    yield of
    for server in servers.values():
        server.stop()


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trail that says markup wherever a run can; a test takes a copy of it."""
    folder = tmp_path_factory.mktemp("planted")
    plant(folder)
    return folder / ".celltrail"


@pytest.fixture(params=["lab"])
def front(request: pytest.FixtureRequest) -> Front:
    """JupyterLab; a test of both says ``@both``."""
    return request.param


@pytest.fixture
def server(front: Front, server_of: Callable[[Front], Server]) -> Server:
    shown = server_of(front)
    shown.reset_settings()
    return shown


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> str:
    """A name for this test's own folder, hence its own trail."""
    return re.sub(r"\W+", "-", request.node.name).strip("-")


@pytest.fixture
def screen(chromium: Browser, server: Server, folder: str) -> Iterator[Screen]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    shown = Screen(page, server, PICTURES / folder)
    yield shown
    shown.picture("end")
    try:
        shown.shut_down_kernel()
    finally:
        context.close()

"""One notebook saved at six moments, each read in five ways: every reader sees the curve, or how far it had come."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page

from browser.screen import MIME, WIDGET, Screen
from browser.server import Front, Server
from celltrail import contract
from celltrail.contract.shape import misfits
from celltrail.model import is_of_machine

LOAD = """%load_ext celltrail
import celltrail as ct
from itertools import count
from pathlib import Path
from time import sleep"""
LOOP = """%%track {name}
for i in count():
    ct.log({{"loss": 1 / (1 + i)}}, step=i)
    sleep(0.01)
    if Path("{name}.end").exists() or i == {most}:
        {end}
"""
CELLS = [
    LOAD,
    LOOP.format(name="ended", most=30, end="break"),
    LOOP.format(name="failed", most=30, end='raise ValueError("too far")'),
    LOOP.format(name="interrupted", most=30, end="raise KeyboardInterrupt"),
    LOOP.format(name="left", most=-1, end="break"),
    LOOP.format(name="doomed", most=-1, end="break"),
]
# the moment that the file was saved at, and how its run stood then
MOMENTS = {
    "in mid-run": "running",
    "after its end": "finished",
    "after an error": "failed",
    "after an interrupt": "interrupted",
    "reloaded in mid-run, after its end": "finished",
    "after kill -9": "killed",
}


def shown(screen: Screen, cell: int) -> str:
    last = screen.panel(cell, "chart").get_by_label("values of loss").locator("td.last")
    last.wait_for()
    return last.inner_text()


def saved_at_six_moments(screen: Screen, folder: str) -> dict[str, list[dict[str, Any]]]:
    """By the moment, the outputs of its cell as they are in the file."""
    screen.open(screen.server.write(folder, "saved", CELLS))
    for index in range(4):
        screen.run(index)
    screen.run(4, wait=None)
    shown(screen, 4)
    middle = screen.save()
    screen.reload()
    shown(screen, 4)
    (screen.notebook.parent / "left.end").touch()
    screen.says(4, "finished", 60)
    screen.until("the kernel is free", lambda: screen.kernel_status() == "idle", 60)
    assert on_page(screen, 4)["runs"][0]["status"] == "running"  # nobody told this page's output
    screen.run(5, wait=None)
    shown(screen, 5)
    screen.kill_kernel()
    screen.page.locator(".jp-Dialog").get_by_label("Ok").click()
    screen.until("the kernel is back", lambda: screen.kernel_status() == "idle", 60)
    before = screen.ask("return panel.model.toJSON()")
    after = screen.save()
    assert without_ours(before) == without_ours(after)
    taken = [middle["cells"][4], *(after["cells"][index] for index in (1, 2, 3, 4, 5))]
    return {moment: cell["outputs"] for moment, cell in zip(MOMENTS, taken, strict=True)}


def on_page(screen: Screen, cell: int) -> dict[str, Any]:
    (data,) = [output["data"] for output in screen.outputs(cell) if MIME in output.get("data", {})]
    return data[MIME]


def without_ours(notebook: dict[str, Any]) -> str:
    """All of a notebook but what our outputs show, as text: strings of several lines are lists of lines in a file."""
    whole = nbformat.from_dict(json.loads(json.dumps(notebook)))
    for cell in whole["cells"]:
        cell["source"] = "".join(cell["source"])
        cell["metadata"].pop("trusted", None)
        for output in cell.get("outputs", []):
            if MIME in output.get("data", {}):
                output["data"] = {}
            for name in ("text", "traceback"):
                if name in output:
                    output[name] = "".join(output[name])
            for name, value in output.get("data", {}).items():
                output["data"][name] = "".join(value) if isinstance(value, list) else value
    return json.dumps(whole, sort_keys=True)


@pytest.fixture
def page(chromium: Browser) -> Any:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_six_moments_read_in_five_ways(
    screen: Screen, folder: str, page: Page, server_of: Callable[[Front], Server]
) -> None:
    """As JSON, in JupyterLab and Notebook 7 without a kernel, in JupyterLab without celltrail, and as a web page."""
    saved = saved_at_six_moments(screen, folder)
    payloads: dict[str, Any] = {}
    for moment, outputs in saved.items():
        text = json.dumps(outputs)
        for word in (WIDGET, "<script", screen.server.token, f":{screen.server.port}", str(screen.server.home)):
            assert word not in text, moment
        (payloads[moment],) = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
    assert {moment: payload["runs"][0]["status"] for moment, payload in payloads.items()} == MOMENTS
    for moment, payload in payloads.items():
        assert misfits(payload, contract.SavedPanel) == [], moment
        logged = [series["n"] for series in payload["series"] if not is_of_machine(series["metric"])]
        assert sum(logged) == payload["runs"][0]["points"] > 5, moment
    steps = {moment: int(payload["runs"][0]["step"]) for moment, payload in payloads.items()}

    for front in ("lab", "notebook"):
        server = server_of(front)
        path = write(server, "read", saved)
        reader = Screen(page, server, screen.pictures)
        reader.open_without_kernel(path)
        for index, (moment, status) in enumerate(MOMENTS.items()):
            if front == "lab" and moment == "in mid-run":
                status = "finished"  # here the trail is in reach: this is how it ended
            reader.says(index, status)
            step = steps[moment] if moment != "in mid-run" or front == "notebook" else steps[list(MOMENTS)[4]]
            assert reader.panel(index, "chart").get_by_text(f"step {step:,}", exact=True).count() > 0
            assert shown(reader, index)
        reader.picture(front)
        assert not page.get_by_text("model not found").is_visible()

    server = server_of("lab")
    off = server.home / "config" / "labconfig" / "page_config.json"
    off.parent.mkdir(parents=True, exist_ok=True)
    off.write_text(json.dumps({"disabledExtensions": {"celltrail": True}}))
    try:
        reader = Screen(page, server, screen.pictures)
        reader.open_without_kernel(write(server, "plain", saved))
        for index in range(len(MOMENTS)):
            picture = reader.cell(index).locator("img")
            picture.first.wait_for()
            assert picture.first.evaluate("image => image.complete && image.naturalWidth > 100")
            assert reader.panel(index, "chart").count() == 0
        reader.picture("without-celltrail")
    finally:
        off.unlink()

    html, _ = HTMLExporter().from_filename(str(write(server, "page", saved)))
    assert len(re.findall('<img[^>]+src="data:image/', html)) == len(MOMENTS)


def write(server: Server, name: str, saved: dict[str, list[dict[str, Any]]]) -> Path:
    """A notebook of what was saved, a cell for each moment."""
    path = server.write("healed", name, [f"# {moment}" for moment in saved])
    notebook = nbformat.read(path, 4)
    for cell, outputs in zip(notebook["cells"], saved.values(), strict=True):
        cell["outputs"] = [nbformat.from_dict(output) for output in outputs]
    nbformat.write(notebook, path)
    return path

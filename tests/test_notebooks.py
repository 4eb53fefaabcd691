"""``celltrail doctor x.ipynb``: what became of the panels saved in a file, and making them good, with no server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from celltrail.cli import main
from celltrail.contract import MIME, SavedPanel
from celltrail.contract.shape import misfits
from celltrail.panels.detail import payload
from celltrail.query import find
from celltrail.run import start
from celltrail.store import Store

WIDGET = "application/vnd.jupyter.widget-view+json"
NOWHERE = "01HZX3V9YQ2T5W8A4B6C7D9E0F"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A trail beside a notebook, found with nothing set."""
    monkeypatch.delenv("CELLTRAIL_STORE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Store(tmp_path / "project" / ".celltrail")


def a_chart(store: Store, name: str) -> dict[str, Any]:
    """A chart of a run as a file has it that was saved in mid-run."""
    with start(name, store=store) as run:
        for step in range(20):
            run.log({"loss": 1 / (1 + step)}, step)
    found = payload(find(run.id, store))
    state = {**found["runs"][0], "status": "running", "points": 0}
    return {**found, "kind": "chart", "runs": [state], "series": [], "detail": None}


def write(path: Path, *data: dict[str, Any]) -> Path:
    outputs = [{"output_type": "display_data", "metadata": {"kept": True}, "data": each} for each in data]
    cell = {"cell_type": "code", "id": "c", "source": ["x = 1\n"], "metadata": {}, "execution_count": 1}
    markdown = {"cell_type": "markdown", "id": "m", "source": "# Grün", "metadata": {}}
    content = {"cells": [markdown, {**cell, "outputs": outputs}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return path


def test_what_was_left_behind_is_made_good(project: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Each panel that shows something else than its trail knows is named with its cell; a repair changes only it."""
    left = a_chart(project, "first")
    over = payload(find(left["runs"][0]["run"], project))
    path = write(
        project.root.parent / "work.ipynb",
        {MIME: left, "text/plain": "old"},
        {MIME: over, "text/plain": "fine"},
        {MIME: over, WIDGET: {"model_id": "m"}, "text/plain": "fine"},
        {WIDGET: {"model_id": "other"}, "text/plain": "a slider of somebody"},
    )
    before = path.read_text()
    assert main(["doctor", str(path)]) == 1
    told = capsys.readouterr().out
    assert (
        "work.ipynb: cell 2, chart first: it says that its run goes on, which is over; --repair makes it good" in told
    )
    assert "it shows an error where it is reopened; --repair makes it good" in told
    assert "2 of 3 saved panels wrong" in told
    assert path.read_text() == before
    path.chmod(0o640)
    assert main(["doctor", str(path), "--repair"]) == 1
    assert capsys.readouterr().out.count("; repaired") == 2
    assert path.stat().st_mode & 0o777 == 0o640
    mended = json.loads(path.read_text())["cells"][1]["outputs"]
    chart = mended[0]["data"][MIME]
    assert misfits(chart, SavedPanel) == []
    assert (chart["runs"][0]["status"], chart["series"][0]["n"]) == ("finished", 20)
    assert [set(output["data"]) for output in mended[1:]] == [{MIME, "text/plain"}] * 2 + [{WIDGET, "text/plain"}]
    assert all(output["metadata"] == {"kept": True} for output in mended)
    assert "Grün" in path.read_text()
    assert main(["doctor", str(path)]) == 0
    assert "3 saved panels, nothing is wrong" in capsys.readouterr().out


def test_what_cannot_be_made_good_is_said(project: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No trail in reach, no run in it, a payload that is none; a run that goes on is no fault."""
    lost, gone = a_chart(project, "lost"), a_chart(project, "gone")
    live = start("live", store=project)
    live.log({"loss": 1.0})
    going = {**lost, "runs": [{**lost["runs"][0], "run": live.id}]}
    path = write(
        project.root.parent / "odd.ipynb",
        {MIME: {**lost, "trail": NOWHERE}},
        {MIME: {**gone, "runs": [{**gone["runs"][0], "run": NOWHERE}]}},
        {MIME: {**gone, "runs": "all"}},
        {MIME: going},
    )
    before = path.read_text()
    assert main(["doctor", str(path), "--repair", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [each["verdict"] for each in told] == ["no trail", "no run", "damaged", "goes on"]
    assert not any(each["repairable"] for each in told)
    assert path.read_text() == before
    live.finish()
    other = write(tmp_path / "elsewhere.ipynb", {MIME: payload(find(live.id, project))})
    assert main(["doctor", str(other), "--store", str(project.root)]) == 0
    for text, status in (("no json", 2), ("[]", 0)):
        other.write_text(text)
        assert main(["doctor", str(other)]) == status
    assert main(["doctor", str(tmp_path / "missing.ipynb")]) == 2
    assert "missing.ipynb cannot be read as a notebook" in capsys.readouterr().err

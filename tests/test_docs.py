"""The documents cannot lie: every snippet of the README runs, every picture it shows exists."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import celltrail as ct
from kernels import Kernel

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_python_snippet_runs_as_a_cell_in_order(tmp_path: Path, trail: Path):
    """What a newcomer copies works, from the first cell to the last, and leaves the runs it speaks of."""
    kernel = Kernel(tmp_path)
    try:
        for cell in fences("python"):
            reply = kernel.run(cell)
            assert reply.status == "ok", f"{cell}\n{reply.content.get('evalue')}"
            assert reply.complaints == ""
    finally:
        kernel.stop()
    runs = {run.name: run for run in ct.runs(store=ct.Store(trail))}
    assert {"baseline", "sweep-1", "train", "lr=0.1 width=8 seed=0"} <= set(runs)
    assert runs["baseline"].record.metrics["loss"].count == 20
    assert {run.status for run in runs.values()} == {"finished"}


def test_every_command_of_the_terminal_runs(trail: Path, tmp_path: Path):
    """The command lines quoted in the README are understood."""
    store = ct.Store(trail)
    for name, tags in (("baseline", ["release"]), ("sweep-1", [])):
        with ct.start(name, tags=tags, store=store) as run:
            run.log({"val/acc": 0.95})
    commands = re.findall(r"`(celltrail [^`|]+)`", README)
    assert len(commands) >= 3
    for command in commands:
        words = [sys.executable, "-m", "celltrail", *shlex.split(command)[1:]]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_every_make_verb_it_names_exists():
    """`make x` in the README is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_the_table_of_front_ends_is_what_was_seen_in_them():
    """Nobody wrote it: it is printed from what `make matrix` kept, what was not tried included."""
    from browser.matrix import KEPT, table

    kept = json.loads(KEPT.read_text())
    assert len(kept) >= 3
    assert f"<!-- matrix -->\n{table(kept)}\n<!-- /matrix -->" in README


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_file_it_points_to_exists(path: str):
    """Links and pictures lead somewhere."""
    assert (ROOT / path).exists()


def test_the_newcomer_is_not_kept_waiting():
    """The first command within 100 words, the first code within 150, and at most five lines of it."""
    before_command = README.partition("```console")[0]
    before_code = README.partition("```python")[0]
    assert len(before_command.split()) <= 110
    assert len(before_code.split()) <= 150
    assert fences("python")[0].count("\n") + fences("python")[1].count("\n") <= 5

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
from celltrail.capture.arguments import parse
from celltrail.cli import parser
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


def test_the_contents_lead_to_headings():
    """Every link within the README ends at a heading of it, and every tutorial is linked where its story belongs."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", README), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors
    tutorials = {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert tutorials <= set(re.findall(r"\]\(([^)#]+)\)", README))


def test_the_readme_is_read_in_glances():
    """A paragraph or a bullet says one thing: none is longer than a reader takes in at once."""
    prose = re.sub(r"(?ms)^```.*?^```|^<!-- (\S+) -->.*?^<!-- /", "", README)
    pieces = re.split(r"\n\s*\n|\n(?=- )", prose)
    long = [piece for piece in pieces if not piece.startswith("|") and len(piece.split()) > 90]
    assert long == []


def test_the_changelog_is_of_what_there_is():
    """Before a first release nothing was changed or fixed for anybody: what there is stands by capability, in short."""
    unreleased = (ROOT / "CHANGELOG.md").read_text().partition("## Unreleased")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.+)$", unreleased, re.MULTILINE) == ["Added"]
    for part in re.split(r"^#### .+$", unreleased.partition("### Added")[2], flags=re.MULTILINE)[1:]:
        lines = [line for line in part.strip().split("\n") if line]
        assert lines
        assert all(line.startswith("- ") for line in lines)
        assert [
            line for line in lines if len(line.split()) > 60 or re.search("[.;] before,|previously", line.lower())
        ] == []


def test_every_verb_of_the_terminal_shows_an_example_that_is_understood():
    """`celltrail VERB --help` ends with a command line that its own parser takes."""
    verbs = parser()._subparsers._group_actions[0].choices
    assert len(verbs) > 15
    for verb, command in verbs.items():
        example = command.format_help().rpartition("example: celltrail ")[2].partition(" > ")[0]
        assert "%%" not in example
        assert parser().parse_args(shlex.split(example)).command is not None, verb
        assert shlex.split(example)[0] == verb


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_lines_of_ours_in_a_tutorial_are_understood(path: Path):
    """A line that is not makes a message and no exception: running the notebook does not show it."""
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    tracked = [cell.partition("\n")[0].removeprefix("%%track") for cell in cells if cell.startswith("%%track")]
    for line in tracked:
        parse(line.strip())

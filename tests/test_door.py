"""The door: what `import celltrail` gives, what it costs, and that a room never takes a verb's place."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import celltrail as ct
from kernels import Kernel

HEAVY = ["pandas", "altair", "anywidget", "ipywidgets", "pyarrow", "IPython", "numpy", "tinydb", "matplotlib"]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_loads_nothing_heavy():
    """`import celltrail` costs about what Python itself costs."""
    assert python(f"import sys, celltrail; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_logging_from_a_script_loads_no_front_end():
    """A script that trains and logs never pays for pandas, charts or widgets."""
    heavy = [name for name in HEAVY if name not in ("numpy", "tinydb")]
    train = "import sys, celltrail as ct\nwith ct.start('a') as run: run.log(x=1)\n"
    assert python(f"{train}print([m for m in {heavy} if m in sys.modules])") == "[]"


@pytest.mark.parametrize("name", ct.__all__)
def test_every_name_of_the_door_opens(name: str):
    """Each promised name is there, documented, and listed by dir()."""
    assert getattr(ct, name).__doc__
    assert name in dir(ct)


def test_a_room_does_not_take_the_place_of_a_verb():
    """Importing the rooms celltrail.run and celltrail.compare leaves ct.run and ct.compare callable."""
    code = "import celltrail.run, celltrail.compare, celltrail as ct; print(callable(ct.run), callable(ct.compare))"
    assert python(code) == "True True"


def test_an_unknown_name_says_what_there_is():
    """A typo is answered with the nearest name and all that exist, the verb of a run with where it is."""
    with pytest.raises(AttributeError, match=r"celltrail has no 'strat'; did you mean 'start'\? it has .*sweep"):
        _ = ct.strat
    with pytest.raises(AttributeError, match=r"a run has: ct\.current\(\)\.log_image"):
        _ = ct.log_image


def test_what_tab_offers_is_what_there_is_to_use():
    """Neither rooms nor what the file of the door imports, however much was loaded by then."""
    code = "import celltrail as ct; ct.start, ct.runs, ct.compare; print([name for name in dir(ct) if name[0] != '_'])"
    assert python(code) == str(sorted(ct.__all__))


def test_an_error_in_a_cell_shows_whose_lines_asked_and_the_sentence(tmp_path: Path):
    """A slip in a name is answered by a line: the frames of celltrail's own tell a user nothing."""
    kernel = Kernel(tmp_path)
    try:
        kernel.run("import celltrail as ct\ndef mine(name):\n    return ct.run(name)\nct.start('baseline').finish()")
        for wrong, error in (("mine('basline')", "NoRun"), ("ct.runs('params.lr <')", "QueryError"),
                             ("ct.runs().df(['nam'])", "BadValue")):  # fmt: skip
            told = kernel.run(wrong).content
            shown = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(told["traceback"]))
            assert told["ename"] == error
            assert wrong in shown
            assert told["evalue"] in shown
            assert ("in mine(name)" in shown) == wrong.startswith("mine")
            assert "celltrail/" not in shown
        through = kernel.run(
            "try:\n    mine('basline')\nexcept ct.NoRun as error:\n    raise ValueError('own') from error"
        )
        assert "celltrail/query" in "\n".join(through.content["traceback"])  # another's error is shown as it is
    finally:
        kernel.stop()


def test_version_is_that_of_the_package():
    """One version, read from the installed package."""
    assert python("import celltrail; print(celltrail.__version__)")[0].isdigit()

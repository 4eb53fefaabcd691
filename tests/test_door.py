"""The door: what `import celltrail` gives, what it costs, and that a room never takes a verb's place."""

from __future__ import annotations

import subprocess
import sys

import pytest

import celltrail as ct

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
    """A typo is answered with the names that exist."""
    with pytest.raises(AttributeError, match=r"celltrail has no .strat.; it has .*start"):
        _ = ct.strat


def test_version_is_that_of_the_package():
    """One version, read from the installed package."""
    assert python("import celltrail; print(celltrail.__version__)")[0].isdigit()

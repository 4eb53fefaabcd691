"""All of a run in sections: what a panel shows of it."""

from __future__ import annotations

import pytest

from celltrail.contract import Detail, Section
from celltrail.query import find
from celltrail.query.detail import MOST_ROWS, MOST_TEXT, detail
from celltrail.run import start
from celltrail.store import Store
from kernels import Kernel


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A trail with the runs of two cells."""
    folder = tmp_path_factory.mktemp("detail")
    store = Store(folder / ".celltrail")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(folder / "cache")})
    kernel.run(
        "%load_ext celltrail\nimport numpy as np, celltrail as ct\nx, rate, api_key = np.zeros((30, 4)), 0.1, 'k' * 20"
    )
    kernel.run("def scaled(values):\n    return values * rate")
    kernel.run(
        "%%track whole\nlr = 0.5\ny = scaled(x) + np.zeros(4) * len(ct.__name__)\n"
        "print('<b>' + api_key[:1] * 0 + 'shown</b>')\n"
        "open('kept.txt', 'w').write('abc')\nfor i in range(5):\n    loss = 1 / (i + 1)"
    )
    kernel.run("%%track broken\nprint('x' * 60_000)\n1 / 0")
    kernel.run("%unload_ext celltrail")
    kernel.stop()
    find("whole", store).note("looks right")
    return store


def sections(found: Detail) -> dict[str, Section]:
    return {section["title"]: section for section in found["sections"]}


def test_everything_of_a_cell_has_its_section(store: Store) -> None:
    """Metrics, parameters with their line, values with what its functions read, files, packages, notes."""
    found = detail(find("whole", store))
    by = sections(found)
    assert [row[0] for row in by["metrics"]["rows"]] == ["loss"]
    assert ["lr", 0.5, "assign", 2] in by["params"]["rows"]
    read = {row[0]: row for row in by["objects it read"]["rows"]}
    assert read["x"][1:4] == ["ndarray", "30 x 4", "float64"]
    assert "rate" in read, "through the function that reads it"
    assert not read.keys() & {"np", "ct"}, "modules are part of the environment"
    assert not by.keys() & {"state"}, "it stands with the lineage"
    assert read["api_key"] == ["api_key", "(a secret)", None, None, None, None]
    assert {row[0] for row in by["objects it made"]["rows"]} >= {"lr", "y", "loss"}
    assert [row[2] for row in by["cells it depends on"]["rows"]][-1] == "made scaled"
    assert by["files"]["rows"][0][:3] == ["kept.txt", "write", 3]
    assert "numpy" in {row[0] for row in by["packages"]["rows"]}
    assert by["notes"]["rows"] == [["looks right", None, None]]
    assert [row[2] for row in by["changes by people"]["rows"]] == ["noted 'looks right'"]
    assert found["code"].startswith("%%track whole")
    assert [piece["data"].strip() for piece in found["outputs"]] == ["<b>shown</b>"]


def test_long_outputs_are_cut_in_the_middle_and_an_error_has_its_traceback(store: Store) -> None:
    """Both ends of what was printed are there, and how much is missing between."""
    found = detail(find("broken", store))
    printed, error = found["outputs"]
    assert MOST_TEXT <= len(printed["data"]) < MOST_TEXT + 100
    assert "characters" in printed["data"]
    assert "ZeroDivisionError" in error["data"]
    assert "ZeroDivisionError" in found["traceback"]


def test_a_section_that_would_be_too_long_says_how_much_is_left(store: Store) -> None:
    """A run by hand has no code and no outputs, and its thousand parameters are cut."""
    with start("wide", {f"p{i}": i for i in range(1000)}, store=store) as run:
        pass
    found = detail(find(run.id, store))
    assert (len(sections(found)["params"]["rows"]), sections(found)["params"]["more"]) == (MOST_ROWS, 1000 - MOST_ROWS)
    assert (found["code"], found["outputs"], found["traceback"]) == ("", [], "")


def test_bytes_that_are_gone_are_said_in_their_place(store: Store) -> None:
    """A run whose code was lost is shown all the same."""
    with start("lost", store=store, code="0" * 64) as run:
        run.log(loss=1)
    found = detail(find(run.id, store))
    assert found["code"].startswith("(")
    assert [row[0] for row in sections(found)["metrics"]["rows"]] == ["loss"]

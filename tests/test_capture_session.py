"""The session knows every execution of its kernel, tracked or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celltrail.store import Store
from kernels import Kernel

ON = """
import json, sys
from celltrail.capture import Recorder
recorder = Recorder(get_ipython())
recorder.on()
"""
LIST = """
recorder.session.wait(20)
print(json.dumps([{
    "count": p.count, "status": p.status, "source": p.source, "kind": p.kind, "run": bool(p.run), "error": p.error,
    "scratch": p.is_scratch, "code": p.code, "rng": p.rng, "id": p.id, "took": (p.ended_us or 0) - p.started_us,
    "names": p.names and {"reads": sorted(p.names.reads), "writes": sorted(p.names.writes)}, "cell": p.cell_id}
    for p in recorder.session]))
"""


def started(folder: Path, **environment: str) -> Kernel:
    places = {"CELLTRAIL_STORE": str(folder / ".celltrail"), "XDG_CACHE_HOME": str(folder / "cache")}
    kernel = Kernel(folder, {**places, **environment})
    assert kernel.run(ON).status == "ok"
    return kernel


def listed(kernel: Kernel) -> list[dict[str, Any]]:
    """The executions so far; those that ask are left out."""
    return [past for past in json.loads(kernel.run(LIST).text) if past["source"] != LIST]


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = started(tmp_path)
    yield kernel
    kernel.stop()


def test_every_execution_is_known_in_order(kernel: Kernel) -> None:
    """Under a magic, with an error, that is no Python, that awaits, that runs another cell, that is a run."""
    cells = {
        "x = 1\ny = x + z if False else x": "ok",
        "%%time\nw = x": "ok",
        "1 / 0": "error",
        "def broken(:": "error",
        "import asyncio\nawait asyncio.sleep(0)\na = 1": "ok",
        "get_ipython().run_cell('inner = x')": "ok",
        "%%track base\ntotal = x": "ok",
        "raise KeyboardInterrupt": "interrupted",
        "%%track --wrong\nbad = 1": "error",
        "!true": "ok",
    }
    for cell in cells:
        kernel.run(cell)
    found = listed(kernel)
    outer = [past for past in found if past["kind"] == "cell"]
    assert [(past["source"], past["status"]) for past in outer] == list(cells.items())
    assert [past["source"] for past in found if past["kind"] == "nested"] == ["inner = x"]
    assert [past["error"] for past in outer] == [
        "", "", "ZeroDivisionError", "SyntaxError", "", "", "", "KeyboardInterrupt", "UsageError", "",
    ]  # fmt: skip
    assert [past["run"] for past in outer] == [cell.startswith("%%track base") for cell in cells]
    assert outer[0]["names"] == {"reads": ["x"], "writes": ["x", "y"]} or outer[0]["names"]["writes"] == ["x", "y"]
    assert outer[1]["names"]["writes"] == ["w"]
    assert "x" in outer[1]["names"]["reads"]
    assert outer[6]["names"] == {"reads": ["x"], "writes": ["total"]}
    assert outer[3]["names"] == {"reads": [], "writes": []}
    counts = [past["count"] for past in outer]
    assert counts == list(range(counts[0], counts[0] + len(cells)))
    assert all(past["took"] > 0 and len(past["code"]) == 64 for past in outer)
    assert [past["id"] for past in found] == sorted(past["id"] for past in found)


def test_a_tracked_execution_is_the_one_of_its_run(kernel: Kernel, tmp_path: Path) -> None:
    """One id, one text, one state of the generators, in the session and in the run's record."""
    kernel.run("import numpy as np\nnp.random.seed(4)")
    kernel.run("%%track one\nvalue = np.random.rand()")
    past = next(past for past in listed(kernel) if past["run"])
    kernel.run("recorder.off()")
    (record,) = Store(tmp_path / ".celltrail").records()
    assert (record.executions[0].id, record.executions[0].code) == (past["id"], past["code"])
    assert record.environment["rng"] == past["rng"]
    assert set(past["rng"]) == {"random", "numpy"}


def test_generators_are_looked_at_before_each_cell(kernel: Kernel) -> None:
    """Equal states have one digest; a cell that drew changes that of the next."""
    kernel.run("import random")
    for cell in ("1", "random.random()", "2", "3"):
        kernel.run(cell)
    one, drew, two, three = (past["rng"]["random"] for past in listed(kernel)[1:5])
    assert one == drew != two == three


def test_an_empty_cell_inside_a_cell_ends_nothing(kernel: Kernel, tmp_path: Path) -> None:
    """IPython tells of the end of an empty cell whose beginning it did not tell of."""
    kernel.run("%%track outer\nget_ipython().run_cell('  ')\nget_ipython().run_cell('inside = 1')\nloss = 0.5")
    kernel.run("recorder.off()")
    (record,) = Store(tmp_path / ".celltrail").records()
    assert "loss" in record.params
    found = [(past["source"], past["status"], past["kind"]) for past in listed(kernel)]
    assert [each for each in found if each[2] == "nested"] == [("inside = 1", "ok", "nested")]


def test_a_scratch_leaves_a_tombstone(kernel: Kernel, tmp_path: Path) -> None:
    """Its names are known, its text and its random state are not; cells that it runs are scratch too."""
    kernel.run("%%scratch\nsecret_plan = 'marker-9f2'\nget_ipython().run_cell('%%track inner\\ndeeper = 3')")
    outer, inner = (past for past in listed(kernel) if past["scratch"])
    assert outer["names"]["writes"] == ["secret_plan"]
    assert (outer["source"], outer["rng"], outer["code"]) == (None, {}, "")
    assert (inner["source"], inner["run"], inner["names"]["writes"]) == (None, False, ["deeper"])
    assert not (tmp_path / ".celltrail").exists()


def test_names_of_earlier_cells_are_there_when_asked_for(kernel: Kernel) -> None:
    """`settle` does not wait for the background: it may have much to do."""
    kernel.run("recorder.session._worker.put(lambda: __import__('time').sleep(3))")
    kernel.run("quick = 1")
    reply = kernel.run(
        "import time\nbegan = time.perf_counter()\nsettled = recorder.session.settle(0.5)\n"
        "print(settled, time.perf_counter() - began < 1, [sorted(p.names.writes) for p in recorder.session][-2])"
    )
    assert reply.text.split() == ["True", "True", "['quick']"]

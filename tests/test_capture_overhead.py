"""What recording a cell cost is known to its run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from celltrail.cli import main
from celltrail.compare import compare
from celltrail.query import StoredRun, runs
from celltrail.store import Store
from kernels import Kernel


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A trail with the runs of four cells."""
    folder = tmp_path_factory.mktemp("overhead")
    store = Store(folder / ".celltrail")
    kernel = Kernel(folder, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(folder / "cache")})
    kernel.run("%load_ext celltrail\nimport time")
    kernel.run("%%track loop\nfor i in range(500):\n    loss = 1 / (i + 1)\nprint('done')")
    kernel.run("%%track timed\n%%time\nfor i in range(20):\n    loss = i / 2")
    kernel.run("%%track wrong\nfor i in range(10):\n    loss = 1 / (9 - i)")
    kernel.run("%%track quiet --no-output --no-watch\ntime.sleep(0.2)")
    kernel.run("import celltrail\nlist(celltrail.runs())\n%unload_ext celltrail")
    kernel.stop()
    return store


def cost(store: Store, name: str) -> tuple[StoredRun, dict[str, float]]:
    run = next(run for run in runs(store=store) if run.name == name)
    return run, {part: value for part, value in run.overhead.items() if isinstance(value, int | float)}


@pytest.mark.parametrize(
    ("name", "values", "parts"),
    [
        ("loop", 500, {"pre_ns", "examine_ns", "fingerprint_ns", "post_ns", "watch_ns", "tee_ns"}),
        ("timed", 20, {"pre_ns", "examine_ns", "fingerprint_ns", "post_ns", "watch_ns", "tee_ns"}),
        ("wrong", 9, {"pre_ns", "examine_ns", "fingerprint_ns", "post_ns", "watch_ns", "tee_ns"}),
        ("quiet", 0, {"pre_ns", "examine_ns", "fingerprint_ns", "post_ns"}),
    ],
)
def test_a_run_knows_what_recording_it_cost(store: Store, name: str, values: int, parts: set[str]) -> None:
    """Its parts, their sum, the background's share and the bytes; for cells that fail and for those under a magic."""
    run, found = cost(store, name)
    assert {part for part in found if part.endswith("_ns")} - {"main_ns", "main_cpu_ns", "background_ns"} == parts
    assert found["main_ns"] == sum(found[part] for part in parts)
    assert (found["values"], bool(found["messages"])) == (values, "tee_ns" in parts)
    assert all(found[part] > 0 for part in (*parts, "background_ns"))
    folder = store.root / "runs" / run.id[-2:] / run.id
    assert 0 < found["bytes"] <= sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) * 2
    assert run.record.problems == ()


def test_the_cost_is_of_the_hooks_and_not_of_the_cell(store: Store) -> None:
    """A cell that sleeps for 0.2 s has not cost that much."""
    run, found = cost(store, "quiet")
    assert run.duration is not None
    assert run.duration >= 0.2
    assert found["examine_ns"] < 0.2e9


def test_the_cost_is_shown_and_is_no_difference(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """``celltrail show`` says it beside the duration; a comparison, where it would always differ, leaves it out."""
    assert main(["show", "loop", "--store", str(store.root)]) == 0
    text = capsys.readouterr().out
    assert "before, during and after the cell" in text
    assert "overhead." not in text
    both = compare([cost(store, "loop")[0], cost(store, "quiet")[0]])
    names = [str(name) for name in both.environment.index]
    assert names
    assert not [name for name in names if "overhead" in name]

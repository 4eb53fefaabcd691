"""What an execution needed is kept with it, section by section."""

from __future__ import annotations

import os
import time
from pathlib import Path

from celltrail.query import runs
from celltrail.store import Store
from kernels import Kernel


def test_a_run_knows_the_names_its_cell_read_bound_changed_and_deleted(tmp_path: Path) -> None:
    """Also when it failed, and after a clean-up of blobs that are old enough to go."""
    store = Store(tmp_path / ".celltrail")
    kernel = Kernel(tmp_path, {"CELLTRAIL_STORE": str(store.root), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    kernel.run("%load_ext celltrail\nrows, old = [1, 2], 3")
    kernel.run("%%track good\ntotal = sum(rows)\nrows.append(3)\ndel old")
    kernel.run("%%track bad\nshare = rows[0] / 0")
    kernel.run("%unload_ext celltrail")
    kernel.stop()
    for file in store.blobs.files():
        os.utime(file.path, (time.time() - 10 * 86_400,) * 2)
    store.gc()
    found = {run.name: run.needs["names"] for run in runs(store=store)}
    assert found["good"] == {"reads": ["rows"], "writes": ["total"], "mutates": ["rows"], "deletes": ["old"]}
    steps = [step for run in runs(store=store) for step in run.lineage.slice]
    assert {(step.count, step.code.partition("\n")[0]) for step in steps} == {
        (1, "%load_ext celltrail"), (2, "%%track good"),
    }  # fmt: skip
    assert found["bad"] == {"reads": ["rows"], "writes": ["share"], "mutates": [], "deletes": []}

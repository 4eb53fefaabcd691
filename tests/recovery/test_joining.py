"""A process that joins a run while another one seals it: every row whose call returned is there, in any order."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from celltrail.errors import StoreError
from celltrail.store import Store
from recovery.seals import aged, drop_logs, finished_run
from recovery.test_kill import spawn

ROWS = 40
SEAL = """
import os, pathlib, sys, time
from celltrail.store import Store
linked = os.link
def slowly(source, target):
    if str(target).endswith("sealed.json"):
        pathlib.Path(sys.argv[3]).touch()
        while not os.path.exists(sys.argv[4]):
            time.sleep(0.002)
    linked(source, target)
os.link = slowly
print(Store(sys.argv[1]).seal(sys.argv[2]))
"""
JOIN = """
import dataclasses, sys, time
from celltrail.errors import StoreError
from celltrail.store import Store
store = Store(sys.argv[1])
for at, run_id in enumerate(sys.argv[3:]):
    time.sleep(max(0.0, float(sys.argv[2]) + at * 0.4 + (at % 6) * 0.02 - time.time()))
    try:
        writer = store.join(run_id, rank=1)
    except StoreError:
        print("refused")
        continue
    for step in range(40):
        writer.row(("worker",), step, writer.clock(), (step / 7,))
    writer.close(dataclasses.replace(store.document(run_id), status="finished"))
    print("joined")
"""
SEAL_EACH = """
import sys, time
from celltrail.store import Store
store = Store(sys.argv[1])
for at, run_id in enumerate(sys.argv[3:]):
    time.sleep(max(0.0, float(sys.argv[2]) + at * 0.4 - time.time()))
    print(store.seal(run_id))
"""


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert path.exists()


def rows_of(store: Store, run_id: str) -> list[float]:
    return Store(store.root).series(run_id)["worker"].value.tolist()


def test_a_rank_that_joins_before_the_seal_is_on(store: Store, tmp_path: Path) -> None:
    """What it logs before and after that moment is read beside the seal, sealed next, and there without the logs."""
    run_id = finished_run(store)
    aged(store, run_id)
    ready, go = tmp_path / "ready", tmp_path / "go"
    sealer = spawn(SEAL, store.root, run_id, ready, go)
    wait_for(ready, sealer)
    writer = store.join(run_id, rank=1)
    for step in range(ROWS // 2):
        writer.row(("worker",), step, writer.clock(), (step / 7,))
    go.touch()
    assert sealer.communicate(timeout=60)[0].strip() == "True"
    for step in range(ROWS // 2, ROWS):
        writer.row(("worker",), step, writer.clock(), (step / 7,))
    with pytest.raises(StoreError, match="has already finished"):
        store.join(run_id, rank=2)
    assert rows_of(store, run_id) == [step / 7 for step in range(ROWS)]
    writer.close(store.document(run_id))
    metric = Store(store.root).record(run_id).metrics["worker"]
    assert (metric.count, metric.last, metric.last_step) == (ROWS, (ROWS - 1) / 7, ROWS - 1)
    aged(store, run_id)
    assert store.seal(run_id)
    drop_logs(store, run_id)
    assert rows_of(store, run_id) == [step / 7 for step in range(ROWS)]
    assert len(Store(store.root).series(run_id)["train/loss"].step) == 300
    assert Store(store.root).record(run_id).metrics["worker"].count == ROWS


def test_joining_races_sealing(store: Store) -> None:
    """Two processes at the same runs, milliseconds apart: a rank is refused in a sentence or has all its rows."""
    runs = [finished_run(store, rows=60) for _ in range(12)]
    for run_id in runs:
        aged(store, run_id)
    begin = time.time() + 3
    joiner, sealer = spawn(JOIN, store.root, begin, *runs), spawn(SEAL_EACH, store.root, begin, *runs)
    outcomes = joiner.communicate(timeout=120)[0].split()
    sealed = sealer.communicate(timeout=120)[0].split()
    assert (joiner.returncode, sealer.returncode, len(outcomes), len(sealed)) == (0, 0, 12, 12)
    for run_id, outcome in zip(runs, outcomes, strict=True):
        found = Store(store.root).series(run_id)
        assert len(found["train/loss"].step) == 60
        assert found.get("worker") is None or outcome == "joined"
        if outcome == "joined":
            assert found["worker"].value.tolist() == [step / 7 for step in range(ROWS)]
            assert Store(store.root).record(run_id).metrics["worker"].count == ROWS
        assert store.gaps(run_id) == []

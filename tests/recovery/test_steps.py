"""Killed before each single change that sealing, packing and cataloguing make in a trail: nothing is lost at any."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from celltrail.store import Store
from celltrail.store.catalogue import cataloguing, listing, segments
from celltrail.store.seal import packing
from recovery.seals import aged, everything, finished_run, folder_of
from recovery.test_kill import killed_run

# forked from one process that has read its modules already: dozens of kills in seconds
PROGRAM = """
import os, signal, sys
import pyarrow.parquet
from celltrail.store import Store
from celltrail.store.catalogue import cataloguing
from celltrail.store.seal import packing, compaction
cataloguing.WORTH_RUNS = packing.WORTH_RUNS = 2
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

def die_before(change, top):
    def hear(event, args):
        nonlocal change
        if event == "open":
            path, _, flags = args
            if not flags & WRITES or not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(top):
                return
        elif event not in {"os.rename", "os.remove", "os.link", "os.mkdir", "os.utime", "os.truncate"}:
            return
        change -= 1
        if change < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hear)

for line in sys.stdin:
    trail, change = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        die_before(int(change), trail)
        Store(trail).compact()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Killer:
    """Compacts a trail in a process of its own, which dies before its n-th change."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, trail: Path, change: int) -> bool:
        """Whether it was killed, and had not come to its end before."""
        assert self._process.stdin
        assert self._process.stdout
        print(trail, change, sep="\t", file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        assert code in {0, -signal.SIGKILL}
        return code != 0


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Killer]:
    """The killer; few runs are worth a pack or a segment here, too."""
    for module in (cataloguing, packing):
        monkeypatch.setattr(module, "WORTH_RUNS", 2)
    monkeypatch.setattr(listing, "WORTH_CATALOGUE", 2)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=pipe, stdout=pipe, text=True, env=environment) as own:
        yield Killer(own)
        assert own.stdin
        own.stdin.close()


def laid_out(pristine: Path, place: Path, seconds: float) -> Store:
    """A faithful copy of a trail, as if nobody had touched it for so long."""
    shutil.rmtree(place, ignore_errors=True)
    store = Store(shutil.copytree(pristine, place))
    for folder in place.glob("runs/*/*"):
        aged(store, folder.name, seconds)
    return store


@pytest.mark.parametrize("work", ["seal", "remove", "again"])
def test_a_compaction_may_die_before_any_of_its_changes(store: Store, killed: Killer, work: str) -> None:
    """Every run reads as before at once, from an index built anew too, and the next pass ends what was begun.

    seal: logs become Parquet, packed and catalogued; remove: their logs go; again: a run is gone, one was edited,
    and the segment is written once more.
    """
    finished = [finished_run(store, rows=7) for _ in range(2)]
    runs = [*finished, killed_run(store, store.root.parent / "counter", 0.05)[0]]
    before = {run_id: everything(store, run_id) for run_id in runs}
    gone = finished_run(store, rows=3)
    seconds = 90.0
    if work != "seal":
        for run_id in (*runs, gone):
            aged(store, run_id)
        assert len(store.compact().sealed) == 4
        seconds = 7300.0
    if work == "again":
        for run_id in (*runs, gone):
            aged(store, run_id, 7300)
        assert len(store.compact().released) == 4
        shutil.rmtree(folder_of(store, gone))
        store.edit(finished[0], "starred", True)
        os.utime(folder_of(store, finished[0]) / "edits", (1e9, 1e9))
        before[finished[0]] = everything(store, finished[0])
    pristine, place = store.root.parent / "pristine", store.root
    store.root.rename(pristine)
    changes = 0
    while True:
        store = laid_out(pristine, place, seconds)
        if not killed(place, changes):
            break
        assert {run_id: everything(store, run_id) for run_id in runs} == before, f"before change {changes}"
        _ended(store, runs, seconds)
        assert {run_id: everything(store, run_id) for run_id in runs} == before, f"after change {changes}"
        changes += 1
    assert changes > {"seal": 30, "remove": 10, "again": 5}[work]


def _ended(store: Store, runs: list[str], seconds: float) -> None:
    """What the killed pass left is brought to its end: nothing half is left, and the catalogue tells the truth."""
    for run_id in runs:
        aged(store, run_id, seconds)
    store.compact()
    assert not (store.root / "compacting.json").exists()
    for run_id in runs:
        folder = folder_of(store, run_id)
        assert (folder / "sealed.json").exists()
        assert seconds < 3600 or not list((folder / "m").glob("*.ctl"))
    assert not [finding for finding in store.examine().wrong if finding.kind in {"copy", "index", "seal"}]
    known = {run for segment in segments.readable(store.root) for run in segment.runs(0)}
    assert known <= {*(folder.name for folder in store.root.glob("runs/*/*"))}

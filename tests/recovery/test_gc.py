"""Maintenance beside writers, and killed at any moment: everything that is referred to is there."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from celltrail.errors import NoRun
from celltrail.store import Store
from celltrail.store.blobs import references
from celltrail.store.upkeep import gc
from celltrail.store.upkeep.trash import Trash
from recovery.logs import begin

WRITE = """
import random, shutil, sys, time
from celltrail.errors import NoRun
from celltrail.store import Store
from recovery.logs import begin
store, chosen, until = Store(sys.argv[1]), random.Random(int(sys.argv[2])), time.monotonic() + float(sys.argv[3])
lost = done = 0
while time.monotonic() < until:
    text = f"thing {chosen.randrange(12)}"
    digest = store.blobs.put(text)
    writer = begin(store, code=digest)
    time.sleep(chosen.uniform(0, 0.06))
    for attempt in (1, 2):  # a clean-up that met us puts it back within microseconds
        try:
            assert store.blobs.text(digest) == text
            break
        except NoRun:
            lost += attempt == 2
            time.sleep(0.05)
    writer.close(store.record(writer.id))
    shutil.rmtree(store.root / "runs" / writer.id[-2:] / writer.id)
    done += 1
    time.sleep(chosen.uniform(0, 0.3))
print(done, lost)
"""


def spawn(program: str, *args: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", program, *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_writer_that_uses_a_blob_again_finds_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three writers take up blobs that nothing referred to a moment ago, while clean-ups follow one another."""
    begin(store)
    monkeypatch.setattr(gc, "YOUNG_S", 0.15)
    writers = [spawn(WRITE, store.root, seed, 6) for seed in range(3)]
    taken = 0
    while any(writer.poll() is None for writer in writers):
        done = gc.carry_out(gc.plan(store.root, store.blobs), store.root, store.blobs)
        taken += len(done.items)
        time.sleep(0.01)
    answers = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sum(int(done) for done, _ in answers) > 20
    assert taken > 5
    assert [lost for _, lost in answers] == ["0", "0", "0"]


CLEAN = """
import sys
from celltrail.store import Store
print("ready", flush=True)
Store(sys.argv[1]).gc(int(sys.argv[2]) or None)
"""
MERGE = """
import sys
from celltrail.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
store.merge(sys.argv[2])
"""
REPAIR = """
import sys
from celltrail.store import Store
print("ready", flush=True)
Store(sys.argv[1]).examine(repair=True)
"""


def killed(program: str, seconds: float, *args: object) -> bool:
    """Run this and kill it after so many seconds; whether it was still at it."""
    process = spawn(program, *args)
    assert process.stdout
    process.stdout.readline()
    time.sleep(seconds)
    was_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return was_running


def filled(store: Store, runs: int = 12) -> list[str]:
    """Runs with blobs of their own and shared ones, all of them two days old."""
    ids: list[str] = []
    shared = store.blobs.put("shared" * 500)
    for number in range(runs):
        writer = begin(store, code=store.blobs.put(f"code {number}" * 300), name=f"run {number}")
        writer.item("image", 1, {"blob": store.blobs.put(os.urandom(3000)), "data": shared})
        writer.row(("loss",), 1, writer.clock(), (0.5,))
        writer.close(store.record(writer.id))
        ids.append(writer.id)
    for file in store.blobs.files():
        os.utime(file.path, (time.time() - 2 * 86400,) * 2)
    return ids


def named(store: Store, run_ids: list[str]) -> dict[str, set[str]]:
    folders = {run_id: store.root / "runs" / run_id[-2:] / run_id for run_id in run_ids}
    return {run_id: references.in_run(folder, store.blobs) for run_id, folder in folders.items()}


def test_a_clean_up_that_is_killed(store: Store) -> None:
    """What runs refer to verifies; everything else is in its place or in the trash; the next clean-up does the rest."""
    ids = filled(store)
    needed = named(store, ids)
    chosen = random.Random(4)
    interrupted = 0
    for _ in range(6):
        lost = {store.blobs.put(os.urandom(2000)) for _ in range(60)}
        for file in store.blobs.files():
            os.utime(file.path, (time.time() - 2 * 86400,) * 2)
        interrupted += killed(CLEAN, chosen.uniform(0, 0.12), store.root, 0)
        for digests in needed.values():
            for digest in digests:
                store.blobs.verify(digest)
        thrown = {entry.path.rsplit("/", 1)[1] for entry in Trash(store.root).entries()}
        there = {file.digest for file in store.blobs.files()}
        assert lost <= thrown | there
    assert interrupted
    Store(store.root).gc()
    assert {file.digest for file in store.blobs.files()} == set().union(*needed.values())
    assert {record.id for record in store.records()} == set(ids)
    assert Store(store.root).examine().is_healthy


def test_a_clean_up_within_a_budget_that_is_killed(store: Store) -> None:
    """Also where things are deleted for good: only what nothing needs is."""
    ids = filled(store)
    gone, kept = ids[:6], ids[6:]
    needed = named(store, kept)
    for run_id in gone:
        store.edit(run_id, "deleted", True)
    for seconds in (0.0, 0.02, 0.05, 0.1):
        killed(CLEAN, seconds, store.root, 1000)
        for digests in needed.values():
            for digest in digests:
                store.blobs.verify(digest)
    Store(store.root).gc(1000)
    assert {record.id for record in Store(store.root).records()} == set(kept)
    assert {file.digest for file in store.blobs.files()} == set().union(*needed.values())


def test_a_merge_that_is_killed_is_run_again(store: Store, tmp_path: Path) -> None:
    """At every moment all that a run here refers to is here; in the end it is as if nothing had happened."""
    other = Store(tmp_path / "other" / ".celltrail")
    ids = filled(other, 25)
    interrupted = 0
    for number, seconds in enumerate((0.0, 0.02, 0.06, 0.12, 0.2)):
        target = Store(tmp_path / f"target{number}" / ".celltrail")
        interrupted += killed(MERGE, seconds, target.root, other.root)
        if target.root.exists():
            for record in target.records():
                for digest in named(target, [record.id])[record.id]:
                    target.blobs.verify(digest)
        target = Store(target.root)
        target.merge(other)
        assert {record.id for record in target.records()} == set(ids)
        assert {file.digest for file in target.blobs.files()} == {file.digest for file in other.blobs.files()}
        report = target.merge(other)
        assert (report.new, report.changed, report.same, report.blobs) == ([], [], 25, 0)
    assert interrupted


def test_a_repair_that_is_killed_is_run_again(store: Store, tmp_path: Path) -> None:
    """Whatever was lost of a run is in the trash or rebuilt, never neither; the second repair does the rest."""
    ids = filled(store)
    logs = {run_id: next((store.root / "runs" / run_id[-2:] / run_id / "m").iterdir()) for run_id in ids}
    for number, run_id in enumerate(ids):
        folder = logs[run_id].parent.parent
        if number % 3 == 0:
            (folder / "run.json").unlink()
        elif number % 3 == 1:
            logs[run_id].write_bytes(logs[run_id].read_bytes() + bytes(50))
        else:
            wrong = store.root / "runs" / "ZZ"
            wrong.mkdir(exist_ok=True)
            shutil.move(folder, wrong / run_id)
    for path in store.root.rglob("*"):
        if path.name in {*ids, "run.json", "m"} or path.suffix == ".ctl":
            os.utime(path, (time.time() - 100,) * 2)
    broken = tmp_path / "broken"
    shutil.copytree(store.root, broken)
    interrupted = 0
    for seconds in (0.0, 0.02, 0.05, 0.08, 0.12, 0.2):
        shutil.rmtree(store.root)
        shutil.copytree(broken, store.root)
        interrupted += killed(REPAIR, seconds, store.root)
        Store(store.root).examine(repair=True)
        again = Store(store.root).examine()
        assert again.is_healthy, str(again)
        fresh = Store(store.root)
        assert {record.id for record in fresh.records()} == set(ids)
        for run_id in ids:
            assert fresh.series(run_id)["loss"].value.tolist() == [0.5]
            with pytest.raises(NoRun):
                fresh.blobs.get("0" * 64)
    assert interrupted

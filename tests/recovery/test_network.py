"""A trail on a file system of another kind than the disk: mounted by FUSE, where the machine allows it.

`is_network` takes every FUSE file system for a network, as sshfs, gcsfuse and many cluster homes are.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from celltrail.store import Store
from celltrail.store.files.network import caches, is_network, retried
from recovery.logs import begin, the_log
from recovery.test_kill import killed_run, spawn

WRITE = """
import dataclasses, sys, time
from recovery.logs import begin
from celltrail.store import Store
store = Store(sys.argv[1])
writer = begin(store)
print(writer.id, flush=True)
for step in range(400):
    writer.row(("loss",), step, writer.clock(), (step / 7,))
    if step % 50 == 0:
        writer.sync()
        store.edit(writer.id, f"tag:{step}", True, by_run=True)
        assert store.record(writer.id).id == writer.id
writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
"""


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder on the mount and the folder of this disk that is behind it."""
    if not shutil.which("bindfs"):
        pytest.skip("bindfs is not installed")
    behind, point = tmp_path / "behind", tmp_path / "mounted"
    behind.mkdir()
    point.mkdir()
    done = subprocess.run(["bindfs", str(behind), str(point)], capture_output=True, text=True, timeout=20)
    if done.returncode or not os.path.ismount(point):
        pytest.skip(f"bindfs: {done.stderr.strip() or 'not mounted'}")
    try:
        yield point, behind
    finally:
        subprocess.run(["umount", "--lazy", str(point)], capture_output=True, timeout=20)


def test_a_trail_on_a_network(mounted: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes write and read, a third is killed: what is read there is what the disk behind it holds."""
    point, behind = mounted
    assert is_network(point / ".celltrail")
    assert not is_network(behind)
    monkeypatch.setenv("XDG_CACHE_HOME", str(point / "cache"))
    assert not any(place.is_relative_to(point) for place in caches())
    store = Store(point / ".celltrail")
    writers = [spawn(WRITE, store.root) for _ in range(2)]
    seen: list[int] = []
    killed, returned = killed_run(store, tmp_path / "counter", 0.2)
    while any(writer.poll() is None for writer in writers):
        seen.append(sum(metric.count for run in store.records() for metric in run.metrics.values()))
        time.sleep(0.05)
    ids = [writer.communicate(timeout=30)[0].strip() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen == sorted(seen)
    records = {record.id: record for record in store.records()}
    assert records == {record.id: record for record in Store(behind / ".celltrail").records()}
    assert {run: record.status for run, record in records.items()} == dict.fromkeys(ids, "finished") | {
        killed: "killed"
    }
    for run_id in ids:
        assert store.series(run_id)["loss"].step.tolist() == list(range(400))
        assert len(records[run_id].tags) == 8
    points = store.series(killed)
    assert sum(len(points[name].step) for name in ("loss", "lr")) in (returned, returned + 1)
    names = {path.name for path in behind.rglob("*")}
    assert not any(name.startswith("index.db") or name.endswith((".tmp", ".lock")) for name in names)


def test_a_file_that_is_removed_while_it_is_read(mounted: tuple[Path, Path]) -> None:
    """A reader has the file to its end or none; the listing goes on without the run."""
    point, behind = mounted
    store = Store(point / ".celltrail")
    kept, removed = begin(store), begin(store)
    for writer in (kept, removed):
        for step in range(100):
            writer.row(("loss",), step, writer.clock(), (step,))
    with open(the_log(store, removed.id), "rb") as file:
        beginning = file.read(10)
        size = the_log(store, removed.id).stat().st_size
        the_log(Store(behind / ".celltrail"), removed.id).unlink()
        assert len(beginning + file.read()) == size
    shutil.rmtree(store.root / "runs" / removed.id[-2:] / removed.id)
    assert [record.id for record in store.records()] == [kept.id]
    with pytest.warns(RuntimeWarning, match="import --fallback"):
        removed.sync()  # its folder alone is gone: it goes on elsewhere
    for writer in (kept, removed):
        writer.close(Store(writer.home).record(writer.id))
    store.bring_back()
    assert store.series(removed.id)["loss"].step.tolist() == list(range(100))


def test_a_stale_handle_is_tried_once_more(tmp_path: Path) -> None:
    """What another host replaced just now is opened anew; a handle that stays stale is an error, as any other is."""
    path = tmp_path / "file"
    path.write_text("new")
    failures = [errno.ESTALE, errno.ESTALE, errno.ESTALE, errno.EIO]

    @retried
    def read(count: int) -> str:
        if len(failures) > count:
            raise OSError(failures.pop(0), "")
        return path.read_text()

    assert read(3) == "new"
    with pytest.raises(OSError, match=rf"{errno.ESTALE}|Stale"):
        read(0)
    with pytest.raises(OSError, match=str(errno.EIO)):
        read(0)

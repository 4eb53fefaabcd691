"""Writing without waiting for the platter."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from celltrail.store import Store
from celltrail.store.files import disk, pending


@pytest.fixture
def synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is brought to the disk from now on, by path."""
    found: list[str] = []
    fsync = os.fsync

    def noted(fd: int) -> None:
        path = os.readlink(f"/proc/self/fd/{fd}")
        if path.startswith(str(tmp_path)):  # threads that other tests left behind sync files of their own
            found.append(path)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_later_waits_for_the_platter_only_when_told(tmp_path: Path, synced: list[str]) -> None:
    """Inside `later` files are whole at once and nothing is synced; the call afterwards syncs each file and folder."""
    with disk.later() as sync:
        disk.replace_whole(tmp_path / "a", b"one")
        assert disk.create_whole(tmp_path / "b", b"two")
        other = threading.Thread(target=disk.replace_whole, args=(tmp_path / "c", b"three"))
        other.start()
        other.join()
    assert [(tmp_path / name).read_bytes() for name in "abc"] == [b"one", b"two", b"three"]
    assert synced
    assert all("/c." in name or name == str(tmp_path) for name in synced)  # the other thread waits as always
    synced.clear()
    sync()
    assert set(synced) == {str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path)}
    synced.clear()
    disk.replace_whole(tmp_path / "a", b"again")
    assert len(synced) == 2


def test_what_several_writers_left_is_brought_to_the_platter_once(tmp_path: Path, synced: list[str]) -> None:
    """A file that was replaced again and again is one of them, and its folder too; what comes later asks again."""
    asked: list[int] = []
    unsynced = disk.Unsynced(lambda: asked.append(1))

    def write(name: str) -> None:
        with unsynced.writing():
            disk.replace_whole(tmp_path / name, b"one")

    for name in ("a", "b", "a"):
        other = threading.Thread(target=write, args=(name,))
        other.start()
        other.join()
    assert (len(asked), synced) == (3, [])
    unsynced.sync()
    assert sorted(synced) == sorted(map(str, (tmp_path, tmp_path / "a", tmp_path / "b")))
    synced.clear()
    unsynced.sync()
    assert synced == []
    disk.replace_whole(tmp_path / "c", b"two")
    assert len(synced) == 2


def test_a_run_waits_for_the_platter_only_when_its_files_are_closed(store: Store, synced: list[str]) -> None:
    """Not where it begins, nor where it ends while something is owed to it: then the keeper's next sync has it all."""
    from celltrail.run import start

    folder = f"{store.root}/runs"
    run = start("one", store=store)
    settle = run.owe()
    assert not [path for path in synced if path.startswith(folder)]
    run.keep(time.monotonic() + 60)
    assert any(path.endswith("/run.json") for path in synced)
    synced.clear()
    run.finish()
    assert store.record(run.id).status == "finished"
    assert not [path for path in synced if path.startswith(folder)]
    run.keep(time.monotonic() + 120)
    assert any(path.endswith("/run.json") for path in synced)
    synced.clear()
    settle()
    assert sum("/run.json" in path or path.endswith(run.id) for path in synced) == 2


def test_readers_wait_for_what_is_under_way(store: Store) -> None:
    """Reading the trail first waits for the writers of this process that asked for it."""
    from celltrail.run import start

    run = start("one", store=store)
    asked: list[int] = []
    stop = pending.wait_with(lambda: asked.append(1))
    store.record(run.id)
    store.series(run.id)
    assert len(asked) >= 2
    stop()
    count = len(asked)
    store.records()
    assert len(asked) == count
    run.finish()

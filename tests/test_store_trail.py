"""The trail as a folder: where it is, who may read it, and that many may begin it at once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from celltrail.errors import Damaged, NoRun, StoreError
from celltrail.store import Store, locate
from celltrail.store.files import disk
from recovery.logs import begin


def test_the_trail_is_found_as_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment, the nearest folder upwards, the git root's, the working folder's; nothing is created."""
    monkeypatch.setenv("CELLTRAIL_STORE", str(tmp_path / "chosen"))
    assert locate() == tmp_path / "chosen"
    monkeypatch.delenv("CELLTRAIL_STORE")
    deep = tmp_path / "project" / "notebooks" / "deep"
    deep.mkdir(parents=True)
    assert locate(deep) == deep / ".celltrail"
    (tmp_path / "project" / ".git").mkdir()
    assert locate(deep) == tmp_path / "project" / ".celltrail"
    (deep.parent / ".celltrail").mkdir()
    assert locate(deep) == deep.parent / ".celltrail"
    monkeypatch.chdir(deep)
    assert locate() == deep.parent / ".celltrail"
    assert not (tmp_path / "project" / ".celltrail").exists()


def test_a_working_folder_that_is_gone_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel may outlive its folder."""
    monkeypatch.delenv("CELLTRAIL_STORE")
    monkeypatch.chdir(tmp_path)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StoreError, match="no longer exists"):
        locate()


def test_opening_a_trail_creates_nothing(store: Store) -> None:
    """Only the first write does; reading an absent trail is an empty answer."""
    assert (store.id, store.records()) == ("", [])
    with pytest.raises(NoRun, match=r"no run 'x' in \.celltrail"):
        store.record("x")
    assert not store.root.exists()


def test_folders_and_files_are_private(store: Store) -> None:
    """0700 and 0600 whatever the umask; blobs cannot be written."""
    mask = os.umask(0)
    try:
        writer = begin(store, code=store.blobs.put("code"))
        store.edit(writer.id, "name", "x")
        writer.flush()
    finally:
        os.umask(mask)
    for path in [store.root, *store.root.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o444 if "blobs" in path.parts else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_group_bits_of_a_shared_trail_are_kept(store: Store) -> None:
    """A team that opened its trail to a group can go on working in it."""
    store.root.mkdir()
    store.root.chmod(0o2770)
    writer = begin(store)
    folder = store.root / "runs" / writer.id[-2:] / writer.id
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2770
    assert stat.S_IMODE((folder / "run.json").stat().st_mode) == 0o660


BEGIN = """
import sys, time
from recovery.logs import begin
from celltrail.store import Store
import celltrail.store.docs
time.sleep(max(0, float(sys.argv[2]) - time.time()))
store = Store(sys.argv[1])
writer = begin(store)
writer.row(("loss",), 1, writer.clock(), (0.5,))
writer.close(store.record(writer.id))
print(store.id)
"""


def test_eight_processes_begin_one_new_trail(store: Store) -> None:
    """All succeed, all agree on the trail's id, and nothing temporary stays."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", BEGIN, str(store.root), str(time.time() + 2.5)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(8)
    ]
    answers = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, answers
    assert {answer[0].strip() for answer in answers} == {store.id}
    assert len(store.records()) == 8
    assert not list(store.root.rglob("*.tmp"))


def test_creating_whole_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems have none: the second creator still loses."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "trail.json"
    assert disk.create_whole(path, b"first") is True
    assert disk.create_whole(path, b"second") is False
    assert path.read_bytes() == b"first"
    assert list(tmp_path.glob("*.tmp")) == []


def test_a_damaged_or_newer_trail_is_not_written(store: Store) -> None:
    """Never mistaken for a new one."""
    begin(store)
    path = store.root / "trail.json"
    body = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps({**body, "id": "other"}))
    with pytest.raises(Damaged, match="does not verify"):
        begin(Store(store.root))
    from zlib import crc32

    newer = {"format": 99, "id": body["id"], "created": 1}
    check = f"{crc32(orjson.dumps(newer, option=orjson.OPT_SORT_KEYS)):08x}"
    path.write_bytes(orjson.dumps({**newer, "check": check}))
    with pytest.raises(StoreError, match="newer than this celltrail"):
        begin(Store(store.root))


def test_old_temporary_files_are_swept(store: Store) -> None:
    """What a killed process left is removed after an hour, not before."""
    store.root.mkdir()
    old, young, other = (store.root / name for name in ("a.1.ff.tmp", "b.1.ff.tmp", "c.json"))
    for path in (old, young, other):
        path.write_text("")
    os.utime(old, (1, 1))
    os.utime(other, (1, 1))
    begin(store)
    assert [path.exists() for path in (old, young, other)] == [False, True, True]


def test_a_run_id_is_not_a_path(store: Store) -> None:
    """Nor is a digest: nothing outside the trail can be named."""
    begin(store)
    for word in ("", "..", "../..", "a/b", "\0abc"):
        with pytest.raises(NoRun):
            store.record(word)
        with pytest.raises(NoRun):
            store.blobs.get(word)


def test_blobs_are_kept_once_and_verified(store: Store) -> None:
    """The same bytes are one file; bytes that changed are never handed out."""
    digest = store.blobs.put(b"\x00weights")
    assert store.blobs.put(b"\x00weights") == digest
    assert store.blobs.get(digest) == b"\x00weights"
    assert store.blobs.text(store.blobs.put("gr\u00fc\u00df")) == "gr\u00fc\u00df"
    path = store.root / "blobs" / digest[:2] / digest
    assert len([found for found in store.root.rglob("*") if found.name == digest]) == 1
    assert digest in store.blobs
    assert "0" * 64 not in store.blobs
    with pytest.raises(NoRun, match="no blob '000000000000'"):
        store.blobs.get("0" * 64)
    os.utime(path, (1, 1))
    store.blobs.put(b"\x00weights")
    assert path.stat().st_mtime > 1
    path.chmod(0o600)
    path.write_bytes(b"\x00weighty")
    with pytest.raises(Damaged, match="does not hold what was put"):
        store.blobs.get(digest)
    path.write_bytes(b"")
    assert store.blobs.get(store.blobs.put(b"\x00weights")) == b"\x00weights"

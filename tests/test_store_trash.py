"""The trash: nothing is deleted at once, what is there says why, and it can be brought back."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.store import Store
from celltrail.store.upkeep.trash import Trash, size_of
from recovery.logs import begin

SHM = Path("/dev/shm")


@pytest.fixture
def trash(store: Store) -> Trash:
    return Trash(store.root)


def a_run(store: Store) -> Path:
    writer = begin(store)
    writer.row(("loss",), 0, writer.clock(), (0.5,))
    writer.close(store.record(writer.id))
    return store.root / "runs" / writer.id[-2:] / writer.id


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_goes_to_the_trash_and_comes_back(store, trash):
    """Dated, under the path it had, with the reason; restored it is what it was."""
    folder = a_run(store)
    before = contents(folder)
    put = trash.put(folder, "deleted by its owner")
    assert store.records() == []
    (entry,) = trash.entries()
    assert entry == put
    name = folder.relative_to(store.root).as_posix()
    assert (entry.path, entry.why, entry.size) == (name, "deleted by its owner", sum(map(len, before.values())))
    assert entry.place == store.root / "trash" / time.strftime("%Y-%m-%d", time.gmtime()) / name
    assert trash.restore(entry) == folder
    assert contents(folder) == before
    assert trash.entries() == []
    assert len(Store(store.root).records()) == 1


def test_nothing_is_made_before_something_is_thrown_away(store, trash):
    """Looking at the trash of an empty trail creates nothing."""
    assert trash.entries() == []
    assert trash.empty() == 0
    assert not store.root.exists()


def test_the_same_path_twice_in_a_day_keeps_both(store, trash):
    """The second gets a number; restoring by path takes the newest."""
    begin(store)
    path = store.root / "notes.txt"
    for text in ("first", "second"):
        path.write_text(text)
        trash.put(path, text)
    assert [entry.why for entry in trash.entries()] == ["second", "first"]
    assert trash.restore("notes.txt").read_text() == "second"


def test_restoring_never_overwrites(store, trash):
    """What is there now is somebody's work."""
    begin(store)
    path = store.root / "notes.txt"
    path.write_text("old")
    trash.put(path, "why not")
    path.write_text("new")
    with pytest.raises(StoreError, match=r"notes\.txt is there again"):
        trash.restore("notes.txt")
    assert path.read_text() == "new"
    assert [entry.path for entry in trash.entries()] == ["notes.txt"]
    with pytest.raises(NoRun, match=r"did you mean 'notes\.txt'"):
        trash.restore("note.txt")


def test_only_things_of_the_trail_can_be_thrown_away(store, trash, tmp_path):
    """Neither what is outside, nor the trail itself, nor the trash."""
    begin(store)
    outside = tmp_path / "thesis.tex"
    outside.write_text("years of work")
    for path in (outside, store.root, store.root / "runs" / ".." / ".." / "thesis.tex", store.root / "trash" / "x"):
        with pytest.raises(BadValue, match="is not a file or folder of the trail"):
            trash.put(path, "oops")
    assert outside.exists()


def test_what_is_gone_already_is_passed_over(store, trash):
    """Two clean-ups may meet."""
    begin(store)
    assert trash.put(store.root / "blobs" / "ab" / "nothing", "twice") is None
    assert trash.entries() == []


def test_a_lost_line_costs_the_reason_only(store, trash):
    """The thing is still found by its path."""
    folder = a_run(store)
    name = folder.relative_to(store.root).as_posix()
    trash.put(folder, "why")
    for lines in (store.root / "trash").rglob("*.jsonl"):
        lines.write_bytes(lines.read_bytes()[:-9])
    assert trash.entries() == []
    assert trash.restore(name) == folder


def test_a_link_is_moved_not_what_it_leads_to(store, trash, tmp_path):
    """The trash never reaches out of the trail."""
    begin(store)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").write_text("x")
    (store.root / "link").symlink_to(tmp_path / "data")
    trash.put(store.root / "link", "foreign")
    trash.empty(0)
    assert (tmp_path / "data" / "x").read_text() == "x"
    assert not list((store.root / "trash").iterdir())


def test_emptying_goes_by_the_day(store, trash):
    """Older than so many days is deleted, the rest stays; how much that gave is said."""
    begin(store)
    (store.root / "a").write_bytes(b"x" * 1000)
    trash.put(store.root / "a", "today")
    today = next((store.root / "trash").iterdir())
    day = 86400
    for age in (29, 31, 400):
        old = today.with_name(time.strftime("%Y-%m-%d", time.gmtime(time.time() - age * day)))
        old.mkdir()
        (old / "b").write_bytes(b"y" * 500)
    assert trash.empty(30) == 1000
    assert len(list((store.root / "trash").iterdir())) == 2
    assert trash.empty(0) >= 1500
    assert trash.entries() == []


def test_the_trash_is_private(store, trash):
    """As private as the trail."""
    mask = os.umask(0)
    try:
        trash.put(a_run(store), "why")
    finally:
        os.umask(mask)
    for path in (store.root / "trash").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.skipif(not SHM.is_dir(), reason="needs a second file system")
def test_across_file_systems(store, trash, tmp_path):
    """A trash on another disk gets a copy, and only then the original goes."""
    folder = a_run(store)
    before = contents(folder)
    other = SHM / f"celltrail-test-{os.getpid()}"
    other.mkdir()
    try:
        assert other.stat().st_dev != store.root.stat().st_dev
        (store.root / "trash").symlink_to(other)
        entry = trash.put(folder, "far away")
        assert not folder.exists()
        assert contents(entry.place) == before
        trash.restore(entry)
        assert contents(folder) == before
        assert not list(store.root.rglob("*.tmp"))
    finally:
        subprocess.run(["rm", "-r", str(other)], check=True)


MOVE = """
import sys
from pathlib import Path
from celltrail.store.upkeep.trash import Trash
print("ready", flush=True)
Trash(Path(sys.argv[1])).put(Path(sys.argv[2]), "killed")
"""


@pytest.mark.skipif(not SHM.is_dir(), reason="needs a second file system")
def test_a_killed_move_leaves_one_side_whole(store, trash):
    """kill -9 while copying to another disk: the folder is whole where it was, or in the trash."""
    other = SHM / f"celltrail-test-{os.getpid()}"
    other.mkdir()
    try:
        (store.root / "trash").parent.mkdir(exist_ok=True)
        (store.root / "trash").symlink_to(other)
        for wait in (0.0, 0.003, 0.01, 0.03):
            folder = store.root / "big"
            folder.mkdir(exist_ok=True)
            for number in range(200):
                (folder / f"{number}").write_bytes(bytes([number]) * 20_000)
            before = contents(folder)
            command = [sys.executable, "-c", MOVE, str(store.root), str(folder)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert process.stdout
            process.stdout.readline()
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            places = [entry.place for entry in trash.entries()] + [folder]
            assert before in [contents(place) for place in places if place.exists()]
    finally:
        subprocess.run(["rm", "-r", str(other)], check=True)


def test_sizes_follow_no_links(tmp_path):
    """A link into a home folder does not count the home."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"12345")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert size_of(tmp_path / "a") == 5 + len(os.readlink(tmp_path / "a" / "up"))
    assert size_of(tmp_path / "nothing") == 0

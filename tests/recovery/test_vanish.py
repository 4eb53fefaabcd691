"""A trail that disappears under a run: the code goes on, one warning, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import NoRun
from celltrail.store import RunWriter, Store
from kernels import Kernel
from recovery.logs import begin, the_log
from recovery.test_kill import spawn


def steps(store: Store, run_id: str, name: str = "loss") -> list[int]:
    return store.series(run_id)[name].step.tolist()


@contextmanager
def one_warning(*absent: object) -> Iterator[None]:
    """Exactly one, with the command that brings the run back and no path of this machine."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    (text,) = [str(warning.message) for warning in caught if "celltrail" in str(warning.message)]
    assert "deleted, moved or cannot be written" in text
    assert text.endswith("celltrail import --fallback")
    assert not any(str(path) in text for path in absent)


def test_a_deleted_trail_comes_back_whole(store: Store, tmp_path: Path) -> None:
    """Threads log while it is deleted: every call that returned is there afterwards, under the old id of the trail."""
    run = ct.start("deleted", {"lr": 0.1})
    trail = store.id
    logged: list[list[int]] = [[] for _ in range(3)]
    is_over = threading.Event()

    def work(number: int) -> None:
        step = 0
        while not is_over.is_set():
            run.log({f"loss{number}": step / 7}, step=step)
            logged[number].append(step)
            step += 1
            time.sleep(0.0005)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    with one_warning(store.root, tmp_path):
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + 30
        while min(map(len, logged)) < 60 and time.monotonic() < deadline:
            time.sleep(0.02)
        shutil.rmtree(store.root.rename(tmp_path / "gone"), ignore_errors=True)
        while run.writer.home == store.root and time.monotonic() < deadline:
            time.sleep(0.05)
        run.tags.add("late")
        run.params["after"] = 2
        while min(map(len, logged)) <= 100 and time.monotonic() < deadline:
            time.sleep(0.02)
        is_over.set()
        for thread in threads:
            thread.join()
        run.finish()
    assert run.status == "finished"
    assert main(["import", "--fallback"]) == 0
    back = Store(store.root)
    record = back.record(run.id)
    assert back.id == trail
    assert (record.status, record.tags, set(record.params)) == ("finished", ("late",), {"lr", "after"})
    assert any("recorded outside" in problem for problem in record.problems)
    for number, known in enumerate(logged):
        assert len(known) > 100
        assert steps(back, run.id, f"loss{number}") == known
        assert record.metrics[f"loss{number}"].count == len(known)
    assert back.gaps(run.id) == []
    assert main(["import", "--fallback"]) == 1  # it rests now


def gone(writer: RunWriter, store: Store) -> None:
    """The keeper's part, at once."""
    writer.sync()
    assert writer.home != store.root


def test_a_moved_trail_takes_its_run_back(store: Store, tmp_path: Path) -> None:
    """What it has already is the beginning of what comes; importing while the run goes on takes nothing away."""
    writer = begin(store)
    for step in range(50):
        writer.row(("loss",), step, writer.clock(), (step,))
    there = Store(tmp_path / "elsewhere" / ".celltrail")
    there.root.parent.mkdir()
    os.rename(store.root, there.root)
    for step in range(50, 80):
        writer.row(("loss",), step, writer.clock(), (step,))
    with one_warning(tmp_path):
        gone(writer, store)
    writer.put("params", "lr", {"value": 0.1, "rule": "api"})
    writer.flush()
    (report,) = there.bring_back()
    assert any("still goes on" in note for note in report.notes)
    assert steps(there, writer.id) == list(range(80))
    for step in range(80, 100):
        writer.row(("loss",), step, writer.clock(), (step,))
    writer.close(Store(writer.home).record(writer.id))
    (report,) = there.bring_back()
    assert not any("other one" in note for note in report.notes)
    assert steps(there, writer.id) == list(range(100))
    assert there.record(writer.id).params["lr"].value == 0.1
    with pytest.raises(NoRun, match="nothing was recorded outside"):
        there.bring_back()


def test_a_trail_made_anew_in_its_place_takes_the_run(store: Store, tmp_path: Path) -> None:
    """It has another id: what counts is that it is where the lost one was."""
    writer = begin(store)
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    before = store.id
    shutil.rmtree(store.root)
    anew = Store(store.root)
    other = begin(anew)
    assert anew.id != before
    with one_warning(tmp_path):
        gone(writer, store)
    writer.close(Store(writer.home).record(writer.id))
    anew.bring_back()
    assert {record.id for record in anew.records()} == {writer.id, other.id}
    other.close(anew.record(other.id))


def test_all_parts_of_a_log_are_brought_along(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the parts that were full long before."""
    from celltrail.store import log as module

    monkeypatch.setattr(module, "PART_BYTES", 4000)
    monkeypatch.setattr(module, "REPEAT_BYTES", 1000)
    writer = begin(store)
    for step in range(500):
        writer.row(("loss",), step, writer.clock(), (step,))
    shutil.rmtree(store.root)
    for step in range(500, 900):  # a next part cannot be made meanwhile
        writer.row(("loss",), step, writer.clock(), (step,))
    with one_warning(store.root):
        gone(writer, store)
    writer.close(Store(writer.home).record(writer.id))
    store.bring_back()
    assert steps(store, writer.id) == list(range(900))


def test_a_fallback_that_disappears_too(store: Store) -> None:
    """The run goes on in another one, and says so once."""
    writer = begin(store)
    writer.row(("loss",), 0, writer.clock(), (0,))
    with one_warning(store.root):
        shutil.rmtree(store.root)
        gone(writer, store)
        writer.row(("loss",), 1, writer.clock(), (1,))
        shutil.rmtree(writer.home)
        writer.sync()
        writer.row(("loss",), 2, writer.clock(), (2,))
    writer.close(Store(writer.home).record(writer.id))
    store.bring_back()
    assert steps(store, writer.id) == [0, 1, 2]


READ_ONLY = """
import json, os, sys, warnings
import celltrail as ct
from celltrail.cli import main
from celltrail.store import Store
# what is imported when needed may not be readable to everybody
warm = ct.start("warm", {"lr": 1}, tags=["x"], store=Store(sys.argv[2]))
warm.log({"loss": 1.0})
warm.finish()
main(["import", sys.argv[2], "--store", sys.argv[2] + "-copy"])
import celltrail.store.log.fallback, numpy, sqlite3
warm.store.series(warm.id)["loss"], warm.store.records()
os.setuid(65534)
os.environ["XDG_CACHE_HOME"] = sys.argv[1] + "-cache"  # what root made is not for others
store = Store(sys.argv[1])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    run = ct.start("locked", store=store)
    for step in range(20):
        run.log({"loss": step}, step=step)
    for folder, _, _ in os.walk(store.root):
        os.chmod(folder, 0o500)
    run.params["lr"] = 0.5
    run.tags.add("late")
    for step in range(20, 40):
        run.log({"loss": step}, step=step)
    run.finish()
for folder, _, _ in os.walk(store.root):
    os.chmod(folder, 0o700)
assert main(["import", "--fallback", "--store", sys.argv[1]]) == 0
record = store.record(run.id)
found = record.status, record.params["lr"].value, record.tags
print(json.dumps([found, store.series(run.id)["loss"].step.tolist(), [str(w.message) for w in caught]]))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody whom modes of files stop")
def test_a_trail_made_read_only_while_a_run_goes_on(tmp_path: Path) -> None:
    """The document can no longer be replaced: it and the rest of the log are kept outside."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        environment = {**os.environ, "XDG_CACHE_HOME": f"{folder}/cache"}
        command = [sys.executable, "-c", READ_ONLY, f"{folder}/.celltrail", str(tmp_path / "warm")]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found, logged, said = json.loads(done.stdout.splitlines()[-1])
    assert found == ["finished", 0.5, ["late"]]
    assert logged == list(range(40))
    assert len(said) == 1, said


def test_a_file_system_that_is_unmounted(store: Store, tmp_path: Path) -> None:
    """What is left under the name of the trail is an empty folder; the open log still holds all of it."""
    store.root.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "celltrail-test", str(store.root)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError as error:
        pytest.skip(f"mount: {error}")
    if mounted.returncode:
        pytest.skip(f"mount: {mounted.stderr.strip()}")
    try:
        writer = begin(store)
        for step in range(10):
            writer.row(("loss",), step, writer.clock(), (step,))
        # detached: the open files live on, nothing is left under their names
        assert subprocess.run(["umount", "--lazy", str(store.root)], timeout=20).returncode == 0
        for step in range(10, 20):
            writer.row(("loss",), step, writer.clock(), (step,))
        with one_warning(tmp_path):
            gone(writer, store)
    finally:
        subprocess.run(["umount", "--lazy", str(store.root)], capture_output=True, timeout=20)
    writer.close(Store(writer.home).record(writer.id))
    store.bring_back()
    assert steps(store, writer.id) == list(range(20))


def test_a_log_that_cannot_be_written_goes_on_elsewhere(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited in memory because the disk said it is read-only is in the fallback, in order."""
    writer = begin(store)
    writer.row(("loss",), 0, writer.clock(), (0,))
    fd = os.open(the_log(store, writer.id), os.O_RDONLY)
    os.dup2(fd, writer._log._fd)  # from now on every write fails, and reading goes on
    os.close(fd)
    with pytest.warns(RuntimeWarning, match="goes on in memory"):
        writer.row(("loss",), 1, writer.clock(), (1,))
    assert writer._waiting.failure is not None
    writer._waiting.failure.errno = errno.EROFS  # a descriptor open for reading says EBADF, a read-only disk EROFS
    with one_warning(store.root):
        gone(writer, store)
    writer.row(("loss",), 2, writer.clock(), (2,))
    writer.close(Store(writer.home).record(writer.id))
    store.bring_back()
    assert steps(store, writer.id) == [0, 1, 2]


KILLED = """
import shutil, sys, warnings
import celltrail as ct
from celltrail.store import Store
warnings.simplefilter("ignore")
store = Store(sys.argv[1])
run = ct.start("killed", store=store)
run.log({"loss": 0.0}, step=0)
store.root.rename(sys.argv[2])
shutil.rmtree(sys.argv[2], ignore_errors=True)
run.log({"loss": 1.0}, step=1)
run.writer.sync()
step = 2
print(run.id, flush=True)
while True:
    run.log({"loss": step}, step=step)
    print(step, flush=True)
    step += 1
"""


def test_kill_in_the_fallback(store: Store, tmp_path: Path) -> None:
    """As in the trail itself: no returned call is lost, and the run reads killed."""
    process = spawn(KILLED, store.root, tmp_path / "gone")
    assert process.stdout
    run_id = process.stdout.readline().strip()
    for _ in range(200):
        last = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split("\n")
    process.wait()
    process.stdout.close()
    returned = int(([last.strip(), *rest[:-1]])[-1])
    store.bring_back()
    found = steps(store, run_id)
    assert found in (list(range(returned + 1)), list(range(returned + 2)))
    assert store.record(run_id).status == "killed"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_after_the_trail_is_gone_logs_too(store: Store) -> None:
    """Its own log cannot be made in the trail: it is made in the fallback."""
    writer = begin(store)
    writer.row(("loss",), 0, writer.clock(), (0,))
    shutil.rmtree(store.root)
    child = os.fork()
    if not child:
        try:
            writer.row(("loss",), 1, writer.clock(), (1,))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    with one_warning(store.root):
        gone(writer, store)
    writer.close(Store(writer.home).record(writer.id))
    store.bring_back()
    assert steps(store, writer.id) == [0, 1]


def test_a_cell_whose_trail_is_deleted(store: Store, tmp_path: Path) -> None:
    """In a real kernel: the cell replies ok, complains in one line, its run ends and comes back."""
    kernel = Kernel(tmp_path)
    try:
        assert kernel.run("%load_ext celltrail\nimport celltrail as ct, shutil, time").status == "ok"
        cell = (
            "%%track\nfor step in range(60):\n    ct.log(loss=step, step=step)\n    time.sleep(0.05)\n"
            f"    if step == 5: shutil.rmtree(shutil.move({str(store.root)!r}, 'gone'), True)\nprint('through')"
        )
        reply = kernel.run(cell)
        assert reply.status == "ok"
        assert "through" in reply.text
        lines = [line for line in reply.complaints.splitlines() if "celltrail:" in line]
        assert len(lines) == 1, reply.complaints
        assert str(tmp_path) not in reply.complaints
        assert kernel.run("1 + 1").status == "ok"
    finally:
        kernel.stop()
    store.bring_back()
    (record,) = [record for record in store.records() if "loss" in record.metrics]
    assert record.status == "finished"
    assert steps(store, record.id) == list(range(60))

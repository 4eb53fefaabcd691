"""kill -9 at any moment: every returned call is in the trail, the run reads killed, the next one works."""

from __future__ import annotations

import mmap
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from celltrail.store import Store
from recovery.logs import begin

WORK = """
import mmap, sys
from recovery.logs import begin
from celltrail.store import Store
writer = begin(Store(sys.argv[1]))
file = open(sys.argv[2], "r+b")
counter = mmap.mmap(file.fileno(), 8)
print(writer.id, flush=True)
i = 0
while True:
    writer.row(("loss", "acc") if i % 3 else ("lr",), i, writer.clock(), (i / 7, -i) if i % 3 else (1 / (i + 1),))
    i += 1
    counter[:] = i.to_bytes(8, "little")  # in one piece: struct sets the bytes to 0 first, and is killed there, too
    if i % 500 == 0:
        writer.put("params", f"p{i}", {"value": i, "rule": "api"})
        writer.flush()
"""


IN_THE_MIDST = """
import os, signal, sys
from recovery.logs import begin
from celltrail.store import Store
writer = begin(Store(sys.argv[1]))
print(writer.id, flush=True)
os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
writer.put("params", "lr", {"value": 0.1, "rule": "api"})
writer.flush()
"""


def spawn(program: str, *args: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", program, *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def killed_run(store: Store, counter: Path, seconds: float) -> tuple[str, int]:
    """A run whose process was killed this long after it began, and how many calls had returned."""
    counter.write_bytes(bytes(8))
    process = spawn(WORK, store.root, counter)
    assert process.stdout
    run_id = process.stdout.readline().strip()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with open(counter, "r+b") as file, mmap.mmap(file.fileno(), 8) as view:
        return run_id, int.from_bytes(view[:8], "little")


def test_no_returned_call_is_lost(store: Store, tmp_path: Path) -> None:
    """A hundred kills at random moments, eight at a time; values compared, at most the call in flight is extra."""
    chosen = random.Random(3)
    lives = [chosen.uniform(0, 0.08) for _ in range(100)]
    with ThreadPoolExecutor(8) as pool:
        killed = list(pool.map(lambda n: killed_run(store, tmp_path / f"counter {n}", lives[n]), range(100)))
    for run_id, returned in killed:
        logged = {
            name: dict(zip(series.step.tolist(), series.value.tolist(), strict=True))
            for name, series in store.series(run_id).items()
        }
        done = sorted(step for name in ("loss", "lr") for step in logged.get(name, {}))
        assert done in (list(range(returned)), list(range(returned + 1)))
        for step in done:
            if step % 3:
                assert (logged["loss"][step], logged["acc"][step]) == (step / 7, -step)
            else:
                assert logged["lr"][step] == 1 / (step + 1)
        assert store.gaps(run_id) == []


def test_a_killed_run_reads_killed_with_complete_summaries(store: Store, tmp_path: Path) -> None:
    """The document was at most a second old; summaries, params and the end come from the log."""
    run_id, _ = killed_run(store, tmp_path / "counter", 0.2)
    before = (store.root / "runs" / run_id[-2:] / run_id / "run.json").read_bytes()
    series = store.series(run_id)
    for reader in (store, Store(store.root)):
        record = reader.record(run_id)
        assert record.status == "killed"
        for name, points in series.items():
            metric = record.metrics[name]
            assert (metric.count, metric.last, metric.last_step) == (
                len(points.value),
                points.value[-1],
                points.step[-1],
            )
            assert (metric.min, metric.max) == (points.value.min(), points.value.max())
        last = [int(points.t_us[-1]) for points in series.values()] + [event["t"] for event in reader.events(run_id)]
        assert record.ended_us == max(last)
        assert record.duration_s == (record.ended_us - record.started_us) / 1e6
        facts = [event for event in reader.events(run_id) if event["kind"] == "fact"]
        assert record.params.keys() == {fact["key"] for fact in facts}
        assert [found.status for found in reader.records()] == ["killed"]
    assert (store.root / "runs" / run_id[-2:] / run_id / "run.json").read_bytes() == before


def test_the_next_run_works_beside_a_killed_one(store: Store, tmp_path: Path) -> None:
    """Nothing of the dead process is in the way: no lock, no temporary file."""
    run_id, _ = killed_run(store, tmp_path / "counter", 0.05)
    writer = begin(store)
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    statuses = {record.id: record.status for record in store.records()}
    assert statuses == {run_id: "killed", writer.id: "running"}
    assert store.series(writer.id)["loss"].value.tolist() == [0.5]
    writer.close(store.record(writer.id))


def test_a_run_in_another_process_reads_running_and_its_points_arrive(store: Store, tmp_path: Path) -> None:
    """Listing again brings a live run up to date from its log, not from its document."""
    counter = tmp_path / "counter"
    counter.write_bytes(bytes(8))
    process = spawn(WORK, store.root, counter)
    try:
        assert process.stdout
        run_id = process.stdout.readline().strip()
        counts: list[int] = []
        for _ in range(4):
            time.sleep(0.05)
            (record,) = store.records()
            assert (record.id, record.status) == (run_id, "running")
            counts.append(sum(metric.count for metric in record.metrics.values()))
        assert counts == sorted(set(counts))
    finally:
        process.kill()
        process.communicate()
    (record,) = store.records()
    assert record.status == "killed"
    assert {name: len(series.value) for name, series in store.series(run_id).items()} == {
        name: metric.count for name, metric in record.metrics.items()
    }


def test_a_process_that_left_without_closing_reads_killed(store: Store) -> None:
    """Also when its parent has not collected its remains yet."""
    work = "import sys; from recovery.logs import begin; from celltrail.store import Store\nbegin(Store(sys.argv[1]))"
    process = spawn(work, store.root)
    assert process.stdout
    process.stdout.read()
    process.stdout.close()
    deadline = time.monotonic() + 5
    while store.records()[0].status == "running" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.records()[0].status == "killed"
    process.wait()


def test_a_run_of_another_host_is_killed_by_silence(store: Store) -> None:
    """Its pid says nothing here: what counts is whether its log was written within the last minute."""
    import orjson

    writer = begin(store)
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    document = store.root / "runs" / writer.id[-2:] / writer.id / "run.json"
    tables = orjson.loads(document.read_bytes())
    tables["writers"][writer.writer] |= {"boot": "another machine", "pid": 1}
    document.write_bytes(orjson.dumps(tables))
    assert Store(store.root).record(writer.id).status == "running"
    (log,) = (document.parent / "m").iterdir()
    os.utime(log, (time.time() - 61, time.time() - 61))
    assert store.record(writer.id).status == "killed"
    writer.row(("loss",), 2, writer.clock(), (0.25,))
    record = store.record(writer.id)
    assert (record.status, record.metrics["loss"].last) == ("running", 0.25)


def test_a_document_that_was_being_replaced_leaves_nothing(store: Store) -> None:
    """Killed between the new bytes and their name: who reads the run next clears away what never got that name."""
    process = spawn(IN_THE_MIDST, store.root)
    run_id = process.communicate(timeout=60)[0].strip()
    folder = store.root / "runs" / run_id[-2:] / run_id
    (left,) = folder.glob("*.tmp")
    (folder / f"run.json.{process.pid + 1}.0a0b0c0d.tmp").touch()  # of a process nobody knows to be gone
    assert left.name.startswith(f"run.json.{process.pid}.")
    record = store.record(run_id)
    assert (record.status, record.params["lr"].value) == ("killed", 0.1)
    assert [path.name for path in folder.glob("*.tmp")] == [f"run.json.{process.pid + 1}.0a0b0c0d.tmp"]

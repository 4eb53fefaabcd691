"""Sealing and compaction lose nothing: killed at any moment, on a full disk, two at once, with damaged files."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from celltrail.errors import Damaged, StoreError
from celltrail.store import Store
from celltrail.store.files.claim import EXPIRES_S, Claim
from celltrail.store.log import ROW_KIND, frame, salt_of
from celltrail.store.seal import sealed
from celltrail.store.seal.compaction import KEEP_LOGS, begin, is_worth_it
from recovery import logs
from recovery.seals import aged, drop_logs, everything, finished_run, folder_of


def spawn(program: str, *args: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", program, *map(str, args)], env=environment)


COMPACT = """
import sys
from celltrail.store import Store
store = Store(sys.argv[1])
import pyarrow.parquet
open(sys.argv[2], "w").close()
while True:
    store.compact()
"""


def test_a_sealer_killed_at_any_moment_loses_nothing(store: Store, tmp_path: Path) -> None:
    """Also while it removes logs; the next pass goes on, and no half file is ever read."""
    before = {run_id: everything(store, run_id) for run_id in (finished_run(store, rows=60) for _ in range(24))}
    chosen = random.Random(5)
    for attempt in range(16):
        for run_id in before:
            aged(store, run_id, 90 if attempt < 8 else 7300)
        ready = tmp_path / f"ready {attempt}"
        process = spawn(COMPACT, store.root, ready)
        while not ready.exists():
            time.sleep(0.01)
        time.sleep(chosen.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for run_id in chosen.sample(list(before), 4):
            assert everything(store, run_id) == before[run_id]
    for run_id in before:
        aged(store, run_id, 7300)
    store.compact()  # what is not sealed yet
    for run_id in before:
        aged(store, run_id, 7300)
    store.compact()
    for run_id, expected in before.items():
        folder = folder_of(store, run_id)
        assert not list((folder / "m").glob("*.ctl"))
        seals, _ = store._files(run_id).seals()
        files = {file for seal in seals for file in (*seal.body["tables"], seal.body["events"]["file"])}
        assert {path.name for path in (folder / "sealed").iterdir()} == files
        assert everything(store, run_id) == expected
        assert store.gaps(run_id) == []


def test_a_killed_run_is_known_from_its_seal(store: Store) -> None:
    """Its document was never finished: metrics, facts and the end it had come from the logs that are gone."""
    import recovery.test_kill as kill

    counter = store.root.parent / "counter"
    run_id, _ = kill.killed_run(store, counter, 0.15)
    before = everything(store, run_id)
    assert before[3].status == "killed"
    aged(store, run_id)
    assert store.seal(run_id)
    assert everything(store, run_id) == before
    drop_logs(store, run_id)
    assert everything(store, run_id) == before
    assert [record.status for record in Store(store.root).records()] == ["killed"]
    (folder_of(store, run_id) / "run.json").unlink()
    lost = Store(store.root).record(run_id)
    assert dataclasses.replace(lost, problems=(), rev=0) == before[3]
    assert lost.problems == ("run.json is missing; what the log knows is shown instead",)


def test_two_sealers_at_once_make_one_seal(store: Store) -> None:
    """The second one leaves nothing behind."""
    run_id = finished_run(store)
    aged(store, run_id)
    before = everything(store, run_id)
    program = """
import sys, time
from pathlib import Path
from celltrail.store import Store
from celltrail.store.seal.sealing import seal
import pyarrow.parquet
store = Store(sys.argv[1])
files = store._files(sys.argv[2])
while time.time() < float(sys.argv[3]):
    pass
sys.exit(10 if seal(files._folder, files, {}) is None else 11)
"""
    at = time.time() + 3
    several = [spawn(program, store.root, run_id, at) for _ in range(3)]
    assert sorted(process.wait() for process in several) == [10, 10, 11]
    folder = folder_of(store, run_id)
    assert sealed.numbers(folder) == [1]
    seals, unreadable = store._files(run_id).seals()
    assert unreadable == []
    files = {*seals[0].body["tables"], seals[0].body["events"]["file"]}
    assert {path.name for path in (folder / "sealed").iterdir()} == files
    drop_logs(store, run_id)
    assert everything(store, run_id) == before


def test_a_full_disk_while_sealing_leaves_the_logs(store: Store) -> None:
    """The error is a sentence; no temporary file stays, and sealing works once there is room."""
    run_id = finished_run(store)
    aged(store, run_id)
    before = everything(store, run_id)
    program = """
import resource, sys
from celltrail.errors import StoreError
from celltrail.store import Store
import pyarrow.parquet
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))
try:
    Store(sys.argv[1]).seal(sys.argv[2])
except StoreError as error:
    sys.exit(7 if "cannot be written" in str(error) else 8)
"""
    for room in (10, 300, 800, 1500):
        assert spawn(program, store.root, run_id, room).wait() == 7
        assert list((folder_of(store, run_id) / "sealed").iterdir()) == []
        assert everything(store, run_id) == before
    assert store.seal(run_id)
    assert everything(store, run_id) == before


def flipped(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)


def test_a_damaged_parquet_is_never_served(store: Store) -> None:
    """Wherever a bit flips: the logs are used while they exist; else only what verifies, and the rest is told."""
    run_id = finished_run(store, rows=100)
    aged(store, run_id)
    before = everything(store, run_id)
    assert store.seal(run_id)
    parquets = list((folder_of(store, run_id) / "sealed").iterdir())
    whole = {path: path.read_bytes() for path in parquets}
    chosen = random.Random(9)
    places = [(path, chosen.randrange(len(whole[path]))) for path in parquets for _ in range(60)]
    for path, place in places[::6]:
        flipped(path, place)
        assert everything(store, run_id) == before
        path.write_bytes(whole[path])
    drop_logs(store, run_id)
    for path, place in places:
        flipped(path, place)
        series, events = store.series(run_id), store.events(run_id)
        known = {name: before[1][name] for name in series}
        lost = [name for name, each in series.items() if each.value.tobytes() != known[name][2]]
        assert all(not len(series[name].value) for name in lost)
        gaps = store.gaps(run_id)
        if lost or len(events) != len(Store(store.root).events(run_id)) or not events:
            assert gaps
            assert all(gap.log == path.name for gap in gaps)
        path.write_bytes(whole[path])
    for path in parquets:
        for cut in (0, 3, 8, len(whole[path]) // 2, len(whole[path]) - 1):
            path.write_bytes(whole[path][:cut])
            assert store.gaps(run_id)
            assert all(not len(each.value) or path.name.startswith("events") for each in store.series(run_id).values())
        path.write_bytes(whole[path])
    assert everything(store, run_id) == before


def test_a_seal_that_is_lost_or_wrong_is_made_again_from_the_logs(store: Store) -> None:
    """A wrong one is shown until then; afterwards the run is as it was."""
    run_id = finished_run(store)
    folder = folder_of(store, run_id)
    before = everything(store, run_id)
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"{}"), lambda path: flipped(path, 300)):
        aged(store, run_id)
        assert store.seal(run_id)
        spoil(folder / "sealed.json")
        assert everything(store, run_id) == before
        assert bool(store.gaps(run_id)) == (folder / "sealed.json").exists()
        aged(store, run_id)
        assert store.seal(run_id)
        assert store.gaps(run_id) == []
        for path in [*folder.glob("sealed*.json"), *(folder / "sealed").iterdir()]:
            path.unlink()


def test_a_parquet_that_went_bad_is_made_again_while_the_logs_are_there(store: Store) -> None:
    """The pass that would remove the logs looks once more, and seals again instead."""
    run_id = finished_run(store)
    before = everything(store, run_id)
    aged(store, run_id)
    assert store.seal(run_id)
    flipped(next(path for path in (folder_of(store, run_id) / "sealed").iterdir() if path.name.startswith("0.")), 900)
    assert store.gaps(run_id)
    aged(store, run_id, 7300)
    done = store.compact()
    assert (done.sealed, done.released) == ([run_id], [])
    assert store.gaps(run_id) == []
    drop_logs(store, run_id)
    assert everything(store, run_id) == before


def test_a_damaged_log_is_sealed_with_what_it_lost_and_stays(store: Store) -> None:
    """The run goes on saying what was lost, and the damaged file is there for whoever wants to mend it."""
    run_id = finished_run(store)
    path = logs.the_log(store, run_id)
    spans = [span for span in logs.records(path.read_bytes()) if path.read_bytes()[span[0] + 8] == ROW_KIND]
    flipped(path, spans[40][0] + 20)
    before, gaps = everything(store, run_id), store.gaps(run_id)
    assert len(gaps) == 1
    aged(store, run_id)
    assert store.seal(run_id)
    assert store.gaps(run_id) == gaps
    aged(store, run_id, 7300)
    assert store.compact().released == []
    assert path.exists()
    assert everything(store, run_id) == before
    path.unlink()
    assert (everything(store, run_id), store.gaps(run_id)) == (before, gaps)


def test_logs_of_a_newer_celltrail_are_never_sealed(store: Store) -> None:
    """Its unknown records would be lost."""
    run_id = finished_run(store)
    path = logs.the_log(store, run_id)
    path.write_bytes(path.read_bytes() + frame(90, b"?", salt_of(path.name.rsplit(".", 2)[0])))
    aged(store, run_id)
    assert not store.seal(run_id)
    assert len(store.series(run_id)["lr"].value) == 300


def test_a_run_somebody_writes_is_not_sealed(store: Store) -> None:
    """However quiet it is: its process lives and has not closed its log."""
    writer = logs.begin(store)
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    writer.flush()
    aged(store, writer.id, 5000)
    assert not store.seal(writer.id)
    assert store.compact().sealed == []
    writer.row(("loss",), 2, writer.clock(), (0.25,))
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    assert not store.seal(writer.id)
    aged(store, writer.id)
    assert store.seal(writer.id)


def test_a_log_that_grows_after_its_seal_is_read_on(store: Store) -> None:
    """A writer of another host that was silent comes back: its points are behind those sealed, and sealed later."""
    import orjson

    writer = logs.begin(store)
    for step in range(50):
        writer.row(("loss",), step, writer.clock(), (step / 3,))
    writer.flush()
    path = logs.the_log(store, writer.id)
    document = folder_of(store, writer.id) / "run.json"
    tables = orjson.loads(document.read_bytes())
    tables["writers"][writer.writer] |= {"boot": "another machine", "pid": 1}
    document.write_bytes(orjson.dumps(tables))
    data = path.read_bytes()
    start, end = logs.records(data)[0]
    head = orjson.loads(data[start + 9 : end]) | {"boot": "another machine"}
    path.write_bytes(data[:8] + frame(1, orjson.dumps(head), writer._log.salt) + data[end:])
    writer._log.size = path.stat().st_size
    os.close(writer._log._fd)
    writer._log._fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    aged(store, writer.id)
    assert Store(store.root).record(writer.id).status == "killed"
    assert store.seal(writer.id)
    for step in range(50, 60):
        writer.row(("loss",), step, writer.clock(), (step / 3,))
    writer.event("back")
    expected = [step / 3 for step in range(60)]
    assert store.series(writer.id)["loss"].value.tolist() == expected
    assert [event["kind"] for event in store.events(writer.id)].count("back") == 1
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    aged(store, writer.id)
    before = everything(store, writer.id)
    assert store.seal(writer.id)
    assert sealed.numbers(folder_of(store, writer.id)) == [1, 2]
    drop_logs(store, writer.id)
    assert everything(store, writer.id) == before
    assert store.series(writer.id)["loss"].value.tolist() == expected


def test_a_claim_is_held_by_one_and_lost_by_the_dead(tmp_path: Path) -> None:
    """Of several at once one has it; who died or did not renew it for ten minutes has lost it."""
    path = tmp_path / "claim.json"
    mine = Claim(path)
    assert mine.take()
    assert not Claim(path).take()
    os.utime(path, (time.time() - EXPIRES_S - 5,) * 2)
    other = Claim(path)
    assert other.take()
    other.drop()
    program = (
        "import sys, pathlib; from celltrail.store.files.claim import Claim; Claim(pathlib.Path(sys.argv[1])).take()"
    )
    assert spawn(program, path).wait() == 0
    assert path.exists()
    assert mine.take()
    mine.drop()
    assert not path.exists()


def test_many_finished_runs_are_sealed_by_a_process_of_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once sixteen wait; never when told to keep logs, never in a trail that may only be read."""
    monkeypatch.delenv(KEEP_LOGS)
    runs = [finished_run(store, rows=20) for _ in range(16)]
    assert not is_worth_it(store.root)
    before = {run_id: everything(store, run_id) for run_id in runs}
    for run_id in runs:
        aged(store, run_id)
    monkeypatch.setenv(KEEP_LOGS, "1")
    assert not is_worth_it(store.root)
    monkeypatch.delenv(KEEP_LOGS)
    store.settings["logs.sealed"] = False
    assert not is_worth_it(store.root)
    del store.settings["logs.sealed"]
    assert is_worth_it(store.root)
    process = begin(store.root)
    assert process
    assert process.wait() == 0
    assert not is_worth_it(store.root)
    assert not (store.root / "compacting.json").exists()
    for run_id in runs:
        assert (folder_of(store, run_id) / "sealed.json").exists()
        assert everything(store, run_id) == before[run_id]
    assert [entry.do for entry in store.audit.entries()].count("seal") == 16


def test_a_process_that_recorded_has_the_trail_sealed_once_it_is_idle(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute after the last run ended, beside the user's work; a run begun meanwhile puts it off."""
    from celltrail.run import keeper, start

    monkeypatch.delenv(KEEP_LOGS)
    runs = [finished_run(store, rows=20) for _ in range(16)]
    for run_id in runs:
        aged(store, run_id)
    monkeypatch.setattr(keeper, "IDLE_S", 0.6)
    start("first").finish()
    time.sleep(0.3)
    with start("second"):
        time.sleep(0.9)
        assert not list(store.root.glob("runs/*/*/sealed.json"))
    deadline = time.monotonic() + 60
    while len(list(store.root.glob("runs/*/*/sealed.json"))) < 16 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {path.parent.name for path in store.root.glob("runs/*/*/sealed.json")} == set(runs)
    while (store.root / "compacting.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def test_compaction_goes_on_past_a_run_it_cannot_seal(store: Store) -> None:
    """One bad run is told; the others are sealed."""
    bad, good = finished_run(store, rows=20), finished_run(store, rows=20)
    for run_id in (bad, good):
        aged(store, run_id)
    (folder_of(store, bad) / "sealed").write_text("in the way")
    done = store.compact()
    assert done.sealed == [good]
    assert len(done.problems) == 1
    assert bad in str(done)
    assert not done.released


def test_what_cannot_be_written_is_a_sentence(store: Store) -> None:
    """StoreError for one run, and Damaged is one too."""
    run_id = finished_run(store, rows=20)
    aged(store, run_id)
    (folder_of(store, run_id) / "sealed").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        store.seal(run_id)
    assert issubclass(Damaged, StoreError)

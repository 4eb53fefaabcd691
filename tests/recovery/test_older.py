"""Trails of other versions: a frozen one reads as on its first day, a later one is read as far as it is known."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path

import orjson
import pytest

from celltrail.errors import CelltrailError
from celltrail.store import Store
from celltrail.store.files.encoding import decode, encode
from celltrail.store.log import frame, reader, salt_of
from celltrail.store.root import _check
from frozen.freeze import PLACE, aged, findings, told
from recovery.logs import begin, points, records, the_log, written_log

EXPECTED = json.loads(PLACE.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture
def frozen(tmp_path: Path) -> Store:
    """A copy of the frozen trail, as a checkout leaves it: no empty folders, other modes, times of long ago."""
    folder = tmp_path / "frozen"
    shutil.copytree(PLACE, folder, copy_function=shutil.copyfile)
    aged(folder, 100_000)
    return Store(folder)


def test_a_frozen_trail_reads_as_on_its_first_day(frozen: Store) -> None:
    """Records, series, events, edits and gaps of a finished, a killed and a sealed run, value by value."""
    assert told(frozen) == EXPECTED["runs"]
    runs = {record.name: record for record in frozen.records()}
    assert {name: record.status for name, record in runs.items()} == {
        "finished": "finished",
        "killed": "killed",
        "sealed": "failed",
    }
    loss = frozen.series(runs["killed"].id)["loss"]
    assert loss.value.tolist() == [step / 7 for step in range(20)]
    assert runs["killed"].params["late"].value == "only in the log"
    assert len(frozen.gaps(runs["killed"].id)) == 1
    acc = frozen.series(runs["sealed"].id)["acc"].value.tolist()
    assert [step for step, value in enumerate(acc) if math.isnan(value)] == [7]
    finished = runs["finished"]
    assert finished.tags == ("kept",)
    assert finished.notes == ("as it was run", "a later word")
    assert (finished.params["lr"].value, finished.params["seed"].value) == (0.2, 2**80)
    assert finished.summary["verdict"] == {"good": True, "bound": math.inf}
    assert frozen.series(finished.id)["gradient norm"].value.tolist() == [-math.inf, math.inf, math.inf, math.inf]
    assert frozen.blobs.text(finished.code) == "loss = 1 / step\n"
    assert frozen.blobs.get(finished.executions[0].outputs[0].data["text/plain"]) == b"done"


def test_a_frozen_trail_verifies(frozen: Store) -> None:
    """Its audit is whole and holds the head of the day; the doctor finds what there was, and nothing else."""
    report = frozen.audit.verify(EXPECTED["head"])
    assert report.is_whole
    assert report.expected
    assert frozen.audit.head() == EXPECTED["head"]
    assert findings(frozen) == EXPECTED["findings"]


def test_a_frozen_trail_can_be_written_on(frozen: Store) -> None:
    """Edited, sealed and joined by a new run, and what it held is still there."""
    before = told(frozen)
    killed = next(record.id for record in frozen.records() if record.name == "killed")
    frozen.edit(killed, "rating", 2)
    sealed = frozen.compact().sealed
    assert len(sealed) == 2
    writer = begin(frozen, name="new")
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    writer.close(frozen.record(writer.id))
    after = told(Store(frozen.root))
    for name in before:
        assert after[name]["series"] == before[name]["series"]
        assert after[name]["events"] == before[name]["events"]
    assert after["killed"]["record"]["rating"] == 2


def test_nothing_in_it_says_who_froze_it() -> None:
    """No name of a machine or a person, and small."""
    import getpass
    import platform

    data = [path.read_bytes() for path in PLACE.rglob("*") if path.is_file()]
    assert sum(map(len, data)) < 60_000
    for name in {platform.node(), getpass.getuser()} - {"root", "frozen"}:
        if len(name) > 5:
            assert not any(name.encode() in each for each in data)


def test_documents_of_later_fields_and_tables_are_read(store: Store) -> None:
    """What is not known is passed over, in run.json, edits and the documents of actors."""
    writer = begin(store, name="known")
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    writer.close(store.record(writer.id))
    store.edit(writer.id, "rating", 3)
    store.settings["trash.days"] = 7
    document = store.root / "runs" / writer.id[-2:] / writer.id / "run.json"
    tables = orjson.loads(document.read_bytes())
    tables["run"][writer.id]["colour"] = {"of": "later"}
    tables["metrics"]["loss"]["median"] = 0.5
    tables["dreams"] = {"1": {"of": "later"}}
    document.write_bytes(orjson.dumps(tables))
    (edits,) = (document.parent / "edits").iterdir()
    said = orjson.loads(edits.read_bytes())
    said["set"]["rating"]["mood"] = "later"
    said["set"]["shape"] = {"field": "shape", "value": 1, "at": 1, "by": "", "base": ""}
    said["wishes"] = {"1": {}}
    edits.write_bytes(orjson.dumps(said))
    (actor,) = (store.root / "actors").iterdir()
    actor.write_bytes(orjson.dumps({**orjson.loads(actor.read_bytes()), "moods": {"1": {}}}))
    later = Store(store.root)
    record = later.record(writer.id)
    assert (record.name, record.rating, record.metrics["loss"].last) == ("known", 3, 0.5)
    assert later.settings["trash.days"] == 7
    assert [record.id for record in later.records()] == [writer.id]


def test_records_of_later_kinds_are_passed_over(store: Store) -> None:
    """From 128 on silently; below, the log is newer than this celltrail: it is read, and never sealed."""
    log = written_log(store)
    data, every = log.read_bytes(), points(reader.read(log))
    spans = records(data)
    run_id = log.parent.parent.name
    salt = salt_of(log.name.rsplit(".", 2)[0])
    for kind in (8, 127, 128, 255):
        end = spans[len(spans) // 2][1]
        extra = frame(kind, b"\xff of a later celltrail", salt)
        log.write_bytes(data[:end] + extra + data[end:])
        contents = reader.read(log)
        assert [point[1:] for point in points(contents)] == [point[1:] for point in every]
        assert contents.gaps == []
        assert contents.newer == (kind < 128)
    log.write_bytes(data[: spans[0][1]] + frame(8, b"", salt) + data[spans[0][1] :])
    aged(log.parents[1], 5000)
    assert store.compact().sealed == []
    assert log.exists()
    assert len(store.series(run_id)) == 3


def test_a_trail_of_a_newer_format_is_refused_with_a_sentence(store: Store) -> None:
    """And not touched."""
    writer = begin(store)
    log = the_log(store, writer.id)
    writer.close(store.record(writer.id))
    body = decode((store.root / "trail.json").read_bytes())
    del body["check"]
    body["format"] = 2
    (store.root / "trail.json").write_bytes(encode({**body, "check": _check(body)}))
    before = log.read_bytes()
    with pytest.raises(CelltrailError, match=r"has format 2, newer than this celltrail knows \(1\); pip install"):
        begin(Store(store.root))
    assert log.read_bytes() == before


def test_freezing_again_is_refused() -> None:
    """A frozen trail is never made again."""
    import subprocess

    script = Path(PLACE.parent) / "freeze.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "format-1 is frozen\n")

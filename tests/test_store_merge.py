"""Merging trails: nothing is lost, both orders agree, twice is once, and a hostile folder is refused."""

import contextlib
import json
import os
import shutil
import time
from pathlib import Path

import orjson
import pytest

from celltrail.cli import main
from celltrail.errors import NoRun, StoreError
from celltrail.run import start
from celltrail.store import Store, control
from recovery.logs import begin, records, the_log


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """A colleague's trail."""
    return Store(tmp_path / "colleague" / ".celltrail")


def a_run(store: Store, name: str, points: int = 10) -> str:
    with start(name, {"lr": 0.1}, store=store, code=store.blobs.put(f"code of {name}")) as run:
        for step in range(points):
            run.log(loss=1 / (step + 1))
    return run.id


def folder_of(store: Store, run_id: str) -> Path:
    return store.root / "runs" / run_id[-2:] / run_id


def copied(store: Store, place: Path) -> Store:
    shutil.copytree(store.root, place / ".celltrail")
    return Store(place / ".celltrail")


def answers(store: Store) -> dict:
    """All that a trail says."""
    store = Store(store.root)
    told = {}
    for record in store.records():
        series = {name: (s.step.tolist(), s.value.tolist()) for name, s in store.series(record.id).items()}
        told[record.id] = (record, series, store.edits(record.id), store.events(record.id))
    return {"runs": told, "blobs": {file.digest for file in store.blobs.files()}}


def tree(root: Path) -> dict[str, bytes]:
    return {
        name: path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not (name := path.relative_to(root).as_posix()).startswith("audit/")
    }


def test_a_colleagues_runs_come_with_everything(store, other):
    """Runs keep their ids; points, edits, blobs and the record of changes come along."""
    mine, theirs = a_run(store, "mine"), a_run(other, "theirs")
    other.edit(theirs, "note:x", "worth a look")
    before = tree(other.root)
    report = store.merge(other)
    assert (report.source, report.new, report.changed, report.blobs) == (other.id, [theirs], [], 1)
    assert {record.id for record in store.records()} == {mine, theirs}
    assert answers(store)["runs"][theirs] == answers(other)["runs"][theirs]
    assert store.blobs.text(store.record(theirs).code) == "code of theirs"
    assert {entry.do for entry in store.audit.entries()} >= {"edit", "import"}
    assert store.audit.verify().is_whole
    assert tree(other.root) == before


def test_what_was_asked_of_a_run_comes_along(store, other):
    """A wish that was left in a copy of the trail is heard by nobody twice, and is not lost."""
    theirs = a_run(other, "theirs")
    control.post(other.root, theirs, {"id": "s1", "do": "stop", "by": "panel", "knob": "", "value": None})
    store.merge(other)
    assert [wish["do"] for wish in control.Wishes(theirs).fresh(store.root)] == ["stop"]
    assert store.merge(other).changed == []


def test_both_orders_give_the_same_answers(store, tmp_path):
    """Two copies of one trail that went different ways: edits of one field, a longer log, a newer document."""
    first, second = a_run(store, "first"), a_run(store, "second")
    going = begin(store, name="going on")
    going.row(("loss",), 0, going.clock(), (0.5,))
    old = copied(store, tmp_path / "copy")
    going.row(("loss",), 1, going.clock(), (0.25,))
    going.put("params", "lr", {"value": 3, "rule": "api"})
    going.flush()
    going.close(store.record(going.id))
    for here, name in ((store, "by me"), (old, "by her")):
        here.edit(first, "name", name)
        here.edit(first, f"tag:{name.split()[1]}", True)
        here.edit(second, "note:n1", f"note {name}")
        a_run(here, f"only {name}")
    (folder_of(old, second) / "run.json").unlink()
    one, two = copied(store, tmp_path / "one"), copied(old, tmp_path / "two")
    one.merge(old)
    two.merge(store)
    assert answers(one) == answers(two)
    assert len(one.records()) == 5
    assert set(one.record(first).tags) == {"me", "her"}
    assert one.series(going.id)["loss"].value.tolist() == [0.5, 0.25]


def test_twice_is_once(store, other):
    """The second time nothing is new and no file changes."""
    a_run(store, "mine")
    theirs = a_run(other, "theirs")
    other.edit(theirs, "name", "renamed")
    store.merge(other)
    before = tree(store.root)
    report = store.merge(other)
    assert (report.new, report.changed, report.same, report.blobs, report.notes) == ([], [], 1, 0, [])
    assert tree(store.root) == before


def test_changes_of_known_runs_are_seen(store, tmp_path):
    """An ended run that was edited elsewhere is listed as it is after the merge, without a new process."""
    run_id = a_run(store, "baseline")
    elsewhere = copied(store, tmp_path / "copy")
    elsewhere.edit(run_id, "name", "renamed")
    assert store.record(run_id).name == "baseline"
    store.records()
    assert store.merge(elsewhere).changed == [run_id]
    assert [record.name for record in store.records()] == ["renamed"]


def test_a_longer_log_of_a_run_that_went_on_elsewhere(store, tmp_path):
    """The copy was made in the middle; the trail that has less gets the rest."""
    writer = begin(store)
    writer.row(("loss",), 0, writer.clock(), (0.5,))
    elsewhere = copied(store, tmp_path / "copy")
    for step in range(1, 50):
        writer.row(("loss",), step, writer.clock(), (0.5,))
    writer.close(store.record(writer.id))
    elsewhere.merge(store)
    assert len(elsewhere.series(writer.id)["loss"].step) == 50
    assert store.merge(elsewhere).changed == []


def test_a_run_that_is_being_written_is_not_touched(store, tmp_path):
    """Its process appends: an older copy brings nothing, and what is written afterwards is whole."""
    run = start("going on", store=store)
    run.log(loss=1)
    elsewhere = copied(store, tmp_path / "copy")
    inode = the_log(store, run.id).stat().st_ino
    with open(the_log(elsewhere, run.id), "ab") as file:
        file.write(bytes(10))
    store.merge(elsewhere)
    assert the_log(store, run.id).stat().st_ino == inode
    run.log(loss=2)
    run.finish()
    assert store.series(run.id)["loss"].value.tolist() == [1, 2]
    assert store.gaps(run.id) == []


def test_two_logs_that_cannot_both_be_right(store, tmp_path):
    """Neither begins with the other: the one of which more can be read is read, both are kept, and it is said."""
    run_id = a_run(store, "baseline")
    data = the_log(store, run_id).read_bytes()
    bad = copied(store, tmp_path / "copy")
    start_, end = records(data)[8]
    the_log(bad, run_id).write_bytes(data[:start_] + bytes(end - start_) + data[end:])
    one, two = copied(store, tmp_path / "one"), copied(bad, tmp_path / "two")
    assert "both are kept" in str(one.merge(bad))
    assert "both are kept" in str(two.merge(store))
    assert answers(one) == answers(two)
    assert tree(folder_of(one, run_id)).keys() == tree(folder_of(two, run_id)).keys()
    assert two.gaps(run_id) == []
    assert len(list((folder_of(two, run_id) / "m").iterdir())) == 2
    before = tree(two.root)
    two.merge(store)
    two.merge(bad)
    assert tree(two.root) == before


def test_sealed_and_unsealed_copies(store, tmp_path):
    """Whichever side has sealed a run, and whether its logs are gone: the points are there once."""
    run_id = a_run(store, "baseline", 30)
    for path in folder_of(store, run_id).rglob("*"):
        os.utime(path, (time.time() - 5000,) * 2)
    raw = copied(store, tmp_path / "raw")
    assert store.seal(run_id)
    both = copied(store, tmp_path / "both")
    for path in folder_of(store, run_id).rglob("*"):
        os.utime(path, (time.time() - 5000,) * 2)
    store.compact()
    assert not list((folder_of(store, run_id) / "m").glob("*.ctl"))
    expected = answers(raw)["runs"][run_id]
    for source, target in ((raw, store), (store, raw), (both, store), (store, both)):
        here = copied(target, tmp_path / f"{source.root.parent.name}-{target.root.parent.name}")
        here.merge(source)
        assert answers(here)["runs"][run_id][1:] == expected[1:]
        before = tree(here.root)
        here.merge(source)
        assert tree(here.root) == before
    assert not list((folder_of(store, run_id) / "m").glob("*.ctl"))
    other_seal = copied(raw, tmp_path / "again")
    assert other_seal.seal(run_id)
    one, two = copied(store, tmp_path / "one"), copied(other_seal, tmp_path / "two")
    one.merge(other_seal)
    two.merge(store)
    assert answers(one)["runs"][run_id][1:] == answers(two)["runs"][run_id][1:] == expected[1:]


def test_a_damaged_source_costs_what_is_damaged(store, other):
    """A torn document, a corrupt blob and a torn edit are left out and named; the rest comes."""
    first, second = a_run(other, "first"), a_run(other, "second")
    other.edit(first, "name", "renamed")
    (edit,) = (folder_of(other, first) / "edits").glob("*.json")
    edit.write_bytes(edit.read_bytes()[:-5])
    (folder_of(other, second) / "run.json").write_bytes(b"{")
    code = other.record(first).code
    path = other.root / "blobs" / code[:2] / code
    path.chmod(0o600)
    path.write_bytes(b"something else")
    report = store.merge(other)
    assert sorted(report.new) == sorted([first, second])
    assert len(report.notes) == 3
    told = str(report)
    for part in (code[:12], edit.name, f"{second}/run.json"):
        assert part in told
    assert code not in store.blobs
    assert store.record(first).name == "first"
    assert len(store.series(second)["loss"].step) == 10


def test_what_was_erased_stays_erased(store, tmp_path):
    """A copy from before an erase does not bring back what was erased."""
    run_id = a_run(store, "baseline")
    store.edit(run_id, "note:x", "a secret")
    old = copied(store, tmp_path / "copy")
    assert store.audit.erase(run_id)
    store.merge(old)
    payloads = b"".join(path.read_bytes() for path in (store.root / "audit" / "payload").iterdir())
    assert b"a secret" not in payloads
    assert store.audit.verify().is_whole
    old.merge(store)
    assert b"a secret" not in b"".join(path.read_bytes() for path in (old.root / "audit" / "payload").iterdir())
    assert old.audit.verify().is_whole


def test_registered_models_that_meet(store, other):
    """A version never changes: the one here stays, the other is kept beside it and named."""
    for here, text in ((store, "mine"), (other, "theirs")):
        begin(here)
        for name in ("churn", f"only-{text}"):
            path = here.root / "registry" / name / "v000001.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"by": text}))
    report = store.merge(other)
    assert json.loads((store.root / "registry" / "churn" / "v000001.json").read_text()) == {"by": "mine"}
    assert (store.root / "registry" / "only-theirs" / "v000001.json").exists()
    assert any("registry/churn/v000001.json differs from the copy that is here" in note for note in report.notes)
    assert len(list((store.root / "registry" / "churn").iterdir())) == 2


def test_settings_merge_by_the_later(store, tmp_path):
    """What people set for the whole trail, field by field."""
    begin(store)
    folder = store.root / "actors"
    folder.mkdir(exist_ok=True)
    entries = {"theme": {"value": "dark", "at": 5}, "page": {"value": 50, "at": 1}}
    (folder / "me.json").write_bytes(orjson.dumps({"settings": entries}))
    elsewhere = copied(store, tmp_path / "copy")
    entries = {"theme": {"value": "light", "at": 3}, "page": {"value": 100, "at": 9}}
    (elsewhere.root / "actors" / "me.json").write_bytes(orjson.dumps({"settings": entries}))
    store.merge(elsewhere)
    settings = orjson.loads((folder / "me.json").read_bytes())["settings"]
    assert {name: entry["value"] for name, entry in settings.items()} == {"theme": "dark", "page": 100}


def test_a_new_trail_can_be_filled_from_another(other, store):
    """Importing into nothing makes a trail of its own."""
    run_id = a_run(other, "theirs")
    store.merge(other.root.parent)  # the folder the trail is in will do
    assert store.id not in ("", other.id)
    assert [record.id for record in store.records()] == [run_id]
    assert store.examine().is_healthy


@pytest.mark.parametrize("where", ["blobs/ab", "runs", "runs/AB/x/m", "audit", "registry/m", "run.json"])
def test_links_are_refused_before_anything_is_copied(store, other, tmp_path, where):
    """They could lead to any file of this machine."""
    run_id = a_run(other, "theirs")
    secret = tmp_path / "id_rsa"
    secret.write_text("secret")
    place = folder_of(other, run_id) / "run.json" if where == "run.json" else other.root / where / "link"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(secret)
    with pytest.raises(StoreError, match="is a link, which may lead anywhere"):
        store.merge(other)
    assert not store.root.exists()


def test_pipes_devices_and_huge_files_are_refused(store, other):
    """Reading a pipe would wait for ever; a file of 1 TB would fill the disk."""
    run_id = a_run(other, "theirs")
    pipe = folder_of(other, run_id) / "m" / "x-1.0001.ctl"
    os.mkfifo(pipe)
    with pytest.raises(StoreError, match="is not a plain file"):
        store.merge(other)
    pipe.unlink()
    with contextlib.suppress(OSError):
        folder = folder_of(other, run_id) / "edits"
        folder.mkdir(exist_ok=True)
        with open(folder / "huge.json", "wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(StoreError, match=r"needs up to 1\.1 TB|needs up to 1100 GB"):
            store.merge(other)
        with open(folder / "huge.json", "wb") as file:
            file.truncate(65 << 20)
        with pytest.raises(StoreError, match="larger than 64 MB: that is no document of a trail"):
            store.merge(other)
        (folder / "huge.json").unlink()
    assert store.records() == []
    store.merge(other)
    assert [record.id for record in store.records()] == [run_id]


def test_foreign_names_are_passed_over(store, other):
    """Nothing is written that is not a file of a trail, and a document of another run is not believed."""
    run_id = a_run(other, "theirs")
    (other.root / "evil.py").write_text("import os")
    (folder_of(other, run_id) / "setup.py").write_text("import os")
    (other.root / "runs" / "..x").mkdir()
    (other.root / "blobs" / "zz").mkdir(exist_ok=True)
    (other.root / "blobs" / "zz" / "..").joinpath("README").write_text("x")
    path = folder_of(other, run_id) / "run.json"
    path.write_bytes(path.read_bytes().replace(run_id.encode(), b"01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    report = store.merge(other)
    names = {path.name for path in store.root.rglob("*")}
    assert not names & {"evil.py", "setup.py", "README", "..x"}
    assert any("run.json is not readable" in note for note in report.notes)
    assert "01ARZ3NDEKTSV4RRFFQ69G5FAV" not in {record.id for record in store.records()}


def test_the_command(store, other, capsys, tmp_path):
    """It says what came; what is no trail answers no, this trail itself cannot be asked."""
    a_run(store, "mine")
    theirs = a_run(other, "theirs")
    assert main(["import", str(other.root)]) == 0
    assert "1 new run, 0 changed, 0 known already; 1 blob copied" in capsys.readouterr().out
    assert main(["import", str(other.root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["source"], told["new"], told["same"]) == (other.id, [], 1)
    assert main(["ls", "name == 'theirs'"]) == 0
    assert theirs
    assert main(["import", str(tmp_path / "nothing")]) == 1
    assert "no trail in 'nothing'" in capsys.readouterr().err
    assert main(["import", str(store.root)]) == 2
    assert str(tmp_path) not in capsys.readouterr().err
    with pytest.raises(NoRun):
        store.merge(tmp_path / "cache")

"""Clean-up: it says what would go and why, takes only what nothing needs, and keeps to a budget or says it cannot."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from celltrail.cli import main
from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.model import new_id
from celltrail.query.executions import executions
from celltrail.run import start
from celltrail.store import Store, blobs
from celltrail.store.files.encoding import encode
from celltrail.store.files.telling import bytes_in
from celltrail.store.kernels.writing import SessionLog
from celltrail.store.upkeep.trash import Trash
from recovery.logs import begin

DAY = 86_400
MIB = 1 << 20


def age(path: Path, days: float) -> None:
    os.utime(path, (time.time() - days * DAY,) * 2)


def age_blobs(store: Store, days: float = 2) -> None:
    for file in store.blobs.files():
        age(file.path, days)


def a_run(store: Store, name: str, *digests: str, size: int = 0) -> str:
    code = store.blobs.put(f"code of {name}\n" * 20)
    with start(name, {"data": list(digests)}, store=store, code=code) as run:
        run.log(loss=0.5)
        if size:
            run.summary["model"] = store.blobs.put(os.urandom(size))
    return run.id


def folder_of(store: Store, run_id: str) -> Path:
    return store.root / "runs" / run_id[-2:] / run_id


def delete(store: Store, run_id: str, days_ago: float = 0) -> None:
    """As a person does, and so many days ago."""
    import orjson

    store.edit(run_id, "deleted", True)
    for path in (folder_of(store, run_id) / "edits").glob("*.json"):
        tables = orjson.loads(path.read_bytes())
        for entry in tables["set"].values():
            # from this moment and not from the stamp: a test of wrong clocks may have set stamps ahead
            entry["at"] = int((time.time() - days_ago * DAY) * 1000) << 16
        path.write_bytes(orjson.dumps(tables))


def what(plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in plan.items:
        found.setdefault(item.kind, []).append(item.what.rsplit("/", 1)[-1])
    return found


def whole(store: Store, *run_ids: str) -> None:
    """Everything these runs refer to is there and verifies."""
    from celltrail.store.blobs import references

    for run_id in run_ids:
        for digest in references.in_run(folder_of(store, run_id), store.blobs):
            store.blobs.verify(digest)


def test_what_nothing_refers_to_goes_to_the_trash(store):
    """After a day, not before; what documents, logs, edits and the registry name stays."""
    lost, young = store.blobs.put("a lost thought"), store.blobs.put("just now")
    in_params, in_edit = store.blobs.put("in params"), store.blobs.put("in an edit")
    in_log, in_registry = store.blobs.put("in the log"), store.blobs.put("in the registry")
    run_id = a_run(store, "baseline", in_params)
    store.edit(run_id, "note:x", f"see {in_edit}")
    writer = begin(store)
    writer.item("image", 3, {"blob": in_log})
    version = store.root / "registry" / "churn" / "v000001.json"
    version.parent.mkdir(parents=True)
    version.write_text(json.dumps({"blob": in_registry}))
    assert store.gc(dry_run=True).items == []
    age_blobs(store)
    store.blobs.touch(young)
    plan = store.gc(dry_run=True)
    assert what(plan) == {"blob": [lost]}
    assert (plan.items[0].why, plan.items[0].for_good) == ("nothing refers to it", False)
    assert lost in store.blobs
    done = store.gc()
    assert what(done) == {"blob": [lost]}
    assert lost not in store.blobs
    for digest in (young, in_params, in_edit, in_log, in_registry):
        assert digest in store.blobs
    (entry,) = Trash(store.root).entries()
    assert (entry.path, entry.why) == (f"blobs/{lost[:2]}/{lost}", "gc: nothing refers to it")
    assert store.gc().items == []
    assert Trash(store.root).restore(entry).read_text() == "a lost thought"
    writer.close(store.record(writer.id))


def test_pieces_and_what_listings_name_stay(store, monkeypatch):
    """The pieces of a large blob, and the blobs that a list of files names, are referred to as well."""
    monkeypatch.setattr(blobs, "WHOLE_BYTES", 2 * MIB)
    big, lost = store.blobs.put(os.urandom(5 * MIB)), store.blobs.put(os.urandom(5 * MIB))
    inner = store.blobs.put("a file of a folder")
    listing = store.blobs.put(json.dumps([{"path": "x", "blob": inner}]))
    run_id = a_run(store, "baseline", big, listing)
    pieces = len(store.blobs.manifest(lost).pieces)
    age_blobs(store)
    done = store.gc()
    assert len(what(done)["blob"]) == pieces + 1
    store.blobs.verify(big)
    assert inner in store.blobs
    whole(store, run_id)
    with pytest.raises(NoRun):
        store.blobs.get(lost)


def test_a_sealed_run_keeps_its_blobs(store):
    """What it refers to is compressed then, and read through the store."""
    digest = store.blobs.put("an image")
    with start("sealed", store=store) as run:
        run.writer.item("image", 1, {"blob": digest})
    for path in folder_of(store, run.id).rglob("*"):
        age(path, 0.2)
    store.gc()
    assert (folder_of(store, run.id) / "sealed.json").exists()
    for path in folder_of(store, run.id).rglob("*"):
        age(path, 0.2)
    store.gc()
    assert not list((folder_of(store, run.id) / "m").glob("*.ctl"))
    age_blobs(store)
    assert store.gc().items == []
    assert store.blobs.text(digest) == "an image"
    assert [event.get("name") for event in store.events(run.id) if event["kind"] == "item"] == ["image"]


def test_deleted_runs_go_after_a_week(store):
    """With the blobs that only they refer to; what another run needs stays. They can be brought back."""
    shared = store.blobs.put("shared data")
    kept, lately, old = (a_run(store, name, shared) for name in ("kept", "lately", "old"))
    mine = store.record(old).code
    age_blobs(store)
    delete(store, lately, 6)
    delete(store, old, 8)
    plan = store.gc(dry_run=True)
    assert what(plan) == {"deleted run": [f"old ({old})"], "blob of a deleted run": [mine]}
    assert plan.items[0].why == "deleted 8 days ago"
    store.gc()
    assert {record.id for record in Store(store.root).records()} == {kept, lately}
    assert shared in store.blobs
    whole(store, kept, lately)
    trash = Trash(store.root)
    for entry in trash.entries():
        trash.restore(entry)
    whole(Store(store.root), old)
    store.edit(old, "deleted", None)
    assert store.gc(dry_run=True).items == []


def test_a_run_that_goes_on_is_not_taken(store):
    """Also when somebody deleted it."""
    run = start("going on", store=store, code=store.blobs.put("code"))
    age_blobs(store)
    delete(store, run.id, 30)
    assert store.gc(0, dry_run=True).items == []
    run.finish()
    assert what(store.gc(dry_run=True))["deleted run"] == [f"going on ({run.id})"]


def test_the_trash_is_emptied_after_a_month(store):
    """And what came later stays."""
    begin(store)
    (store.root / "a").write_bytes(b"x" * 100)
    (store.root / "b").write_bytes(b"x" * 100)
    trash = Trash(store.root)
    trash.put(store.root / "a", "old")
    today = next((store.root / "trash").iterdir())
    old = today.with_name(time.strftime("%Y-%m-%d", time.gmtime(time.time() - 32 * DAY)))
    today.rename(old)
    for lines in old.glob("*.jsonl"):
        entry = json.loads(lines.read_text())
        lines.write_text(json.dumps({**entry, "at": entry["at"] - 32 * DAY * 10**6}) + "\n")
    trash.put(store.root / "b", "new")
    done = store.gc()
    assert [(item.what, item.for_good) for item in done.items] == [("a", True)]
    assert [entry.path for entry in trash.entries()] == ["b"]


def test_light_records_and_leftovers(store):
    """Cells of no run older than a week; temporary blobs of processes that died."""
    begin(store)
    old, new = store.root / "kernels" / "k1" / "m", store.root / "kernels" / "k2" / "m"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "x.0001.ctl").write_bytes(b"CTL1")
    for path in (old / "x.0001.ctl", old, old.parent):
        age(path, 8)
    (store.root / "blobs").mkdir(exist_ok=True)
    temp = store.root / "blobs" / "stream.1.ff.tmp"
    temp.write_bytes(b"x" * 10)
    age(temp, 1)
    assert what(store.gc()) == {"leftover": ["stream.1.ff.tmp"], "light record": ["k1"]}
    assert (new.exists(), old.parent.exists(), temp.exists()) == (True, False, False)


def test_a_budget_takes_in_order_and_no_more_than_it_must(store):
    """Unreferenced blobs, then the trash, then what was deleted lately; for good, and said before."""
    kept = a_run(store, "kept", size=3 * MIB)
    lately = a_run(store, "lately", size=2 * MIB)
    lost = store.blobs.put(os.urandom(2 * MIB))
    age_blobs(store)
    (store.root / "old").write_bytes(bytes(2 * MIB))
    Trash(store.root).put(store.root / "old", "thrown away")
    delete(store, lately)
    assert {name: size > MIB for name, size in store.usage().parts.items() if size > MIB} == {
        "blobs": True,
        "trash": True,
    }
    plan = store.gc("8MB", dry_run=True)
    assert [(item.kind, item.for_good) for item in plan.items] == [("blob", True)]
    assert plan.is_met
    plan = store.gc("6MB", dry_run=True)
    assert [item.kind for item in plan.items] == ["blob", "trash"]
    plan = store.gc("4MB", dry_run=True)
    assert [item.kind for item in plan.items][:3] == ["blob", "trash", "deleted run"]
    assert all(item.for_good for item in plan.items)
    assert plan.is_met
    done = store.gc("4MB")
    assert done.is_met
    assert store.usage().total <= 4_000_000 + 20_000  # what the audit and the trash's own lines take
    assert abs(store.usage().total - done.after) < 20_000
    assert [record.id for record in Store(store.root).records()] == [kept]
    assert lost not in store.blobs
    whole(store, kept)


def test_a_budget_that_cannot_be_met_says_so(store, capsys):
    """What runs refer to stays; the biggest are named. Status 1."""
    small, big = a_run(store, "small"), a_run(store, "big", size=2 * MIB)
    store.blobs.put(os.urandom(MIB))
    age_blobs(store)
    assert main(["gc", "--budget", "100kB", "--yes"]) == 1
    told = capsys.readouterr().out
    assert "the budget of 100 KB cannot be met" in told
    assert told.index(f"big ({big}") < told.index(f"small ({small}")
    whole(store, small, big)
    assert store.usage().total > 2 * MIB


def test_the_command_explains_asks_and_obeys(store, capsys, monkeypatch):
    """A table of what would go; nothing does without a yes."""
    run_id = a_run(store, "baseline")
    lost = store.blobs.put("lost" * 1000)
    age_blobs(store)
    assert main(["gc", "--dry-run"]) == 0
    told = capsys.readouterr().out
    for part in ("what", "size", "last used", "why", lost[:20], "4 KB", "to the trash", "nothing refers to it"):
        assert part in told
    assert lost in store.blobs
    assert main(["gc"]) == 1  # nobody to ask
    assert "say --yes" in capsys.readouterr().err
    assert lost in store.blobs
    assert main(["gc", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["done"], told["to_trash"], told["items"][0]["kind"]) == (True, 4000, "blob")
    assert lost not in store.blobs
    assert main(["gc", "--yes"]) == 0
    assert capsys.readouterr().out.startswith("nothing was removed: all ")
    assert main(["gc", "--budget", "much"]) == 2
    whole(store, run_id)


def test_no_audit_no_clean_up(store):
    """What cannot be recorded is not done."""
    lost = store.blobs.put("lost")
    a_run(store, "baseline")
    age_blobs(store)
    (store.root / "audit").write_text("a file in its place")
    script = "import sys; from celltrail.cli import main; sys.exit(main(['gc', '--yes']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)
    with pytest.raises(StoreError):
        store.gc()
    assert lost in store.blobs
    (store.root / "audit").unlink()
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0
    assert lost not in store.blobs
    assert "gc" in [entry.do for entry in Store(store.root).audit.entries()]


def test_where_nothing_would_go_nothing_need_be_recorded(store, capsys):
    """A trail that cannot be written is told the same with and without ``--dry-run``."""
    a_run(store, "baseline")
    (store.root / "audit").write_text("a file in its place")
    assert main(["gc", "--yes"]) == 0
    told = capsys.readouterr().out
    assert "nothing was removed: all " in told
    assert "were not sealed" in told


def test_a_blob_that_is_used_again_meanwhile_stays(store):
    """Put between the plan and its execution: young again, so it stays."""
    from celltrail.store.upkeep import gc

    again, lost = store.blobs.put("used again"), store.blobs.put("lost")
    a_run(store, "baseline")
    age_blobs(store)
    plan = gc.plan(store.root, store.blobs)
    assert len(plan.items) == 2
    store.blobs.put("used again")
    done = gc.carry_out(plan, store.root, store.blobs)
    assert what(done) == {"blob": [lost]}
    assert again in store.blobs


def test_sizes_as_people_write_them():
    """Units of 1,000 and of 1,024; anything else is a sentence."""
    assert [bytes_in(text) for text in ("2GB", "1.5 MiB", "10k", "7", 5, "0")] == [2 * 10**9, 1572864, 10_000, 7, 5, 0]
    for wrong in ("much", "-1", "", "1XB", -1, float("nan")):
        with pytest.raises(BadValue, match="is no size"):
            bytes_in(wrong)


def test_no_trail(store, capsys):
    """Nothing to clean up, nothing made."""
    with pytest.raises(NoRun, match="no trail"):
        store.gc()
    assert main(["gc"]) == 1
    assert store.usage().total == 0
    assert not store.root.exists()


def light(store: Store, session: str, run: str, days: float, marks: str) -> list[str]:
    """A session of three executions, the second of which is a run; its random states."""
    log = SessionLog(store.root, session, 1)
    states = [store.blobs.put(f'{{"library":"random","of":"{marks}{number}"}}\n{"x" * 99}') for number in range(3)]
    for number, state in enumerate(states):
        log.event(
            "execution", id=new_id(), n=number, cell="a", notebook=None, nested=False, started=number,
            code=store.blobs.put(f"# the code of {marks}{number}\n" * 5), run=run if number == 1 else None,
            rng={"random": state},
        )  # fmt: skip
    log.close("finished")
    folder = store.root / "kernels" / session
    for path in (*folder.rglob("*"), folder):
        age(path, days)
    return states


def test_what_ran_besides_a_run_keeps_its_code_and_loses_its_random_states(store):
    """After a week; a state that the slice of a run needs stays, and all goes once the session's runs are gone."""
    kept = a_run(store, "kept")
    states = light(store, new_id(), kept, 8, "old")
    young = light(store, new_id(), kept, 2, "young")
    orphans = new_id()
    left = light(store, orphans, new_id(), 8, "orphan")
    third = executions(store=store)[2]
    needs = store.blobs.put(encode({"slice": {"minimal": [{"id": third.id}]}}))
    with start("needs", {"sections": needs}, store=store):
        pass
    age_blobs(store)
    plan = store.gc()
    gone = {item.path.name for item in plan.items if item.kind == "blob"}
    assert gone == {*states[:2], *left}
    assert [item.what for item in plan.items if item.kind == "light record"] == [f"kernels/{orphans}"]
    assert all(state in store.blobs for state in (*young, states[2]))
    assert [each.source.splitlines()[0] for each in executions(store=store)][:3] == [
        f"# the code of old{number}" for number in range(3)
    ]
    store.gc()
    assert sum("orphan" in store.blobs.text(file.digest) for file in store.blobs.files()) == 0

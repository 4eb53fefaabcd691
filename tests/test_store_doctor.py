"""The doctor on trails that are really damaged: it finds it, says it plainly, repairs it, destroys nothing."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

import celltrail as ct
from celltrail.cli import main
from celltrail.errors import NoRun, StoreError
from celltrail.model import Execution, Metric, Output
from celltrail.run import start
from celltrail.store import Store
from celltrail.store.log import MAGIC
from celltrail.store.upkeep.trash import Trash
from counting import opened
from recovery.logs import begin, records, the_log

TESTS = Path(__file__).parent
MOST_OPENED = 3  # a log: its head, and once each by who lists and who examines


def folder_of(store: Store, run_id: str) -> Path:
    return store.root / "runs" / run_id[-2:] / run_id


def a_run(store: Store, name: str = "baseline") -> str:
    with start(name, {"lr": 0.1, "big": 2**70}, tags=["mlp"], group="g", store=store) as run:
        run.define_metric("val/acc", goal="max", unit="1")
        code = store.blobs.put(f"code of {name}\n" * 40)
        output = Output(0, "stdout", 5, data={"text/plain": store.blobs.put(f"hello {name}")})
        run.describe(code=code, executions=(Execution("e1", 3, "c1", "ok", 1, 2, code, None, (output,)),))
        run.summary["best"] = float("inf")
        for step in range(40):
            run.log({"val/acc": step / 40, "train/loss": 1 / (step + 1)}, step=step)
    return run.id


def killed_run(store: Store) -> str:
    work = "import os, sys; from recovery.logs import begin; from celltrail.store import Store\n"
    work += (
        "w = begin(Store(sys.argv[1])); w.row(('loss',), 1, w.clock(), (0.5,)); w.put('params', 'p', {'value': 3})\n"
    )
    work += "print(w.id, flush=True); os._exit(9)"
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    done = subprocess.run(
        [sys.executable, "-c", work, str(store.root)], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def kinds(report) -> list[str]:
    return [finding.kind for finding in report.wrong]


def snapshot(root: Path) -> dict[str, bytes]:
    """Everything in a trail but the trash and the record of repairs."""
    return {
        name: path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not (name := path.relative_to(root).as_posix()).startswith(("trash/", "audit/"))
    }


def in_trash(store: Store) -> list[bytes]:
    return [entry.place.read_bytes() for entry in Trash(store.root).entries() if entry.place.is_file()]


def repaired(store: Store, *expected: str):
    """Examine, see exactly these things, repair them, and see that a second repair has nothing to do."""
    store = Store(store.root)
    report = store.examine()
    assert sorted(kinds(report)) == sorted(expected), [str(finding) for finding in report.wrong]
    before = snapshot(store.root)
    assert snapshot(store.root) == before
    report = store.examine(repair=True)
    assert sorted(kinds(report)) == sorted(expected)
    after = snapshot(store.root)
    again = store.examine(repair=True)
    assert kinds(again) == [], [str(finding) for finding in again.wrong]
    assert snapshot(store.root) == after
    for finding in report.wrong:
        assert finding.done, finding
        assert all((finding.what, finding.cost, finding.remedy))
        assert str(store.root) not in f"{finding}{finding.cost}{finding.remedy}{finding.done}"
    return report


def test_a_healthy_trail(store, capsys):
    """Nothing is wrong, nothing is changed, and the command says so with status 0."""
    a_run(store)
    killed_run(store)
    store.edit(store.records()[0].id, "note:x", "seen")
    before = snapshot(store.root)
    report = store.examine(repair=True)
    assert (report.is_healthy, kinds(report), report.runs) == (True, [], 2)
    assert [note.kind for note in report.notes] == ["killed"]
    assert snapshot(store.root) == before
    assert main(["doctor"]) == 0
    assert "✓ nothing is wrong: 2 runs" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["healthy"] is True


def test_no_trail_is_a_sentence(store, capsys):
    """There is nothing to examine, and nothing is made."""
    with pytest.raises(NoRun, match="there is no trail"):
        store.examine()
    assert main(["doctor"]) == 1
    assert not store.root.exists()


@pytest.mark.parametrize("damage", ["lost", "torn", "zeros"])
def test_trail_json(store, damage):
    """Written again with the id that the logs name; the torn one is in the trash."""
    run_id = a_run(store)
    trail, path = store.id, store.root / "trail.json"
    if damage == "lost":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:20] if damage == "torn" else bytes(80))
    repaired(store, "trail")
    assert Store(store.root).id == trail
    assert [record.id for record in Store(store.root).records()] == [run_id]
    assert len(in_trash(store)) == (damage != "lost")


def test_a_newer_trail_is_not_touched(store):
    """Its rules are not known here."""
    from zlib import crc32

    a_run(store)
    newer = {"format": 99, "id": "x", "created": 1}
    check = f"{crc32(orjson.dumps(newer, option=orjson.OPT_SORT_KEYS)):08x}"
    (store.root / "trail.json").write_bytes(orjson.dumps({**newer, "check": check}))
    before = snapshot(store.root)
    with pytest.raises(StoreError, match="newer than this celltrail"):
        Store(store.root).examine(repair=True)
    assert snapshot(store.root) == before


@pytest.mark.parametrize("damage", ["lost", "torn", "empty"])
@pytest.mark.parametrize("kind", ["finished", "killed"])
def test_a_document_is_written_again_from_the_log(store, damage, kind):
    """Equal to the lost one up to its revision: params, summary, executions, metrics, all."""
    run_id = a_run(store) if kind == "finished" else killed_run(store)
    path = folder_of(store, run_id) / "run.json"
    before, record = orjson.loads(path.read_bytes()), store.record(run_id)
    if damage == "lost":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:300] if damage == "torn" else b"")
    for each in (path.parent, *path.parent.rglob("*")):
        os.utime(each, (time.time() - 100, time.time() - 100))
    repaired(store, "document")
    again = orjson.loads(path.read_bytes())
    if kind == "finished":
        for tables in (before, again):
            for name in ("rev", "changes"):
                tables["run"][run_id].pop(name)
        assert {name: table for name, table in again.items() if table} == {
            name: table for name, table in before.items() if table
        }
    new = Store(store.root).record(run_id)
    assert dataclasses.replace(new, rev=0) == dataclasses.replace(record, rev=0)
    assert new.rev >= record.rev
    assert len(in_trash(store)) == (damage != "lost")


def test_rebuild_on_request(store, capsys):
    """`--rebuild RUN` writes a document again although it can be read; not while the run goes on."""
    run_id = a_run(store)
    record = store.record(run_id)
    assert main(["doctor", "--rebuild", run_id]) == 0
    assert "written again from the log; the old one is in trash/" in capsys.readouterr().out
    new = Store(store.root).record(run_id)
    assert dataclasses.replace(new, rev=0) == dataclasses.replace(record, rev=0)
    writer = begin(store)
    with pytest.raises(StoreError, match="is going on"):
        store.examine(rebuild=[writer.id])
    with pytest.raises(NoRun, match="no run 'nothing'"):
        store.examine(rebuild=["nothing"])


def test_more_metrics_than_fit_into_a_document(store):
    """The rest is in a blob again."""
    with start("many", store=store) as run:
        run.log({f"m{i}": i for i in range(620)})
    path = folder_of(store, run.id) / "run.json"
    record = store.record(run.id)
    store.examine(rebuild=[run.id])
    assert len(orjson.loads(path.read_bytes())["metrics"]) == 500
    again = Store(store.root).record(run.id)
    assert isinstance(again.metrics["m619"], Metric)
    assert again.metrics == record.metrics


def test_a_run_that_goes_on_is_left_alone(store):
    """Its process writes its document again by itself; its log may end in the middle of a record."""
    with start("going on", store=store) as run:
        run.log(loss=1)
        path = folder_of(store, run.id) / "run.json"
        path.unlink()
        log = the_log(store, run.id)
        with open(log, "ab") as file:
            file.write(b"\x10\x00")
        report = store.examine(repair=True)
        assert [(finding.kind, finding.done) for finding in report.wrong] == [("document", "")]
        assert "writes it again by itself" in report.wrong[0].remedy
        os.truncate(log, log.stat().st_size - 2)
    assert store.examine().is_healthy


def test_a_damaged_log(store, capsys):
    """What cannot be read is told; a copy without it takes the log's place, the log itself goes to the trash."""
    run_id = a_run(store)
    log = the_log(store, run_id)
    data = log.read_bytes()
    spans = [span for span in records(data) if data[span[0] + 8] == 2]
    start_, end = spans[10][0], spans[12][1]
    broken = data[:start_] + bytes(end - start_) + data[end:] + bytes(500)
    log.write_bytes(broken)
    assert store.series(run_id)["val/acc"].step.tolist() == [*range(10), *range(13, 40)]
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "unreadable at" in told
    assert "1 can be repaired with --repair" in told
    report = repaired(store, "gap")
    assert "about step 9" in report.wrong[0].what
    new = Store(store.root)
    assert new.series(run_id)["val/acc"].step.tolist() == [*range(10), *range(13, 40)]
    assert new.gaps(run_id) == []
    assert in_trash(store) == [broken]
    text = f"{end - start_ + 500} bytes of {log.name} could not be read and were left out"
    assert any(event.get("text") == text for event in new.events(run_id))
    assert text in new.record(run_id).problems


@pytest.mark.parametrize("kept", [30, 0])
def test_a_log_that_was_cut_between_two_records_or_is_gone(store, kept):
    """Every record in it verifies, and yet points are missing that the run counted: said by its name, then on it."""
    code = "import sys, test_store_doctor as made\nfrom celltrail.store import Store\nmade.a_run(Store(sys.argv[1]))"
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}  # a process that lives may still be writing it
    subprocess.run([sys.executable, "-c", code, str(store.root)], env=environment, check=True)
    run_id = store.records()[0].id
    log = the_log(store, run_id)
    rows = [end for start_, end in records(log.read_bytes()) if log.read_bytes()[start_ + 8] == 2]
    if kept:
        os.truncate(log, rows[kept - 1])
    else:
        log.unlink()
    report = repaired(store, "cut")
    (finding,) = report.wrong
    assert f"(run 'baseline'): {'ends after step 29: ' * bool(kept)}{80 - 2 * kept} of the 80 points" in str(finding)
    (problem,) = Store(store.root).record(run_id).problems
    assert problem.startswith(f"{80 - 2 * kept} of the 80 points that the run logged are not there any more")


def test_what_a_run_kept_beside_numbers_is_missed(store):
    """A picture or a text is no part of the run's document, and still belongs to it; so does the list of packages."""
    with start("kept", store=store) as run:
        run.log_text("sample", "hello " * 2000)
    with start("kept too", store=store) as other:
        other.log_text("sample", "hello " * 2000)
    (item,) = ct.run(run.id, store).items()
    environment = {"env": {"packages": store.blobs.put("{}" * 3000)}}
    begin(store, environment=environment).close(store.records()[0])
    assert store.examine().is_healthy
    for digest in (item.digest, environment["env"]["packages"]):
        (store.root / "blobs" / digest[:2] / digest).unlink()
    told = {finding.where: str(finding) for finding in store.examine().wrong}
    assert len(told) == 2
    assert "(run" not in told[f"blobs/{item.digest[:2]}/{item.digest}"]
    assert f"and run 'kept' ({run.id}) and 1 other refer to it" in told[f"blobs/{item.digest[:2]}/{item.digest}"]


def test_a_damaged_log_of_a_killed_run(store):
    """The points before and behind the damage stay, in the summaries too."""
    run_id = killed_run(store)
    log = the_log(store, run_id)
    log.write_bytes(log.read_bytes() + bytes(100))
    os.utime(log, (time.time() - 100, time.time() - 100))
    assert store.record(run_id).metrics["loss"].count == 1
    repaired(store, "gap")
    record = Store(store.root).record(run_id)
    assert (record.status, record.metrics["loss"].count, record.params["p"].value) == ("killed", 1, 3)


def test_a_log_with_nothing_in_it(store):
    """Garbage under the name of a log is taken out of the way."""
    run_id = a_run(store)
    rubbish = folder_of(store, run_id) / "m" / "x-1-a-0-ffff.0001.ctl"
    rubbish.write_bytes(MAGIC + b"\xff" * 100)
    assert store.examine().is_healthy  # young: somebody may just have begun it
    os.utime(rubbish, (time.time() - 100,) * 2)
    repaired(store, "log")
    assert in_trash(store) == [MAGIC + b"\xff" * 100]
    assert Store(store.root).gaps(run_id) == []


def test_a_log_of_another_run(store):
    """Its points would be shown as if they were of this one."""
    first, second = a_run(store), a_run(store, "sweep")
    source = the_log(store, first)
    moved = folder_of(store, second) / "m" / source.name
    source.rename(moved)
    repaired(store, "stranger")
    assert source.exists()
    assert len(Store(store.root).series(first)["val/acc"].step) == 40


def sealed_run(store: Store) -> str:
    run_id = a_run(store)
    for path in folder_of(store, run_id).rglob("*"):
        os.utime(path, (time.time() - 5000,) * 2)
    assert store.seal(run_id)
    return run_id


@pytest.mark.parametrize("damage", ["document", "file"])
def test_a_seal_that_does_not_verify(store, damage):
    """While the logs are there the seal goes to the trash and they count again."""
    run_id = sealed_run(store)
    folder = folder_of(store, run_id)
    expected = {name: series.value.tolist() for name, series in store.series(run_id).items()}
    path = folder / "sealed.json" if damage == "document" else next((folder / "sealed").glob("0.*.parquet"))
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[-4 if damage == "document" else len(data) // 3] ^= 1
    path.write_bytes(data)
    repaired(store, "seal")
    assert {name: series.value.tolist() for name, series in Store(store.root).series(run_id).items()} == expected


def test_a_seal_without_its_logs(store):
    """What was sealed is damaged and the logs are gone: said, left as it is, never served."""
    run_id = sealed_run(store)
    folder = folder_of(store, run_id)
    for path in (folder / "m").glob("*.ctl"):
        path.unlink()
    path = next((folder / "sealed").glob("0.*.parquet"))
    path.chmod(0o600)
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(len(data) - 200) + data[-100:])
    report = store.examine(repair=True)
    assert [(finding.kind, finding.mend) for finding in report.wrong] == [("seal", None)]
    path.write_bytes(data)
    assert Store(store.root).examine().is_healthy


def test_a_half_sealed_run(store):
    """Files of a sealer that died are removed after an hour."""
    run_id = sealed_run(store)
    folder = folder_of(store, run_id) / "sealed"
    half = folder / "0.deadbeef.parquet"
    half.write_bytes(next(folder.glob("0.*.parquet")).read_bytes())
    assert store.examine().is_healthy
    os.utime(half, (time.time() - 4000,) * 2)
    repaired(store, "half-sealed")
    assert not half.exists()


def test_misplaced_and_doubled_runs(store):
    """A run in a wrong folder is moved; of two copies the second goes to the trash, once both are joined."""
    first, second = a_run(store), a_run(store, "sweep")
    wrong = store.root / "runs" / "ZZ"
    wrong.mkdir()
    shutil.move(folder_of(store, first), wrong / first)
    shutil.copytree(folder_of(store, second), wrong / second)
    (wrong / second / "edits").mkdir(exist_ok=True)
    (wrong / second / "edits" / "me.json").write_bytes(
        orjson.dumps(
            {"set": {"name": {"field": "name", "value": "renamed", "at": (int(time.time() * 1000) + 9) << 16}}}
        )
    )
    report = repaired(store, "misplaced", "misplaced")
    assert {record.name for record in Store(store.root).records()} == {"baseline", "renamed"}
    assert "brought together with" in report.wrong[0].done + report.wrong[1].done
    assert not (wrong / second).exists()


def test_an_empty_run_folder(store):
    """Its process died before it wrote anything."""
    a_run(store)
    empty = store.root / "runs" / "AA" / "01ARZ3NDEKTSV4RRFFQ69G5FAA"
    (empty / "m").mkdir(parents=True)
    assert store.examine().is_healthy  # young: somebody may just be at it
    for path in (empty / "m", empty):
        os.utime(path, (time.time() - 100,) * 2)
    repaired(store, "empty")
    assert not empty.exists()


def test_leftovers_of_dead_processes(store):
    """Temporary files older than an hour, wherever they lie."""
    run_id = a_run(store)
    old = [folder_of(store, run_id) / "run.json.1.ff.tmp", store.root / "blobs" / "stream.1.ff.tmp"]
    for path in old:
        path.write_text("x")
        os.utime(path, (time.time() - 4000,) * 2)
    young = store.root / "y.1.ff.tmp"
    young.write_text("x")
    repaired(store, "leftover", "leftover")
    assert not any(path.exists() for path in old)
    assert young.exists()


def test_blobs(store, capsys):
    """One that does not verify is taken out of the way, one in the trash is brought back, one lost is told."""
    run_id = a_run(store)
    record = store.record(run_id)
    bad, thrown = record.code, record.executions[0].outputs[0].data["text/plain"]
    unused = store.blobs.put("nobody needs this")
    for digest in (bad, unused):
        path = store.root / "blobs" / digest[:2] / digest
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[::-1])
    Trash(store.root).put(store.root / "blobs" / thrown[:2] / thrown, "by mistake")
    report = store.examine()
    assert sorted(kinds(report)) == ["blob", "blob", "missing"]
    told = {finding.where: f"{finding} {finding.cost}" for finding in report.wrong}
    assert run_id in told[f"blobs/{bad[:2]}/{bad}"]
    assert "no run refers to it" in told[f"blobs/{unused[:2]}/{unused}"]
    report = store.examine(repair=True)
    assert store.blobs.text(thrown) == "hello baseline"
    assert bad not in store.blobs
    again = store.examine(repair=True)
    assert [(finding.kind, finding.where, finding.mend) for finding in again.wrong] == [
        ("missing", f"blobs/{bad[:2]}/{bad}", None)
    ]
    assert snapshot(store.root) == snapshot(store.root)
    store.blobs.put("code of baseline\n" * 40)
    assert store.examine().is_healthy


def test_a_large_blob_without_a_piece(store, monkeypatch):
    """The missing piece is named; from the trash it comes back."""
    from celltrail.store import blobs

    monkeypatch.setattr(blobs, "WHOLE_BYTES", 2 << 20)
    digest = store.blobs.put(os.urandom(5 << 20))
    begin(store, code=digest).close(store.records()[0])
    piece = store.blobs.manifest(digest).pieces[0][0]
    Trash(store.root).put(store.root / "blobs" / piece[:2] / piece, "by mistake")
    repaired(store, "missing")
    store.blobs.verify(digest)


def test_a_hash_of_something_else_is_no_missing_blob(store):
    """A parameter may hold the hash of a data set."""
    start("hashed", {"sha256": "ab" * 32}, store=store).finish()
    assert store.examine().is_healthy


def test_only_so_much_is_read_unless_asked(store, monkeypatch):
    """A large trail is examined quickly; `--all` reads every byte."""
    from celltrail.store.doctor import contents

    a_run(store)
    digest = store.blobs.put(os.urandom(5000))
    path = store.root / "blobs" / digest[:2] / digest
    path.chmod(0o600)
    path.write_bytes(bytes(5000))
    os.utime(path, (1000, 1000))
    monkeypatch.setattr(contents, "MOST_READ", 4000)
    report = store.examine()
    assert [note.kind for note in report.notes] == ["unread"]
    assert kinds(store.examine(reads_all=True)) == ["blob"]


def test_edits(store):
    """Torn ones are taken out of the way; those of a clock far ahead are dated back, in their order."""
    run_id = a_run(store)
    store.edit(run_id, "name", "by me")
    folder = folder_of(store, run_id) / "edits"
    (folder / "torn.json").write_bytes(b'{"set": {"name"')
    ahead = (int(time.time() * 1000) + 3 * 86_400_000) << 16
    entries = {
        field: {"field": field, "value": value, "at": ahead + n, "by": "x", "base": ""}
        for n, (field, value) in enumerate([("name", "from tomorrow"), ("group", "h")])
    }
    (folder / "ahead.json").write_bytes(orjson.dumps({"set": entries}))
    os.utime(folder / "ahead.json", (time.time() - 500,) * 2)
    assert Store(store.root).record(run_id).name == "from tomorrow"
    repaired(store, "torn", "ahead")
    record = Store(store.root).record(run_id)
    assert (record.name, record.group) == ("by me", "h")
    assert len(in_trash(store)) == 2


def test_an_actor_document(store):
    """A torn one is taken out of the way."""
    a_run(store)
    (store.root / "actors").mkdir(exist_ok=True)
    (store.root / "actors" / "someone.json").write_bytes(b"\x00" * 30)
    repaired(store, "torn")


def test_the_audit(store):
    """A forged record is told and cannot be repaired."""
    run_id = a_run(store)
    store.edit(run_id, "name", "a")
    store.edit(run_id, "name", "b")
    (chain,) = (store.root / "audit").glob("*.jsonl")
    lines = chain.read_bytes().splitlines(keepends=True)
    chain.write_bytes(lines[0].replace(run_id.encode(), run_id.replace("0", "1").encode()) + b"".join(lines[1:]))
    report = Store(store.root).examine()
    assert [(finding.kind, finding.mend) for finding in report.wrong] == [("audit", None)]
    assert "entry 1" in str(report.wrong[0])


def test_modes(store):
    """What its owner cannot read, what everybody can write; group bits of a shared trail are kept."""
    run_id = a_run(store)
    folder = folder_of(store, run_id)
    (folder / "run.json").chmod(0)
    (folder / "m").chmod(0o777)
    (store.root / "trail.json").chmod(0o666)
    repaired(store, "mode", "mode", "mode")
    modes = [path.stat().st_mode & 0o777 for path in (folder / "run.json", folder / "m", store.root / "trail.json")]
    assert modes == [0o400, 0o755, 0o644]


def test_times_to_come(store):
    """A file dated next year would be young for ever."""
    run_id = a_run(store)
    path = the_log(store, run_id)
    os.utime(path, (time.time() + 1e7,) * 2)
    repaired(store, "future")
    assert path.stat().st_mtime <= time.time() + 1


def test_foreign_files_are_named_and_stay(store):
    """They may be somebody's work."""
    run_id = a_run(store)
    foreign = [store.root / ".DS_Store", folder_of(store, run_id) / "run (conflicted copy).json"]
    for path in foreign:
        path.write_text("x")
    (store.root / "runs" / "AB" / "my backup").mkdir(parents=True)
    report = store.examine(repair=True)
    assert report.is_healthy
    assert sorted(note.where for note in report.notes) == sorted(
        [*(path.relative_to(store.root).as_posix() for path in foreign), "runs/AB/my backup"]
    )
    assert all(path.exists() for path in foreign)


def test_an_index_that_is_out_of_date(store):
    """It is deleted; the answers come from the files again."""
    run_id = a_run(store)
    store.records()
    path = folder_of(store, run_id) / "run.json"
    about = path.stat()
    path.write_bytes(path.read_bytes().replace(b"baseline", b"Baseline"))
    # the same size, time and inode: nobody could notice
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert Store(store.root).record(run_id).name == "baseline"
    repaired(store, "index")
    assert Store(store.root).record(run_id).name == "Baseline"


def test_a_full_disk(store, monkeypatch):
    """Said before it costs points."""
    from celltrail.store.doctor import machine

    a_run(store)
    monkeypatch.setattr(machine, "LEAST_FREE", 1 << 62)
    (finding,) = store.examine(repair=True).wrong
    assert (finding.kind, finding.done) == ("full", "")
    assert "celltrail gc" in finding.remedy


def test_repairs_are_in_the_audit(store):
    """And a repair that cannot be recorded is not made."""
    run_id = a_run(store)
    path = folder_of(store, run_id) / "edits" / "torn.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{")
    audit = store.root / "audit"
    if audit.exists():
        shutil.rmtree(audit)
    audit.write_text("a file in its place")
    script = "import sys; from celltrail.cli import main; sys.exit(main(['doctor', '--repair']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert path.exists()
    audit.unlink()
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 1
    assert [entry.do for entry in Store(store.root).audit.entries()] == ["repair"]
    assert not path.exists()


def test_a_hundred_runs_are_examined_in_one_pass(store):
    """Copies of one run under ids of their own: no file is opened more often than for a run alone."""
    from celltrail.model import new_id

    run_id = a_run(store)
    source = folder_of(store, run_id)
    for _ in range(99):
        new = new_id()
        target = folder_of(store, new)
        shutil.copytree(source, target)
        for path in (target / "m").iterdir():
            path.unlink()
        (target / "run.json").write_bytes((source / "run.json").read_bytes().replace(run_id.encode(), new.encode()))
        shutil.copy(the_log(store, run_id), target / "m")
        log = next((target / "m").iterdir())
        log.write_bytes(log.read_bytes()[: records(log.read_bytes())[-2][1]])
    with opened() as paths:
        report = store.examine()
    assert report.runs == 100
    times = Counter(path for path in paths if path.startswith(f"{store.root}/"))
    assert max(count for path, count in times.items() if path.endswith(".ctl")) <= MOST_OPENED
    assert max(count for path, count in times.items() if path.endswith("run.json")) <= MOST_OPENED
    assert len(paths) < 12 * 100

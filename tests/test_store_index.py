"""The index is disposable: with it, without it, or with a broken one, the answers are those of the files."""

from __future__ import annotations

import dataclasses
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.model import Metric, Param, RunRecord
from celltrail.run import start
from celltrail.store import RunWriter, Store
from celltrail.store.catalogue.alike import Alike
from celltrail.store.files.network import is_network
from celltrail.store.index.beside import beside
from counting import opened
from recovery.logs import begin


def filled(store: Store, count: int = 5) -> list[str]:
    """Runs of every kind: finished, running, edited."""
    ids = []
    for number in range(count):
        writer = begin(store, name=f"run {number}", params={"lr": Param("lr", number / 7)})
        writer.row(("loss",), 1, writer.clock(), (number,))
        if number % 2:
            metrics = {"loss": Metric("loss", "min", last=float(number), count=1)}
            writer.close(dataclasses.replace(store.record(writer.id), status="finished", metrics=metrics))
        else:
            writer.flush()
        ids.append(writer.id)
    store.edit(ids[1], "name", "edited")
    return ids


def the_index(store: Store) -> Path:
    (path,) = (Path(os.environ["XDG_CACHE_HOME"]) / "celltrail" / store.id).glob("*/index.db")
    return path


def fresh(store: Store) -> list[RunRecord]:
    """What a new process would answer."""
    return Store(store.root).records()


def test_records_come_newest_first_and_are_kept_outside_the_trail(store: Store) -> None:
    """Nothing but the trail's own files is in the trail."""
    ids = filled(store)
    assert [record.id for record in store.records()] == ids[::-1]
    assert the_index(store).exists()
    assert {path.suffix for path in store.root.rglob("*") if path.is_file()} == {".json", ".jsonl", ".ctl"}


@pytest.mark.parametrize("harm", ["delete", "empty", "cut", "garbage", "older", "newer", "foreign", "nonsense rows"])
def test_a_broken_index_loses_nothing(store: Store, harm: str) -> None:
    """Whatever happened to the file: the same answers, and a good index afterwards."""
    filled(store)
    expected = fresh(store)
    path = the_index(store)
    with sqlite3.connect(path) as db:
        db.execute("pragma wal_checkpoint(truncate)")
    data = path.read_bytes()
    if harm == "delete":
        shutil.rmtree(path.parent)
    elif harm in ("empty", "cut", "garbage"):
        path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "garbage": os.urandom(5000)}[harm])
    else:
        with sqlite3.connect(path) as db:
            db.execute(
                {
                    "older": "pragma user_version = 0",
                    "newer": "pragma user_version = 99",
                    "foreign": "drop table run",
                    "nonsense rows": "update rest set body = 'x'",
                }[harm]
            )
    assert fresh(store) == expected
    assert fresh(store) == expected
    with sqlite3.connect(path) as db:
        assert db.execute("select count(*) from run").fetchone() == (5,)


def test_damage_while_it_is_open_is_survived(store: Store) -> None:
    """A store that is in use goes on, and so does the next one."""
    ids = filled(store)
    expected = store.records()
    the_index(store).write_bytes(os.urandom(20_000))
    store.edit(ids[2], "name", "changed")
    expected[2] = dataclasses.replace(expected[2], name="changed")
    assert store.records() == expected == fresh(store)


def test_no_place_for_an_index(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Then the files answer, each time."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file" / "x"))
    ids = filled(store)
    assert [record.id for record in fresh(store)] == ids[::-1]
    assert [record.id for record in fresh(store)] == ids[::-1]


def test_every_change_is_seen_by_a_store_that_listed_before(store: Store) -> None:
    """New runs, later documents, edits, endings, removals; by another store than the one that wrote."""
    reader = Store(store.root)
    assert reader.records() == []
    writer = begin(store)
    assert [record.status for record in reader.records()] == ["running"]
    writer.row(("loss",), 1, writer.clock(), (0.5,))
    assert reader.records()[0].metrics["loss"].last == 0.5
    writer.row(("loss",), 2, writer.clock(), (0.25,))
    writer.put("summary", "best", {"value": 1})
    assert reader.records()[0].metrics["loss"].last == 0.25
    assert reader.records()[0].summary == {"best": 1}
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    assert reader.records()[0].status == "finished"
    for name in ("one", "two", "six"):
        store.edit(writer.id, "name", name)
        assert reader.records()[0].name == name
    shutil.rmtree(store.root / "runs" / writer.id[-2:] / writer.id)
    assert reader.records() == []
    assert fresh(store) == []


def test_what_has_not_changed_is_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first listing, finished runs cost a stat: their documents are not opened."""
    writer = begin(store)
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    folder = store.root / "runs" / writer.id[-2:] / writer.id
    expected = store.records()
    assert fresh(store) == expected
    about = (folder / "run.json").stat()
    with open(folder / "run.json", "r+b") as file:
        data = file.read()
        file.seek(0)
        file.write(data.replace(b'"run"', b'"RUN"'))
    os.utime(folder / "run.json", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert store.records() == expected == fresh(store)


def test_two_copies_of_a_trail_do_not_mix(store: Store, tmp_path: Path) -> None:
    """They share the id, not their runs."""
    ids = filled(store)
    store.records()
    copy = Store(shutil.copytree(store.root, tmp_path / "copy" / ".celltrail"))
    copy.edit(ids[0], "name", "only in the copy")
    shutil.rmtree(copy.root / "runs" / ids[1][-2:] / ids[1])
    assert len(copy.records()) == 4
    assert len(fresh(store)) == 5
    assert {record.name for record in fresh(store)}.isdisjoint({"only in the copy"})


def test_an_index_folder_of_somebody_else_is_not_used(store: Store) -> None:
    """A cache that others can write could answer anything."""
    filled(store)
    expected = fresh(store)
    folder = the_index(store).parent
    with sqlite3.connect(folder / "index.db") as db:
        db.execute("update rest set body = cast(replace(cast(body as text), 'run 2', 'forged') as blob)")
    folder.chmod(0o777)
    assert fresh(store) == expected


LIST = """
import sys
from pathlib import Path
from celltrail.store import Store
from celltrail.store.catalogue import listing
for round in range(6):
    listing.WORTH_CATALOGUE = 2 if round % 3 else 99  # many at once, or one by one
    store = Store(sys.argv[1])
    assert len(store.records()) == 20
    assert store.names("param") == {"lr": 20}
    if round % 2:
        for path in Path(sys.argv[2]).rglob("index.db*"):
            path.unlink(missing_ok=True)
    assert len(store.records()) == 20
"""


def test_many_processes_and_threads_build_one_index(store: Store, tmp_path: Path) -> None:
    """At once, deleting it under each other's hands: every answer is complete."""
    filled(store, 20)
    command = [sys.executable, "-W", "ignore", "-c", LIST, str(store.root), str(tmp_path / "cache")]
    processes = [subprocess.Popen(command) for _ in range(3)]
    failed: list[int] = []
    threads = [threading.Thread(target=lambda: failed.append(20 - len(store.records()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0] * 3
    assert failed == [0] * 4


def test_listing_again_reads_no_run(store: Store) -> None:
    """A finished run that did not change is not opened, in this store or another one."""
    for _ in range(60):
        writer = begin(store)
        writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    store.records()
    for again in (store, Store(store.root)):
        with opened() as paths:
            assert len(again.records()) == 60
        assert [path for path in paths if path.startswith(f"{store.root}/runs")] == []


def test_network_file_systems_are_known_by_their_mount(tmp_path: Path) -> None:
    """A local folder is not one; /proc tells the kind of the longest mount above a path."""
    assert not is_network(tmp_path)
    assert not is_network(tmp_path / "not" / "there" / "yet")


actions = st.lists(
    st.tuples(
        st.sampled_from(["begin", "log", "finish", "edit", "tag", "delete", "lose", "ask", "touch"]),
        st.integers(0, 5),
        st.booleans(),
    ),
    max_size=20,
)


@settings(max_examples=25, deadline=None)
@given(done=actions)
def test_an_index_kept_up_equals_one_built_anew(done: list, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever two stores of one trail did, in whatever order: the same records, names and tags as from the files."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        stores = [Store(Path(folder) / ".celltrail") for _ in range(2)]
        writers: list[RunWriter] = [begin(stores[0], name="first")]
        for what, number, is_second in done:
            store, writer = stores[is_second], writers[number % len(writers)]
            is_there = (store.root / "runs" / writer.id[-2:] / writer.id).exists()
            match what:
                case "begin":
                    writers.append(begin(store, name=f"run {number}", params={f"p{number}": Param(f"p{number}", 1)}))
                case "log" if is_there and not writer._closed:
                    writer.row((f"m{number}",), number, writer.clock(), (number / 2,))
                case "finish" if is_there and not writer._closed:
                    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
                case "edit" if is_there:
                    store.edit(writer.id, "name", f"edited {number}")
                case "tag" if is_there:
                    store.edit(writer.id, f"tag:t{number}", is_second)
                case "delete" if is_there and writer._closed:
                    shutil.rmtree(store.root / "runs" / writer.id[-2:] / writer.id)
                case "lose":
                    for path in Path(os.environ["XDG_CACHE_HOME"]).rglob("index.db*"):
                        path.unlink()
                case "ask":
                    store.look([("params", f"p{number}"), ("group",)], lambda look: look.names("param"))
        answers = [(store.records(), *(store.names(kind) for kind in KINDS)) for store in stores]
        stores[0]._listing().forget()
        anew = Store(stores[0].root)
        expected = (anew.records(), *(anew.names(kind) for kind in KINDS))
        assert answers == [expected, expected]
        for writer in writers:
            writer._log.close()


KINDS = ("param", "metric", "tag", "summary")


def test_what_a_finished_run_is_still_told_is_seen_by_the_next_question(store: Store) -> None:
    """Facts gathered after its end, by this process, reach every reader although the run reads finished."""
    reader = Store(store.root)
    for number in range(150):  # more than are looked at in passing
        with start(f"old {number}", store=store):
            pass
    run = start("late", store=store)
    settle = run.owe()
    run.finish()
    assert next(each for each in reader.records() if each.id == run.id).params == {}
    run.describe(params={"lr": Param("lr", 0.1)})
    assert "lr" in next(each for each in reader.records() if each.id == run.id).params
    run.describe(params={"depth": Param("depth", 3)})
    settle()
    assert "depth" in next(each for each in reader.records() if each.id == run.id).params
    with opened() as paths:
        reader.records()
    assert not [path for path in paths if run.id in path], "once it is closed it is not read again"


def test_a_question_asked_while_an_error_is_handled(store: Store, recwarn: pytest.WarningsRecorder) -> None:
    """As anybody does who looks for a run and falls back on others: the index is not taken for damaged."""
    ids = filled(store, 2)
    try:
        raise LookupError("no such run")
    except LookupError:
        assert [record.id for record in Store(store.root).records()] == ids[::-1]
    assert [str(warning.message) for warning in recwarn] == []


def test_a_connection_goes_with_whoever_asked(store: Store) -> None:
    """Nobody has to close a store: what it had open is closed when it is gone, not left to a warning."""
    filled(store, 2)
    asked = Store(store.root)
    asked.records()
    connection = asked._listing()._index._open().db
    alike = Alike(store.root, store.id)
    alike.ids("recipe")
    other = alike._db
    assert other is not None
    del asked, alike
    gc.collect()
    for each in (connection, other):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            each.execute("select 1")


def test_work_beside_the_user_ends_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    """A trail that goes away under it is nothing to print into somebody's cell; the next question says it."""

    def fails() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    thread = beside(fails, "celltrail-test")
    assert thread is not None
    thread.join(5)
    assert not thread.is_alive()
    assert capsys.readouterr() == ("", "")


def test_a_search_while_python_ends(store: Store) -> None:
    """No thread can be started then (from 3.12 on): the answer comes all the same, and nothing is printed."""
    filled(store, 40)
    code = (
        "import atexit, sys\nfrom celltrail.store import Store\nfrom celltrail.store.index.fulltext import asked\n"
        "store = Store(sys.argv[1])\n"
        "atexit.register(lambda: print(len(store.searcher.hits(asked('run'), 100, patience=0).hits) >= 0))"
    )
    ended = subprocess.run([sys.executable, "-c", code, store.root], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("True\n", "", 0)

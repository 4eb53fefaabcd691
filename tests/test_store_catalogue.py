"""The catalogue: an index built from it is the one the files give, and it can be thrown away or broken."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.model import Execution, Failure, Metric, Param, new_id
from celltrail.store import Store
from celltrail.store.catalogue import cataloguing, entries, listing, segments
from celltrail.store.catalogue.segments import Segment
from celltrail.store.index import schema
from celltrail.store.index.reading import BODIES, WITH_PARTS
from counting import opened
from recovery.logs import begin
from recovery.seals import aged, drop_logs, finished_run, folder_of


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trail in which few runs are worth a segment, and few entries fill a row group."""
    for module, name, count in ((cataloguing, "WORTH_RUNS", 2), (listing, "WORTH_CATALOGUE", 2)):
        monkeypatch.setattr(module, name, count)
    monkeypatch.setattr(segments, "GROUP_RUNS", 3)


def over(store: Store, number: int = 0, **fields: Any) -> str:
    """A run that is over, long enough ago that no change of it could be missed."""
    params = {"lr": Param("lr", number / 7), f"p{number % 3}": Param(f"p{number % 3}", [number, None])}
    writer = begin(store, name=f"run {number}", params=params)
    writer.row(("loss", "ü/✓"), 1, writer.clock(), (number, float("nan")))
    metrics = {"loss": Metric("loss", "min", last=float(number), count=1)}
    record = dataclasses.replace(store.record(writer.id), status="finished", metrics=metrics, **fields)
    writer.close(record)
    aged(store, writer.id)
    return writer.id


def content(store: Store) -> dict[str, Any]:
    """Everything the index of this trail holds, but for numbers that it gives rows itself."""
    (path,) = (Path(os.environ["XDG_CACHE_HOME"]) / "celltrail" / store.id).glob("*/index.db")
    with sqlite3.connect(path) as db:
        columns = {col: (key, has) for col, key, has in db.execute("select col, key, has from field order by key")}
        names = ", ".join(columns)
        return {
            "run": db.execute(f"select id, stamp, watch, more, {BODIES} from {WITH_PARTS} order by id").fetchall(),
            "field": list(columns.values()),
            "hot": db.execute(f"select {names} from hot order by id").fetchall(),
            "tag": db.execute("select tag, id from tag join run using (rid) order by 1, 2").fetchall(),
            "name": db.execute("select * from name order by 1, 2, 3").fetchall(),
        }


def forget(store: Store) -> Store:
    """As on a machine that has not seen this trail."""
    shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]), ignore_errors=True)
    return Store(store.root)


def anew(store: Store, keys: Any = ()) -> tuple[dict[str, Any], set[str]]:
    """An index built anew: what it holds, and which runs' documents were opened for it."""
    store = forget(store)
    with opened() as paths:
        store.look(keys, lambda look: None)
    return content(store), {Path(path).parent.name for path in paths if path.endswith("/run.json")}


def scanned(store: Store, keys: Any = ()) -> dict[str, Any]:
    """The same without the catalogue."""
    away = store.root.parent / "away"
    (store.root / "catalogue").rename(away)
    try:
        return anew(store, keys)[0]
    finally:
        away.rename(store.root / "catalogue")


def one_by_one(store: Store, keys: Any = ()) -> dict[str, Any]:
    """The same with each run read by itself, as one that comes later is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "WORTH_CATALOGUE", 10**9)
        return anew(store, keys)[0]


def test_an_index_from_the_catalogue_opens_no_document(store: Store) -> None:
    """And holds what the files say, to the byte."""
    cells = [(Execution(new_id(), 1, None, "ok", 1, recipe=f"{number:032x}"),) for number in range(4)]
    ids = [over(store, number) for number in range(4)] + [over(store, executions=each) for each in cells]
    assert store.compact().catalogued == 8
    found, read = anew(store)
    assert read == set()
    assert [row[0] for row in found["run"]] == sorted(ids)
    assert found == scanned(store)
    assert store.compact().catalogued == 0


def test_what_every_listing_needs_is_in_the_entries() -> None:
    """A column of the index that is always there is read without opening the document."""
    assert {*entries.FACTS, "id", "tags"} == {*schema.FIXED}


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())
# no character that JSON of another hand could not hold
words = st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=4)
told = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["finished", "failed", "interrupted", "running"]),
        "params": st.dictionaries(words, values, max_size=3),
        "metrics": st.dictionaries(words, st.sampled_from(["min", "max", "none"]), max_size=3),
        "summary": st.dictionaries(words, values, max_size=2),
        "tags": st.lists(words, max_size=2, unique=True),
        "error": st.none() | st.builds(Failure, words, words),
        "notes": st.lists(words, max_size=2),
    }
)
said = st.lists(
    st.sampled_from([("archived", True), ("starred", True), ("name", "other"), ("tag:of ü", True), ("rating", 3)]),
    max_size=2,
)
fates = ["", "changed", "gone", "later", "odd", "again", "sealed"]
trails = st.lists(st.tuples(told, said, st.sampled_from(fates)), max_size=6)


@settings(max_examples=40, deadline=None)
@given(trails)
def test_however_the_runs_are_read_the_index_is_the_same(runs: list[Any]) -> None:
    """From the catalogue, many at once or one by one; whatever became of them after they were catalogued."""
    keys = [("params", "a"), ("metric", "best", "loss"), ("notes",), ("rating",), ("summary", "s"), ("error",)]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / ".celltrail")
        over(store)
        ids = [_kept(store, number, *run) for number, run in enumerate(runs)]
        store.compact()
        for run_id, (_, _, fate) in zip(ids, runs, strict=True):
            match fate:
                case "changed":
                    path = folder_of(store, run_id) / "run.json"
                    path.write_bytes(path.read_bytes().replace(b'"name":"', b'"name":"X'))
                case "gone":
                    shutil.rmtree(folder_of(store, run_id))
                case "later":
                    store.edit(run_id, "name", "later")
                case "odd":
                    path = folder_of(store, run_id) / "run.json"
                    path.write_bytes(path.read_bytes().replace(b'"params":{', b'"params":{"odd":"value",'))
                case "again":
                    path = folder_of(store, run_id) / "run.json"
                    path.with_name("run.2.json").write_bytes(path.read_bytes().replace(b'"name":"', b'"name":"Y'))
        for asked in ((), keys):
            expected = one_by_one(store, asked)
            assert anew(store, asked)[0] == expected
            if segments.paths(store.root):
                assert scanned(store, asked) == expected


def _kept(store: Store, number: int, run: dict[str, Any], edits: list[tuple[str, Any]], fate: str) -> str:
    params = {name: Param(name, value) for name, value in run["params"].items()}
    writer = begin(store, name=f"run {number}", params=params, error=run["error"], notes=tuple(run["notes"]))
    writer.row(("loss",), number, writer.clock(), (number / 3,))
    metrics = {name: Metric(name, goal, last=number / 3, count=1) for name, goal in run["metrics"].items()}
    writer.close(
        dataclasses.replace(
            store.record(writer.id),
            status=run["status"],
            metrics=metrics,
            summary=run["summary"],
            tags=tuple(run["tags"]),
        )
    )
    for field, value in edits:
        store.edit(writer.id, field, value)
    if edits:
        os.utime(folder_of(store, writer.id) / "edits", (1e9, 1e9))
    aged(store, writer.id)
    if fate == "sealed" and run["status"] != "running":
        store.seal(writer.id)
        for path in (folder_of(store, writer.id) / "m").iterdir():
            path.unlink()
    return writer.id


def test_an_entry_counts_only_while_the_files_are_as_it_saw_them(store: Store) -> None:
    """What changed, by whomever, is read; what is gone is not invented; what came is found."""
    ids = [over(store, number) for number in range(7)]
    store.compact()
    store.edit(ids[0], "name", "edited")
    path = folder_of(store, ids[1]) / "run.json"
    path.write_bytes(path.read_bytes().replace(b'"name":"run 1"', b'"name":"RUN 1"'))
    shutil.rmtree(folder_of(store, ids[2]))
    (folder_of(store, ids[3]) / "run.json").unlink()
    later = over(store, 9)
    found, read = anew(store)
    assert read == {ids[0], ids[1], ids[3], later}
    assert found == scanned(store)
    names = {record.id: record.name for record in Store(store.root).records()}
    assert (names[ids[0]], names[ids[1]], names[later]) == ("edited", "RUN 1", "run 9")
    assert ids[2] not in names


def test_a_run_known_from_its_seal_is_catalogued_as_long_as_that_seal_stands(store: Store) -> None:
    """Its document alone does not tell its state."""
    import recovery.test_kill as kill

    counter = store.root.parent / "counter"
    run_id, _ = kill.killed_run(store, counter, 0.15)
    over(store)
    aged(store, run_id)
    store.compact()
    drop_logs(store, run_id)
    assert run_id in {run for segment in segments.readable(store.root) for run in segment.runs(0)}
    found, read = anew(store)
    assert run_id not in read
    assert found == scanned(store)
    (seal,) = folder_of(store, run_id).glob("sealed.json")
    seal.unlink()
    assert anew(store)[0] == scanned(store)
    assert run_id in anew(store)[1]


def test_a_faithful_copy_of_a_trail_uses_its_catalogue(store: Store, tmp_path: Path) -> None:
    """As from a backup: other inodes, the same sizes and times."""
    for number in range(4):
        over(store, number)
    store.edit(store.records()[0].id, "starred", True)
    os.utime(folder_of(store, store.records()[0].id) / "edits", (1e9, 1e9))
    store.compact()
    copy = Store(shutil.copytree(store.root, tmp_path / "copy" / ".celltrail"))
    found, read = anew(copy)
    assert read == set()
    assert found == scanned(copy)


def test_damage_costs_nothing_but_time(store: Store) -> None:
    """Flipped bits, cuts, other files: the same index; the next compaction makes the segment again."""
    for number in range(5):
        over(store, number)
    expected, _ = anew(store)
    store.compact()
    chosen = random.Random(6)
    (path,) = segments.paths(store.root)
    whole = path.read_bytes()
    harms = [b"", b"PAR1", whole[:-1], whole[: len(whole) // 2], os.urandom(3000), bytes(len(whole))]
    for _ in range(60):
        broken = bytearray(whole)
        broken[chosen.randrange(len(broken))] ^= 1 << chosen.randrange(8)
        harms.append(bytes(broken))
    for harm in harms:
        path.write_bytes(harm)
        assert anew(store)[0] == expected
    path.write_bytes(harms[3])
    assert store.compact().catalogued == 5
    assert len(segments.paths(store.root)) == 1
    assert anew(store) == (expected, set())
    shutil.rmtree(store.root / "catalogue")
    assert anew(store)[0] == expected
    assert store.compact().catalogued == 5


def test_segments_of_other_formats_are_passed_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older one is made again; a newer one is left to the celltrail that wrote it."""
    for number in range(4):
        over(store, number)
    expected, _ = anew(store)
    store.compact()
    monkeypatch.setattr(segments, "FORMAT", 2)
    assert anew(store)[0] == expected
    assert store.compact().catalogued == 4
    (newer,) = segments.paths(store.root)
    monkeypatch.setattr(segments, "FORMAT", 1)
    assert anew(store)[0] == expected
    assert store.compact().catalogued == 4
    assert newer in segments.paths(store.root)
    assert len(segments.paths(store.root)) == 2


@pytest.mark.parametrize("harm", ["rest", "params", "tags", "names", "another run", "said"])
@pytest.mark.filterwarnings("ignore:celltrail. the index")
def test_a_segment_that_lies_is_found_out(store: Store, harm: str) -> None:
    """One that verifies and holds nonsense, from another hand: no question fails, and the doctor removes it."""
    ids = [over(store, number) for number in range(4)]
    expected = Store(store.root).records()
    store.compact()
    (path,) = segments.paths(store.root)
    entry = next(each for group in (0, 1) for each in Segment(path).entries(group) if each.run == ids[2])
    lies = {"rest": b'{"run":{"%b":{x' % ids[2].encode(), "params": b"x", "tags": "x", "names": '["x"]', "said": b"{"}
    if harm == "another run":
        state = entries.read(store.root, store._files(ids[1])).state
        lie = dataclasses.replace(entry, run=ids[1], state=state)
    else:
        lie = dataclasses.replace(entry, **{harm: lies[harm]})
    path.unlink()
    segments.write(store.root, [lie])
    found = forget(store)
    assert found.records() == expected
    report = store.examine(repair=True)
    assert any(finding.kind == "copy" and finding.done.startswith("moved") for finding in report.findings)
    assert Store(store.root).records() == expected
    assert not [finding for finding in store.examine().wrong if finding.kind == "copy"]


def test_nothing_of_a_run_that_is_gone_stays_in_the_catalogue(store: Store) -> None:
    """After the next compaction no file of the trail holds its words."""
    ids = [over(store, number, notes=(f"secret word {number}",)) for number in range(5)]
    store.compact()
    shutil.rmtree(folder_of(store, ids[1]))
    store.compact()
    (segment,) = segments.readable(store.root)
    told = [entry for group in range(len(segment.groups)) for entry in segment.entries(group)]
    assert {entry.run for entry in told} == {*ids} - {ids[1]}
    assert not any(b"secret word 1" in entry.rest for entry in told)
    for run_id in ids:
        shutil.rmtree(folder_of(store, run_id), ignore_errors=True)
    store.compact()
    assert segments.paths(store.root) == []


def test_segments_of_equal_size_become_one(store: Store) -> None:
    """So their number grows with the logarithm of the number of runs, up to a size."""
    for round_ in range(6):
        for number in range(2):
            over(store, 10 * round_ + number)
        store.compact()
    sizes = [len(segment) for segment in segments.readable(store.root)]
    assert sum(sizes) == 12
    assert len(sizes) <= 3
    found, read = anew(store)
    assert read == set()
    assert found == scanned(store)


def test_a_large_catalogue_is_written_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it takes of memory has a limit."""
    monkeypatch.setattr(cataloguing, "MOST_RUNS", 4)
    for number in range(10):
        over(store, number)
    store.compact()
    assert sorted(len(segment) for segment in segments.readable(store.root)) == [2, 4, 4]
    assert anew(store)[1] == set()


def test_an_import_brings_no_catalogue(store: Store, tmp_path: Path) -> None:
    """What another trail's catalogue says of its files says nothing of the copies here."""
    for number in range(4):
        over(store, number)
    store.compact()
    other = Store(tmp_path / "other" / ".celltrail")
    other.merge(store)
    assert segments.paths(other.root) == []
    assert {record.id for record in other.records()} == {record.id for record in store.records()}


def test_what_is_sealed_with_large_documents_is_catalogued_too(store: Store) -> None:
    """Metrics beyond the first 500 are in a blob: such a run counts with all of them."""
    writer = begin(store)
    writer.row(tuple(f"m{n:03}" for n in range(600)), 1, writer.clock(), tuple(float(n) for n in range(600)))
    metrics = {f"m{n:03}": Metric(f"m{n:03}", last=float(n), count=1) for n in range(600)}
    writer.close(dataclasses.replace(store.record(writer.id), status="finished", metrics=metrics))
    aged(store, writer.id)
    finished_run(store, rows=5)
    for record in store.records():
        aged(store, record.id)
    assert store.compact().catalogued == 2
    found, read = anew(store)
    assert read == set()
    assert found == scanned(store)
    assert len(Store(store.root).record(writer.id).metrics) == 600

"""Fields of a run that cells bring along: the index, the evaluator, frames and SQL tell them as plain Python does."""

from __future__ import annotations

import dataclasses
import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celltrail.model import Execution, Failure, Metric, Output, Param, RunRecord, new_id
from celltrail.query import runs as ask
from celltrail.query.executions import executions as executions_of
from celltrail.query.tables import sql
from celltrail.store import Store, root
from celltrail.store.docs import records
from celltrail.store.files.encoding import encode
from celltrail.store.folders import run_folder
from celltrail.store.kernels import BEGAN, ENDED
from celltrail.store.kernels.writing import SessionLog

TEXTS = ["", "a", "größe", "two words", "x'\"`%"]
RECIPES = ["", "1" * 32, "2" * 32]
numbers = st.integers(-40, 40).map(lambda n: n / 4)
facts = st.one_of(numbers, st.booleans(), st.sampled_from(TEXTS), st.none(), st.just(2**70), st.just([1, "b"]))
texts = st.sampled_from(TEXTS)
digests = st.sampled_from(["", "a" * 64, "b" * 64])
outputs = st.builds(
    Output,
    seq=st.integers(0, 9),
    kind=st.sampled_from(["stdout", "display", "error"]),
    size=st.integers(0, 10**6),
    data=st.dictionaries(st.sampled_from(["text/plain", "image/png"]), digests, max_size=2),
    earlier=st.lists(st.dictionaries(st.just("text/plain"), digests), max_size=2).map(tuple),
)
failures = st.one_of(st.none(), st.builds(Failure, st.sampled_from(["ValueError", "KeyError"]), texts, digests))
executions = st.builds(
    Execution,
    id=st.builds(new_id),
    count=st.one_of(st.none(), st.integers(1, 9)),
    cell_id=st.one_of(st.none(), texts),
    status=st.sampled_from(["ok", "error", "interrupted", "skipped"]),
    started_us=st.integers(0, 10**9),
    code=digests,
    error=failures,
    outputs=st.lists(outputs, max_size=2).map(tuple),
    recipe=st.sampled_from(RECIPES),
    needs=digests,
)
environments = st.dictionaries(
    st.sampled_from(["env", "git", "hardware", "seeds", "state", "overhead"]),
    st.dictionaries(st.sampled_from(["clean", "python", "a b", "größe"]), facts, max_size=3),
    max_size=4,
)
metrics = st.builds(
    lambda goal, count, values: Metric("m", goal, first=values[0], last=values[1], min=min(values), max=max(values),
                                       sum=sum(values), count=count),
    st.sampled_from(["min", "max", "none"]), st.integers(0, 3), st.tuples(numbers, numbers),
)  # fmt: skip
made = st.builds(
    lambda **fields: fields,
    name=texts,
    status=st.sampled_from(["finished", "failed", "interrupted"]),
    notes=st.lists(st.sampled_from(["one", "two"]), unique=True).map(tuple),
    cell_id=st.one_of(st.none(), texts),
    notebook=st.one_of(st.none(), texts),
    user=texts,
    error=failures,
    params=st.dictionaries(st.sampled_from(["a", "b.c"]), facts, max_size=2),
    metrics=st.dictionaries(st.sampled_from(["m", "val/n"]), metrics, max_size=2),
    summary=st.dictionaries(st.sampled_from(["kept", "a.b"]), facts, max_size=2),
    executions=st.lists(executions, max_size=3).map(tuple),
    environment=environments,
    problems=st.lists(texts.filter(bool), max_size=2).map(tuple),
    said=st.dictionaries(st.sampled_from(["tag:t", "note:x", "param:a", "name", "starred"]), st.just("1"), max_size=2),
)


def kept(folder: Path, found: list[dict[str, Any]]) -> Store:
    """A trail of these runs, written without waiting for the disk, each told what people said of it."""
    root.establish(folder)
    store = Store(folder)
    for number, each in enumerate(found):
        fields = dict(each)
        said = fields.pop("said")
        fields["params"] = {name: Param(name, value) for name, value in fields["params"].items()}
        fields["metrics"] = {name: dataclasses.replace(m, name=name) for name, m in fields["metrics"].items()}
        record = RunRecord(new_id(), project="p", created_us=number, started_us=number, writer="w", **fields)
        place = run_folder(folder, record.id)
        (place / "m").mkdir(parents=True)
        (place / "run.json").write_bytes(encode(records.tables_of(record)))
        for field, value in said.items():
            store.edit(record.id, field, value if field in ("name", "param:a", "note:x") else True, by_run=True)
    return store


def expected(record: RunRecord) -> dict[tuple[str, ...], Any]:
    """Each fact by its key, told by plain Python over the whole record."""
    recipes = [each.recipe for each in record.executions if each.recipe]
    told: dict[tuple[str, ...], Any] = {
        ("recipe",): recipes[-1] if recipes else None,
        ("notes",): "\n".join(record.notes),
        ("tags",): list(record.tags),
        ("cell",): record.cell_id,
        ("notebook",): record.notebook,
        ("user",): record.user,
        ("starred",): record.starred,
        ("error",): None if record.error is None else str(record.error),
    }
    for part in ("env", "git", "hardware", "seeds", "state"):
        for name in ("clean", "python", "a b", "größe"):
            told[part, name] = record.environment.get(part, {}).get(name)
    for name in ("a", "b.c"):
        told["params", name] = record.params[name].value if name in record.params else None
    for name in ("kept", "a.b"):
        told["summary", name] = record.summary.get(name)
    return told


@settings(max_examples=12, deadline=None)
@given(found=st.lists(made, min_size=1, max_size=5))
def test_every_way_to_a_fact_tells_what_the_record_tells(
    found: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Columns, documents, frames and a new index, of executions, environments, notes, errors and corrections."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        store = kept(Path(folder) / ".celltrail", found)
        scanned = store.records()
        ids, keys = [record.id for record in scanned], list(expected(scanned[0]))
        told = [expected(record) for record in scanned]
        gathered = store.gathered(ids, keys).columns
        assert {key: gathered[key] for key in keys} == {key: [each[key] for each in told] for key in keys}
        read = ask(store=store)
        assert len(read.records) == len(ids)
        pd.testing.assert_frame_equal(ask(store=store).df(), read.df())
        for key in keys:
            words = key[0] if len(key) == 1 else f"{key[0]}[{key[1]!r}]"
            if key[0] in ("recipe", "tags"):
                continue  # one is no word of the language, the other never missing
            has = [run_id for run_id, each in zip(ids, told, strict=True) if each[key] is not None]
            assert [run.id for run in ask(f"has({words})", store=store)] == has, words
        store._listing().forget()
        assert Store(store.root).records() == scanned
        copied = Path(folder) / "copy" / ".celltrail"
        shutil.copytree(store.root, copied)
        assert Store(copied).records() == scanned


@settings(max_examples=12, deadline=None)
@given(found=st.lists(made, min_size=1, max_size=5))
def test_sql_over_runs_is_plain_python_over_records(
    found: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Rows of all four views, from the parts of the documents alone."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        store = kept(Path(folder) / ".celltrail", found)
        by_id = {record.id: record for record in store.records()}
        ran = {row.id: row for row in sql("select * from runs", store=store).itertuples()}
        assert ran.keys() == by_id.keys()
        for run_id, row in ran.items():
            record = by_id[run_id]
            assert (row.name, row.notes, bool(row.starred)) == (record.name, "\n".join(record.notes), record.starred)
            assert (None if pd.isna(row.error) else row.error) == (None if record.error is None else str(record.error))
        params = sql("select run, name, value is null as gone from params", store=store)
        assert {(run, name, bool(gone)) for run, name, gone in params.itertuples(index=False)} == {
            (record.id, name, param.value is None) for record in by_id.values() for name, param in record.params.items()
        }
        numbered = sql("select run, name, goal, count as points, last, mean from metrics", store=store)
        assert len(numbered) == sum(len(record.metrics) for record in by_id.values())
        for row in numbered.itertuples():
            metric = by_id[row.run].metrics[row.name]
            assert (row.goal, row.points) == (metric.goal, metric.count)
            if metric.count:
                assert row.last == metric.last
                assert math.isclose(row.mean, metric.sum / metric.count)
        tagged = sql("select run, tag from tags", store=store)
        assert set(tagged.itertuples(index=False, name=None)) == {
            (record.id, tag) for record in by_id.values() for tag in record.tags
        }


cells = st.tuples(
    st.one_of(st.none(), st.sampled_from(["one", "two"])),
    st.one_of(st.none(), st.sampled_from(["ok", "error", "interrupted"])),  # None: nobody saw its end
    st.one_of(st.none(), st.builds(new_id)),
)


@settings(max_examples=12, deadline=None)
@given(told=st.lists(st.lists(cells, max_size=4), min_size=1, max_size=3))
def test_executions_of_all_sessions_are_what_was_written(
    told: list[list[tuple[Any, ...]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In the order they began, over sessions, cells, states and runs; one without an end still runs."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        trail = Path(folder) / ".celltrail"
        root.establish(trail)
        written: list[tuple[Any, ...]] = []
        logs: list[SessionLog] = []
        for cells in told:
            name = new_id()
            logs.append(SessionLog(trail, name, 0))
            for number, (cell, status, run) in enumerate(cells):
                made = new_id()
                logs[-1].event(BEGAN, id=made, n=number, cell=cell, notebook=None, nested=False, started=number,
                               code="", run=run, rng={})  # fmt: skip
                if status:
                    logs[-1].event(ENDED, id=made, status=status, ended=number, error="", names={}, rng={})
                written.append((made, name, cell, status or "running", run))
        read = [(e.id, e.record.session, e.cell, e.status, e.run) for e in executions_of(store=trail)]
        assert read == sorted(written)
        one = [e.id for e in executions_of("one", store=trail)]
        assert one == sorted(made for made, _, cell, _, _ in written if cell == "one")
        for log in logs:
            log.close("finished")

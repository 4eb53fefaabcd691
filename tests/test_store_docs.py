"""Documents: whole at every moment, and everything JSON leaves out survives."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinydb import where
from tinydb.table import Document

from celltrail.errors import Damaged
from celltrail.model import Execution, Failure, Metric, Output, Param, RunRecord, new_id, now_us
from celltrail.store import Store
from celltrail.store.docs.documents import Documents
from celltrail.store.docs.records import record_of, tables_of
from celltrail.store.files.encoding import decode, encode
from recovery.logs import begin, the_log

TEXT = st.text(st.characters(codec="utf-8"), max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.sampled_from(["$f", "$i", "$$f"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_what_is_encoded_is_decoded(value: object) -> None:
    """Also infinities, integers of any size, and dicts that look like our own marks."""
    assert decode(encode(value)) == value


def test_nan_and_strange_values_are_kept_as_well_as_json_can() -> None:
    """NaN stays NaN; a numpy float is a number; a lone surrogate and a path are their text."""
    import numpy as np

    back = decode(encode({"nan": math.nan, "numpy": np.float64(0.5), "bad": "\udc80", "path": Path("a/b"), 1: (2,)}))
    assert math.isnan(back.pop("nan"))
    assert back == {"numpy": 0.5, "bad": "\\udc80", "path": "a/b", "1": [2]}
    with pytest.raises(Damaged, match=r"run\.json is not readable"):
        decode(b'{"run": ', "run.json")


def full_record() -> RunRecord:
    now = now_us()
    output = Output(1, "display", 10, True, "d1", {"text/plain": "0" * 64})
    error = Failure("ValueError", "no\nmore", "1" * 64)
    execution = Execution(new_id(), 4, "cell", "error", now, now + 5, "2" * 64, error, (output,))
    return RunRecord(
        new_id(),
        'a "name" with \u2713',
        "failed",
        "project",
        now,
        now,
        now + 10,
        1e-5,
        parent=new_id(),
        group="g",
        cell_id="cell",
        notebook="n.ipynb",
        user="me",
        code="3" * 64,
        error=error,
        tags=("a", "b"),
        notes=("note",),
        params={"lr": Param("lr", math.inf, "assign", 3, "e"), "layers": Param("layers", [1, 2])},
        metrics={"val/loss": Metric("val/loss", "min", "1", 2.0, 1.0, 9, 0.5, 3, math.inf, 1, 3.5, 4, 1)},
        summary={"best": 0.5, "text": "x"},
        executions=(execution,),
        environment={"env": {"python": "3.11"}, "git": {"commit": "abc"}},
        problems=("something",),
    )


def test_a_record_survives_its_tables() -> None:
    """Every field of RunRecord has a place in run.json."""
    record = full_record()
    assert record_of(decode(encode(tables_of(record)))) == record


def test_fields_of_a_later_format_are_passed_over() -> None:
    """An older celltrail reads what it knows of a newer document."""
    tables = tables_of(full_record())
    tables["run"][next(iter(tables["run"]))]["from_the_future"] = 1
    tables["params"]["lr"]["from_the_future"] = 1
    tables["futures"] = {"a": {"b": 1}}
    assert record_of(tables).params["lr"].value == math.inf


def test_a_run_is_read_back_as_it_was_closed(store: Store) -> None:
    """begin, close, record: the same record, with the writer and the revision the store added."""
    record = full_record()
    writer = store.begin(dataclasses.replace(record, status="running", ended_us=None, duration_s=None, error=None))
    assert store.record(record.id).status == "running"
    assert store.record(record.id).code == record.code
    writer.close(record)
    found = Store(store.root).record(record.id)
    assert found == dataclasses.replace(record, writer=writer.writer, rev=2)


def test_tinydb_reads_and_queries_the_documents(store: Store) -> None:
    """run.json is a plain TinyDB file: text ids, queries, no stale cache."""
    record = full_record()
    writer = store.begin(dataclasses.replace(record, status="running"))
    path = the_log(store, record.id).parent.parent / "run.json"
    with Documents(path) as documents:
        assert documents.tables() >= {"run", "params", "metrics", "executions"}
        (param,) = documents.table("params").search(where("rule") == "assign")
        assert param.doc_id == "lr"
        writer.put("params", "seed", {"value": 1, "rule": "assign"})
        writer.flush()
        assert len(documents.table("params").search(where("rule") == "assign")) == 2


def test_a_failed_write_leaves_memory_and_file_at_the_old_state(tmp_path: Path) -> None:
    """TinyDB changes the tables before it writes them; ours are read anew, so nothing half-done is seen."""
    with Documents(tmp_path / "d.json") as documents:
        table = documents.table("set")
        table.insert(Document({"status": "running"}, doc_id="a"))  # pyright: ignore[reportArgumentType]

        def half_done(fields: dict) -> None:
            fields["status"] = "finished"
            raise RuntimeError("in the middle")

        with pytest.raises(RuntimeError):
            table.update(half_done)
        assert table.get(doc_id="a") == {"status": "running"}  # pyright: ignore[reportArgumentType]


def test_more_metrics_than_a_document_holds(store: Store) -> None:
    """The document stays small; the others are in a blob, and record() has them all."""
    writer = begin(store)
    names = tuple(f"m/{number}" for number in range(1500))
    writer.row(names, 1, writer.clock(), [float(number) for number in range(1500)])
    assert len(store.record(writer.id).metrics) == 1500
    metrics = {name: Metric(name, last=1.0, last_step=1, count=1) for name in names}
    writer.close(dataclasses.replace(store.record(writer.id), status="finished", metrics=metrics))
    path = the_log(store, writer.id).parent.parent / "run.json"
    assert len(orjson.loads(path.read_bytes())["metrics"]) == 500
    assert path.stat().st_size < 200_000
    assert Store(store.root).record(writer.id).metrics == metrics


WRITE = """
import sys, time
from recovery.logs import begin
from celltrail.store import Store
writer = begin(Store(sys.argv[1]))
print(writer.id, flush=True)
revision, stop = 0, time.monotonic() + 1.5
while time.monotonic() < stop:
    revision += 1
    writer.put("summary", "a", {"value": revision})
    writer.put("summary", "b", {"value": [revision] * (revision * 37 % 2000)})
    writer.put("summary", "c", {"value": revision})
    writer.flush()
"""


def test_a_reader_never_sees_a_torn_document(store: Store) -> None:
    """Another process reads while this one writes: always one state, before or after."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(store.root)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout
    run_id = process.stdout.readline().strip()
    path = the_log(store, run_id).parent.parent / "run.json"
    seen: set[int] = set()
    while process.poll() is None:
        summary = decode(path.read_bytes())["summary"]
        values = {summary.get(name, {"value": 0})["value"] for name in ("a", "c")}
        assert len(values) == 1
        assert set(summary.get("b", {"value": []})["value"]) <= values
        seen |= values
        time.sleep(0.001)
    process.communicate()
    assert process.returncode == 0
    assert len(seen) > 10
    assert list(path.parent.glob("*.tmp")) == []


def test_a_lost_or_torn_document_is_made_up_from_the_log(store: Store) -> None:
    """The listing never fails for one bad file: what the log knows is shown, with the problem."""
    good, torn, lost = begin(store), begin(store), begin(store)
    for writer in (torn, lost):
        writer.row(("loss",), 3, writer.clock(), (0.25,))
        writer.put("run", writer.id, {"name": "renamed"})
        writer.close(dataclasses.replace(store.record(writer.id), status="interrupted"))
        path = the_log(store, writer.id)
        back = path.read_bytes()
        assert back
    (the_log(store, torn.id).parent.parent / "run.json").write_bytes(b'{"run": {"x"')
    (the_log(store, lost.id).parent.parent / "run.json").unlink()
    time.sleep(0.01)
    found = {record.id: record for record in Store(store.root).records()}
    assert found[good.id].status == "running"
    # a log this young may belong to a run whose document is about to be written
    assert lost.id not in found
    from celltrail.store import runs

    runs._STILL_COMING_S, kept = 0.0, runs._STILL_COMING_S
    try:
        found = {record.id: record for record in Store(store.root).records()}
    finally:
        runs._STILL_COMING_S = kept
    for writer, word in ((torn, "not readable"), (lost, "missing")):
        record = found[writer.id]
        assert (record.name, record.status) == ("renamed", "interrupted")
        assert record.metrics["loss"].last == 0.25
        assert word in record.problems[-1]

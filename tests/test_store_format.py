"""The page FORMAT.md is true: its reader reads what celltrail reads, and its numbers are those of the code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from celltrail.store import Store, blobs, log, root
from celltrail.store.audit import chain
from celltrail.store.docs import run_document
from celltrail.store.log import reader
from celltrail.store.seal import parquet, sealed
from recovery.logs import begin, records, written_log
from recovery.logs import the_log as the_log_of

PAGE = (files("celltrail.store") / "FORMAT.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def read_log() -> Callable[[str, bytes], dict[str, Any]]:
    """The reader as it stands on the page."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert set(re.findall(r"^(?:import|from) (\w+)", program, re.MULTILINE)) <= {"json", "re", "struct", "zlib"}
    names: dict[str, Any] = {}
    exec(compile(program, "FORMAT.md", "exec"), names)
    return names["read_log"]


@pytest.fixture
def every_kind(store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of every kind of record: three schemas of at most two in a file, so the third is kept as items."""
    monkeypatch.setattr(log, "MAX_SCHEMAS", 2)
    writer = begin(store)
    for step in range(40):
        writer.row(("loss", "acc"), step, writer.clock(), (step / 3, float("nan") if step % 2 else float("inf")))
        writer.row((f"named {step % 3}", "-"), -step, writer.clock(), (0.1 * step, float("-inf")))
    writer.put("params", "lr", {"value": float("nan"), "rule": "api"})
    writer.put("params", "seed", {"value": 2**80, "rule": "api"})
    writer.put("params", "own", {"value": {"$f": "a dict of the user"}, "rule": "api"})
    writer.event("problem", text="a fault", deep=[{"x": float("nan")}, {"$$": 1}])
    writer.event("clock", drift_us=3_600_000_000)
    writer.item("count", 3, 2**53 + 1, type="integer")
    writer.item("text", None, "\N{CHECK MARK} \udcff")
    writer.beat()
    writer.beat()  # the first one saw that records were written
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    return the_log_of(store, writer.id)


def test_the_reader_on_the_page_reads_every_kind_of_record(every_kind: Path, read_log: Callable[..., Any]) -> None:
    """Points, items, events, head and end, each value as `store.reader` gives it."""
    data = every_kind.read_bytes()
    kinds = {data[start + 8] for start, _ in records(data)}
    assert kinds == set(range(1, 8))
    compare(read_log(every_kind.name, data), reader.read(every_kind))


def test_the_reader_on_the_page_reads_what_is_damaged(
    store: Store, tmp_path: Path, read_log: Callable[..., Any]
) -> None:
    """Cut, flipped, zeroed and with a block twice: the same points and the same places of damage."""
    source = written_log(store)
    data, spans = source.read_bytes(), records(source.read_bytes())
    copy = tmp_path / source.name
    middle = spans[len(spans) // 2][0]
    flipped = bytearray(data)
    flipped[middle + 12] ^= 16
    schema = next(start for start, _ in spans if data[start + 8] == log.SCHEMA_KIND)
    without = bytearray(data)
    without[schema + 10] ^= 1
    damaged = [
        data[: spans[-3][0] + 5],
        bytes(flipped),
        bytes(without),
        data[:middle] + bytes(100) + data[middle + 100 :],
        data[:middle] + b"\xff" * 40 + data[spans[len(spans) // 2 - 4][0] :],
        bytes(8) + data[8:],
        data[:5],
        b"",
    ]
    for broken in damaged:
        copy.write_bytes(broken)
        compare(read_log(copy.name, broken), reader.read(copy))


def compare(found: dict[str, Any], expected: reader.Contents) -> None:
    assert repr((found["head"], found["end"])) == repr((expected.head, expected.end))
    assert sorted(map(repr, found["points"])) == sorted(
        repr((name, int(step), int(t_us), value))
        for rows in expected.rows
        for step, t_us, values in zip(rows.step, rows.t_us, rows.values.tolist(), strict=True)
        for name, value in zip(rows.names, values, strict=True)
    )
    others = [{"kind": "item", **each} if "kind" not in each else each for each in found["others"]]
    assert repr(others) == repr(expected.events)
    assert found["damage"] == [(gap.start, gap.size) for gap in expected.gaps]


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    """Magic, types, sizes and versions."""
    assert " ".join(f"{byte:02x}" for byte in log.MAGIC) in PAGE
    kinds = {"head": 1, "row": 2, "schema": 3, "item": 4, "event": 5, "beat": 6, "end": 7}
    for name, number in kinds.items():
        assert getattr(log, f"{name.upper()}_KIND") == number
        assert f"| {number} | {name} |" in PAGE
    assert (log.HEADER.format, log.HEADER.size, log.ROW.format, log.ROW.size) == ("<IIB", 9, "<Hqq", 18)
    assert (log.BEAT.format, log.COVERED.format) == ("<q", "<IB")
    for number in (log.REPEAT_BYTES, log.PART_BYTES, blobs.WHOLE_BYTES, parquet.GROUP_ROWS):
        assert f"{number}" in PAGE
    assert f"from 0 to {log.NO_SCHEMA - 1}" in PAGE
    assert f"at most {log.MAX_SCHEMAS} schemas" in PAGE
    assert f"beyond the first {run_document.MOST_METRICS}" in PAGE
    assert f"the newest {run_document.MOST_EXECUTIONS}" in PAGE
    assert root.FORMAT == sealed.FORMAT == 1
    assert "# The format of a trail, version 1" in PAGE
    for name in (sealed.STEP, sealed.TIME, sealed.WRITER):
        assert f"`{name}`" in PAGE


def test_what_the_page_says_of_the_audit_is_so(store: Store) -> None:
    """Hashes and commitments computed as the page says, from the bytes of the files alone."""
    import hashlib
    import json

    writer = begin(store)
    for name in ("one", "two"):
        store.edit(writer.id, "name", name)
    (path,) = (store.root / "audit").glob("*.jsonl")
    prev = hashlib.sha256(f"celltrail audit 1 {path.stem}".encode()).hexdigest()
    assert prev == chain.first_prev(path.stem)
    for line in path.read_bytes().splitlines():
        entry = json.loads(line)
        body = line.replace(b',"hash":"%b"' % entry["hash"].encode(), b"")
        assert entry["prev"] == prev
        assert entry["hash"] == hashlib.sha256(prev.encode() + body).hexdigest()
        kept = json.loads((path.parent / "payload" / f"{path.stem}.{entry['n']}.json").read_bytes())
        payload = json.dumps(kept["payload"], sort_keys=True, separators=(",", ":"))
        assert entry["commitment"] == hashlib.sha256((kept["salt"] + payload).encode()).hexdigest()
        prev = entry["hash"]

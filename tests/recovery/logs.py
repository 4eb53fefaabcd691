"""Logs for the recovery tests: one written for real, and every record it holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from celltrail.model import RunRecord, new_id, now_us
from celltrail.store import RunWriter, Store
from celltrail.store.log import HEADER, MAGIC
from celltrail.store.log.reader import Contents, read


def begin(store: Store, **fields: object) -> RunWriter:
    now = now_us()
    return store.begin(dataclasses.replace(RunRecord(new_id(), "run", "running", "project", now, now), **fields))


def the_log(store: Store, run_id: str) -> Path:
    (path,) = (store.root / "runs" / run_id[-2:] / run_id / "m").glob("*.ctl")
    return path


def written_log(store: Store) -> Path:
    """A log with three schemas, events, items and a clean end."""
    writer = begin(store)
    for step in range(12):
        writer.row(("loss", "acc"), step, writer.clock(), (step / 3, float("nan")))
        if step % 3 == 0:
            writer.row(("lr",), step, writer.clock(), (10.0**-step,))
            writer.item("text", step, f"item {step} with 'quotes' and \u2713")
        if step % 5 == 0:
            writer.event("saved", path=f"model-{step}.pt")
        if step == 6:
            writer.row(("loss", "lr"), step, writer.clock(), (0.5, 0.25))
    writer.beat()
    writer.close(dataclasses.replace(store.record(writer.id), status="finished"))
    return the_log(store, writer.id)


def records(data: bytes) -> list[tuple[int, int]]:
    """Start and end of each record of an undamaged log."""
    found, position = [], len(MAGIC)
    while position < len(data):
        size = HEADER.unpack_from(data, position)[0]
        found.append((position, position + 9 + size))
        position += 9 + size
    return found


def points(contents: Contents) -> list[tuple[int, str, int, int, str]]:
    """Every point with the offset of its row; values as text, so that NaN equals NaN."""
    found = [
        (int(offset), name, int(step), int(t_us), repr(value))
        for rows in contents.rows
        for offset, step, t_us, values in zip(rows.order, rows.step, rows.t_us, rows.values.tolist(), strict=True)
        for name, value in zip(rows.names, values, strict=True)
    ]
    return sorted(found)


def damaged(path: Path, data: bytes) -> Contents:
    path.write_bytes(data)
    return read(path)

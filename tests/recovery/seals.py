"""Runs to seal, and everything a reader gets of one, for comparing before and after."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

from celltrail.store import Store
from celltrail.store.files.encoding import encode
from recovery.logs import begin


def folder_of(store: Store, run_id: str) -> Path:
    return store.root / "runs" / run_id[-2:] / run_id


def aged(store: Store, run_id: str, seconds: float = 90.0) -> None:
    """As if the run had last been touched so long ago."""
    for path in folder_of(store, run_id).rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - seconds, time.time() - seconds))


def everything(store: Store, run_id: str) -> tuple[object, ...]:
    """Series to the bit, events, and the record."""
    series = store.series(run_id)
    points = {name: (each.step.tobytes(), each.t_us.tobytes(), each.value.tobytes()) for name, each in series.items()}
    record = Store(store.root).record(run_id)
    return list(series), points, encode(store.events(run_id)), dataclasses.replace(record, rev=0)


def finished_run(store: Store, rows: int = 300, status: str = "finished", **fields: object) -> str:
    """A run with two groups of metrics, events and items."""
    writer = begin(store, **fields)
    for step in range(rows):
        writer.row(("train/loss", "lr"), step, writer.clock(), (1 / (step + 1), 1e-3))
        if step % 50 == 0:
            writer.row(("val/loss",), step, writer.clock(), (step / 7,))
            writer.event("saved", path=f"model-{step}.pt", big=2**80)
            writer.item("text", step, "✓" * (step + 1))
    writer.put("params", "lr", {"value": 0.1, "rule": "api"})
    writer.close(dataclasses.replace(store.record(writer.id), status=status, ended_us=writer.clock()))
    return writer.id


def drop_logs(store: Store, run_id: str) -> None:
    """Remove the logs of a sealed run by the second pass of the sealer."""
    aged(store, run_id, 3700)
    assert run_id in store.compact().released
    assert not list((folder_of(store, run_id) / "m").glob("*.ctl"))

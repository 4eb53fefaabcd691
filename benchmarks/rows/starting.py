"""How long one waits for the import, for a run to begin, and for it to end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from place import Place
from tables import Column, figure, ratio

TITLE = "Import, start and end of a run"
NOTE = (
    "A new process each time; the first run of a new store, then a run in the store that is there. "
    "The whole script is import, start, one call, end, and the process gone, less what Python itself takes."
)
BASELINE = "jsonl"
ROUNDS = 5


def measure(place: Place, quick: bool) -> dict[str, Any]:
    bare = _seconds(lambda: place.call(nothing))
    figures = {f"new_{key}": value for key, value in place.call(one_run).items()}
    began = time.perf_counter()
    figures |= place.call(one_run)
    whole = time.perf_counter() - began
    return figures | {"whole": max(0.0, whole - bare)}


def nothing(tracker: Any, folder: Path) -> None:
    """In the contestant's environment: what every script pays."""


def one_run(tracker: Any, folder: Path) -> dict[str, float]:
    """In the contestant's environment: seconds of each part of a short script."""
    cpu = time.process_time()
    seconds = {"load": _seconds(tracker.load)}
    seconds["load_cpu"] = time.process_time() - cpu
    began = time.perf_counter()
    log, finish = tracker.begin(folder)
    seconds["begin"] = time.perf_counter() - began
    seconds["first"] = _seconds(lambda: log({"train/loss": 0.5}, 0))
    seconds["finish"] = _seconds(finish)
    return seconds | {"disk": _seconds(lambda: _one_sync(folder / "synced"))}


def _one_sync(path: Path) -> None:
    with path.open("wb") as file:
        file.write(bytes(1000))
        file.flush()
        os.fsync(file.fileno())


def _seconds(do: Any) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


COLUMNS = [
    Column("import, ms", figure("load", "{:,.0f}", 1000)),
    Column("of it CPU", figure("load_cpu", "{:,.0f}", 1000)),
    Column("start on a new store, ms", figure("new_begin", "{:,.1f}", 1000)),
    Column("start, ms", figure("begin", "{:,.1f}", 1000)),
    Column("first call, ms", figure("first", "{:,.2f}", 1000)),
    Column("end, ms", figure("finish", "{:,.1f}", 1000)),
    Column("whole script, ms", figure("whole", "{:,.0f}", 1000)),
    Column("start, ratio", ratio("begin")),
    Column("this disk takes for one fsync, ms", figure("disk", "{:,.1f}", 1000)),
]
HEADLINES = [
    Column("import, ms of CPU", figure("load_cpu", "{:,.0f}", 1000)),
    Column("start of a run, ms", figure("begin", "{:,.1f}", 1000)),
]

"""Bytes on the disk for each point."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from place import Place
from tables import Column, figure, ratio

TITLE = "Bytes per point"
NOTE = (
    "Doubles of full precision in calls of 1, 5 and 50 metrics. What the files of the folder have grown between the "
    "10th call and the last, once they stand still; then after the end of the run, and for celltrail after sealing."
)
BASELINE = "jsonl"
ROUNDS = 1
SIZES = (1, 5, 50)
CALLS = {1: 20_000, 5: 10_000, 50: 4_000}
FIRST = 10


def measure(place: Place, quick: bool) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for size in SIZES:
        calls = place.calls(CALLS[size] // (4 if quick else 1))
        figures |= place.call(write, folder=place.work / str(size), metrics=size, calls=calls)
        figures |= place.call(read, folder=place.work / str(size), metrics=size, calls=calls)
    return figures


def write(tracker: Any, folder: Path, metrics: int, calls: int) -> dict[str, float]:
    """In the contestant's environment: bytes per point while the run goes on, and after its end."""
    tracker.load()
    log, finish = tracker.begin(folder)
    dice = random.Random(1)
    for step in range(FIRST):
        log({f"metric_{i}": dice.random() for i in range(metrics)}, step)
    before = _still(folder)
    for step in range(FIRST, calls):
        log({f"metric_{i}": dice.random() for i in range(metrics)}, step)
    points = (calls - FIRST) * metrics
    live = (_still(folder) - before) / points
    finish()
    figures = {f"live_{metrics}": live, f"ended_{metrics}": (_still(folder) - before) / points}
    if hasattr(tracker, "seal"):
        tracker.seal(folder)
        figures[f"sealed_{metrics}"] = _still(folder) / (calls * metrics)
    return figures


def read(tracker: Any, folder: Path, metrics: int, calls: int) -> dict[str, str]:
    """In the contestant's environment: whether they are all there."""
    runs = tracker.points(folder)
    found = sum(len(points) for run in runs for points in run.values())
    return {f"kept_{metrics}": "all" if found == calls * metrics else f"{found} of {calls * metrics}"}


def _still(folder: Path) -> int:
    """The bytes of all files once they have not changed for a second."""
    size, since, end = -1, time.monotonic(), time.monotonic() + 20
    while time.monotonic() < end and time.monotonic() - since < 1:
        now = sum(map(_size, folder.rglob("*")))
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.1)
    return size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # a temporary file got its name meanwhile
        return 0


def _three(kind: str, shape: str = "{:.1f}") -> Any:
    return lambda own: " · ".join(figure(f"{kind}_{size}", shape)(own) for size in SIZES)


COLUMNS = [
    *(Column(f"{size} a call, ratio", ratio(f"live_{size}")) for size in SIZES),
    Column("live, 1 · 5 · 50", _three("live")),
    Column("ended", _three("ended")),
    Column("sealed", _three("sealed")),
    Column("read back", lambda own: " · ".join(str(own.get(f"kept_{size}", "-")) for size in SIZES)),
]
HEADLINES = [
    Column(
        "bytes a point, 1 · 50 metrics a call",
        lambda own: " · ".join(figure(f"live_{s}", "{:.0f}")(own) for s in (1, 50)),
    ),
]

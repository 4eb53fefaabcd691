"""Eight processes that start at once on a brand-new store, each with a run of its own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from place import Place, Process, Trouble, wait_for
from tables import Column, figure, ratio

TITLE = "8 processes start at once on a brand-new store"
NOTE = (
    "Each has imported its tracker before the signal, begins a run, logs 1,000 points and ends it. Points a second "
    "count from the signal to the last end, start and end included, and only points that are read back afterwards. "
    "In runs of 1,000 points that is what one waits for: JSON lines have no start, end or flush to the disk. Both that "
    "keep each call are raced again with 50,000 points each."
)
BASELINE = "jsonl"
ROUNDS = 3
PROCESSES = 8
CALLS = 1000
LONG = 50_000  # calls of each, where starting and ending weigh little
LONG_OF = {"jsonl", "celltrail"}


def measure(place: Place, quick: bool) -> dict[str, Any]:
    figures = race(place, CALLS) | {"bare_s": bare(place)}
    if place.contestant.name in LONG_OF and not quick:
        figures |= {f"long_{name}": value for name, value in race(place, LONG).items()}
    return figures


def bare(place: Place) -> float:
    """Seconds until all of them have begun and ended a run without a point."""
    began, ended, _, _ = _raced(place, 0)
    return max(ended, default=began) - began


def race(place: Place, calls: int) -> dict[str, Any]:
    """All of them at once, with so many calls each; on the store that is there, if there is one."""
    began, ended, reasons, count = _raced(place, calls)
    found = []
    try:
        found = place.call(count_points)
        if calls != CALLS:
            found = [count for count in found if count > CALLS]
    except Trouble as trouble:  # a store that its first eight writers left unreadable
        reasons.append(str(trouble))
    figures = {
        "failed": count - len(ended),
        "runs": len(found),
        "lost": PROCESSES * calls - sum(found),
        "per_s": sum(found) / (max(ended) - began) if ended else 0.0,
    }
    return figures | ({"why": reasons[0]} if reasons else {})


def _raced(place: Place, calls: int) -> tuple[float, list[float], list[str], int]:
    """When it began, when each was done, why those were not that failed, and how many there were."""
    go = place.folder / f"go-{calls}"
    ready = [place.folder / f"ready-{calls}-{i}" for i in range(PROCESSES)]
    started = [place.start(take_part, go=str(go), ready=str(path), calls=calls) for path in ready]
    for path, process in zip(ready, started, strict=True):
        wait_for(path, 120, process)
    began = time.time()
    go.touch()
    return began, *_ends(started), len(started)


def _ends(started: list[Process]) -> tuple[list[float], list[str]]:
    ended, reasons = [], []
    for process in started:
        try:
            ended.append(process.wait(180))
        except Trouble as trouble:
            reasons.append(str(trouble))
    return ended, reasons


def take_part(tracker: Any, folder: Path, go: str, ready: str, calls: int) -> float:
    """In the contestant's environment: one of the eight; when it was done."""
    tracker.load()
    Path(ready).touch()
    while not Path(go).exists():
        time.sleep(0.001)
    log, finish = tracker.begin(folder)
    for step in range(calls):
        log({"train/loss": step * 0.001}, step)
    finish()
    return time.time()


def count_points(tracker: Any, folder: Path) -> list[int]:
    """In the contestant's environment: the points of each run that have the value they were logged with."""
    return [
        sum(abs(float(value) - step * 0.001) < 1e-4 for step, value in run.get("train/loss", []))
        for run in tracker.points(folder)
    ]


COLUMNS = [
    Column("processes failed", figure("failed")),
    Column("points lost of 8,000", figure("lost")),
    Column("points/s", figure("per_s")),
    Column("points/s against JSON lines", ratio("per_s")),
    Column("50,000 points each: lost", figure("long_lost")),
    Column("points/s", figure("long_per_s")),
    Column("against JSON lines", ratio("long_per_s")),
    Column("why", lambda own: str(own.get("why", ""))),
]
HEADLINES = [
    Column(
        "8 processes at once on a new store: failed · points lost",
        lambda own: f"{figure('failed')(own)} · {figure('lost')(own)}",
    ),
    Column("the same, points/s", figure("per_s")),
]

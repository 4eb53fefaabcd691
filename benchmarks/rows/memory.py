"""What a run takes of the memory once it has begun, and after many calls."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from place import Place, wait_for
from tables import Column, figure, ratio

TITLE = "Memory of a run, the whole process tree"
NOTE = "Resident memory of the process and of all it has started, in MB (shared pages count in each of them)."
BASELINE = "jsonl"
ROUNDS = 2
CALLS = 20_000


def measure(place: Place, quick: bool) -> dict[str, Any]:
    calls = place.calls(CALLS)
    signs = {name: str(place.folder / name) for name in ("ready", "more", "done", "end")}
    process = place.start(hold, calls=calls, **signs)
    wait_for(Path(signs["ready"]), 120, process)
    time.sleep(1)
    began = _megabytes(place)
    Path(signs["more"]).touch()
    wait_for(Path(signs["done"]), 300, process)
    time.sleep(1)
    after = _megabytes(place)
    Path(signs["end"]).touch()
    process.wait(120)
    return {"began": began, "grown": after - began, "calls": calls, "per_call": (after - began) * 1e6 / calls}


def _megabytes(place: Place) -> float:
    return sum(process.memory_info().rss for process in place.processes()) / 1e6


def hold(tracker: Any, folder: Path, calls: int, ready: str, more: str, done: str, end: str) -> None:
    """In the contestant's environment: stand still whenever the parent measures."""
    tracker.load()
    log, finish = tracker.begin(folder)
    log({"train/loss": 0.0}, 0)
    for sign, awaited in ((ready, more), (done, end)):
        Path(sign).touch()
        while not Path(awaited).exists():
            time.sleep(0.01)
        if awaited == more:
            for step in range(1, calls + 1):
                log({"train/loss": step * 0.001}, step)
    finish()


COLUMNS = [
    Column("MB after start", figure("began", "{:,.0f}")),
    Column("ratio", ratio("began")),
    Column("MB more", figure("grown", "{:,.1f}")),
    Column("after so many calls", figure("calls")),
]
HEADLINES = [Column("memory after start, MB", figure("began", "{:,.0f}"))]

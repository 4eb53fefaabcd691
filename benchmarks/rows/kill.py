"""kill -9 in the middle of logging: what is lost of the calls that had returned, and what is left running."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path
from typing import Any

from place import Place, wait_for
from tables import Column, figure

TITLE = "kill -9 after about 2 s of logging"
NOTE = (
    "Once as fast as it goes and once with a pause of a millisecond after each call. The process counts each call that "
    "has returned in memory shared with its parent, which kills it and then leaves everything in peace for three "
    "seconds before the run is read back. What was written to the system survives the death of a process, not that "
    "of the machine."
)
BASELINE = "jsonl"
ROUNDS = 3
GRACE_S = 3.0
_COUNT = struct.Struct("<q")


def measure(place: Place, quick: bool) -> dict[str, Any]:
    fast, paced = _one(place, "fast", 0.0), _one(place, "paced", 0.001)
    return fast | {f"paced_{name}": value for name, value in paced.items()}


def _one(place: Place, name: str, pause_s: float) -> dict[str, Any]:
    counter, began = place.folder / f"{name}-counter", place.folder / f"{name}-began"
    counter.write_bytes(bytes(8))
    folder = place.work / name
    process = place.start(log_on, folder=folder, counter=str(counter), began=str(began), pause_s=pause_s)
    wait_for(began, 120, process)
    time.sleep(2)
    process.kill()
    (returned,) = _COUNT.unpack(counter.read_bytes())
    time.sleep(GRACE_S)
    left = len(place.processes())
    there, right = place.call(count_points, folder=folder)
    lost = max(0, returned - there)
    return {"returned": returned, "lost": lost, "share": lost / returned, "left": left, "moved": there - right}


def log_on(tracker: Any, folder: Path, counter: str, began: str, pause_s: float) -> None:
    """In the contestant's environment: log until killed."""
    tracker.load()
    log, _finish = tracker.begin(folder)
    with open(counter, "r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
        log({"train/loss": 0.0}, 0)
        Path(began).touch()
        step = 1
        while True:
            log({"train/loss": step * 0.001}, step)
            step += 1
            _COUNT.pack_into(shared, 0, step)
            if pause_s:
                time.sleep(pause_s)


def count_points(tracker: Any, folder: Path) -> tuple[int, int]:
    """In the contestant's environment: how many of the values came back at all, and how many at their step."""
    runs = tracker.points(folder)
    pairs = runs[0].get("train/loss", []) if runs else []
    there = {round(float(value) * 1000) for _, value in pairs}
    return len(there), len({step for step, value in pairs if round(float(value) * 1000) == step})


COLUMNS = [
    Column("points lost", figure("share", "{:.2f} %", 100)),
    Column("of calls that had returned", figure("returned")),
    Column("lost at 1,000 calls a second", figure("paced_share", "{:.2f} %", 100)),
    Column("of calls", figure("paced_returned")),
    Column("came back at another step", figure("moved")),
    Column("processes left behind", figure("left")),
]
HEADLINES = [
    Column("points lost by `kill -9`", figure("share", "{:.3g} %", 100)),
    Column("the same at 1,000 calls a second", figure("paced_share", "{:.3g} %", 100)),
    Column("processes left behind", figure("left")),
]

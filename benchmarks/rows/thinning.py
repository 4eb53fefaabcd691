"""A very long series made short enough to draw."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

from place import Place
from tables import Column, figure, ratio

TITLE = "A series of 10,000,000 points thinned to 1,000"
NOTE = (
    "The first time in a new process, and again in it. Whoever would take too long gets fewer points, and the ratio "
    "is of the time per point. celltrail and the JSON lines keep the extremes of each stretch; TensorBoard and Aim "
    "take a random sample, Trackio evenly spaced rows. celltrail reads the log of the run as it was written; sealed is "
    "the same as Parquet, which every run becomes an hour after its end."
)
BASELINE = "jsonl"
ROUNDS = 1
CALLS = 10_000_000
SHARES = {"trackio": 0.01, "tensorboard": 0.02, "aim": 0.002}
KEPT = 1000


def measure(place: Place, quick: bool) -> dict[str, Any]:
    if why := place.contestant.lacks.get("thin"):
        return {"lacks": why}
    calls = int(CALLS * SHARES.get(place.contestant.name, 1) / (20 if quick else 1))
    place.call(write, calls=calls, limit_s=1200)
    figures = place.call(read)
    if place.contestant.name == "celltrail":
        place.call(seal)
        figures |= {f"sealed_{name}": value for name, value in place.call(read).items()}
    return figures | {"points": calls, "us": figures["seconds"] * 1e6 / calls}


def write(tracker: Any, folder: Path, calls: int) -> None:
    """In the contestant's environment: the series, with one spike."""
    tracker.load()
    log, finish = tracker.begin(folder)
    spike = calls // 3
    for step in range(calls):
        log({"train/loss": 9.0 if step == spike else 1 / (1 + step)}, step)
    finish()


def seal(tracker: Any, folder: Path) -> None:
    """In celltrail's environment: the run made into Parquet."""
    tracker.seal(folder)


def read(tracker: Any, folder: Path) -> dict[str, Any]:
    """In the contestant's environment: 1,000 points of it, and whether the spike is among them."""
    import numpy  # noqa: F401  its import is not what is measured

    tracker.load()
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        steps, values = tracker.thin(folder, "train/loss", KEPT)
        seconds.append(time.perf_counter() - began)
    return {
        "seconds": seconds[0],
        "again": seconds[1],
        "shown": len(steps),
        "spike": "kept" if max(values) == 9.0 else "lost",
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


COLUMNS = [
    Column("a point, ratio", ratio("us")),
    Column("seconds", figure("seconds", "{:,.2f}")),
    Column("again", figure("again", "{:,.2f}")),
    Column("sealed", figure("sealed_seconds", "{:,.2f}")),
    Column("sealed, again", figure("sealed_again", "{:,.2f}")),
    Column("points", figure("points")),
    Column("came back", figure("shown")),
    Column("a spike of one point", lambda own: str(own.get("spike", "-"))),
    Column("memory, MB", figure("mb")),
]
HEADLINES = [
    Column("a long series thinned to 1,000 points, per point", ratio("us")),
    Column("a spike of one point among them", lambda own: str(own.get("spike") or own.get("lacks", "-"))),
]

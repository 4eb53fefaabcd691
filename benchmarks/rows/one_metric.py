"""One metric over many runs, as a chart of all of them needs it."""

from __future__ import annotations

import resource
import statistics
import time
from pathlib import Path
from typing import Any

from place import Place
from tables import Column, figure, ratio

from rows.runs import AGAIN, FEW, filled, trail

TITLE = "One metric of 1,000 runs"
NOTE = (
    "Runs of 1,000 calls with 5 metrics each, one of which is read of all of them; peers get 300 runs of 100 calls "
    "through their own interface, and the ratio is of the time per run. First in a new process, then again in it "
    "(median of 5), then another metric; sealed: the same once celltrail has compacted the trail."
)
BASELINE = "jsonl"
ROUNDS = 1
RUNS, POINTS, PEERS_POINTS = 1000, 1000, 100


def measure(place: Place, quick: bool) -> dict[str, Any]:
    if why := place.contestant.lacks.get("one_metric"):
        return {"lacks": why}
    small = place.contestant.name not in ("celltrail", "jsonl")
    runs = (FEW if small else RUNS) // (5 if quick else 1)
    points = PEERS_POINTS if small else POINTS
    folder = trail(place, runs, points) if place.contestant.name == "celltrail" else filled(place, runs, points)
    figures = place.call(read, folder=folder)
    if place.contestant.name == "celltrail":
        sealed = place.call(read, folder=trail(place, runs, points, sealed=True))
        sealed |= place.call(at_least, folder=trail(place, runs, points, sealed=True))
        figures |= {f"sealed_{name}": value for name, value in sealed.items()}
    found, wanted = figures["found"], runs * points
    return figures | {
        "per_run": figures["seconds"] * 1000 / runs,
        "runs": runs,
        "points": points,
        "kept": "all" if found == wanted else f"{found} of {wanted}",
    }


def read(tracker: Any, folder: Path) -> dict[str, float]:
    """In the contestant's environment: the metric of every run, again, and another one that was not read yet."""
    tracker.load()
    seconds = []
    found = 0
    for metric in ("val/loss", *["val/loss"] * AGAIN, "train/loss"):
        began = time.perf_counter()
        found = tracker.one_metric(folder, metric)
        seconds.append(time.perf_counter() - began)
    mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    first, *again, another = seconds
    return {"seconds": first, "again": statistics.median(again), "another": another, "found": found, "mb": mb}


def at_least(tracker: Any, folder: Path) -> dict[str, float]:
    """In celltrail's environment: what its answer takes at least, by hand: looking for changes, and decoding."""
    import json
    import os

    import pyarrow.parquet as pq

    places = [str(path) for run in folder.glob("runs/*/*") for path in (run, run / "m")]
    files = [
        (pq.ParquetFile(path), json.loads(path.with_suffix(".json").read_bytes()))
        for path in folder.glob("packs/*.parquet")
    ]
    seconds: dict[str, float] = {}
    for _ in range(3):
        began = time.perf_counter()
        for place in places:
            os.stat(place)
        looked = time.perf_counter()
        for file, about in files:
            start, stop = about["metrics"]["val/loss"]
            first = 0
            for group, (rows, *_) in enumerate(about["groups"]):
                if first < stop and first + rows > start:
                    file.read_row_group(group, columns=["run", "step", "value"])
                first += rows
        now = {"looking": looked - began, "decoding": time.perf_counter() - looked}
        seconds = {name: min(took, seconds.get(name, took)) for name, took in now.items()}
    return seconds


COLUMNS = [
    Column("a run, ratio", ratio("per_run")),
    Column("ms a run", figure("per_run", "{:,.2f}")),
    Column("seconds", figure("seconds", "{:,.2f}")),
    Column("again", figure("again", "{:,.2f}")),
    Column("another", figure("another", "{:,.2f}")),
    Column("sealed", figure("sealed_seconds", "{:,.3f}")),
    Column("sealed, again", figure("sealed_again", "{:,.3f}")),
    Column("sealed, another", figure("sealed_another", "{:,.3f}")),
    Column("runs", figure("runs")),
    Column("points in each", figure("points")),
    Column("read back", lambda own: str(own.get("kept", "-"))),
    Column("memory, MB", figure("mb")),
]
HEADLINES = [Column("one metric of many runs, per run", ratio("per_run"))]

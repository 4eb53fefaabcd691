"""A million points of one run as a pandas frame."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

from place import Place
from tables import Column, figure, ratio, words

TITLE = "One run with 1,000,000 points (50,000 calls of 20 metrics) into pandas"
NOTE = (
    "Written in one process and read in another, through the tracker, as one frame; files are in the page cache. "
    "Whoever would take too long gets fewer points, and the ratio is of the time per point. Memory is the highest of "
    "the reading process. celltrail reads the log of the run as it was written; sealed is the same as Parquet."
)
BASELINE = "jsonl"
ROUNDS = 2
CALLS, METRICS = 50_000, 20
SHARES = {"tensorboard": 0.2, "aim": 0.05, "mlflow": 0.02}


def measure(place: Place, quick: bool) -> dict[str, Any]:
    if why := place.contestant.lacks.get("frame"):
        return {"lacks": why}
    calls = int(CALLS * SHARES.get(place.contestant.name, 1) / (5 if quick else 1))
    place.call(write, calls=calls)
    points = calls * METRICS
    figures: dict[str, Any] = {"points": points, **place.call(read)}
    figures["kept"] = "all" if figures["found"] == points else f"{figures['found']} of {points}"
    if place.contestant.name == "celltrail":
        figures |= place.call(read_arrays)
        sealed = {"sealing": place.call(seal), **place.call(read), **place.call(read_arrays)}
        figures |= {f"sealed_{name}": value for name, value in sealed.items()}
    return figures | {"us": figures["seconds"] * 1e6 / points}


def write(tracker: Any, folder: Path, calls: int) -> None:
    """In the contestant's environment: the run."""
    tracker.load()
    log, finish = tracker.begin(folder)
    for step in range(calls):
        log({f"metric_{i}": step * 0.001 + i for i in range(METRICS)}, step)
    finish()


def read(tracker: Any, folder: Path) -> dict[str, float]:
    """In the contestant's environment: the run as a frame, and whether it is all of it."""
    import pandas  # noqa: F401  its import is not what is measured

    if tracker.__name__.endswith("celltrail"):
        import pyarrow.parquet  # noqa: F401  nor is this

    tracker.load()
    began = time.perf_counter()
    frame = tracker.frame(folder)
    seconds = time.perf_counter() - began
    if "value" in frame:  # a row per point, not a column per metric
        found = int(frame["value"].count())
    else:
        found = int(sum(frame[name].count() for name in frame.columns if str(name).startswith("metric_")))
    return {"seconds": seconds, "found": found, "mb": _peak_mb()}


def read_arrays(tracker: Any, folder: Path) -> dict[str, float]:
    """In celltrail's environment: one metric as arrays, then every one of them, then another one."""
    import pyarrow.parquet  # noqa: F401

    tracker.load()
    names = [f"metric_{i}" for i in range(METRICS)]
    seconds = []
    for wanted in (names[:1], names, names[1:2]):
        began = time.perf_counter()
        tracker.arrays(folder, wanted)
        seconds.append(time.perf_counter() - began)
    return dict(zip(("one", "arrays", "warm"), seconds, strict=True))


def seal(tracker: Any, folder: Path) -> float:
    """In celltrail's environment: the run made into Parquet."""
    began = time.perf_counter()
    tracker.seal(folder)
    return time.perf_counter() - began


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _arrays(kind: str) -> Any:
    return lambda own: " · ".join(figure(f"{kind}{name}", "{:,.0f}", 1000)(own) for name in ("arrays", "one", "warm"))


COLUMNS = [
    Column("a point, ratio", ratio("us")),
    Column("us a point", figure("us", "{:,.2f}")),
    Column("seconds", figure("seconds", "{:,.2f}")),
    Column("points", figure("points")),
    Column("read back", words("kept")),
    Column("memory, MB", figure("mb")),
    Column("as arrays: all · one metric, first · warm, ms", _arrays("")),
    Column("sealed: frame, s", figure("sealed_seconds", "{:,.2f}")),
    Column("sealed, as arrays", _arrays("sealed_")),
    Column("sealing, s", figure("sealed_sealing", "{:,.2f}")),
]
HEADLINES = [Column("a run of 1,000,000 points into pandas, per point", ratio("us"))]

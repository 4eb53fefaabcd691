"""What one call that logs 1, 5 or 50 metrics costs the loop that makes it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from contestants import Log
from place import Place
from tables import Column, figure, ratio, words

TITLE = "One log() call with 1, 5 and 50 metrics"
NOTE = (
    "Against json.dumps, write and flush of the same values in the same process, stretches of both in turn. "
    "Where the points are when the call returns differs, and with it what they survive: see the last column, and the "
    "row on kill -9. "
    "The points are read back and compared after each round."
)
BASELINE = "jsonl"
ROUNDS = 3
SIZES = (1, 5, 50)
STRETCHES = 5
CALLS = 2000


def measure(place: Place, quick: bool) -> dict[str, Any]:
    calls = place.calls(CALLS // (4 if quick else 1))
    return place.call(time_calls, calls=calls) | {"where": place.contestant.where}


def time_calls(tracker: Any, folder: Path, calls: int) -> dict[str, Any]:
    """In the contestant's environment: microseconds of each call, and whether every point was kept."""
    from contestants import jsonl

    tracker.load()
    yard, close_yard = jsonl.begin(folder.with_name("yard"))
    log, finish = tracker.begin(folder)
    figures: dict[str, Any] = {}
    step = 0
    for size in SIZES:
        names = [f"train/metric_{i}" if size > 1 else "train/loss" for i in range(size)]
        ours: list[float] = []
        theirs: list[float] = []
        for one in (log, yard):
            _times(one, names, calls // 10, step)  # warm up
        step += calls // 10
        for _ in range(STRETCHES):
            ours += _times(log, names, calls // STRETCHES, step)
            theirs += _times(yard, names, calls // STRETCHES, step)
            step += calls // STRETCHES
        for kind, taken in (("", ours), ("yard_", theirs)):
            figures[f"{kind}p50_{size}"] = statistics.median(taken)
            figures[f"{kind}p99_{size}"] = statistics.quantiles(taken, n=100)[98]
            figures[f"{kind}mean_{size}"] = statistics.fmean(taken)
    finish()
    close_yard()
    return figures | _check(tracker, folder, calls)


def _times(log: Log, names: list[str], calls: int, first: int) -> list[float]:
    values = {name: 0.123456789 * (i + 1) for i, name in enumerate(names)}
    taken = []
    for step in range(first, first + calls):
        values[names[0]] = step * 0.001
        began = time.perf_counter_ns()
        log(values, step)
        taken.append((time.perf_counter_ns() - began) / 1000)
    return taken


def _check(tracker: Any, folder: Path, calls: int) -> dict[str, Any]:
    """Every point of the single metric is there, with its value (32-bit trackers are allowed their 24 bits)."""
    (run,) = tracker.points(folder)
    expected = calls // 10 + calls // STRETCHES * STRETCHES
    found = run.get("train/loss", [])
    right = sum(abs(float(value) - step * 0.001) <= 1e-6 * max(1, abs(step * 0.001)) for step, value in found)
    return {"kept": "all" if right == expected == len(found) else f"{right} of {expected}"}


COLUMNS = [
    *(Column(f"{size} metric{'s' * (size > 1)}, p50", ratio(f"p50_{size}", f"yard_p50_{size}")) for size in SIZES),
    *(Column(f"{size}, p99", ratio(f"p99_{size}", f"yard_p99_{size}")) for size in SIZES),
    Column("us p50 of 1 · 5 · 50", lambda own: " · ".join(figure(f"p50_{s}", "{:.1f}")(own) for s in SIZES)),
    Column("us p99 of 1 · 5 · 50", lambda own: " · ".join(figure(f"p99_{s}", "{:.0f}")(own) for s in SIZES)),
    Column("points read back", words("kept")),
    Column("points of a returned call", words("where")),
]
HEADLINES = [
    Column("`log()` of 1 metric", ratio("p50_1", "yard_p50_1")),
    Column("`log()` of 5 metrics", ratio("p50_5", "yard_p50_5")),
    Column("`log()` of 50 metrics", ratio("p50_50", "yard_p50_50")),
    Column("where the points are when it returns", words("where")),
]

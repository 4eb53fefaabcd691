"""Questions about many runs: filter, sort, the first 50."""

from __future__ import annotations

import resource
import statistics
import time
from pathlib import Path
from typing import Any

import invented
from place import SCRATCH, Place
from tables import Column, figure

TITLE = "The 50 best of many runs that match"
NOTE = (
    "Four conditions (status, a param, the best of a metric, a tag), sorted by the best of another metric. First: in "
    "a new process with no index or cache; warm: asked again as in another cell, median of 5; changed: asked after one "
    "run got a tag more; other fields: a question about what nobody asked for before. Peers get 300 runs of 100 "
    "points through their own interface (Aim: indexed beforehand), and so a smaller task. All answers are compared."
)
BASELINE = "sqlite"
ROUNDS = 1
MANY, FEW = (10_000, 100_000), 300
AGAIN = 5
AGED_S = 3  # what is younger than the coarsest clock of a disk is looked at twice: never all of 10,000 runs at once


def measure(place: Place, quick: bool) -> dict[str, Any]:
    if why := place.contestant.lacks.get("top"):
        return {"lacks": why}
    if place.contestant.name not in ("celltrail", "sqlite"):
        count = FEW // (5 if quick else 1)
        looked = place.call(look, folder=filled(place, count, 100))
        return _figures(looked, count, invented.expected(invented.runs(count, 100)))
    figures: dict[str, Any] = {}
    for count in (2_000,) if quick else MANY:
        folder = trail(place, count, 0)
        looked = place.call(look, folder=folder)
        later = place.call(look, folder=folder)  # a new process that finds the index
        answer = place.call(expected, runs=count)
        biggest = _figures(looked, count, answer) | {"reopened": later["first"], "reopened_mb": later["mb"]}
        figures |= {f"{key}_{count}": value for key, value in biggest.items()}
        figures |= biggest
    return figures


def trail(place: Place, runs: int, points: int, sealed: bool = False) -> Path:
    """The trail of so many runs, kept for the next measurement; of a baseline its database."""
    folder = SCRATCH / "trails" / f"{place.contestant.name}-{runs}-{points}{'-sealed' * sealed}"
    done = folder.with_suffix(".done")
    if not done.exists():
        place.call(fill_trail, folder=folder, runs=runs, points=points, limit_s=1200)
        if sealed:
            place.call(seal, folder=folder, limit_s=1200)
        time.sleep(AGED_S)
        done.touch()
    return folder


def filled(place: Place, runs: int, points: int) -> Path:
    """Invented runs in the contestant's own store, kept for the next measurement."""
    folder = SCRATCH / "trails" / f"{place.contestant.name}-{runs}-{points}"
    done = folder.with_suffix(".done")
    if not done.exists():
        place.call(fill, folder=folder, runs=runs, points=points, limit_s=900)
        done.touch()
    return folder


def _figures(looked: dict[str, Any], count: int, answer: list[str]) -> dict[str, Any]:
    right = looked.pop("names") == answer
    return {**looked, "runs": count, "right": "yes" if right else "no"}


def fill_trail(tracker: Any, folder: Path, runs: int, points: int) -> None:
    """In celltrail's environment."""
    tracker.fill_trail(folder, runs, points)


def seal(tracker: Any, folder: Path) -> None:
    """In celltrail's environment."""
    tracker.seal(folder)
    tracker.pack(folder)


def fill(tracker: Any, folder: Path, runs: int, points: int) -> None:
    """In the peer's environment."""
    tracker.load()
    tracker.fill(folder, invented.runs(runs, points))


def expected(tracker: Any, folder: Path, runs: int) -> list[str]:
    """In celltrail's environment: the answer by looking at each of the runs that were made."""
    from trails import record_of

    found = []
    for number in range(runs):
        run = record_of(number)
        if run.status == "finished" and run.params["lr"].value < 0.01 and "mlp" in run.tags:
            loss, accuracy = run.metrics["val/loss"], run.metrics["val/acc"]
            if loss.min is not None and loss.min < 0.5:
                found.append((accuracy.max, run.name))
    return [name for _, name in sorted(found, reverse=True)[:50]]


def look(tracker: Any, folder: Path) -> dict[str, Any]:
    """In the contestant's environment: seconds of each question, and the names that came back."""
    tracker.load()
    first, names = _timed(tracker.top, folder)
    warm = statistics.median(_timed(tracker.top, folder)[0] for _ in range(AGAIN))
    figures = {"first": first, "warm": warm, "names": names}
    if hasattr(tracker, "change"):
        tracker.change(folder)
        figures["changed"] = _timed(tracker.top, folder)[0]
        figures["other"] = _timed(tracker.other, folder)[0]
    return figures | {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def _timed(ask: Any, folder: Path) -> tuple[float, list[str]]:
    began = time.perf_counter()
    names = ask(folder)
    return time.perf_counter() - began, names


def _both(key: str, shape: str = "{:,.0f}", scale: float = 1000) -> Any:
    def cell(own: Any) -> str:
        parts = [figure(f"{key}_{count}", shape, scale)(own) for count in MANY if f"{key}_{count}" in own]
        return " · ".join(parts) or figure(key, shape, scale)(own)

    return cell


def _ratio(own: Any) -> str:
    """Against the same number of runs; a peer with fewer runs against its share of the baseline's time."""
    yard = own["yard"]
    if "warm" not in own or "warm" not in yard:
        return "-"
    from tables import times

    return times(own["warm"] / own["runs"] / (yard["warm"] / yard["runs"]))


def _headline(own: Any) -> str:
    if "warm" not in own:
        return figure("warm")(own)
    return f"{_ratio(own)} ({own['warm'] * 1000:,.0f} ms, {own['runs']:,})"


COLUMNS = [
    Column("warm, per run, ratio", _ratio),
    Column("runs", _both("runs", "{:,.0f}", 1)),
    Column("first, ms", _both("first")),
    Column("new process, ms", _both("reopened")),
    Column("warm, ms", _both("warm", "{:,.1f}")),
    Column("changed, ms", _both("changed", "{:,.1f}")),
    Column("other fields, ms", _both("other")),
    Column("memory, MB", _both("mb", "{:,.0f}", 1)),
    Column("right answer", lambda own: str(own.get("right", "-"))),
]
HEADLINES = [Column("filter, sort, first 50 of many runs, per run (time, runs)", _headline)]

"""Odd values and steps: what comes back of what was logged."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from place import Place, Trouble
from tables import Column, words

TITLE = "What comes back of odd values"
NOTE = (
    "Each in a run and a process of its own, logged through the tracker and read back through it. "
    '"refused" is an exception at the call that says so.'
)
BASELINE = "jsonl"
ROUNDS = 1
NAME = "train/loss"
# words of the case -> the calls it makes: (name, value, step)
CASES: dict[str, list[tuple[str, Any, int]]] = {
    "0.1": [(NAME, 0.1, 0)],
    "NaN": [(NAME, math.nan, 0)],
    "inf": [(NAME, math.inf, 0)],
    "-inf": [(NAME, -math.inf, 0)],
    "2**60": [(NAME, 2**60, 0)],
    "2**60 + 1": [(NAME, 2**60 + 1, 0)],
    "0-d array": [(NAME, "array 0.25", 0)],
    "numpy float32": [(NAME, "float32 0.1", 0)],
    "step twice": [(NAME, 1.0, 3), (NAME, 2.0, 3)],
    "step going back": [(NAME, 1.0, 7), (NAME, 2.0, 3), (NAME, 3.0, 8)],
    "negative step": [(NAME, 1.0, -5)],
    "key 'verlust/größe ∂'": [("verlust/größe ∂", 0.5, 0)],
    "key ''": [("", 0.5, 0), (NAME, 0.25, 0)],
}


def measure(place: Place, quick: bool) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for number, case in enumerate(CASES):
        try:
            process = place.start(log_and_read, folder=place.work / str(number), case=case)
            said[case] = process.wait(60)
        except Trouble as trouble:
            said[case] = f"the process died: {trouble}"
    kept = sum(answer.startswith("exact") for answer in said.values())
    return said | {
        "kept": f"{kept} of {len(CASES)}",
        "unreadable": sum("died" in a or "unreadable" in a for a in said.values()),
    }


def log_and_read(tracker: Any, folder: Path, case: str) -> str:
    """In the contestant's environment: one case, in words."""
    folder.mkdir(parents=True, exist_ok=True)
    tracker.load()
    log, finish = tracker.begin(folder)
    expected: dict[str, list[tuple[int, Any]]] = {}
    refused = ""
    for name, value, step in CASES[case]:
        value = _made(value)
        try:
            log({name: value}, step)
        except Exception as error:  # noqa: BLE001  whatever a tracker raises is its answer
            refused = f"refused: {type(error).__name__}"
        else:
            expected.setdefault(name, []).append((step, value))
    finish()
    try:
        found = (tracker.points(folder) or [{}])[0]
    except Exception as error:  # noqa: BLE001  the same
        return f"run unreadable: {type(error).__name__}"
    answer = _compare(expected, found)
    return refused if refused and answer == "exact" else answer


def _made(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    import numpy as np

    kind, number = value.split()
    return np.array(float(number)) if kind == "array" else np.float32(number)


def _compare(expected: dict[str, list[tuple[int, Any]]], found: dict[str, list[tuple[int, Any]]]) -> str:
    for name, calls in expected.items():
        if name not in found:
            others = [other for other in found if other not in expected]
            return f"renamed {others[0]!r}" if others else "lost"
        there = list(found[name])
        if len(there) != len(calls):
            return f"{len(there)} of {len(calls)} kept"
        for (step, value), (step_found, value_found) in zip(sorted(calls), sorted(there), strict=True):
            if step != step_found:
                return f"step changed: {step_found}"
            if not _same(value, value_found):
                return f"changed: {value_found!r}"
    return "exact"


def _same(value: Any, found: Any) -> bool:
    if isinstance(found, str) or found is None:
        return False
    value = value if isinstance(value, int) else float(value)
    return value == found or (value != value and found != found)


COLUMNS = [Column("exact", words("kept")), *(Column(case, words(case)) for case in CASES)]
HEADLINES = [Column("odd values and steps that come back exactly", words("kept"))]

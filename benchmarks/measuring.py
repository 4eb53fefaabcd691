"""The rounds: every contestant in turn, so that a busy minute of the machine hits them all alike."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Sequence
from typing import Any

import results
from contestants import Contestant
from place import Place, Trouble, version_of


def measure(
    contestants: Sequence[Contestant], rows: Sequence[str], quick: bool, failures: dict[str, str], rounds: int | None
) -> dict[str, Any]:
    """All asked rows of all contestants: the samples, and what machine and versions they come from."""
    made: dict[str, Any] = {"rows": {}, "versions": {}, "not_installed": failures}
    for contestant in contestants:
        made["versions"][contestant.name] = version_of(contestant)
    for name in rows:
        made["rows"][name] = {
            "machine": machine(),
            "quick": quick,
            "samples": _samples(name, contestants, quick, rounds),
        }
    return made


def _samples(
    name: str, contestants: Sequence[Contestant], quick: bool, rounds: int | None
) -> dict[str, list[dict[str, Any]]]:
    row = results.ROWS[name]
    contestants = [contestant for contestant in contestants if not contestant.rows or name in contestant.rows]
    samples: dict[str, list[dict[str, Any]]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds or (1 if quick else row.ROUNDS)):
        taken: dict[str, dict[str, Any]] = {}
        for contestant in contestants:
            if any("failed_because" in sample for sample in samples[contestant.name]):
                continue  # it will not do better the next time
            began = time.monotonic()
            taken[contestant.name] = _sample(row, contestant, quick)
            took = time.monotonic() - began
            print(f"{name}, round {number + 1}: {contestant.name} {took:.1f} s", file=sys.stderr, flush=True)
        yard = taken.get(row.BASELINE, {})
        for contestant_name, sample in taken.items():
            samples[contestant_name].append(sample | {"yard": yard})
    return samples


def _sample(row: Any, contestant: Contestant, quick: bool) -> dict[str, Any]:
    try:
        with Place(contestant) as place:
            return row.measure(place, quick)
    except Trouble as trouble:
        print(f"{contestant.name}: {trouble}", file=sys.stderr, flush=True)
        return {"failed_because": str(trouble)}


def machine() -> dict[str, Any]:
    """Where something is measured."""
    import os

    return {
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }

"""The cells that runs depend on, those of one run against those of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from celltrail.errors import NoRun, StoreError
from celltrail.query import StoredRun

Cells = dict[tuple[str, int], tuple[str, str]]  # cell and how often it was met -> what it is called, its code


def cells(run: StoredRun) -> Cells:
    """The earlier cells that a run depends on, oldest first; none where nothing was recorded."""
    met: Counter[str] = Counter()
    found: Cells = {}
    try:
        steps = run.lineage.slice
    except (StoreError, NoRun):
        return {}
    for step in steps:
        cell = step.cell or step.code
        found[cell, met[cell]] = (f"cell [{step.count}]" if step.count else "a cell", step.code)
        met[cell] += 1
    return found


def differing(first: Cells, other: Cells) -> Iterator[tuple[str, str, str]]:
    """What each cell is called that is not the same in both, and its code there; "" where it has no part."""
    for key in dict.fromkeys([*first, *other]):
        name, old = first.get(key, ("", ""))
        called, new = other.get(key, (name, ""))
        if old != new:
            yield name or called, old, new

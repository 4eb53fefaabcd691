"""Rows with fewer params and metrics, so that a saved table has more than a few of its runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal

from celltrail.contract import RunRow

_STEPS = ((48, 24), (24, 12), (12, 6), (8, 4), (6, 3), (5, 2))  # params and metrics; a metric says much more


def narrowed(
    rows: Sequence[RunRow], asked: Iterable[str], fits: Callable[[list[RunRow]], bool]
) -> tuple[list[RunRow], str]:
    """The rows with as many of their params and metrics as fit, and how many these are, in words.

    First those that were asked for, as columns of a table; then what tells the runs apart.

    Args:
        rows: of runs.
        asked: columns, "-" in front of some.
        fits: whether such rows have room.
    """
    columns = {name.removeprefix("-") for name in asked}
    params = _ranked(rows, "params", {name.removeprefix("params.") for name in columns})
    metrics = _ranked(rows, "metrics", {name.removeprefix("metrics.").removeprefix("best.") for name in columns})
    found, told = list(rows), ""
    for most_params, most_metrics in _STEPS:
        kept, measured = set(params[:most_params]), set(metrics[:most_metrics])
        found = [_only(row, kept, measured) for row in rows]
        left = len(kept) + len(measured)
        told = f"{left} of {len(params) + len(metrics)} params and metrics are kept here; the kernel has the others"
        if fits(found):
            break
    return found, told


def _ranked(rows: Sequence[RunRow], part: Literal["params", "metrics"], asked: Collection[str]) -> list[str]:
    """Names: those asked for, those of which one knows what is better, those that differ, and the rest."""
    values: dict[str, list[object]] = {}
    for row in rows:
        for name, value in row[part].items():
            values.setdefault(name, []).append(value)

    def rank(name: str) -> tuple[bool, bool, bool]:
        first, *others = values[name]
        has_goal = isinstance(first, dict) and first.get("goal", "none") != "none"
        return name not in asked, not has_goal, all(other == first for other in others)

    return sorted(values, key=rank)


def _only(row: RunRow, params: Collection[str], metrics: Collection[str]) -> RunRow:
    return {
        **row,
        "params": {name: value for name, value in row["params"].items() if name in params},
        "metrics": {name: value for name, value in row["metrics"].items() if name in metrics},
    }

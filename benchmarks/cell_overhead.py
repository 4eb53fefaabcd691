"""What celltrail costs a cell, against the same cell in a kernel without celltrail, both taken in turn.

    python benchmarks/cell_overhead.py                   all rows
    python benchmarks/cell_overhead.py --write           the same, kept in results/cells.json and put into README.md
    python benchmarks/cell_overhead.py --quick           a fifth of the cells, for a first look
    python benchmarks/cell_overhead.py --render FILE     measure nothing: the table of kept results
    python benchmarks/cell_overhead.py --profile         where the main thread of a tracked cell spends its time

A cell's cost is what the main thread does between IPython's ``pre_execute`` and the first line of the body, and
between its last line and the end of all ``post_run_cell`` hooks. Machines are shared and busy: read differences
and ratios, and the time on the processor beside the time on the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cells
from measuring import machine
from tables import Figures, markdown, times, write_between

RESULTS = Path(__file__).parent / "results" / "cells.json"
README = Path(__file__).parent.parent / "README.md"
OPENING, CLOSING = "<!-- benchmark:cells -->", "<!-- /benchmark:cells -->"


class Row(NamedTuple):
    """One figure of the table: how it is told with celltrail and without, what is added, and the most that may be."""

    row: str
    words: str
    shown: Callable[[Figures], tuple[str, str]]
    added: Callable[[Figures], float]
    limit: float | None = None
    least: float = 0.0
    is_ratio: bool = False
    unit: str = "ms"


def _cells(key: str) -> Any:
    return (
        lambda own: (f"{own['ours'][key]:.2f}", f"{own['plain'][key]:.2f}"),
        lambda own: own["ours"][key] - own["plain"][key],
    )


def _growth(own: Figures) -> float:
    late, early = (own["ours"][f"{when}_cpu"] - own["plain"][f"{when}_cpu"] for when in ("late", "early"))
    return late / early


def _growth_shown(own: Figures) -> tuple[str, str]:
    both = ("ours", "plain")
    late, early = (f"{own[name]['late_cpu']:.2f} after {own[name]['early_cpu']:.2f}" for name in both)
    return late, early


def _loop(clock: str, scale: float = 1, per: str = "") -> Any:
    def shown(own: Figures) -> tuple[str, str]:
        ours, plain = (own[name][clock] * scale / own.get(per, 1) for name in ("ours", "plain"))
        return f"{ours:,.2f}", f"{plain:,.2f}"

    return shown, lambda own: own["ours"][clock] / own["plain"][clock]


def _value(own: Figures) -> float:
    return (own["ours"]["cpu"] - own["plain"]["cpu"]) / own["values"] * 1e9


ROWS = [
    Row("untracked", "untracked cell, main thread, ms of CPU", *_cells("cpu"), limit=1),
    Row("untracked", "untracked cell, whole process, ms of CPU", *_cells("process_cpu")),
    Row("tracked", "tracked cell, main thread, ms of CPU", *_cells("cpu"), limit=5),
    Row("tracked", "tracked cell, main thread, ms on the clock, run all", *_cells("clock")),
    Row("tracked", "tracked cell, whole process, ms of CPU", *_cells("process_cpu")),
    Row("tracked", "the last tenth of the tracked cells against the first", _growth_shown, _growth, 1.1, is_ratio=True),
    Row("watch", "`--watch` on a step of 10 us, us of CPU", *_loop("cpu", 1e6, "steps"), limit=1.05, is_ratio=True),
    Row("watch", "the same on the clock", *_loop("clock", 1e6, "steps"), limit=1.05, is_ratio=True),
    Row("value", "a watched value, ns of CPU", _loop("cpu", 1e9, "values")[0], _value, 200, unit="ns"),
    Row("print", "100 MB printed, s until the client has them", *_loop("clock"), limit=1.3, is_ratio=True),
    Row("open", "`open` of a new file, us of CPU", *_loop("cpu", 1e6, "files"), limit=1.1, is_ratio=True),
    Row(
        "search",
        "finding earlier runs with the same recipe among 10,000, ms",
        lambda own: (f"{own['asked']:.3f}", "-"),
        lambda own: own["asked"],
        1,
    ),
    Row(
        "claim",
        "what a run says it cost, against what is measured outside, ms",
        lambda own: (f"{own['claimed']:.1f}", f"{own['added']:.1f}"),
        lambda own: own["claimed"] / own["added"],
        1.2,
        0.8,
        is_ratio=True,
    ),
]


def table(made: Mapping[str, Any]) -> str:
    """All rows as Markdown, and where they were measured."""
    lines: list[list[str]] = []
    for row in ROWS:
        if row.row not in made["rows"]:
            continue
        own = made["rows"][row.row]
        added = row.added(own)
        told = times(added) if row.is_ratio else f"+{added:,.{0 if row.unit == 'ns' else 2}f} {row.unit}"
        met = "" if row.limit is None else "yes" if row.least <= added <= row.limit else "**no**"
        lines.append([row.words, *row.shown(own), told, _limit(row), met])
    where = made["machine"]
    small = " Measured in the quick form, with a fifth of the cells." if made["quick"] else ""
    return (
        f"{markdown(['', 'with celltrail', 'without', 'adds', 'to reach', 'reached'], lines)}\n\n"
        f"{where['cores']} shared cores, {where['system']}, Python {where['python']}, {where['date']};"
        f" medians of cells, the least of rounds for loops.{small}"
    )


def _limit(row: Row) -> str:
    if row.limit is None:
        return ""
    least = f"{row.least:g}x to " if row.least else "<= "
    return f"{least}{row.limit:g}{'x' if row.is_ratio else f' {row.unit}'}"


def load(path: Path) -> dict[str, Any]:
    """Kept results."""
    return json.loads(path.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the cells")
    parser.add_argument("--save", action="store_true", help="keep the results, which are committed")
    parser.add_argument("--write", action="store_true", help="the same, and the table into README.md")
    parser.add_argument("--render", type=Path, metavar="FILE", help="measure nothing: the table of kept results")
    parser.add_argument("--profile", action="store_true", help="where the main thread spends its time")
    asked = parser.parse_args()
    made = load(asked.render) if asked.render else _measured(asked)
    if made is None:
        return
    print(table(made))
    if (asked.save or asked.write) and not asked.render:
        RESULTS.write_text(json.dumps(made, indent=1) + "\n")
    if asked.write:
        write_between(README, OPENING, CLOSING, table(made))


def _measured(asked: argparse.Namespace) -> dict[str, Any] | None:
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    with tempfile.TemporaryDirectory() as folder:
        pair = cells.Pair(Path(folder))
        try:
            if asked.profile:
                print(cells.profiled(pair))
                return None
            rows = cells.measure(pair, Path(folder), 5 if asked.quick else 1)
            return {"machine": machine(), "quick": asked.quick, "rows": rows}
        finally:
            pair.stop()


if __name__ == "__main__":
    main()

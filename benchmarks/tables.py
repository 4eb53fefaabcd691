"""Figures into words: medians over the rounds, ratios to the yardstick, Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Figures = Mapping[str, Any]  # of one contestant in one row; under "yard" those of the yardstick in the same rounds
Cell = Callable[[Figures], str]


class Column(NamedTuple):
    """One column of a row's table: its words and how a cell of it is made."""

    words: str
    cell: Cell


def median(samples: Sequence[Figures]) -> dict[str, Any]:
    """One figure for each key: the median over the rounds, or the last that was said."""
    merged: dict[str, Any] = {}
    for key in dict.fromkeys(key for sample in samples for key in sample):
        values = [sample[key] for sample in samples if key in sample]
        if all(isinstance(value, dict) for value in values):
            merged[key] = median(values)
        else:
            is_number = all(isinstance(value, (int, float)) for value in values)
            merged[key] = statistics.median(values) if is_number else values[-1]
    return merged


def ratio(key: str, yard: str | None = None) -> Cell:
    """Against the yardstick measured in the same process (``yard``), or in the same rounds."""

    def cell(own: Figures) -> str:
        below = own.get(yard) if yard else own.get("yard", {}).get(key)
        return times(own[key] / below) if key in own and below else missing(own)

    return cell


def figure(key: str, shape: str = "{:,.0f}", scale: float = 1) -> Cell:
    """The figure itself."""

    def cell(own: Figures) -> str:
        return shape.format(own[key] * scale) if key in own else missing(own)

    return cell


def words(key: str) -> Cell:
    """What was said under this key."""
    return lambda own: str(own.get(key, missing(own)))


def missing(own: Figures) -> str:
    """What stands where there is no figure; why a contestant failed is told below the table."""
    return "failed" if "failed_because" in own else str(own.get("lacks", "-"))


def times(value: float) -> str:
    """
    >>> times(0.7512), times(23.4), times(5312.0)
    ('0.75x', '23x', '5,310x')
    """
    if value < 10:
        return f"{value:.2g}x" if value < 0.1 else f"{value:.2f}x"
    return f"{float(f'{value:.3g}'):,.0f}x"


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """
    >>> print(markdown(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    rule = "|" + "---|" * len(head)
    return "\n".join([_line(head), rule, *map(_line, lines)])


def write_between(page: Path, opening: str, closing: str, table: str) -> None:
    """Replace what stands between these two comments by a table."""
    before, found, rest = page.read_text().partition(opening)
    _, ended, after = rest.partition(closing)
    if not (found and ended):
        raise SystemExit(f"{page.name} has no place for the table: put {opening} and {closing} where it belongs")
    page.write_text(f"{before}{opening}\n{table}\n{closing}{after}")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

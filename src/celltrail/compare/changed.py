"""What changed between runs, in sentences, the likeliest causes first, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from celltrail.compare.line import Line
from celltrail.compare.words import said
from celltrail.query import plain

_MOST = 6  # names told of each kind
_ASIDE = ("already.", "overhead", "seeds", "git.", "state.")  # differ in most runs, and explain little


def changed(parts: dict[str, list[Line]], code: bool, upstream: int) -> list[str]:
    """The causes there may be, then the metrics that differ.

    Args:
        parts: facts, params, data, metrics and environment.
        code: whether the code of the cells differs.
        upstream: how many of the cells they depend on differ.
    """
    causes = ["the code of the cell"] if code else []
    if upstream:
        causes.append(f"the code of {upstream} cell{'s' * (upstream > 1)} it depends on")
    causes += _data([line.name for line in parts["data"] if line.differs])
    causes += _told("params", parts["params"], _values)
    surroundings = [line for line in parts["environment"] if not line.name.startswith(_ASIDE)]
    causes += _told("environment", [replace(line, name=said(line.name)) for line in surroundings], _values)
    effects = _told("metrics", [line for line in parts["metrics"] if line.goal != "none"], _effect)
    if not causes:
        return [*effects, "nothing that is recorded differs but seeds and time"] if effects else []
    if len(causes) > 1 and effects:
        effects.append(f"{len(causes)} things changed at once: which of them did it cannot be told from these runs")
    return [*causes, *effects]


def _data(names: list[str]) -> list[str]:
    """The names in one line: that they differ is all there is to say, and a line for each would hide the params."""
    columns = [name for name in names if ": " in name]  # they say more than the name of their data alone
    names = [name for name in names if not any(column.startswith(f"{name}: ") for column in columns)]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return [f"data: {', '.join(names[:_MOST])}{more}"] if names else []


def _told(part: str, lines: Sequence[Line], words: Callable[[Line], str]) -> list[str]:
    found = [line for line in lines if line.differs]
    more = [f"{part}: and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return [f"{part}: {words(line)}" for line in found[:_MOST]] + more


def _values(line: Line) -> str:
    values = [plain.clipped("not set" if value is None else plain.shown(value), 40) for value in line.values]
    return f"{line.name} {' → '.join(values)}" if len(values) == 2 else f"{line.name} {', '.join(values)}"


def _effect(line: Line) -> str:
    first, last = line.values[0], line.values[-1]
    told = _values(line)
    if line.is_tested and len(line.values) == 2:
        verdict = line.verdicts[1]
        return f"{told}, {verdict.short}" if verdict else told
    if len(line.values) != 2 or not isinstance(first, int | float) or not isinstance(last, int | float):
        return told
    if first != first or last != last:
        return told
    # no verdict stands behind this word, and without saying so it would read like one
    return f"{told}, {'better' if (last > first) == (line.goal == 'max') else 'worse'} (not tested)"

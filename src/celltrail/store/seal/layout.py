"""Which metrics stand together in one table.

Names that were logged in one call belong together, and so do the names of calls that share one: each name has
exactly one table. Names that are rarely there in a long or very wide table have one of their own, and many
short tables are put into one, for a file costs more than the gaps in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

Call = tuple[str, ...]  # the names of one ``log`` call

LONG_ROWS, WIDE_NAMES, RARE = 100_000, 256, 0.1
SHORT_ROWS = 8192


def tables(calls: Mapping[Call, int]) -> list[list[str]]:
    """The names of each table, for so many calls of each kind.

    >>> tables({("loss", "lr"): 90_000, ("val/loss",): 90})
    [['loss', 'lr'], ['val/loss']]
    >>> tables({("loss", "lr"): 3000, ("val/loss",): 90})
    [['loss', 'lr', 'val/loss']]
    >>> tables({("loss",): 150_000, ("loss", "memory"): 900})
    [['loss'], ['memory']]
    """
    found: list[list[str]] = []
    groups = components(calls)
    lengths = _rows(groups, calls)
    for names, rows in zip(groups, lengths, strict=True):
        if rows <= LONG_ROWS and len(names) <= WIDE_NAMES:
            found.append(names)
            continue
        here = {call: count for call, count in calls.items() if not set(call).isdisjoint(names)}
        counts = Counter[str]()
        for call, count in here.items():
            counts.update(dict.fromkeys(call, count))
        rare = {name for name in names if counts[name] < RARE * rows}
        found.append([name for name in names if name not in rare])
        found += components(tuple(name for name in call if name in rare) for call in here)
    return _packed([names for names in found if names], calls)


def components(calls: Iterable[Call]) -> list[list[str]]:
    """Names connected by calls, each group and its names in the order first seen."""
    leader: dict[str, str] = {}

    def lead(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]
        return name

    for call in calls:
        for name in call:
            leader.setdefault(name, name)
            leader[lead(name)] = lead(call[0])
    groups: dict[str, list[str]] = {}
    for name in leader:
        groups.setdefault(lead(name), []).append(name)
    return list(groups.values())


def _rows(groups: list[list[str]], calls: Mapping[Call, int]) -> list[int]:
    """The rows of each table."""
    table_of = {name: number for number, names in enumerate(groups) for name in names}
    rows = [0] * len(groups)
    for call, count in calls.items():
        for number in {table_of[name] for name in call}:
            rows[number] += count
    return rows


def _packed(groups: list[list[str]], calls: Mapping[Call, int]) -> list[list[str]]:
    """Short tables put together, as long as they stay short and not too wide."""
    found: list[list[str]] = []
    shared: list[str] = []
    shared_rows = 0
    for names, rows in zip(groups, _rows(groups, calls), strict=True):
        if rows > SHORT_ROWS or len(names) > WIDE_NAMES:
            found.append(names)
        elif shared and shared_rows + rows <= SHORT_ROWS and len(shared) + len(names) <= WIDE_NAMES:
            shared += names
            shared_rows += rows
        else:
            shared, shared_rows = list(names), rows
            found.append(shared)
    return found

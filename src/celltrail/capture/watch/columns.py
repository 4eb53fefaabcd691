"""Watched values as columns: from what a loop put away to rows of the log, thousands in one step.

A column is what one name was bound to, in order. Columns that were filled turn and turn about, one value each
in every iteration, become rows together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

_FRESH_NS = 50_000_000  # so long a value waits for those of the same iteration


@dataclass(slots=True)
class Column:
    """Values of one name, with the time of each and its step: -1 until all names have been counted together."""

    stamps: Integers  # nanoseconds
    values: Floats
    steps: Integers

    @classmethod
    def of(cls, stamps: list[int], values: list[Any]) -> Column:
        """The column of these times and values; what is no number is left out."""
        import numpy as np

        numbers, is_number = _numbers(values)
        column = cls(np.array(stamps, np.int64), numbers, np.full(len(stamps), -1))
        return column if is_number is None else column[is_number]

    def __len__(self) -> int:
        return len(self.stamps)

    def __getitem__(self, places: Any) -> Column:
        return Column(self.stamps[places], self.values[places], self.steps[places])


def _numbers(values: list[Any]) -> tuple[Floats, NDArray[np.bool_] | None]:
    """Values as floats, and which of them are numbers; None where all are."""
    import numpy as np

    with contextlib.suppress(TypeError, ValueError, OverflowError, RuntimeError):
        found = np.array(values, np.float64)
        # NumPy takes None for NaN
        if not np.isnan(found).any() or not any(value is None for value in values):
            return found, None
    numbers = [_number(value) for value in values]
    kept = np.array([number is not None for number in numbers])
    return np.array([np.nan if number is None else number for number in numbers]), kept


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)  # a tensor on a device is waited for here, not in the user's loop
    except (OverflowError, TypeError, ValueError, RuntimeError):
        return None


def joined(*parts: Column) -> Column:
    """Columns one behind the other."""
    import numpy as np

    return Column(
        np.concatenate([part.stamps for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.steps for part in parts]),
    )


def merged(parts: Sequence[Column]) -> Column:
    """Columns of one name from several places in the code, in the order of their times."""
    if len(parts) == 1:
        return parts[0]
    column = joined(*parts)
    return column[column.stamps.argsort(kind="stable")]


def rows(held: dict[str, Column], until: int, is_last: bool) -> Iterator[tuple[tuple[str, ...], list[Column]]]:
    """Columns that belong together, of equal length each time; what is not ripe stays in ``held``.

    Args:
        held: the waiting values by name; what is handed out is taken away.
        until: the time up to which all values are here; one just before it may have partners yet to come.
        is_last: hand out everything.
    """
    fresh = {name for name, column in held.items() if len(column) and column.stamps[-1] > until - _FRESH_NS}
    if is_last:
        fresh.clear()
    begun = {held[name].steps[0] for name in fresh if len(held[name]) == 1}  # a partner may be one value behind
    ripe = [
        name
        for name, column in held.items()
        if len(column) and (name not in fresh or len(column) > 2 or (len(column) == 2 and column.steps[0] not in begun))
    ]
    for group in _groups({name: held[name] for name in sorted(ripe, key=lambda name: held[name].stamps[0])}):
        sizes = [len(held[name]) for name in group]
        size = min(sizes) if len(group) > 1 else sizes[0] - (group[0] in fresh)
        yield tuple(group), [held[name][:size] for name in group]
        for name in group:
            held[name] = rest = held[name][size:]
            if len(rest) and name not in fresh:
                yield (name,), [rest]
                held[name] = rest[:0]


def _groups(waiting: dict[str, Column]) -> list[list[str]]:
    groups: list[list[str]] = []
    for name, column in waiting.items():
        last = groups[-1] if groups else None
        if last and _alternate(waiting[last[0]], waiting[last[-1]], column):
            last.append(name)
        else:
            groups.append([name])
    return groups


def _alternate(first: Column, before: Column, column: Column) -> bool:
    """Whether each value of a column came after one of the column before it and ahead of the next turn."""
    size = min(len(first), len(before), len(column))
    if max(len(first), len(column)) - size > 1 or not (first.steps[:size] == column.steps[:size]).all():
        return False
    if not (before.stamps[:size] <= column.stamps[:size]).all():
        return False
    later = first.stamps[1 : size + 1]
    return bool((column.stamps[: len(later)] < later).all())


def table(block: Sequence[Column]) -> Floats:
    """The values of columns of one length, one row for each iteration."""
    import numpy as np

    return np.stack([column.values for column in block], axis=1)


def count(first: int, size: int) -> Integers:
    """Whole numbers from ``first`` on."""
    import numpy as np

    return np.arange(first, first + size, dtype=np.int64)


def changes(values: Integers, before: int) -> NDArray[np.bool_]:
    """Where a value is another than the one before it.

    >>> import numpy as np
    >>> changes(np.array([1, 1, 2, 2]), 1).tolist()
    [False, False, True, False]
    """
    import numpy as np

    return np.diff(values, prepend=before) != 0


def thinning(step: int, many: int) -> int:
    """The stride at which values are written from a step on: 1 for so many, then doubled with each doubling.

    >>> [thinning(step, 1000) for step in (0, 999, 1000, 1999, 2000, 4000)]
    [1, 1, 2, 2, 4, 8]
    """
    return 1 << (step // many).bit_length()


def telling(values: Floats) -> NDArray[np.bool_]:
    """The rows that a thinned block keeps in any case: its first and last, and the least and largest of each name.

    >>> import numpy as np
    >>> np.flatnonzero(telling(np.array([[1.0], [1.0], [np.nan], [9.0], [2.0], [0.0], [3.0]]))).tolist()
    [0, 3, 5, 6]
    """
    import numpy as np

    chosen = np.zeros(len(values), np.bool_)
    chosen[[0, -1]] = True
    low, high = np.where(np.isnan(values), np.inf, values), np.where(np.isnan(values), -np.inf, values)
    chosen[low.argmin(axis=0)] = True
    chosen[high.argmax(axis=0)] = True
    return chosen

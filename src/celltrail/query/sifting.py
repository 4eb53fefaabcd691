"""Columns of many runs as ranks to order by, and runs as words to find them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store.index.paramtexts import ParamTexts

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_PLAIN = {int, float, bool, type(None)}
_EXACT = 2**53  # from here on a float is no longer every whole number


class Words:
    """What a plain word may find of the runs of a sheet: what is said of each, and their params.

    Args:
        said: a column each: what the runs say there.
        params: the params of the same runs.
    """

    def __init__(self, said: Sequence[Sequence[Any]], params: ParamTexts) -> None:
        told = ([value if type(value) is str else said_of(value) for value in column] for column in said)
        self._said = list(map(str.lower, map("\n".join, zip(*told, strict=True))))
        self._params = params

    def holding(self, words: Sequence[str]) -> Bools:
        """For each run whether every word is somewhere in it."""
        import numpy as np

        found = np.ones(len(self._said), bool)
        for word in words:
            found &= self._params.holding(word) | np.fromiter((word in text for text in self._said), bool, len(found))
        return found


def ranks_of(values: Sequence[Any]) -> Ints:
    """Where each value stands among all: equal ones at the same place, what is missing at -1."""
    import numpy as np

    if {*map(type, values)} <= _PLAIN and all(abs(value) < _EXACT for value in values if type(value) is int):
        numbers = np.array(values, np.float64)  # None is NaN
        found = np.unique(numbers, return_inverse=True)[1]
        found[np.isnan(numbers)] = -1
        return found
    keys = list(map(_order, values))
    places = {key: at for at, key in enumerate(sorted({key for key in keys if key is not None}))}
    return np.array([-1 if key is None else places[key] for key in keys], np.int64)


def said_of(value: Any) -> str:
    """A fact of a run in words."""
    return "" if value is None else " ".join(value) if isinstance(value, list) else str(value)


def _order(value: Any) -> tuple[int, Any] | None:
    """Numbers before text; nothing, NaN and no tags are missing."""
    if value is None or value != value or value == []:
        return None
    return (0, value) if isinstance(value, int | float) else (1, said_of(value).lower() or str(value))

"""Columns of mixed values as numbers: ranks for what is ordered, an indicator for each word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_WORDS = 20  # kinds of one column that are told apart; the rarer ones are one kind together


@dataclass(frozen=True, slots=True)
class Coded:
    """One column: shape (n, 1) of ranks where it is ordered, NaN where missing; else (n, kinds) of 0 and 1."""

    ordered: bool
    matrix: Floats

    @property
    def kinds(self) -> NDArray[np.int64]:
        """A whole number for each row, the same for the same value."""
        import numpy as np

        found = np.nan_to_num(self.matrix[:, 0], nan=-1) if self.ordered else self.matrix.argmax(axis=1)
        return found.astype(np.int64)


def coded(values: Sequence[Any]) -> Coded:
    """Numbers and flags by their rank, so that no size is too large and no scale matters; all else by kind.

    >>> coded([0.1, 10, None]).matrix.ravel().tolist()
    [0.0, 1.0, nan]
    >>> coded(["adam", "sgd", "adam"]).matrix.tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    import numpy as np

    known = [None if _missing(value) else value for value in values]
    if all(value is None or isinstance(value, int | float) for value in known):
        places = {value: float(place) for place, value in enumerate(sorted({v for v in known if v is not None}))}
        ranks = np.array([math.nan if value is None else places[value] for value in known])
        return Coded(True, ranks[:, None])
    texts = ["" if value is None else str(value) for value in known]
    kinds, which, counts = np.unique(texts, return_inverse=True, return_counts=True)
    places = np.empty(len(kinds), dtype=np.int64)
    places[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(len(kinds)), MOST_WORDS - 1)
    return Coded(False, np.eye(min(len(kinds), MOST_WORDS))[places[which]])


def ranks(values: Floats) -> Floats:
    """The rank of each value from 0, the mean of them where values are equal.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    import numpy as np

    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[which]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))

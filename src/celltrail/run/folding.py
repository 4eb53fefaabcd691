"""Rows that were logged become summaries of series, a stretch of the same names at a time."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from celltrail.model import Metric
from celltrail.store.files import forks
from celltrail.store.log import unpacked, unpacked_few
from celltrail.store.log.summary import Said, Summaries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store.onward import Onward

FOLD_AT = 8192  # rows that wait; beyond that log() folds them itself, so memory stays bounded
# Without NumPy a value takes 0.3 us, and NumPy a tenth of a second and 25 MB to load: which of the two costs less is
# known only afterwards. Once a run has spent as much without it as loading would have cost, it is loaded.
_WITHOUT_NUMPY = 131_072  # values

Row = tuple[tuple[str, ...], bytes]  # names and packed row


class Folding:
    """The summaries of one run. Rows are put into ``rows`` as they are logged, and folded in when there is time."""

    def __init__(self, before: Onward | None = None) -> None:
        self.rows: deque[Row] = deque()
        self._summaries = Summaries(before.carried.metrics if before else None)
        for name, said in before.declared.items() if before else ():
            self._summaries.declare(name, said)
        self._left = _WITHOUT_NUMPY
        self._make_lock()
        forks.in_child(self._make_lock)

    def _make_lock(self) -> None:
        self._lock = threading.RLock()

    def fold(self) -> None:
        """Take in what waits, without a lock that `Run.log` would need."""
        with self._lock:
            for names, block in itertools.groupby(self._waiting(), key=itemgetter(0)):
                self._fold(names, [body for _, body in block])

    def _waiting(self) -> Iterator[Row]:
        with contextlib.suppress(IndexError):  # a signal handler may fold in the midst of this
            for _ in range(len(self.rows)):
                yield self.rows.popleft()

    def _fold(self, names: tuple[str, ...], bodies: Sequence[bytes]) -> None:
        count = len(bodies) * len(names)
        if count <= self._left and "numpy" not in sys.modules:
            self._left -= count
            self._summaries.fold_few(names, *unpacked_few(len(names), bodies))
        else:
            _, numbers, _, values = unpacked(len(names), bodies)
            self._summaries.fold(names, numbers, values)

    def add(self, names: tuple[str, ...], steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Take in what waits, and behind it a block of rows."""
        with self._lock:
            self.fold()
            self._summaries.fold(names, steps, values)

    def declare(self, name: str, said: Said) -> Said:
        """Say how a metric is to be read, or many by a pattern; all said of it so far."""
        with self._lock:
            return self._summaries.declare(name, said)

    def metrics(self) -> dict[str, Metric]:
        """The summaries of all that was logged so far."""
        with self._lock:
            self.fold()
            return self._summaries.metrics()

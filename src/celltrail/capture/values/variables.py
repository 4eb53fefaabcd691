"""The user's variables in the namespace of a notebook, without what IPython keeps there.

It keeps the text of every cell under a name of its own, ``_i1``, ``_i2`` and so on: after a thousand cells most names
are those. A namespace has its names in the order in which they came, so each of them is looked at once.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Set
from itertools import islice
from typing import Any

OF_THE_SHELL = frozenset("In Out display exit get_ipython open quit".split())  # noqa: SIM905
_CELL = re.compile(r"_i\d+")  # the names of the texts of cells, which nobody binds or deletes by hand
_FEW = 32  # names that may have been deleted since the last look without a look at all of them
_GONE = object()


class Variables:
    """The variables of one namespace, each time it is asked.

    Args:
        hidden: names that are not the user's, as are all that begin with ``_``.
    """

    def __init__(self, hidden: Set[str] = OF_THE_SHELL) -> None:
        self._hidden = hidden
        self._names: dict[str, None] = {}
        self._mark: str | None = None  # the newest text of a cell: what came since stands behind it
        self._behind = self._size = 0  # how many names stood behind it, and how many there were
        self._lock = threading.Lock()  # cells of subshells run on threads of their own

    def now(self, namespace: dict[str, Any]) -> list[tuple[str, Any]]:
        """Their names and values.

        >>> Variables().now({"_x": 1, "y": None, "In": []})
        [('y', None)]
        """
        with self._lock:
            fresh = self._fresh(namespace)
            self._names.update(dict.fromkeys(name for name in fresh if name[:1] != "_" and name not in self._hidden))
            found = [(name, namespace.get(name, _GONE)) for name in self._names]
            if any(value is _GONE for _, value in found):
                found = [(name, value) for name, value in found if value is not _GONE]
                self._names = dict.fromkeys(name for name, _ in found)
            return found

    def _fresh(self, namespace: dict[str, Any]) -> list[str]:
        """The names that may have come since the last look."""
        size = len(namespace)
        # taken in one step, for other threads may bind names meanwhile
        newest = list(islice(reversed(namespace), max(0, size - self._size) + self._behind + _FEW))
        if self._mark in newest:
            fresh = newest[: newest.index(self._mark)]
        else:  # the first look, or somebody cleared the namespace
            fresh = newest = list(reversed(namespace))
            self._names.clear()
            self._mark = None
        self._mark = next(filter(_CELL.fullmatch, fresh), self._mark)
        self._behind = newest.index(self._mark) if self._mark is not None else 0
        self._size = size
        return fresh[::-1]

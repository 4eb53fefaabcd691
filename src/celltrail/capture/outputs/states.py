"""What a display was before it was updated: its first state, and some of those between that and the last.

A progress bar updates its display a thousand times; a curve that is drawn anew after each epoch is worth some
of its states.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MOST_BETWEEN = 20
_MOST_BYTES = 10_000_000  # of all states between


class State(NamedTuple):
    """One state: its forms, and how large it was."""

    data: dict[str, Any]
    size: int


class States:
    """The states of one display in their order, thinned as more come: each doubling of their number halves them."""

    def __init__(self) -> None:
        self._first: State | None = None
        self._between: list[State] = []
        self._stride = 1  # each so-manieth is kept
        self._count = 0  # states since the first

    def add(self, data: dict[str, Any], size: int) -> None:
        """The display was this until now.

        >>> states = States()
        >>> for number in range(1000):
        ...     states.add({"text/plain": str(number)}, 3)
        >>> numbers = [int(state["text/plain"]) for state in states.kept()]
        >>> numbers[0], len(numbers), {b - a for a, b in zip(numbers, numbers[1:])}
        (0, 16, {64})
        """
        if self._first is None:
            self._first = State(data, size)
            return
        self._count += 1
        if self._count % self._stride:
            return
        self._between.append(State(data, size))
        while len(self._between) > MOST_BETWEEN or self._is_large():
            # the numbers of those that stay are multiples of the new stride
            self._between = self._between[1::2]
            self._stride *= 2

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(state.size for state in (self._first, *self._between) if state is not None)

    def kept(self) -> list[dict[str, Any]]:
        """The first state and those between, oldest first; of equal ones behind each other one."""
        found: list[dict[str, Any]] = []
        for state in [self._first, *self._between]:
            if state is not None and (not found or found[-1] != state.data):
                found.append(state.data)
        return found

    def _is_large(self) -> bool:
        return bool(self._between) and sum(state.size for state in self._between) > _MOST_BYTES

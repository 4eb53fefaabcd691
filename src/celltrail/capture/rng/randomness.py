"""Which random numbers an execution used: the states of the generators around its body, compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from celltrail.capture import rng
from celltrail.capture.rng.seeds import kind, seeded_in
from celltrail.capture.session.past import Past
from celltrail.model import Json


def again(start: rng.States, namespace: Mapping[str, Any]) -> rng.States:
    """The states now, of the libraries' generators and of the variables that were generators at the start."""
    names = [library.partition(":")[2] for library in start if ":" in library]
    return {**rng.take(), **rng.take_named(names, namespace)}


def ends(start: rng.States, end: rng.States, put: Callable[[bytes], str]) -> dict[str, Json]:
    """The section ``rng_end``: each state at the end as a blob, or ``same``."""
    told: dict[str, Json] = {}
    for library, state in end.items():
        packed = rng.pack(library, state)
        is_same = library in start and rng.pack(library, start[library]) == packed
        told[library] = "same" if is_same else put(packed)
    return told


def randomness(start: rng.States, told: Mapping[str, Json], seeded: Collection[str]) -> dict[str, list[str]]:
    """The section ``randomness``: the generators that were ``moved``, and of those the ``unseeded``.

    A generator that came with an import during the execution is not among them: nobody saw where it began.

    Args:
        start: the states at the start.
        told: the section ``rng_end``.
        seeded: the kinds of generators that the code of the session gave a seed.
    """
    moved = sorted(library for library, end in told.items() if library in start and end != "same")
    return {"moved": moved, "unseeded": [library for library in moved if kind(library) not in seeded]}


class Seeded:
    """The kinds of generators that the code of a session gave a seed; each execution is looked at once.

    Args:
        since: the executions of the session but the first so many.
    """

    def __init__(self, since: Callable[[int], Sequence[Past]] = lambda _: ()) -> None:
        self._since = since
        self._taken = 0
        self._found: frozenset[str] = frozenset()

    def kinds(self) -> frozenset[str]:
        """Those so far."""
        for past in self._since(self._taken):
            self._taken = past.at + 1
            if past.source is not None:
                self._found |= seeded_in(past.source)
        return self._found

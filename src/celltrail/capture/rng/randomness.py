"""Which random numbers an execution used: the states of the generators around its body, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


def randomness(start: rng.States, told: Mapping[str, Json], history: Iterable[Past]) -> dict[str, list[str]]:
    """The section ``randomness``: the generators that were ``moved``, and of those the ``unseeded``.

    A generator that came with an import during the execution is not among them: nobody saw where it began.

    Args:
        start: the states at the start.
        told: the section ``rng_end``.
        history: the executions of the session, this one included.
    """
    moved = sorted(library for library, end in told.items() if library in start and end != "same")
    seeded = seeded_by(history) if moved else frozenset[str]()
    return {"moved": moved, "unseeded": [library for library in moved if kind(library) not in seeded]}


def seeded_by(history: Iterable[Past]) -> frozenset[str]:
    """The kinds of generators that the code of these executions gave a seed."""
    found: frozenset[str] = frozenset()
    for past in history:
        if "seeds" not in past.facts and past.source is not None:
            past.facts["seeds"] = seeded_in(past.source)
        found |= past.facts.get("seeds", frozenset())
    return found

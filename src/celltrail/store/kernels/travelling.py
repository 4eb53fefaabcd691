"""What of kernel sessions goes along with runs that leave their trail."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from celltrail.store import kernels


def folders(trail: Path, runs: Collection[str]) -> list[Path]:
    """The folders of the sessions in which these runs ran."""
    chosen = set(runs)
    found = kernels.folders(trail) if chosen else []
    return [each for each in found if any(one.run in chosen for one in kernels.session(each).executions)]


def blobs(sessions: Iterable[Path], needed: Collection[str]) -> set[str]:
    """The code of all executions of these sessions, and the states of generators of those that are needed."""
    found: set[str] = set()
    for folder in sessions:
        for each in kernels.session(folder).executions:
            found |= {each.code} if each.code else set[str]()
            found |= set(each.rng.values()) if each.id in needed else set[str]()
    return found

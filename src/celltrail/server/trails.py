"""The trails a server shows: those below its own root, and those that kernels and scripts of this user noted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from celltrail.errors import CelltrailError
from celltrail.store import Store, places
from celltrail.store import root as trail

_FRESH_S = 10.0  # how long what was found counts
_MISSED_S = 1.0  # the same where a trail is asked for that was not among it: it may have come to be since
_DEEPEST, _MOST_FOLDERS = 5, 5_000
_PASSED = frozenset(["node_modules", "site-packages", "__pycache__"])


class Trail(NamedTuple):
    """One trail in reach."""

    store: Store
    name: str  # of the folder it is in
    folder: str | None  # that folder, relative to the server's root with slashes; None where it is elsewhere


class Trails:
    """The trails in reach by id: a caller never names a path.

    Args:
        root: the folder the server serves.
        only: the folder of the one trail that is shown; None for all in reach.
    """

    def __init__(self, root: Path, only: Path | None = None) -> None:
        self._root, self._only = root.resolve(), only
        self._found: dict[str, Trail] = {}
        self._looked = -_FRESH_S
        self._lock = threading.Lock()

    def all(self, fresh_s: float = _FRESH_S) -> dict[str, Trail]:
        """All of them, looked for again after so many seconds; walks folders, so not on the server's own loop."""
        with self._lock:
            if time.monotonic() - self._looked >= fresh_s:
                self._found = self._look()
                self._looked = time.monotonic()
            return dict(self._found)

    def near(self, path: str) -> dict[str, Trail]:
        """All of them; looked for at once when one has come to be above this path, which is relative to the root."""
        known = self.all()
        return self.all(0.0 if any(found not in known for found in self._above(path)) else _FRESH_S)

    def _above(self, path: str) -> Iterator[str]:
        """The ids of the trails in the folders above a path that is below the root."""
        if self._only is not None or "\0" in path:
            return
        for folder in (self._root / path.lstrip("/")).resolve().parents:
            if not folder.is_relative_to(self._root):
                return
            with suppress(OSError, CelltrailError):
                if found := trail.trail_id(folder / trail.FOLDER):
                    yield found

    def store(self, trail_id: str) -> Store | None:
        """The store of a trail in reach."""
        found = self._found.get(trail_id) or self.all(_MISSED_S).get(trail_id)
        return None if found is None else found.store

    def _look(self) -> dict[str, Trail]:
        found: dict[str, Trail] = {}
        # a trail that was copied is there twice under one id: the one below the root is the one that is meant
        for trail_id, folder in self._places():
            if trail_id not in found:
                known = self._found.get(trail_id)
                store = known.store if known is not None and known.store.root == folder else Store(folder)
                found[trail_id] = Trail(store, folder.parent.name or "/", self._relative(folder.parent))
        return found

    def _places(self) -> Iterator[tuple[str, Path]]:
        if self._only is None:
            yield from _below(self._root)
            yield from places.noted()
        elif found := trail.trail_id(self._only):
            yield found, self._only

    def _relative(self, folder: Path) -> str | None:
        with suppress(ValueError):
            return folder.resolve().relative_to(self._root).as_posix()
        return None


def _below(root: Path) -> Iterator[tuple[str, Path]]:
    """The trails in a folder and the folders in it, the nearest first."""
    waiting, seen = [(root, 0)], 0
    for folder, depth in waiting:  # grows meanwhile
        seen += 1
        if seen > _MOST_FOLDERS:
            return
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    continue
                if entry.name == trail.FOLDER:
                    with suppress(OSError, CelltrailError):
                        if found := trail.trail_id(Path(entry.path)):
                            yield found, Path(entry.path)
                elif depth < _DEEPEST and entry.name not in _PASSED and not entry.name.startswith("."):
                    waiting.append((Path(entry.path), depth + 1))

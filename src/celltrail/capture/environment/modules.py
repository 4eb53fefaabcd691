"""The user's own modules: a run's code is its cell and the files beside the notebook that it imports.

Each is kept as it was when the run began, secrets taken out. A file that was edited after its import is marked:
then the text is not what ran.
"""

from __future__ import annotations

import itertools
import operator
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from celltrail.capture.environment.imported import mark
from celltrail.capture.files.places import is_data, is_within, placed, project, real
from celltrail.model import Json
from celltrail.store import Store
from celltrail.store.files.hashing import Stamp

MOST_KEPT = 200
_LARGEST = 1_000_000

Clean = Callable[[str], str]


@dataclass(slots=True)
class Modules:
    """What this process has imported from the user's own files, and how those looked when it was first seen."""

    _seen: dict[str, tuple[Any, Stamp]] = field(default_factory=dict)  # by name: its spec, which a reload replaces
    _kept: dict[tuple[str, str, Stamp], str] = field(default_factory=dict)  # by trail, path and stamp
    _places: tuple[Path, list[str]] = (Path(), [])  # the trail and the user's folders that `_others` is about
    _mark: tuple[int, str] = (0, "")  # of what was imported when `_mine` were the user's
    _mine: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)  # name, file and contents
    _others: dict[str, Any] = field(default_factory=dict)  # by name: modules that are not the user's

    def told(self, store: Store, folder: str, clean: Clean) -> list[dict[str, Json]]:
        """The records of all that are imported now, by name.

        Args:
            store: keeps the texts.
            folder: the working folder.
            clean: takes secrets out of a text.
        """
        around = project(store.root, folder)
        roots = [real(place) for place in (folder, around, sys.path[0] or folder) if len(place) > 1]
        found: list[dict[str, Json]] = []
        now = mark()
        if self._places != (store.root, roots) or self._mark != now:
            self._mine = sorted(self._own(store.root, roots), key=operator.itemgetter(0))
            self._mark = now
        for name, path, held in self._mine:
            told = self._told(name, path, held.get("__spec__"), store, around, clean)
            if told is not None:
                found.append(told)
            if len(found) >= MOST_KEPT:
                break
        return found

    def _own(self, trail: Path, roots: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Name, file and contents of the modules in these folders; of the many others each is asked about once."""
        if self._places != (trail, roots):
            self._places, self._others = (trail, roots), {}
        others, imported = self._others, sys.modules.copy()
        if others.keys() - imported.keys():
            others = self._others = {name: module for name, module in others.items() if name in imported}
        known = map(others.get, imported)
        for name, module in itertools.compress(imported.items(), map(operator.is_not, imported.values(), known)):
            # it may be anything that somebody put there: only what is plainly a module is looked at
            held: Any = getattr(module, "__dict__", None)
            facts: dict[str, Any] = held if type(held) is dict and name != "__main__" else {}
            path = facts.get("__file__")
            if type(path) is str and path.endswith(".py") and _is_own(os.path.realpath(path), trail, roots):
                yield name, os.path.abspath(path), facts
            else:
                others[name] = module

    def _told(self, name: str, path: str, spec: Any, store: Store, around: str, clean: Clean) -> dict[str, Json] | None:
        stamp = Stamp.of(path)
        if stamp is None or stamp.size > _LARGEST:
            return None
        first = self._seen.get(name)
        if first is None or first[0] is not spec:
            first = self._seen[name] = spec, _compiled_from(spec, stamp)
        base, place = placed(path, around)
        return {
            "name": name,
            "path": clean(place),
            "base": base,
            "code": self._code(path, stamp, store, clean),
            "changed": first[1] != stamp,
        }

    def _code(self, path: str, stamp: Stamp, store: Store, clean: Clean) -> str:
        key = (str(store.root), path, stamp)
        digest = self._kept.get(key)
        if digest is None or not store.blobs.touch(digest):
            with Path(path).open("rb") as file:
                text = file.read(_LARGEST + 1).decode("utf-8", "replace")
            digest = self._kept[key] = store.blobs.put(clean(text))
        return digest


def joined(before: list[dict[str, Json]], after: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The modules of a run: as they were when it began, and those it imported itself.

    >>> joined([{"name": "a", "code": "1"}], [{"name": "a", "code": "2"}, {"name": "b", "code": "3"}])
    [{'name': 'a', 'code': '1'}, {'name': 'b', 'code': '3'}]
    """
    known = {record["name"] for record in before}
    return [*before, *(record for record in after if record["name"] not in known)]


def _is_own(real: str, trail: Path, roots: list[str]) -> bool:
    return any(is_within(real, root) for root in roots) and is_data(real, trail)


def _compiled_from(spec: Any, now: Stamp) -> Stamp:
    """How the file looked when it was imported, by what its compiled form says; else how it looks now.

    Format of the header: https://peps.python.org/pep-0552/
    """
    cached = getattr(spec, "cached", None)
    if not isinstance(cached, str) or sys.dont_write_bytecode:
        return now
    try:
        with Path(cached).open("rb") as file:
            header = file.read(16)
    except OSError:
        return now
    number = partial(int.from_bytes, byteorder="little")
    if len(header) < 16 or number(header[4:8]) != 0:  # by digest of the source, not by its time
        return now
    changed, size = number(header[8:12]), number(header[12:16])
    if (changed, size) == (now.mtime_ns // 10**9 & 0xFFFFFFFF, now.size & 0xFFFFFFFF):
        return now
    return Stamp(size, changed * 10**9, -1, -1)

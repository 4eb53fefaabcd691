"""`Watched`: a finished run of this session, and what has changed of the things it depends on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from celltrail.capture.already.match import packages_changed
from celltrail.capture.environment.imported import is_among
from celltrail.capture.files.places import project
from celltrail.capture.files.standing import State, as_left, state_of
from celltrail.capture.session.past import Past
from celltrail.capture.stale import modules_of, of_file
from celltrail.capture.stale.holding import module_state
from celltrail.capture.tracked import Tracked
from celltrail.capture.values.fingerprint import Print
from celltrail.model import Json
from celltrail.query.files import File
from celltrail.query.standing import Reason
from celltrail.store import Store
from celltrail.store.files.hashing import Stamp

_MOST_FILES = 200
_MOST_BYTES = 50_000_000  # of a file that is read to see whether it is still the same


@dataclass(frozen=True, slots=True)
class Around:
    """The packages that are installed, and the top names of what is imported."""

    packages: Mapping[str, str]
    imported: frozenset[str]


@dataclass(slots=True)
class Watched:
    """A run and what it depends on."""

    run: str
    cell: str | None
    past: Past | None
    prints: Mapping[str, Print]  # of what it read, as it left it
    store: Store
    project: str
    files: list[Mapping[str, Json]]
    modules: list[Mapping[str, Json]]
    around: Around  # as it ended
    upstream: dict[str, Reason] = field(default_factory=dict)  # by name
    told: tuple[Reason, ...] = ()
    _seen: dict[str, tuple[Stamp | None, State]] = field(default_factory=dict)  # by path of a module

    @classmethod
    def of(cls, tracked: Tracked, around: Around) -> Watched:
        """The run of a cell that is over and written."""
        seen, left = (tracked.values.read, tracked.values.left) if tracked.values else ({}, {})
        store = tracked.run.store
        return cls(
            tracked.run.id,
            tracked.execution.cell_id,
            tracked.past,
            {name: left.get(name, found) for name, found in seen.items()},
            store,
            project(store.root, tracked.files.folder if tracked.files else os.getcwd()),
            [as_left(entry) for entry in (tracked.needs.get("files") or ())[:_MOST_FILES]],
            modules_of(tracked.needs)[:_MOST_FILES],
            around,
        )

    def reasons(self, installed: Mapping[str, str]) -> tuple[Reason, ...]:
        """Why it does not hold any more.

        Args:
            installed: the packages as they are now.
        """
        files = [each for entry in self.files for each in of_file("data", entry, self._file(entry))]
        modules = [each for entry in self.modules for each in of_file("module", entry, self._module(entry))]
        return (*self.upstream.values(), *files, *modules, *self._packages(installed))

    def _file(self, entry: Mapping[str, Json]) -> State:
        return state_of(entry, self.project, _MOST_BYTES)

    def _packages(self, installed: Mapping[str, str]) -> list[Reason]:
        then, names = self.around.packages, self.around.imported
        if then is installed or then == installed:  # of dozens of runs, after each cell
            return []
        changed = {each: then[each] for each in then if then[each] != installed.get(each) and is_among(each, names)}
        return [Reason("env", text) for text in packages_changed(changed, installed)]

    def _module(self, entry: Mapping[str, Json]) -> State:
        path = str(File.of(entry).resolve(self.project))
        stamp, known = Stamp.of(path), self._seen.get(path)
        if known is None or known[0] != stamp:
            known = self._seen[path] = stamp, module_state(self.store.blobs, self.project, entry)
        return known[1]

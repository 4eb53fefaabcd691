"""Which runs of this session no longer hold: what they read was changed, or a file they read.

Looked at in the background after each execution, by the prints of values and the stamps of files: a cell that was
run again and made the same makes nothing stale, and what was changed back is fresh again.
"""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from celltrail.capture.files.places import project
from celltrail.capture.files.standing import as_left, state_of
from celltrail.capture.notice import Notice
from celltrail.capture.session.executions import Session, names_of
from celltrail.capture.session.past import Past
from celltrail.capture.stale import Reason, of_file
from celltrail.capture.tracked import Tracked
from celltrail.capture.values.fingerprint import Budget, Print, fingerprint
from celltrail.capture.values.settings import settings_of
from celltrail.model import Json

_MOST_RUNS = 30  # the newest, of each cell the last
_MOST_FILES = 200
_MOST_BYTES = 50_000_000  # of a file that is read to see whether it is still the same
_SECONDS = 0.02


@dataclass(slots=True)
class _Watched:
    """A finished run, and what it depends on."""

    run: str
    past: Past | None
    prints: Mapping[str, Print]  # of what it read, as it left it
    files: list[Mapping[str, Json]]
    project: str
    upstream: dict[str, Reason] = field(default_factory=dict)  # by name
    told: tuple[Reason, ...] = ()


class Marks:
    """The runs of a session that can be found stale.

    Args:
        session: all its executions.
        shell: whose variables they are.
        notify: is told when the reasons of a run change.
    """

    def __init__(self, session: Session, shell: Any, notify: Callable[[Notice], object]) -> None:
        self._session, self._shell, self._notify = session, shell, notify
        self._fresh: deque[Tracked] = deque(maxlen=_MOST_RUNS)  # not written yet, so that not all is known of them
        self._runs: OrderedDict[str, _Watched] = OrderedDict()  # by cell, or by run where it has no id

    def add(self, tracked: Tracked) -> None:
        """A run is over."""
        if tracked.execution.status == "ok":
            self._fresh.append(tracked)

    def look(self, past: Past) -> None:
        """An execution is over: which runs does it make stale, and which fresh again."""
        settings_of(past)  # before the next cell asks for it
        for _ in range(len(self._fresh)):
            tracked = self._fresh.popleft()
            if tracked.written.is_set():
                self._take(tracked)
            else:
                self._fresh.append(tracked)
        names = past.names or (names_of(past.source) if past.source and self._runs else None)
        touched = names.writes | names.mutates | names.deletes if names else set[str]()
        for watched in self._runs.values():
            if watched.past is not past:
                self._of_names(watched, past, touched)
            self._tell(watched)

    def _take(self, tracked: Tracked) -> None:
        key = tracked.execution.cell_id or tracked.run.id
        seen, left = (tracked.values.read, tracked.values.left) if tracked.values else ({}, {})
        prints = {name: left.get(name, found) for name, found in seen.items()}
        files = [as_left(entry) for entry in (tracked.needs.get("files") or ())[:_MOST_FILES]]
        around = project(tracked.run.store.root, tracked.files.folder if tracked.files else os.getcwd())
        self._runs.pop(key, None)
        self._runs[key] = _Watched(tracked.run.id, tracked.past, prints, files, around)
        while len(self._runs) > _MOST_RUNS:
            self._runs.popitem(last=False)

    def _of_names(self, watched: _Watched, past: Past, touched: set[str]) -> None:
        budget, namespace = Budget(_SECONDS), self._shell.user_ns
        for name in touched & watched.prints.keys():
            before, count = watched.prints[name], len(self._session)
            now = fingerprint(namespace[name], budget) if name in namespace else None
            if len(self._session) != count or self._session.is_busy:
                continue  # the next cell may be changing it just now
            if now is None:
                watched.upstream[name] = Reason("upstream", f"{name} was deleted since{_by(past)}")
            elif "opaque" in (before.quality, now.quality) or now.digest == before.digest:
                watched.upstream.pop(name, None)
            else:
                watched.upstream.setdefault(name, Reason("upstream", f"{name} was changed since{_by(past)}"))

    def _tell(self, watched: _Watched) -> None:
        states = ((entry, state_of(entry, watched.project, _MOST_BYTES)) for entry in watched.files)
        data = [reason for entry, state in states for reason in of_file("data", entry, state)]
        reasons = (*watched.upstream.values(), *data)
        if reasons != watched.told:
            watched.told = reasons
            text = f"stale: {'; '.join(map(str, reasons))}" if reasons else ""
            self._notify(Notice("stale", "info", text, {"run": watched.run}))


def _by(past: Past) -> str:
    return f" by [{past.count}]" if past.count is not None else ""

"""Which runs of this session no longer hold: what they read was changed, a file, a module, a package.

Looked at in the background after each execution, by the prints of values and the stamps of files: a cell that was
run again and made the same makes nothing stale, and what was changed back is fresh again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from celltrail.capture.environment import packages
from celltrail.capture.environment.imported import imported
from celltrail.capture.notice import Notice
from celltrail.capture.session.executions import Session, names_of
from celltrail.capture.session.past import Past
from celltrail.capture.stale.watched import Around, Watched
from celltrail.capture.tracked import Tracked
from celltrail.capture.values.fingerprint import Budget, fingerprint
from celltrail.capture.values.settings import settings_of
from celltrail.query.standing import Reason

_MOST_RUNS = 30  # the newest, of each cell the last
_SECONDS = 0.02


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
        self._around = Around({}, frozenset())
        self._runs: OrderedDict[str, Watched] = OrderedDict()  # by cell, or by run where it has no id

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
        installed = packages()
        touched = names.writes | names.mutates | names.deletes if names else set[str]()
        for watched in self._runs.values():
            if watched.past is not past:
                self._of_names(watched, past, touched)
            self._say(watched, watched.reasons(installed))

    def _take(self, tracked: Tracked) -> None:
        key = tracked.execution.cell_id or tracked.run.id
        if before := self._runs.pop(key, None):
            self._say(before, ())  # its cell has another run now
        self._runs[key] = Watched.of(tracked, self._look_around())
        while len(self._runs) > _MOST_RUNS:
            self._runs.popitem(last=False)

    def _look_around(self) -> Around:
        """Packages as they are now; the same object as long as nothing changes, for each run keeps one."""
        now = Around(packages(), frozenset(imported()))
        if now != self._around:
            self._around = now
        return self._around

    def _of_names(self, watched: Watched, past: Past, touched: set[str]) -> None:
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

    def _say(self, watched: Watched, reasons: tuple[Reason, ...]) -> None:
        if reasons != watched.told:
            watched.told = reasons
            text = f"stale: {'; '.join(map(str, reasons))}" if reasons else ""
            self._notify(Notice("stale", "info", text, {"run": watched.run, "cell": watched.cell}))


def _by(past: Past) -> str:
    return f" by [{past.count}]" if past.count is not None else ""

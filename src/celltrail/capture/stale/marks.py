"""Which runs of this session no longer hold: what they read was changed, a file, a module, a package.

Looked at in the background after each execution, by the prints of values and the stamps of files: a cell that was
run again and made the same makes nothing stale, and what was changed back is fresh again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any

from celltrail.capture.environment import packages
from celltrail.capture.environment.imported import imported
from celltrail.capture.notice import Notice
from celltrail.capture.session.executions import Session, names_of
from celltrail.capture.session.past import Past
from celltrail.capture.stale.holding import holds
from celltrail.capture.stale.watched import Around, Watched
from celltrail.capture.tracked import Tracked
from celltrail.capture.values.fingerprint import Budget, Print, fingerprint
from celltrail.capture.values.settings import settings_of
from celltrail.query import StoredRun
from celltrail.query.standing import Reason, Staleness

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
        self._left: dict[str, Mapping[str, Print]] = {}  # by execution: what a run that is over has left
        self._around = Around({}, frozenset())
        self._runs: OrderedDict[str, Watched] = OrderedDict()  # by cell, or by run where it has no id

    def standing(self, run: StoredRun) -> Staleness:
        """Whether a run holds, also by what this kernel knows: the values of its variables."""
        found = holds(run)
        here = next((watched.upstream for watched in list(self._runs.values()) if watched.run == run.id), {})
        reasons = tuple(dict.fromkeys((*here.values(), *found.reasons)))
        return Staleness("stale", reasons) if reasons else found

    def add(self, tracked: Tracked) -> None:
        """A run is over."""
        if tracked.past is not None and tracked.values is not None:
            self._left = {**dict(list(self._left.items())[-_MOST_RUNS:]), tracked.past.id: tracked.values.left}
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
        others = [watched for watched in self._runs.values() if watched.past is not past]
        wanted = touched & {name for watched in others for name in watched.prints}
        left = self._left.pop(past.id, {})
        seen = {name: left[name] for name in wanted & left.keys() if left[name].quality != "opaque"}
        now = {**self._prints(wanted - seen.keys()), **seen}
        for watched in others:
            _compare(watched, past, now)
        for watched in self._runs.values():
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
        installed, names = packages(), frozenset(imported())
        if installed is not self._around.packages or names != self._around.imported:
            self._around = Around(installed, names)
        return self._around

    def _prints(self, names: set[str]) -> dict[str, Print | None]:
        """What these names stand for now, None for one that is gone; one look for all the runs that read it."""
        found: dict[str, Print | None] = {}
        namespace = self._shell.user_ns
        for name in names:
            count = len(self._session)
            now = fingerprint(namespace[name], Budget(_SECONDS)) if name in namespace else None
            if len(self._session) == count and not self._session.is_busy:  # else the next cell may be changing it
                found[name] = now
        return found

    def _say(self, watched: Watched, reasons: tuple[Reason, ...]) -> None:
        if reasons != watched.told:
            watched.told = reasons
            text = f"stale: {'; '.join(map(str, reasons))}" if reasons else ""
            self._notify(Notice("stale", "info", text, {"run": watched.run, "cell": watched.cell}))


def _compare(watched: Watched, past: Past, now: Mapping[str, Print | None]) -> None:
    """What the execution made of what a run had read."""
    for name in watched.prints.keys() & now.keys():
        before, present = watched.prints[name], now[name]
        if present is None:
            watched.upstream[name] = Reason("upstream", f"{name} has been deleted{_by(past)}")
        elif "opaque" in (before.quality, present.quality) or present.digest == before.digest:
            watched.upstream.pop(name, None)
        else:
            watched.upstream.setdefault(name, Reason("upstream", f"{name} has been changed{_by(past)}"))


def _by(past: Past) -> str:
    return f" by [{past.count}]" if past.count is not None else ""

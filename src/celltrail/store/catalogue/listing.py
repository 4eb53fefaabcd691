"""The runs of a trail, found and kept up in the index without reading again what has not changed.

New runs change the folder they are in; only runs that still go on are looked at each time; what people say of
finished ones is announced by the table ``touched`` of ``actors/``. What neither tells (a file changed by hand,
a copy that lacks its ``actors/``) is found in passing, a few runs with each question, and once a day for all.
"""

from __future__ import annotations

import functools
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from celltrail.errors import NoRun
from celltrail.model import RunRecord
from celltrail.store.blobs import Blobs
from celltrail.store.catalogue import bulk
from celltrail.store.catalogue.facts import Key
from celltrail.store.catalogue.seen import Seen, seen_of
from celltrail.store.docs import actors
from celltrail.store.files import alive
from celltrail.store.files.network import is_network, retried
from celltrail.store.folders import groups, ids_in
from celltrail.store.index import Index, Look, columns, reading
from celltrail.store.index.beside import beside
from celltrail.store.index.database import Session
from celltrail.store.index.look import newest_first
from celltrail.store.index.rows import Rows
from celltrail.store.index.schema import SWEPT
from celltrail.store.runs import RunFiles

_RACY_NS = 2_000_000_000  # a folder changed within this time may change again and keep its time stamp
_AT_ONCE = 300  # new runs in one transaction: other processes wait no longer than that
WORTH_CATALOGUE = 256  # new runs: fewer are read from their own files as fast
_IN_PASSING = 100  # finished runs looked at with each question; a millisecond
_SWEEP_AT_ONCE = 500
_SWEEP_REST_S = 0.05
_DAY_S = 86_400
_ACTORS = "actors/"
_SWEEPING = "sweeping"  # when the sweep of today began, and behind which run it stands; all processes share it

_dice = random.Random()  # a generator of its own: that of the module is the user's
_T = TypeVar("_T")


class Listing:
    """What the index of this trail knows, brought up to date with each question."""

    def __init__(self, trail_id: str, root: Path, blobs: Blobs) -> None:
        self.trail = trail_id
        self._root = root
        self._runs = str(root / "runs")
        self._blobs = blobs
        self._index = Index(trail_id, root)
        self._marked: set[str] = set()
        self._sweeper: threading.Thread | None = None
        self._in_passing = 0 if is_network(root) else _IN_PASSING  # each look there is a question to the server

    def records(self) -> list[RunRecord]:
        """Every run as it is now, newest first."""

        def all_of(look: Look) -> list[RunRecord]:
            ids = newest_first(look)
            found = look.records(ids)
            return [found[run_id] for run_id in ids]

        return self.look((), all_of)

    def record(self, run_id: str) -> RunRecord:
        """One run as it is now."""
        return self._index.work(lambda session: self._one(session, run_id))

    def look(self, keys: Iterable[Key], answer: Callable[[Look], _T]) -> _T:
        """What ``answer`` makes of the runs as they are now; these facts are columns of its `Look`.

        It may be called again when the index failed, and must not ask the store meanwhile.
        """
        wanted = list(dict.fromkeys(keys))
        return self._index.work(lambda session: self._answer(session, wanted, answer))

    def fetch(self, run_ids: Sequence[str]) -> dict[str, RunRecord]:
        """These runs as the last question found them; one that is gone is missing."""
        return self.known(run_ids, lambda look: look.records(run_ids))

    def known(self, run_ids: Sequence[str], answer: Callable[[Look], _T]) -> _T:
        """What ``answer`` makes of these runs as the last question found them; it may be called again."""

        def ask(session: Session) -> tuple[bool, _T]:
            with session.reading() as db:
                look = Look(db, {}, session.kept)
                return look.count(run_ids) == len(run_ids), answer(look)

        is_whole, found = self._index.work(ask)
        # the index may have been begun anew
        return found if is_whole else self.look((), answer)

    def again(self, keys: Iterable[Key], answer: Callable[[Look], _T]) -> _T | None:
        """As `look`, of the runs as the last question found them; None where one of these facts is no column yet."""
        wanted = list(dict.fromkeys(keys))

        def ask(session: Session) -> _T | None:
            with session.reading() as db:
                found = columns.ready(db, wanted)
                return None if found is None else answer(Look(db, found, session.kept))

        return self._index.work(ask)

    def work(self, task: Callable[[Session], _T]) -> _T:
        """Do something with the tables of the index, brought up to date; again when the index failed."""
        self.look((), lambda look: None)
        return self._index.work(task)

    def mark(self, run_ids: Iterable[str]) -> None:
        """Say that this process changed these runs: the next question looks at them."""
        self._marked.update(run_ids)

    def sweep(self) -> None:
        """Look at every run, also at those that announced no change; at none that another sweep has passed before."""
        after: int | None = 0
        while after is not None:
            after = self._index.work(functools.partial(self._sweep, after=after))

    def forget(self) -> None:
        """Empty the index, also for other processes: the next question reads everything from the files."""
        self._index.work(Session.forget)

    # answering

    def _answer(self, session: Session, keys: Sequence[Key], answer: Callable[[Look], _T]) -> _T:
        self._refresh(session, keys)
        columns.use(session, keys)
        while True:
            with session.reading() as db:
                found = columns.ready(db, keys)
                if found is not None:
                    return answer(Look(db, found, session.kept))
            columns.promote(session, keys)

    def _one(self, session: Session, run_id: str) -> RunRecord:
        old = _stored(session, run_id)
        try:
            new = self._files(run_id).refresh(old)
        except OSError as error:
            told = f"run {run_id!r} in {self._root.name} has no run.json (yet); ct.runs() lists the others"
            raise NoRun(told) from error
        if new is not old:
            self._take_in(session, [], {run_id: new})
        return new.record

    # keeping up

    def _refresh(self, session: Session, keys: Sequence[Key]) -> None:
        session.recall()
        marked, self._marked = self._marked, set()
        changed_groups, new = self._differing(session)
        if len(new) >= WORTH_CATALOGUE:
            columns.promote(session, keys)  # and so filled while the documents are at hand
            if not self._index.was_damaged:  # perhaps by what a segment said: the files themselves cannot be wrong
                bulk.take_catalogued(session, self._root, self._blobs, new)
            bulk.take_documents(session, self._root, new)
        changed: dict[str, Seen | None] = dict.fromkeys(marked)
        changed |= self._passed(session) | self._watched(session)
        followed = self._announced(session, changed)
        if changed_groups or changed or followed:
            self._take_in(session, changed_groups, changed, followed)
        self._sweep_daily(session)

    def _changed_groups(self, session: Session) -> list[str]:
        """The folders of runs that may have gained or lost some since they were last read."""
        seen, now, present = session.folders, time.time_ns(), groups(self._runs)
        changed = [
            group
            for group, changed_ns in present.items()
            if seen.get(group) != str(changed_ns) or abs(now - changed_ns) < _RACY_NS
        ]
        return changed + [path for path in seen if len(path) == 2 and path not in present]

    def _differing(self, session: Session) -> tuple[list[str], set[str]]:
        """The folders that hold other runs than the index knows, or can now be trusted not to change unseen.

        And the runs that the index does not know.
        """
        chosen: list[str] = []
        new: set[str] = set()
        for group in self._changed_groups(session):
            stamp, more, gone = self._compared(session, group)
            new |= more
            if stamp or more or gone:
                chosen.append(group)
        return chosen, new

    @retried
    def _compared(self, session: Session, group: str) -> tuple[str, set[str], set[str]]:
        """The folder's stamp, which runs of it are new, and which are gone."""
        try:
            # taken before the folder is read: what changes meanwhile changes it again
            stamp = _stamp(os.stat(f"{self._runs}/{group}"), time.time_ns())
        except FileNotFoundError:
            stamp = ""
        present = set(ids_in(self._runs, group))
        ask = "select id from run where substr(id, -2) = ?"
        known = {run_id for (run_id,) in session.db.execute(ask, (group,))}
        return stamp, present - known, known - present

    def _watched(self, session: Session) -> dict[str, Seen | None]:
        """The runs that go on, as they are now, where that is not what the index has."""
        turns = dict(session.db.execute("select id, turn from run where watch"))
        for run_id in session.watched.keys() - turns.keys():
            del session.watched[run_id]
        changed: dict[str, Seen | None] = {}
        for run_id, turn in turns.items():
            known = session.watched.get(run_id)
            if known is None or known[0] != turn:
                known = session.watched[run_id] = turn, _stored(session, run_id)
            try:
                new = self._files(run_id).refresh(known[1])
            except OSError:
                new = None  # removed, or its document is gone and its log too young to speak for it
            if new is not known[1]:
                changed[run_id] = new
        return changed

    def _announced(self, session: Session, changed: dict[str, Seen | None]) -> dict[str, str]:
        """Adds the runs that some actor says were edited; how far each actor was followed, where that is new."""
        try:
            stamp = _stamp((self._root / "actors").stat(), time.time_ns())
        except OSError:
            return {}
        if stamp and session.folders.get(_ACTORS) == stamp:
            return {}
        marks: dict[str, actors.Mark] = {}
        for path, state in session.folders.items():
            if path.startswith(_ACTORS) and path != _ACTORS:
                seen, _, at = state.partition("@")
                marks[path.removeprefix(_ACTORS)] = actors.Mark(seen, int(at))
        found, now = actors.touched(self._root, marks)
        if found is None:  # more than an actor can list
            found = set(self._changed_of(_after(session, 0, -1)))
        for run_id in found:
            changed.setdefault(run_id, None)
        states = {
            f"{_ACTORS}{name}": f"{mark.stamp}@{mark.at}" for name, mark in now.items() if marks.get(name) != mark
        }
        return states | ({_ACTORS: stamp} if stamp else {})

    def _passed(self, session: Session) -> dict[str, Seen | None]:
        """A few of the runs that do not go on, others with each question: those whose files changed."""
        rows = _after(session, session.passed, self._in_passing)
        session.passed = rows[-1][0] if len(rows) == self._in_passing and rows else 0
        return dict.fromkeys(self._changed_of(rows))

    def _changed_of(self, rows: Iterable[tuple[int, str, str]]) -> list[str]:
        """Those of these runs whose document or edits are not as they were."""
        return [run_id for _, run_id, stamp in rows if self._files(run_id).stamp() != stamp]

    def _take_in(
        self,
        session: Session,
        folders: list[str],
        changed: dict[str, Seen | None],
        followed: Mapping[str, str] | None = None,
    ) -> None:
        """Write what changed. Files are looked at again inside of the transaction: who writes last has looked last."""
        _dice.shuffle(folders)  # another process may be at it too
        while folders or changed or followed:
            states: dict[str, str] = {}
            with session.writing() as rows:
                taken = 0
                while folders and taken < _AT_ONCE:
                    taken += self._take_group(session, rows, folders.pop(), states)
                while changed and taken < _AT_ONCE:
                    run_id, seen = changed.popitem()
                    taken += 1
                    if not self._take_run(rows, run_id, seen or _stored(session, run_id)):
                        rows.remove(run_id)
                        states[run_id[-2:]] = ""
                if followed and not changed:  # what was announced counts as heard once it is written
                    states |= followed
                    followed = None
                session.db.executemany("insert or replace into file values (?, ?)", states.items())
            session.folders |= states

    def _take_group(self, session: Session, rows: Rows, group: str, states: dict[str, str]) -> int:
        stamp, new, gone = self._compared(session, group)
        for run_id in gone:
            rows.remove(run_id)
        pending = [run_id for run_id in new if not self._take_run(rows, run_id, None)]
        # a run whose document is not there yet does not change the folder when it comes
        states[group] = "" if pending else stamp
        return len(new) + len(gone)

    def _take_run(self, rows: Rows, run_id: str, old: Seen | None) -> bool:
        """Write one run; whether there is one."""
        try:
            seen = self._files(run_id).refresh(old)
        except OSError:
            return False
        rows.put(seen, _may_change(seen))
        return True

    # sweeping

    def _sweep_daily(self, session: Session) -> None:
        if self._sweeper is not None and self._sweeper.is_alive():
            return
        if time.time() - float(session.folders.get(SWEPT, 0)) < _DAY_S:
            return
        if len(_after(session, 0, _SWEEP_AT_ONCE)) < _SWEEP_AT_ONCE:
            return  # few enough to be seen in passing
        self._sweeper = beside(self._sweep_slowly, "celltrail-sweep")

    def _sweep_slowly(self) -> None:
        """Beside the user's work: nobody waits for more than one of these steps."""
        while self._index.work(self._sweep_on):
            time.sleep(_SWEEP_REST_S)

    def _sweep_on(self, session: Session) -> bool:
        """A step of the sweep of today, from where it stands, in whatever process that was; whether more is left."""
        asked = "select path, seen from file where path in (?, ?)"
        states, now = dict(session.db.execute(asked, (SWEPT, _SWEEPING))), time.time()
        if now - float(states.get(SWEPT, 0)) < _DAY_S:
            session.folders |= states
            return False
        began, _, after = states.get(_SWEEPING, "").partition("@")
        if not after or now - float(began) > _DAY_S:
            began, after = str(now), "0"
        rows = _after(session, int(after), _SWEEP_AT_ONCE)
        is_done = len(rows) < _SWEEP_AT_ONCE
        reached = {SWEPT: began, _SWEEPING: ""} if is_done else {_SWEEPING: f"{began}@{rows[-1][0]}"}
        self._take_in(session, [], dict.fromkeys(self._changed_of(rows)), reached)
        return not is_done

    def _sweep(self, session: Session, after: int) -> int | None:
        """Look at some runs, from one on; the last of them, or None when there are no more."""
        rows = _after(session, after, _SWEEP_AT_ONCE)
        is_done = len(rows) < _SWEEP_AT_ONCE
        self._take_in(
            session, [], dict.fromkeys(self._changed_of(rows)), {SWEPT: str(time.time())} if is_done else None
        )
        return None if is_done else rows[-1][0]

    def _files(self, run_id: str) -> RunFiles:
        return RunFiles(f"{self._runs}/{run_id[-2:]}/{run_id}", self._blobs)


def _stamp(about: os.stat_result, now_ns: int) -> str:
    """Changes whenever a folder gains or loses an entry; empty when one just now could be missed."""
    is_fresh = abs(now_ns - about.st_mtime_ns) < _RACY_NS
    return "" if is_fresh else str(about.st_mtime_ns)


def _stored(session: Session, run_id: str) -> Seen | None:
    rows = reading.whole(session.db, "where run.id = ?", (run_id,))
    return seen_of(*rows[0][-2:]) if rows else None


def _after(session: Session, rid: int, count: int) -> list[Any]:
    """So many of the runs that are not watched, from one on."""
    ask = "select rid, id, stamp from run where rid > ? and not watch order by rid limit ?"
    return session.db.execute(ask, (rid, count)).fetchall()


def _may_change(seen: Seen) -> bool:
    """Whether to look at the run with every question."""
    if not seen.stamp or seen.waiting:
        return True
    if seen.ended:
        return seen.open
    if seen.record.is_running:
        return True
    # silent for now: a process of another machine may be heard of again
    is_recent = time.time() - seen.t_us / 1e6 < _DAY_S
    return seen.end is None and is_recent and (seen.owner is None or alive.is_alive(seen.owner) is None)

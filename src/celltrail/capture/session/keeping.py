"""Brings the executions of a session into a trail, on the session's own thread.

Nothing is written before the session has a run in the trail; then what came before it is written too. Two events an
execution, the code and the random states as blobs; never an output, never anything of a `%%scratch`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from celltrail.capture.session.past import Past
from celltrail.errors import StoreError
from celltrail.model import Json
from celltrail.store import Store
from celltrail.store.files import disk
from celltrail.store.kernels import BEGAN, ENDED
from celltrail.store.kernels.writing import SessionLog

_SYNC_S = 2.0
_RETRY_S = 1.0
_MOST_TOLD = 20_000
MOST_LOG = 64 << 20  # bytes of the log of one session
MOST_BLOBS = 256 << 20  # bytes of code and of random states that one session brings


class Keeping:
    """What of one session is in a trail.

    Args:
        session: its id.
        started_us: when it began.
        clean: takes secrets out of text.
        notebook: the notebook, relative to the folder given.
    """

    def __init__(
        self, session: str, started_us: int, clean: Callable[[str], str], notebook: Callable[[Path], str | None]
    ) -> None:
        self._session, self._started_us = session, started_us
        self._clean, self._notebook = clean, notebook
        self._store: Store | None = None
        self._log: SessionLog | None = None
        self._told: dict[Path, dict[str, str]] = {}  # by trail: the last event of each execution
        self._spent = 0
        self._synced = self._failed = 0.0
        self._is_behind = self._is_dirty = False
        self._unsynced = disk.Unsynced(self._soil)

    @property
    def is_attached(self) -> bool:
        """Whether there is a trail to bring executions to."""
        return self._store is not None

    @property
    def is_dirty(self) -> bool:
        """Whether something was written that the platter may not have yet."""
        return self._is_dirty

    def _soil(self) -> None:
        self._is_dirty = True

    def attach(self, trail: Path, executions: Iterable[Past], states: dict[str, bytes]) -> None:
        """From now on executions are kept in this trail, and those so far too."""
        self._let_go_of_what_is_lost()
        if self._store is None or self._store.root != trail:
            self._close("running")
            self._store, self._failed, self._is_behind = Store(trail), 0.0, True
            self.keep(executions, states)

    def keep(self, executions: Iterable[Past], states: dict[str, bytes], newest: Past | None = None) -> None:
        """Write what is not written of the newest execution; of all of them after a failure.

        Raises `StoreError` or `OSError` when the disk fails; it is tried again with a later execution.

        Args:
            executions: all that are at hand.
            states: packed states of generators by digest; those that were put are taken out.
            newest: the one that there is something new of.
        """
        self._let_go_of_what_is_lost()
        store = self._store
        if store is None or (self._is_behind and time.monotonic() - self._failed < _RETRY_S):
            return
        if not store.settings["sessions.kept"]:
            for past in executions if self._is_behind or newest is None else (newest,):
                past.is_kept = False
            return
        todo = executions if self._is_behind or newest is None else (newest,)
        try:
            with self._unsynced.writing():
                for past in todo:
                    if past.is_kept and past.code:  # else it is not described yet, and comes by itself
                        self._write(store, past, states)
            self._is_behind = False
            self._forget(store.root, executions)
        except (OSError, StoreError):
            self._is_behind, self._failed = True, time.monotonic()
            raise

    def sync(self, *, now: bool = False) -> None:
        """Bring what was written to the platter, now and then."""
        if not self._is_dirty or not (now or time.monotonic() - self._synced >= _SYNC_S):
            return
        self._synced, self._is_dirty = time.monotonic(), False
        self._unsynced.sync()
        if self._log is not None:
            self._log.sync()

    def close(self, executions: Iterable[Past], states: dict[str, bytes]) -> None:
        """The session is over: what could not be written is tried once more."""
        if self._is_behind:
            self._failed = 0.0
            self.keep(executions, states)
        self.sync(now=True)
        self._close("finished")
        self._store = None

    def _let_go_of_what_is_lost(self) -> None:
        # somebody deleted or moved the trail: it must not come back by itself, but with the next run
        if self._store is not None and self._log is not None and self._log.is_lost:
            self._close("killed")
            self._told.pop(self._store.root, None)
            self._store = None

    def _close(self, status: str) -> None:
        log, self._log = self._log, None
        if log is not None:
            with suppress(OSError):  # a disk that fails has been told of
                log.close(status)

    def _write(self, store: Store, past: Past, states: dict[str, bytes]) -> None:
        told = self._told.setdefault(store.root, {})
        if past.id not in told:
            log = self._log = self._log or SessionLog(store.root, self._session, self._started_us)
            if log.size > MOST_LOG:
                return
            log.event(BEGAN, **self._beginning(store, past, states))
            told[past.id] = BEGAN
            self._soil()
        if told[past.id] == BEGAN and past.ended_us is not None and self._log is not None:
            arrived = {"rng": kept} if (kept := self._kept(store, past.arrived, states)) else {}
            self._log.event(
                ENDED, id=past.id, status=past.status, ended=past.ended_us, error=past.error, names=_names(past),
                **arrived,
            )  # fmt: skip
            told[past.id] = ENDED
            self._soil()

    def _forget(self, trail: Path, executions: Iterable[Past]) -> None:
        told = self._told.get(trail, {})
        if len(told) > _MOST_TOLD:
            self._told[trail] = {past.id: told[past.id] for past in executions if past.id in told}

    def _beginning(self, store: Store, past: Past, states: dict[str, bytes]) -> dict[str, Json]:
        code = "" if past.source is None else self._put(store, self._clean(past.source))
        past.code = code or past.code
        return {
            "id": past.id,
            "n": past.count,
            "cell": past.cell_id,
            "notebook": self._notebook(store.root.parent),
            "nested": past.kind == "nested",
            "started": past.started_us,
            "code": code,
            "run": past.run,
            "rng": self._kept(store, past.rng, states),
        }

    def _kept(self, store: Store, told: dict[str, str], states: dict[str, bytes]) -> dict[str, Json]:
        """Of these states the ones that are in the trail now."""
        kept: dict[str, Json] = {}
        for library, digest in told.items():
            packed = states.get(digest)
            if digest in store.blobs or (packed is not None and self._put(store, packed)):
                kept[library] = digest
                states.pop(digest, None)
        return kept

    def _put(self, store: Store, data: bytes | str) -> str:
        if self._spent + len(data) > MOST_BLOBS:
            return ""
        digest = store.blobs.put(data)
        self._spent += len(data)
        return digest


def _names(past: Past) -> dict[str, Json]:
    names = past.names
    if names is None:
        return {}
    parts = {"reads": names.reads, "writes": names.writes, "mutates": names.mutates, "deletes": names.deletes}
    return {part: sorted(found) for part, found in parts.items()}

"""Processes that multiprocessing, joblib or a fork made: they log to the run that the process which made them is in.

A worker is handed the run, as an argument or in a closure, or it asks which one that is; either way it has a log of its
own. Workers live on from one cell to the next, so they ask each time: what is over is let go of.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from celltrail.errors import CelltrailError
from celltrail.run.keeper import keeper
from celltrail.run.recording import Run, here
from celltrail.store import Store
from celltrail.store.files import alive, forks
from celltrail.store.log.ranks import rank_here
from celltrail.store.present import Teller

_RANK = {"RANK", "WORLD_SIZE", "MASTER_PORT"}  # what each rank of a launcher is told


class _Workers:
    """What this process knows, where it is a worker."""

    def __init__(self, forked_from: int | None = None) -> None:
        self.forked_from = forked_from
        self.handed: list[Run] = []  # runs of other processes that this one writes too
        self.lock = threading.RLock()
        self._teller: Teller | None = None
        self._is_at_end = False

    def teller(self) -> Teller | None:
        """The process that made this one, where it is a worker or was forked."""
        made_by = _parent() or self.forked_from
        if made_by is not None and self._teller is None:
            self._teller = Teller(alive.process(made_by))
        return self._teller if made_by is not None else None

    def let_go(self) -> None:
        """End the logs that this process has of the runs of others."""
        while self.handed:
            run = self.handed.pop()
            here.pop(run.id, None)  # it may come again, as the one around another: then with a new log
            run.finish()

    def end_with_process(self) -> None:
        """Let go as this process ends."""
        if not self._is_at_end:
            self._is_at_end = True
            forks.at_end(self.let_go)


_workers = _Workers()


def joined() -> Run | None:
    """Of a worker or a fork the run that the process which made it is in; None where that is in none, and elsewhere.

    ``CELLTRAIL_RUN_ID`` names another one: see `celltrail.run.joining`.
    """
    teller = None if os.environ.get("CELLTRAIL_RUN_ID") else _workers.teller()
    if teller is None:
        return None
    told = teller.told()
    if told is None:
        let_go()
        return None
    try:
        run = handed(*told)
    except CelltrailError:  # it ended just now
        return None
    return run if run.is_running else None


def handed(root: Path, run_id: str) -> Run:
    """The run that another process handed to this one: itself where it is of this process, else a log more of it."""
    with _workers.lock:
        found = here.get(run_id)
        if found is None:
            _workers.let_go()  # what came before is over: a worker lives on for the next run
            store = Store(root)
            found = Run(store, store.record(run_id), rank_here(), joins=True)
            found.at_end(keeper.add(found))
            _workers.handed.append(found)
            _workers.end_with_process()
        return found


def let_go() -> None:
    """End the logs that this process has of the runs of others."""
    with _workers.lock:
        _workers.let_go()


def is_worker() -> bool:
    """Whether multiprocessing, or joblib by its means, made this process."""
    return _parent() is not None


def is_rank() -> bool:
    """Whether a launcher such as ``notebook_launcher`` made it by these means, as one of several ranks."""
    return is_worker() and os.environ.keys() >= _RANK


def _parent() -> int | None:
    process = sys.modules.get("multiprocessing.process")
    made_by = process.parent_process() if process is not None else None
    return made_by.pid if made_by is not None else None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _workers.__init__(os.getppid()))

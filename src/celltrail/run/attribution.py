"""Which run the code at hand belongs to."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import ContextVar

from celltrail.run.recording import Run
from celltrail.run.workers import joined
from celltrail.store import present

open_runs: list[Run] = []  # unfinished runs of this process, oldest first
_of_main: list[Run] = []  # those that the main thread began
_current: ContextVar[Run | None] = ContextVar("celltrail_run", default=None)
_carried: ContextVar[Run | None] = ContextVar("celltrail_carried_run", default=None)  # by a thread, maybe finished
around: Callable[[], Run | None] = _current.get  # of the code at hand; no function of Python, for every `open` asks


def current() -> Run | None:
    """The run this code belongs to, or None.

    That is the run of the cell or ``with`` block; outside of both, the newest one begun by a bare
    ``ct.start()`` and not finished yet. In a worker of multiprocessing or joblib it is the run that its parent
    process is in.

    >>> import celltrail as ct
    >>> with ct.start("demo") as run:
    ...     ct.current() is run
    True
    >>> ct.current() is None
    True
    """
    run = _current.get()
    if run is not None and run.is_open:
        return run
    return _carried.get() or (open_runs[-1] if open_runs else joined())


def current_block() -> Run | None:
    """The run of the ``with`` block or cell that this code is in, or None."""
    run = _current.get()
    return run if run is not None and run.is_running and run.is_block else None


def attributed() -> Run | None:
    """The run that this code belongs to: of the ``with`` block or cell around it, or the one its thread carries."""
    return around() or _carried.get()  # whether it still runs is for the caller


def set_current(run: Run | None) -> None:
    """Make this the run of the code that follows in this context; runs begun there become its children."""
    if run is not None:
        run.is_block = True
    _current.set(run)


def carry(run: Run | None) -> None:
    """Make this the run that the code of this thread logs to, even once it has finished: see `Run.outlive`."""
    _carried.set(run)


def enter(run: Run) -> Callable[[], None]:
    """Make a new run the current one; call what comes back once it has ended: the one before is it again."""
    before = _current.get()
    _current.set(run)
    open_runs.append(run)
    if threading.current_thread() is threading.main_thread():
        _of_main.append(run)
    _tell_workers()

    def leave() -> None:
        for runs in (open_runs, _of_main):
            if run in runs:
                runs.remove(run)
        _tell_workers()
        if _current.get() is run:
            _current.set(before)

    return leave


def _tell_workers() -> None:
    """What workers of this process join: of runs that several threads began, the newest of the main one."""
    run = _of_main[-1] if _of_main else open_runs[0] if len(open_runs) == 1 else None
    present.tell(present.Told(run.store.root, run.id) if run is not None else None)


def _forget_parents_runs() -> None:
    open_runs.clear()
    _of_main.clear()
    _current.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents_runs)

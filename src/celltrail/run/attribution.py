"""Which run the code at hand belongs to."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar

from celltrail.run.recording import Run

open_runs: list[Run] = []  # unfinished runs of this process, oldest first
_current: ContextVar[Run | None] = ContextVar("celltrail_run", default=None)
_carried: ContextVar[Run | None] = ContextVar("celltrail_carried_run", default=None)  # by a thread, maybe finished


def current() -> Run | None:
    """The run this code belongs to, or None.

    That is the run of the cell or ``with`` block; outside of both, the newest one begun by a bare
    ``ct.start()`` and not finished yet.
    """
    run = _current.get()
    if run is not None and run.is_running:
        return run
    return _carried.get() or (open_runs[-1] if open_runs else None)


def current_block() -> Run | None:
    """The run of the ``with`` block or cell that this code is in, or None."""
    run = _current.get()
    return run if run is not None and run.is_running and run.is_block else None


def attributed() -> Run | None:
    """The run that this code belongs to: of the ``with`` block or cell around it, or the one its thread carries."""
    return _current.get() or _carried.get()  # looked at on every open: whether it still runs is for the caller


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

    def leave() -> None:
        if run in open_runs:
            open_runs.remove(run)
        if _current.get() is run:
            _current.set(before)

    return leave


def _forget_parents_runs() -> None:
    open_runs.clear()
    _current.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents_runs)

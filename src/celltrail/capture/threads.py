"""Threads that a tracked cell starts belong to its run, also after the cell has ended.

A new thread does not inherit context variables, so the starting of threads and the handing of work to a pool
are wrapped to carry the one variable that says which run is current. A run whose threads still work stays
open for what they log; what they print follows the client as always.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celltrail.capture.shield import shield
from celltrail.run import Run, carry, current_block


class Threads:
    """Wraps ``Thread.start`` and ``ThreadPoolExecutor.submit`` while it is on."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def on(self) -> None:
        """Begin to carry the current run over."""
        start, submit = threading.Thread.start, ThreadPoolExecutor.submit

        def start_carrying(thread: threading.Thread) -> None:
            run = current_block()
            # the threads of a pool outlive the work: there each piece of work carries its run
            if run is None or "ThreadPoolExecutor" in thread.name or thread.name.startswith("celltrail-"):
                return start(thread)
            inner = thread.run
            carried = shield(Carried, run, inner) or inner
            thread.run = carried
            try:
                return start(thread)
            except BaseException:
                thread.run = inner
                if isinstance(carried, Carried):
                    carried.leave()
                raise

        def submit_carrying(pool: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            run = current_block()
            carried = shield(Carried, run, fn) if run is not None else None
            try:
                return submit(pool, carried or fn, *args, **kwargs)
            except BaseException:
                if carried is not None:
                    carried.leave()
                raise

        self._replace(threading.Thread, "start", start_carrying)
        self._replace(ThreadPoolExecutor, "submit", submit_carrying)

    def off(self) -> None:
        """Put back what was found; where somebody wrapped it meanwhile, theirs stays."""
        while self._undo:
            self._undo.pop()()

    def _replace(self, owner: Any, name: str, new: Any) -> None:
        before = vars(owner)[name]
        setattr(owner, name, new)

        def undo() -> None:
            if vars(owner)[name] is new:
                setattr(owner, name, before)

        self._undo.append(undo)


class Carried:
    """A function to be called in another thread with this run as the current one.

    The run accepts what is logged until the call is over.
    """

    def __init__(self, run: Run, function: Callable[..., Any]) -> None:
        self._run, self._function = run, function
        self.leave = run.outlive()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The call itself, on whatever thread."""
        carry(self._run)
        try:
            return self._function(*args, **kwargs)
        finally:
            carry(None)
            shield(self.leave)

"""Threads that a tracked cell starts belong to its run, also after the cell has ended.

A new thread does not inherit context variables, so what starts a thread and what a pool keeps of its work carry
the one variable that says which run is current. Both are the innermost steps, below the methods people call:
``Thread.start`` and ``submit`` stay what they are, and no frame of ours is in the traceback of a thread that fails.
A run whose threads still work stays open for what they log; what they print follows the client as always.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import thread as pools
from typing import Any

from celltrail.capture.shield import shield
from celltrail.run import Run, carry, current_block

# how Thread.start begins its thread: until 3.12, and since 3.13
_STARTERS = ("_start_new_thread", "_start_joinable_thread")


class Threads:
    """Wraps the starting of threads and the work items of thread pools while it is on."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def on(self) -> None:
        """Begin to carry the current run over."""
        for name in _STARTERS:
            if (begin := getattr(threading, name, None)) is not None:
                self._replace(threading, name, _carrying(begin))
        if (item := getattr(pools, "_WorkItem", None)) is not None:
            self._replace(pools, "_WorkItem", _carrying_item(item))

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


def _carrying(begin: Callable[..., Any]) -> Callable[..., Any]:
    """The function that begins a thread, with the run of the one who starts it."""

    def begin_carrying(bootstrap: Callable[[], Any], *args: Any, **kw: Any) -> Any:
        run = current_block()
        carried = shield(_carried_by_thread, run, bootstrap) if run is not None else None
        try:
            return begin(carried or bootstrap, *args, **kw)
        except BaseException:
            if carried is not None:
                carried.leave()
            raise

    return begin_carrying


def _carried_by_thread(run: Run, bootstrap: Callable[[], Any]) -> Carried | None:
    name = getattr(getattr(bootstrap, "__self__", None), "name", "")
    # the threads of a pool outlive the work: there each piece of work carries its run
    is_other = "ThreadPoolExecutor" in name or name.startswith("celltrail-")
    return None if is_other else Carried(run, bootstrap)


def _carrying_item(item: type[Any]) -> type[Any]:
    """The class of a pool's work items, each with the run of the one who handed it in."""

    class CarryingItem(item):
        def __init__(self, *args: Any, **kw: Any) -> None:
            super().__init__(*args, **kw)
            run = current_block()
            self.carried = shield(Carried, run, super().run) if run is not None else None

        def run(self, *args: Any, **kw: Any) -> None:
            (self.carried or super().run)(*args, **kw)

    return CarryingItem


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

"""Tasks of asyncio that a tracked cell began belong to its run, also after the cell has ended.

A task has a copy of the context it was made in, and with it the run that was current there. What is missing is that
the run stays open for what such a task logs, as it does for threads.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Task

    from celltrail.run import Run

# What a task calls as it is done stands in its repr, so they are looked at as the next tracked cell begins and ends.
# Until then the run is open, and its files are let go of once it has been quiet for a while.
_at_work: list[tuple[Task[Any], Callable[[], None]]] = []


class Tasks:
    """The tasks there are as a cell begins; those that have come by its end are its own."""

    def __init__(self) -> None:
        _leave_done()
        self._before = _pending()

    def outlive(self, run: Run) -> None:
        """Keep this run open until the cell's own tasks are done."""
        _leave_done()
        _at_work.extend((task, run.outlive()) for task in _pending() - self._before)


def _leave_done() -> None:
    for entry in [entry for entry in _at_work if entry[0].done()]:
        _at_work.remove(entry)
        entry[1]()


def _pending() -> set[Task[Any]]:
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio.all_tasks() if asyncio is not None else set()
    except RuntimeError:  # no loop runs on this thread: it has no tasks
        return set()

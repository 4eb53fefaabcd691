"""Tasks of asyncio that a tracked cell began belong to its run, also after the cell has ended.

A task has a copy of the context it was made in, and with it the run that was current there. What is missing is that
the run stays open for what such a task logs, as it does for threads.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Task

    from celltrail.run import Run


class Tasks:
    """The tasks there are as a cell begins; those that have come by its end are its own."""

    def __init__(self) -> None:
        self._before = _pending()

    def outlive(self, run: Run) -> None:
        """Keep this run open until the cell's own tasks are done."""
        for task in _pending() - self._before:
            leave = run.outlive()
            task.add_done_callback(lambda _, leave=leave: leave())


def _pending() -> set[Task[Any]]:
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio.all_tasks() if asyncio is not None else set()
    except RuntimeError:  # no loop runs on this thread: it has no tasks
        return set()

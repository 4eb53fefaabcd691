"""How a cell ended: by what IPython says of it, or by an exception that a magic has shown and kept to itself."""

from __future__ import annotations

import sys
import traceback
from typing import Any, Literal

from celltrail.capture.transform import runs_in_magic

Key = tuple[int, str]  # thread and request


class Endings:
    """What each cell ended with, the cells of one shell.

    ``%%time`` of IPython before 9 and ``%%capture`` show what their bodies raise, and the cell's result knows of
    nothing. The shell leaves what it showed last in ``sys.last_value``.
    """

    def __init__(self) -> None:
        self._open: dict[Key, list[int | None]] = {}  # what was shown last as the cell began, the innermost cell last

    def begin(self, key: Key, cell: str) -> None:
        """This cell, as it was typed, begins."""
        self._open.setdefault(key, []).append(id(_last_shown()) if runs_in_magic(cell) else None)

    def end(self, key: Key, result: Any) -> BaseException | None:
        """The innermost cell there is over; what it raised, if anything.

        Args:
            key: whose it is.
            result: IPython's; None for an await that was cancelled.
        """
        around = self._open.get(key)
        before = around.pop() if around else None
        if not around:
            self._open.pop(key, None)
        if result is None:
            return KeyboardInterrupt()
        error = result.error_before_exec or result.error_in_exec
        shown = _last_shown()
        return shown if error is None and before is not None and id(shown) != before else error


def _last_shown() -> BaseException | None:
    return getattr(sys, "last_value", None)


def status_after(error: BaseException | None) -> Literal["ok", "error", "interrupted"]:
    """The status of an execution that ended like this.

    >>> status_after(None), status_after(KeyboardInterrupt()), status_after(SystemExit(3))
    ('ok', 'interrupted', 'error')
    """
    if error is None:
        return "ok"
    # an interrupted await arrives as CancelledError
    return "interrupted" if type(error).__name__ in ("KeyboardInterrupt", "CancelledError", "StopTraining") else "error"


def traceback_of(error: BaseException | None, shell: Any, is_kernel: bool) -> str:
    """The traceback of what a cell ended with, as a kernel has shown it."""
    if error is None:
        return ""
    shown = getattr(shell, "_last_traceback", None)
    if is_kernel and shown and type(error).__name__ != "UsageError":
        return "\n".join(shown)
    return "".join(traceback.format_exception(error))

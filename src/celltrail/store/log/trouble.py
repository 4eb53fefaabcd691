"""The troubles of one run's recording: each kept with the run, and warned of once."""

from __future__ import annotations

import errno
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

_FOREIGN = tuple({str(Path(__file__).parents[2]), *map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))})


class Troubles:
    """What went wrong while a run was recorded, in sentences.

    Args:
        run: its id.
        keep: puts one into the run's document: its number, from 1, and the sentence.
    """

    def __init__(self, run: str, keep: Callable[[int, str], None]) -> None:
        self._name = run
        self._keep = keep
        self.problems: list[str] = []

    def know(self, name: str, problems: Iterable[str]) -> None:
        """The run is called so, and these are with it already."""
        self._name = repr(name)
        self.problems[:] = problems

    def note(self, problem: str) -> bool:
        """Keep a trouble with the run; whether it is a new one."""
        if problem in self.problems:
            return False
        self.problems.append(problem)
        self._keep(len(self.problems), problem)
        return True

    def tell(self, problem: str, then: str) -> None:
        """Keep a trouble and, the first time, warn of it and of what happens ``then``.

        Called without locks: a warning runs foreign code.
        """
        if self.note(problem):
            self.warn(problem, then)

    def fail(self, what: str, failure: OSError) -> None:
        """As `tell`, that a file could not be written."""
        reason = failure.strerror or os.strerror(failure.errno or errno.EIO)
        if self.note(problem := f"{what} could not be written: {reason}"):
            self.warn(problem, "recording goes on in memory and is written when the disk allows")

    def warn(self, problem: str, then: str) -> None:
        """One warning about the run, which never raises."""
        text = f"celltrail: run {self._name}: {problem}; {then}"
        try:
            warnings.warn_explicit(text, RuntimeWarning, *_line())
        except RuntimeWarning:
            # warnings are errors here, but the cell of a user is not ours to break
            sys.stderr.write(text + "\n")


def _line() -> tuple[str, int]:
    """The line of the user's that is being executed, or none where a thread of celltrail's is at work."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(_FOREIGN):
        frame = frame.f_back
    return (
        ("celltrail", 0)
        if frame is None or frame.f_code.co_filename.startswith("<frozen")
        else (frame.f_code.co_filename, frame.f_lineno)
    )

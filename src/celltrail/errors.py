"""Every exception of celltrail.

CelltrailError
├── NoRun (LookupError)          a run, metric or cell that is not in the trail
├── BadValue (ValueError)        a value that cannot be recorded or an argument out of range
├── Refused (RuntimeError)       a promotion whose gate is not met; nothing was moved
├── AliasMoved (RuntimeError)    somebody else moved the name of a model meanwhile
├── QueryError (ValueError)      a query expression that cannot be read; points at the place
├── MissingExtra (ImportError)   a feature whose optional packages are not installed
└── StoreError (OSError)         the trail cannot be read or written
    └── Damaged                  bytes in the trail that do not verify

`StopTraining` is none of them: it is an interrupt that somebody asked for, no error.

Each sentence says what happened with the value, what is allowed, and what to do next. Each class is
also a builtin exception, so an ``except LookupError`` written before celltrail still works.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType


class CelltrailError(Exception):
    """The root of everything celltrail raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """IPython's word for what a cell shows of it: the lines of whoever called, and the sentence.

        How celltrail came to say it helps nobody who mistyped a name; ``%debug`` has all of it.
        """
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        assert shell is not None  # it is IPython that asks
        return shell.InteractiveTB.structured_traceback(type(self), self, _of_caller(self.__traceback__))


class NoRun(CelltrailError, LookupError):
    """What was asked for is not in the trail."""


class BadValue(CelltrailError, ValueError):
    """A value that cannot be recorded, or an argument outside what is allowed."""


class Refused(CelltrailError, RuntimeError):
    """A version of a model does not pass its gate."""


class AliasMoved(CelltrailError, RuntimeError):
    """An alias of a model was moved by somebody else meanwhile."""


class QueryError(CelltrailError, ValueError):
    """A query expression that cannot be read.

    Attributes:
        text: the whole expression.
        start, end: the offending part, as character offsets into ``text``.
        message: what is wrong there.
        hint: what to write instead, or "".
    """

    def __init__(self, text: str, start: int, end: int, message: str, hint: str = "") -> None:
        self.text, self.start, self.end, self.message, self.hint = text, start, end, message, hint
        marker = " " * start + "^" * max(1, end - start)
        super().__init__("\n".join(line for line in (message, text, marker, hint) if line))


class MissingExtra(CelltrailError, ImportError):
    """A feature whose optional packages are not installed; the text names the pip command."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed: pip install 'celltrail[{extra}]'")


class StoreError(CelltrailError, OSError):
    """The trail cannot be read or written."""


class Damaged(StoreError):
    """Bytes in the trail that do not verify."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word closest to this one, as the tail of an error sentence, or "".

    >>> nearest("basline", ["baseline", "sweep"]), nearest("c", ["C", "gamma"])
    ("; did you mean 'baseline'?", "; did you mean 'C'?")
    >>> nearest("x", ["baseline"])
    ''
    """
    import difflib  # for a sentence that is seldom said

    words = list(known)
    close = [each for each in words if each.casefold() == word.casefold()] or difflib.get_close_matches(word, words, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _of_caller(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of celltrail's own at its end."""
    frames: list[TracebackType] = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    while len(frames) > 1 and _is_ours(frames[-1]):
        frames.pop()
    kept: TracebackType | None = None
    for each in reversed(frames):
        kept = TracebackType(kept, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return kept


def _is_ours(traceback: TracebackType) -> bool:
    return str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == "celltrail"


class StopTraining(KeyboardInterrupt):
    """Raised by ``log()`` after somebody pressed stop; the run ends as ``finished``.

    As a KeyboardInterrupt it passes ``except Exception`` and meets what the loop does about Ctrl-C anyway, such as
    saving a checkpoint.

    Attributes:
        step: of the ``log()`` that raised it, None before the first.
        by: who or what asked for it, "panel" for a click, "rule nan()" for a rule.
    """

    def __init__(self, name: str, step: int | None, by: str) -> None:
        self.step, self.by = step, by
        at = "" if step is None else f" at step {step}"
        super().__init__(f"{name} was stopped{at} {by_whom(by)}; what it logged is kept")

    def _render_traceback_(self) -> list[str]:
        """IPython's word for what a cell shows of it: the sentence, since where it was raised tells nothing."""
        return [f"StopTraining: {self}"]


def by_whom(by: str) -> str:
    """Who or what stopped a run, as the end of a sentence.

    >>> by_whom("panel"), by_whom("rule nan()")
    ('from the panel', 'by the rule nan()')
    """
    return f"{'by' if by.startswith('rule ') else 'from'} the {by}"

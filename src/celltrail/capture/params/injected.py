"""The parameters of a notebook that papermill executes: its cell of them, and the one of defaults above it."""

from __future__ import annotations

from celltrail.capture.params.literals import pairs
from celltrail.parsing import parse

_HEAD = "# Parameters"  # the line that papermill begins its cell with


class Injected:
    """The names that papermill's cell sets, and those of the cell of defaults that it stands behind.

    >>> found = Injected()
    >>> for source in ("import numpy", "lr = 0.5\\nepochs = 2", "# Parameters\\nlr = 0.1\\n", "X = load()"):
    ...     found.meet(source)
    >>> found.names
    ('lr', 'epochs')
    """

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self._before = ""

    def meet(self, source: str | None) -> None:
        """This is the next cell that ran."""
        if source is not None and source.startswith(_HEAD) and source.partition("\n")[0].rstrip() == _HEAD:
            given, defaults = _set(source), _set(self._before)
            self.names = (*dict.fromkeys([*given, *(defaults if not {*given}.isdisjoint(defaults) else [])]),)
        self._before = source or ""


def _set(source: str) -> list[str]:
    """The names that a cell of plain assignments sets; none where it does something else as well."""
    try:
        body = parse(source).body
    except SyntaxError:
        return []
    named = [[name for name, _ in pairs(statement)] for statement in body]
    return [name for names in named for name in names] if all(named) else []

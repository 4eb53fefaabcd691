"""The parameters of a notebook that papermill executes: its cell of them, and the one of defaults above it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from celltrail.capture.params.literals import pairs

_HEAD = "# Parameters"  # the line that papermill begins its cell with


def injected(sources: Iterable[str | None]) -> tuple[str, ...]:
    """The names that papermill's cell sets, and those of the cell of defaults that it stands behind.

    Args:
        sources: the cells that ran so far, the newest first.

    >>> injected(["X = load()", "# Parameters\\nlr = 0.1\\n", "lr = 0.5\\nepochs = 2", "import numpy"])
    ('lr', 'epochs')
    """
    waiting = iter(sources)
    for source in waiting:
        if source is not None and source.startswith(_HEAD) and source.partition("\n")[0].rstrip() == _HEAD:
            given, defaults = _set(source), _set(next(waiting, None) or "")
            return (*dict.fromkeys([*given, *(defaults if not {*given}.isdisjoint(defaults) else [])]),)
    return ()


def _set(source: str) -> list[str]:
    """The names that a cell of plain assignments sets; none where it does something else as well."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []
    named = [[name for name, _ in pairs(statement)] for statement in body]
    return [name for names in named for name in names] if all(named) else []

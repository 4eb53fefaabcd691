"""The literals that a cell's own code sets its parameters to, and its text with others in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from celltrail.capture.analyze import Names, dotted
from celltrail.capture.params.config import is_key, is_scalar, literal
from celltrail.model import Json

_MOST_ENTRIES = 100


def literals(tree: ast.Module, names: Names) -> Iterator[tuple[str, Json, ast.expr]]:
    """Name, value and place of each parameter that the code sets to a literal, entries of dicts as ``config.lr``.

    Args:
        tree: of a cell.
        names: what it does to which names.
    """
    for statement in tree.body:
        for name, value in pairs(statement):
            if not is_settled(name, names):
                continue
            if isinstance(value, ast.Dict) or (isinstance(value, ast.Call) and dotted(value.func) == "dict"):
                yield from ((f"{name}.{key}", inner, node) for key, inner, node in _entries(value))
                continue
            known, constant = literal(value)
            if known and (is_scalar(constant) or (isinstance(constant, list) and constant)):
                yield name, constant, value


def is_settled(name: str, names: Names) -> bool:
    """Whether a name is bound once, and is no private one."""
    return not name.startswith("_") and names.bound.get(name) == 1 and name not in names.deletes


def pairs(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Name and expression for each plain assignment in a statement."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
        yield statement.target.id, statement.value
    if not isinstance(statement, ast.Assign):
        return
    for target in statement.targets:
        if isinstance(target, ast.Name):
            yield target.id, statement.value
        elif isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
            for inner, value in zip(target.elts, statement.value.elts, strict=False):
                if isinstance(inner, ast.Name):
                    yield inner.id, value


def _entries(node: ast.expr, depth: int = 3) -> Iterator[tuple[str, Json, ast.expr]]:
    """The literal entries of a dict display or a ``dict(...)`` call, nested ones dotted."""
    if isinstance(node, ast.Dict):
        entries = [
            (key.value, value)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and is_key(key.value)
        ]
    elif isinstance(node, ast.Call):
        entries = [(keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg]
    else:
        return
    for key, value in entries[:_MOST_ENTRIES]:
        known, constant = literal(value)
        if known and (is_scalar(constant) or constant):
            yield key, constant, value
        elif depth > 1:
            for inner, found, place in _entries(value, depth - 1):
                yield f"{key}.{inner}", found, place


def replaced(source: str, texts: Iterable[tuple[ast.expr, str]], offset: int = 0) -> str:
    """A cell's text with these expressions written otherwise; all else, lines among it, stays where it is.

    Args:
        source: the text.
        texts: expressions of its tree, and what stands in their place.
        offset: lines above those that the tree has.

    >>> tree = ast.parse("lr, act = 0.1, 'tanh'")
    >>> first, second = tree.body[0].value.elts
    >>> replaced("lr, act = 0.1, 'tanh'", [(first, "0.01"), (second, "'relu'")])
    "lr, act = 0.01, 'relu'"
    """
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    for node, text in sorted(texts, key=lambda each: (each[0].lineno, each[0].col_offset), reverse=True):
        first, last = node.lineno - 1 + offset, (node.end_lineno or node.lineno) - 1 + offset
        before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
        lines[first : last + 1] = [before + text.encode() + after]
    return b"".join(lines).decode()

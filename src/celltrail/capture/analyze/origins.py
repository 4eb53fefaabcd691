"""Where the object of an expression may come from, and what a piece of code binds in its own scope."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from celltrail.capture.analyze import bound_names, dotted, root

BUILTIN = frozenset(dir(builtins))


def scope(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """The nodes of one scope, without those of functions and classes in it."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def stored(node: ast.AST) -> Iterable[str]:
    """Names that a statement may bind in its own scope."""
    for part in scope([node]):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield part.name
        elif isinstance(part, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in part.names)
        elif isinstance(part, ast.ExceptHandler) and part.name:
            yield part.name
        else:
            yield from pattern_names(part)


def pattern_names(node: ast.AST) -> Iterable[str]:
    """Names that one node of a pattern binds."""
    if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def callee(node: ast.AST) -> str | None:
    """The dotted text of what a call calls; a call or subscript on the way is kept as its root.

    >>> callee(ast.parse("a.b(1).c[2].d()").body[0].value)
    'a.d'
    """
    if not isinstance(node, ast.Call):
        return None
    text = dotted(node.func)
    if text is None and isinstance(node.func, ast.Attribute) and (name := root(node.func)):
        return f"{name}.{node.func.attr}"
    return text


_WRAPPERS = ("enumerate", "zip", "reversed", "iter", "sorted", "list", "tuple", "next", "filter")
_VIEWS = (
    "items",
    "values",
    "get",
    "view",
    "reshape",
    "ravel",
    "transpose",
    "squeeze",
    "named_parameters",
    "parameters",
)


def taken_from(node: ast.AST | None) -> set[str]:
    """Names whose own object, or a part of it, an expression may be."""
    return {name for name, call in made_of(node) if not call}


def made_of(node: ast.AST | None) -> Iterable[tuple[str, str]]:
    """Names that what an expression gives may share something with, and the call that made it; "" for a reference.

    >>> sorted(made_of(ast.parse("[a.b, f(c)[0]]").body[0].value))
    [('a', ''), ('c', 'f')]
    """
    if isinstance(node, ast.Name):
        yield node.id, ""
    elif isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Await):
        yield from made_of(node.value)
    elif isinstance(node, ast.NamedExpr):
        yield node.target.id, ""
        yield from made_of(node.value)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for part in node.elts:
            yield from made_of(part)
    elif isinstance(node, ast.Dict):
        for part in node.values:
            yield from made_of(part)
    elif isinstance(node, ast.IfExp):
        yield from made_of(node.body)
        yield from made_of(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from made_of(part)
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        hidden = {name for inner in node.generators for name in bound_names(inner.target)}
        parts = [node.elt, *(inner.iter for inner in node.generators)]
        yield from (pair for part in parts for pair in made_of(part) if pair[0] not in hidden)
    elif isinstance(node, ast.Call):
        yield from _made_by(node)


def _made_by(node: ast.Call) -> Iterable[tuple[str, str]]:
    call = callee(node) or "?"
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    if call in _WRAPPERS:
        for part in arguments:
            yield from made_of(part)
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _VIEWS:
        yield from made_of(node.func.value)
    elif call not in BUILTIN:
        for part in arguments:
            yield from ((name, inner or call) for name, inner in made_of(part))


def has_elements(node: ast.AST) -> bool:
    """Whether a loop over this surely runs.

    >>> [has_elements(ast.parse(code).body[0].value) for code in ("range(3)", "range(0)", "[1]", "x")]
    [True, False, True, False]
    """
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(not isinstance(part, ast.Starred) for part in node.elts)
    if isinstance(node, ast.Call) and callee(node) in ("enumerate", "reversed", "tqdm") and node.args:
        return has_elements(node.args[0])
    if isinstance(node, ast.Call) and callee(node) == "range" and not node.keywords:
        given = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, int)]
        return len(given) == len(node.args) > 0 and len(range(*given)) > 0
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and bool(node.value)

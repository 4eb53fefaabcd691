"""What a cell's code says about itself: the names of the notebook that it reads, binds, changes and deletes.

Only module-scope names count. Function bodies are read as if called at the end of the cell, so a name
that the cell itself binds is not counted as read from an earlier one.
"""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

_BUILTIN = frozenset(dir(builtins))
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_CHAIN = (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)
_COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Names:
    """The notebook's names in one piece of code."""

    reads: set[str] = field(default_factory=set)  # needed from an earlier execution
    writes: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)  # changed in place, or handed to a call that may
    deletes: set[str] = field(default_factory=set)
    bound: dict[str, int] = field(default_factory=dict)  # how often each name is bound
    star: bool = False  # an import of everything: the other sets are a lower bound

    def told(self) -> dict[str, list[str]]:
        """The names in the form that is kept, sorted.

        >>> analyze(ast.parse("y = f(x)")).told()
        {'reads': ['f', 'x'], 'writes': ['y'], 'mutates': ['x'], 'deletes': []}
        """
        return {kind: sorted(getattr(self, kind)) for kind in ("reads", "writes", "mutates", "deletes")}


def analyze(tree: ast.AST) -> Names:
    """The names of a parsed cell.

    >>> found = analyze(ast.parse("y = f(x)\\nfor i in y: z.append(i)"))
    >>> sorted(found.reads), sorted(found.writes), sorted(found.mutates)
    (['f', 'x', 'z'], ['i', 'y'], ['i', 'x', 'z'])
    """
    visitor = _Visitor()
    visitor.visit(tree)
    names = visitor.names
    names.reads |= {name for name in visitor.late if name not in names.writes and name not in _BUILTIN}
    return names


Kinds = dict[type[ast.AST], list[Any]]


def by_kind(tree: ast.AST) -> Kinds:
    """All nodes of a tree by their type, outer ones first; a third of the time of one `ast.walk`.

    >>> [call.func.id for call in by_kind(ast.parse("f(g(x))"))[ast.Call]]
    ['f', 'g']
    """
    found: Kinds = defaultdict(list)
    waiting = [tree]
    for node in waiting:  # grows meanwhile
        kind = type(node)
        found[kind].append(node)
        if kind is ast.Name or kind is ast.Constant:  # most of all nodes, and they have no parts
            continue
        # by the declared fields: tracebacks of IPython hang a "parent" on nodes, and operators are shared by all trees
        for name in kind._fields:
            part = getattr(node, name, None)
            if type(part) is list:
                waiting += [inner for inner in part if isinstance(inner, ast.AST)]
            elif isinstance(part, ast.AST) and name != "ctx":
                waiting.append(part)
    return found


def bound_names(target: ast.AST) -> Iterable[str]:
    """The plain names that an assignment target binds.

    >>> list(bound_names(ast.parse("a, (b, *c), d.e = x").body[0].targets[0]))
    ['a', 'b', 'c']
    """
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, (ast.Tuple, ast.List)):
        for inner in target.elts:
            yield from bound_names(inner)
    elif isinstance(target, ast.Starred):
        yield from bound_names(target.value)


def dotted(node: ast.AST) -> str | None:
    """``a.b.c`` for a chain of attributes that begins at a name, else None.

    >>> dotted(ast.parse("self.best.loss").body[0].value)
    'self.best.loss'
    """
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def root(node: ast.AST) -> str | None:
    """The name that a chain of attributes, subscripts and calls begins at."""
    while isinstance(node, _CHAIN):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


class Visitor(ast.NodeVisitor):
    """Python's own visitor in half of its time: the method of a kind is looked up once, and by the declared fields."""

    _methods: ClassVar[dict[type[ast.AST], Any]]

    def __init_subclass__(cls) -> None:
        cls._methods = {}

    def visit(self, node: ast.AST) -> Any:
        """As `ast.NodeVisitor` does."""
        kind = type(node)
        method = self._methods.get(kind)
        if method is None:
            method = self._methods[kind] = getattr(type(self), f"visit_{kind.__name__}", type(self).generic_visit)
        return method(self, node)

    def generic_visit(self, node: ast.AST) -> None:
        """All parts in their order; contexts and operators say nothing."""
        for name in node._fields:
            part = getattr(node, name, None)
            if type(part) is list:
                for inner in part:
                    if isinstance(inner, ast.AST):
                        self.visit(inner)
            elif isinstance(part, ast.AST) and name != "ctx" and name != "op":
                self.visit(part)


class _ClassScope(set[str]):
    """The names of a class body, which its methods do not see."""


class _Visitor(Visitor, ast.NodeVisitor):
    def __init__(self) -> None:
        self.names = Names()
        self.late: set[str] = set()  # read in function bodies
        self.scopes: list[set[str]] = []  # local names of the functions and comprehensions around
        self.functions = 0

    # names

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._write(node.id)
        elif not self._is_local(node.id):
            self.names.deletes.add(node.id)

    def visit_Constant(self, node: ast.Constant) -> None:
        """It has no parts."""

    def _is_local(self, name: str) -> bool:
        return bool(self.scopes) and any(name in scope for scope in self.scopes)

    def _read(self, name: str) -> None:
        if self._is_local(name):
            return
        if self.functions:
            self.late.add(name)
        elif name not in self.names.writes and name not in _BUILTIN:
            self.names.reads.add(name)

    def _write(self, name: str) -> None:
        if not self._is_local(name):
            self.names.writes.add(name)
            self.names.bound[name] = self.names.bound.get(name, 0) + 1

    def _mutate(self, node: ast.AST) -> None:
        name = root(node)
        if name is not None and not self._is_local(name) and name not in _BUILTIN:
            self.names.mutates.add(name)

    # statements whose order of evaluation is not the order of their fields

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._target(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self._target(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
            self._mutate(node.target)
        self._target(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._target(node.target)
        # a loop binds its target again at every turn
        for name in bound_names(node.target):
            self._write(name)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    visit_AsyncFor = visit_For  # noqa: N815

    def _target(self, target: ast.AST) -> None:
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            self._mutate(target)
        self.visit(target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._write(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self.generic_visit(node)
        if node.name:
            self._write(node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._write(node.name)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.names.star = True
            else:
                self._write(alias.asname or alias.name.split(".")[0])

    visit_ImportFrom = visit_Import  # noqa: N815

    # calls

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute):
            self._mutate(node.func.value)
        if isinstance(node.func, ast.Name) and (node.func.id in _BUILTIN or node.func.id[:1].isupper()):
            return  # builtins and constructors are taken not to change what they are given
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if not isinstance(argument, ast.Call):
                self._mutate(argument)

    # scopes

    def _visit_function(self, node: Function) -> None:
        arguments = node.args
        for default in (*arguments.defaults, *(default for default in arguments.kw_defaults if default)):
            self.visit(default)
        local = {item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        local |= {item.arg for item in (arguments.vararg, arguments.kwarg) if item}
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        around = self.scopes
        self.scopes = [*(scope for scope in around if not isinstance(scope, _ClassScope)), local | _locals(body)]
        self.functions += 1
        for statement in body:
            self.visit(statement)
        self.functions -= 1
        self.scopes = around

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._visit_function(node)
        self._write(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for outside in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(outside)
        self.scopes.append(_ClassScope(_locals(node.body)))
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()
        self._write(node.name)

    def _visit_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.scopes.append({name for inner in node.generators for name in bound_names(inner.target)})
        self.generic_visit(node)
        self.scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension  # noqa: N815


def _locals(body: Iterable[ast.AST]) -> set[str]:
    """The names that are local to a function or class with this body."""
    found: set[str] = set()
    outer: set[str] = set()
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Global | ast.Nonlocal):
            outer.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            found.add(node.name)
        if not isinstance(node, (ast.Lambda, *_COMPREHENSION)):
            waiting.extend(ast.iter_child_nodes(node))
    return found - outer

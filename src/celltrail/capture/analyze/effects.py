"""What the code of a cell may do to the notebook's names, statement by statement.

`analyze` answers which names stand in a cell. A slice needs more: whether an old value is surely gone, what
is only poured into, what may hold what, and what a function does to the notebook when it is called later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from celltrail.capture.analyze import Visitor, root
from celltrail.capture.analyze.origins import BUILTIN, made_of, taken_from

POURING = frozenset("append add extend insert setdefault put write appendleft add_row".split())  # noqa: SIM905

# How surely a name is bound. A loop is taken to run at least once where a wrong guess costs little: a cell that
# prints `loss` after its loop over batches would otherwise depend on every earlier cell that bound a `loss`.
MAYBE, LOOPED, SURE = 0, 1, 2
Flow = dict[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """A place where an object may be changed."""

    name: str
    how: Literal["store", "method", "argument"]
    call: str = ""  # dotted text of what is called
    position: int | str | None = None  # of the argument


@dataclass(frozen=True, slots=True)
class Share:
    """After this, a change of one may be a change of the other."""

    child: str
    parent: str
    call: str = ""  # what made the child from the parent; "" for a plain reference


@dataclass(slots=True)
class Effects:
    """What one piece of code may do to names; for a function, when it is called."""

    reads: set[str] = field(default_factory=set)  # their old value matters
    maybe: set[str] = field(default_factory=set)  # likewise, unless it turns out that the code bound them
    pours: set[str] = field(default_factory=set)  # must be there, but what they hold is not looked at
    binds: set[str] = field(default_factory=set)  # on every path
    weak: set[str] = field(default_factory=set)  # on some path
    deletes: set[str] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    loads: dict[str, frozenset[str]] = field(default_factory=dict)  # names used, and what was bound by then
    functions: dict[str, Effects] = field(default_factory=dict)  # functions and classes bound here
    imports: dict[str, str] = field(default_factory=dict)  # name -> what was imported
    made: dict[str, str] = field(default_factory=dict)  # name -> the call that gave it
    parameters: tuple[str, ...] = ()
    holes: set[str] = field(default_factory=set)  # what these sets cannot see

    def merge(self, other: Effects) -> None:
        """Take in what another function may do, when either may be called."""
        for name in ("reads", "maybe", "pours", "binds", "weak", "deletes", "holes"):
            getattr(self, name).update(getattr(other, name))
        self.changes += other.changes
        self.shares += other.shares
        self.functions.update(other.functions)
        for name, bound in other.loads.items():
            self.loads.setdefault(name, bound)


class Scope(Visitor, ast.NodeVisitor):
    """The names of one scope, followed in the order it runs."""

    def __init__(self) -> None:
        self.found = Effects()
        self.flow: Flow = {}
        self.origins: dict[str, set[str]] = {}  # what a name bound here was taken from
        self.hidden: list[set[str]] = []  # targets of comprehensions around
        self.poured: dict[str, int] = {}
        self.used: dict[str, int] = {}  # loads of a name, to tell what is only poured into
        self.looped: set[str] = set()  # read where only a loop may have bound them
        self.is_dead = False  # after a raise or return no path goes on

    def done(self) -> Effects:
        """What was found, when the last statement is behind."""
        found = self.found
        for name, state in self.flow.items():
            (found.binds if state == SURE else found.weak).add(name)
        found.maybe = (found.maybe | self.looped) - found.reads
        only = {name for name in found.reads if self.poured.get(name, 0) == self.used.get(name, 0) > 0}
        found.pours |= only
        found.reads -= only
        return found

    # names

    def _is_hidden(self, name: str) -> bool:
        return any(name in names for names in self.hidden)

    def _read(self, name: str) -> None:
        if self._is_hidden(name):
            return
        state = self.flow.get(name)
        if name not in self.found.loads:
            self.found.loads[name] = frozenset(each for each, sure in self.flow.items() if sure == SURE)
        self.used[name] = self.used.get(name, 0) + 1
        if state is None and name not in BUILTIN:
            self.found.reads.add(name)
        elif state == MAYBE:
            self.found.maybe.add(name)
        elif state == LOOPED:
            self.looped.add(name)

    def _bind(self, name: str) -> None:
        if self._is_hidden(name):
            return
        if name in self.found.maybe:
            self.found.reads.add(name)  # read where it may have been the old one, and bound only now
        self.flow[name] = SURE
        self.origins.pop(name, None)
        self.found.functions.pop(name, None)
        self.found.imports.pop(name, None)
        self.found.made.pop(name, None)
        self.found.shares = [each for each in self.found.shares if name not in (each.child, each.parent)]

    # changes

    def _change(
        self, node: ast.AST, how: Literal["store", "method", "argument"], call: str = "", at: int | str | None = None
    ) -> None:
        for name in taken_from(node):
            if not self._is_hidden(name):
                self._change_name(name, how, call, at, set())

    def _change_name(
        self, name: str, how: Literal["store", "method", "argument"], call: str, at: int | str | None, seen: set[str]
    ) -> None:
        if name in seen or name in BUILTIN:
            return
        seen.add(name)
        # what this cell bound itself is no old object; what it was taken from may be
        if self.flow.get(name) != SURE or name in self.found.parameters:
            self.found.changes.append(Change(name, how, call, at))
        for source in self.origins.get(name, ()):
            self._change_name(source, how, call, at, seen)

    def _target(self, target: ast.AST, value: ast.AST | None) -> None:
        """Bind a target; remember what it may share with the value."""
        if isinstance(target, ast.Name):
            self._take(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            parts = value.elts if same and isinstance(value, ast.Tuple | ast.List) else [value] * len(target.elts)
            for inner, part in zip(target.elts, parts, strict=True):
                self._target(inner.value if isinstance(inner, ast.Starred) else inner, part)
        else:
            self.visit(target)
            if isinstance(target, ast.Attribute | ast.Subscript):
                self._change(target, "store")
                holder = root(target)
                if holder is not None and value is not None:
                    self.found.shares += [Share(holder, name) for name in taken_from(value) if name != holder]
                self._pour(target)

    def _take(self, name: str, value: ast.AST | None) -> None:
        made = [] if value is None else list(made_of(value))
        self._bind(name)
        if self._is_hidden(name):
            return
        self.origins[name] = {source for source, call in made if not call and source != name}
        self.found.shares += [Share(name, source, call) for source, call in made if source != name]

    def _pour(self, target: ast.AST) -> None:
        """``rows[k] = v`` and ``rows.append(v)`` put something in without looking."""
        inner = target.value if isinstance(target, ast.Subscript | ast.Attribute) else None
        if isinstance(inner, ast.Name) and (isinstance(target, ast.Subscript) or target.attr in POURING):  # pyright: ignore[reportAttributeAccessIssue]
            self.poured[inner.id] = self.poured.get(inner.id, 0) + 1

    # flow

    def _branch(self, body: Iterable[ast.AST], start: Flow) -> Flow | None:
        """The flow after these statements, or None where no path goes on."""
        self.flow, self.is_dead = dict(start), False
        for statement in body:
            self.visit(statement)
        after = None if self.is_dead else self.flow
        self.is_dead = False
        return after

    def _join(self, ends: list[Flow | None], fallback: Flow) -> None:
        flows = [end for end in ends if end is not None]
        self.is_dead = not flows
        names = {name for flow in flows for name in flow}
        self.flow = {name: min(flow.get(name, MAYBE) for flow in flows) for name in names} if flows else fallback

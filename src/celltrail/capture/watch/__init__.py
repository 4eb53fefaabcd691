"""Values of loop variables become metrics: ``--watch loss self.acc``, or by their names alone.

After each binding of a watched name, statements are inserted that put the value away: time and value go to the end
of a list, one for each place in the code. They take the end of the bound statement as
their place, so tracebacks keep their lines. Anything but a float or int goes through `points.keep` first, which
never keeps a tensor's graph nor lets it be changed afterwards.

The loop variable that epochs are counted with is put away too, at the top of its loop: what the metrics of the cell
can be drawn over.

No function of Python is called for a float: with ``sinks[3].extend((now(), loss))`` a value costs half
of what a hook written in Python does (100 against 190 ns on an idle machine).
"""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from celltrail.capture.watch.names import is_axis_name, judges, own_names, stored_names

SINKS = "__celltrail_sinks__"
NOW, TYPE, FLOAT, INT = "__celltrail_now__", "__celltrail_type__", "__celltrail_float__", "__celltrail_int__"
KEEP = "__celltrail_keep__"
HOOK = "__celltrail_watch__"
FIELD_HOOK = "__celltrail_watch_field__"

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Sink = Callable[[int], Any]  # makes the sink for the call of this number


class Sinks(list[Any]):
    """Where each inserted call puts its values. Sent to another process it takes them and forgets them."""

    def __reduce__(self) -> Any:
        return Deaf, ()


class Deaf:
    """Stands for the sinks of cells that are not recorded any more."""

    def __getitem__(self, index: int) -> deque[Any]:
        return deque(maxlen=0)


@dataclass(slots=True)
class Plan:
    """All inserted calls of a session, by the number each of them carries."""

    targets: list[str] = field(default_factory=list)  # for each inserted call, the name it records
    places: list[str] = field(default_factory=list)  # the function it is in; "" in the cell itself
    sinks: Sinks = field(default_factory=Sinks)  # what is extended with its values


def tell_apart(plan: Plan, first: int) -> set[int]:
    """Of what several functions call by the same name, take that of the training: one name is one curve.

    What an evaluation binds on its way is passed over beside it, for what it comes to has a name of its own. Where
    several are left, each bears its function's name: ``fit/loss``. An attribute is the same one wherever it is set.

    Args:
        plan: the calls; names in it change.
        first: the number of the cell's first one.

    Returns:
        The calls to pass over.

    >>> plan = Plan(["loss", "loss", "acc", "acc", "self.lr", "self.lr"], ["fit", "test", "g", "d", "g", "d"])
    >>> tell_apart(plan, 0), plan.targets
    ({1}, ['loss', 'loss', 'g/acc', 'd/acc', 'self.lr', 'self.lr'])
    """
    places: dict[str, set[str]] = defaultdict(set)
    calls = range(first, len(plan.targets))
    for call in calls:
        places[plan.targets[call]].add(plan.places[call])
    passed: set[int] = set()
    for call in calls:
        name, place = plan.targets[call], plan.places[call]
        training = {each for each in places[name] if not judges(each)} or places[name]
        if not place or len(places[name]) < 2 or "." in name or is_axis_name(name):
            continue
        if place not in training:
            passed.add(call)
        elif len(training) > 1:
            plan.targets[call] = f"{place}/{name}"
    return passed


def insert(tree: ast.Module, names: Iterable[str], plan: Plan, sink: Sink, *, by_name: bool = False) -> list[str]:
    """Insert a hook call at each binding of these names inside a loop or function; changes the tree.

    What the loops of the cell itself bind is taken there alone: in its functions the same name is another thing.

    Args:
        tree: the parsed cell.
        names: what to watch, dotted names included.
        plan: gets the new calls; its earlier numbers stay, since functions of earlier cells carry them.
        sink: makes the sink for the call of this number.
        by_name: the names were guessed: only loops count, and a name that sums up over a loop is taken
            once it is complete.

    Returns:
        The names that were found.
    """
    before, wanted = len(plan.targets), frozenset(names)
    inserter = _Inserter(wanted, plan, sink, by_name, frozenset(own_names(tree, wanted)))
    tree.body = inserter.block(tree.body)
    return list(dict.fromkeys(plan.targets[before:]))


def insert_in(function: ast.AST, names: Iterable[str], plan: Plan, sink: Sink, *, by_name: bool = False) -> list[str]:
    """As `insert`, but only inside one function of the tree."""
    before = len(plan.targets)
    _Inserter(frozenset(names), plan, sink, by_name).visit(function)
    return list(dict.fromkeys(plan.targets[before:]))


class _Inserter(ast.NodeTransformer):
    def __init__(
        self, names: frozenset[str], plan: Plan, sink: Any, by_name: bool, own: frozenset[str] = frozenset()
    ) -> None:
        self.names, self.plan, self.sink, self.by_name, self.own = names, plan, sink, by_name, own
        self.in_loop = 0
        self.functions: list[str] = []  # around what is looked at, by their names
        self.sums: set[str] = set()  # names that are summed up somewhere inside the loop at hand

    @property
    def active(self) -> bool:
        """Whether what is bound here is to be recorded."""
        return bool(self.in_loop or (self.functions and not self.by_name))

    # statements

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements, each followed by the calls for what it binds."""
        result: list[ast.stmt] = []
        for statement in body:
            changed = self.visit(statement)
            result.append(changed)
            if self.active:
                result.extend(self._after(changed))
        return result

    def _after(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            if isinstance(statement, ast.AnnAssign) and statement.value is None:
                return
            if self.by_name and isinstance(statement.value, ast.Constant) and not isinstance(statement, ast.AugAssign):
                return
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                for name in self._watched(target):
                    yield self._statement(name, statement)

    def _watched(self, target: ast.AST) -> Iterator[str]:
        for name in dict.fromkeys(stored_names(target)):
            if name in self.names and name not in self.sums:
                yield name

    def _loop(self, node: Any, targets: ast.expr | None) -> Any:
        before = self.sums
        self.sums = before | (_sums(node, self.names) if self.by_name else set())
        complete = _reset(node.body, self.sums) if self.by_name else set()
        self.in_loop += 1
        bound = () if targets is None else self._watched(targets)
        first = [self._statement(name, node.body[0], True) for name in bound]
        last = [self._statement(name, node.body[-1]) for name in sorted(complete)]
        node.body = [*first, *self.block(node.body), *last]
        self.in_loop -= 1
        node.orelse = self.block(node.orelse)
        self.sums = before
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        node.iter = self.visit(node.iter)
        return self._loop(node, node.target)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AsyncFor:
        node.iter = self.visit(node.iter)
        return self._loop(node, node.target)

    def visit_While(self, node: ast.While) -> ast.While:
        self.in_loop += 1
        node.test = self.visit(node.test)
        self.in_loop -= 1
        return self._loop(node, None)

    def _with(self, node: Any) -> Any:
        node.items = [self.visit(item) for item in node.items]
        first: list[ast.stmt] = []
        if self.active:
            for item in node.items:
                if item.optional_vars is not None:
                    first += [self._statement(name, node.body[0], True) for name in self._watched(item.optional_vars)]
        node.body = [*first, *self.block(node.body)]
        return node

    visit_With = visit_AsyncWith = _with  # noqa: N815

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        captures = (inner for inner in ast.walk(node.pattern) if isinstance(inner, ast.MatchAs | ast.MatchStar))
        captured = [capture.name for capture in captures if capture.name in self.names]
        watched = [name for name in captured if name] if self.active else []
        node.body = [*(self._statement(name, node.body[0], True) for name in watched), *self.block(node.body)]
        return node

    def _function(self, node: Any) -> Any:
        in_loop, sums, names = self.in_loop, self.sums, self.names
        self.in_loop, self.sums, self.names = 0, set(), names - self.own
        self.functions.append(node.name)
        node.body = self.block(node.body)
        self.functions.pop()
        self.in_loop, self.sums, self.names = in_loop, sums, names
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.body = self.block(node.body)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for part, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, part, self.block(value))
            elif isinstance(value, list):
                value[:] = [self.visit(item) if isinstance(item, ast.AST) else item for item in value]
            elif isinstance(value, ast.AST):
                setattr(node, part, self.visit(value))
        return node

    # expressions

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.NamedExpr:
        node.value = self.visit(node.value)
        if self.active and isinstance(node.target, ast.Name) and node.target.id in self.names:
            # around the value, since an expression has no "after": the hook hands it back
            node.value = ast.copy_location(self._call(node.target.id, node.value, HOOK), node.value)
        return node

    def _comprehension(self, node: _Comprehension) -> ast.AST:
        self.in_loop += 1
        changed = self.generic_visit(node)
        self.in_loop -= 1
        return changed

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    # the inserted calls

    def _site(self, name: str) -> ast.Constant:
        """A new place where values of this name come from: its number."""
        index = len(self.plan.targets)
        # both before the call exists: a call with nobody to call would raise in the user's loop
        self.plan.sinks.append(self.sink(index))
        self.plan.targets.append(name)
        self.plan.places.append(self.functions[-1] if self.functions else "")
        return ast.Constant(index)

    def _call(self, name: str, value: ast.expr, hook: str) -> ast.Call:
        return ast.Call(_load(hook), [self._site(name), value], keywords=[])

    def _put(self, name: str) -> ast.Call:
        kept = _number_or(name, ast.Call(_load(KEEP), [_load(name)], keywords=[]))
        now = ast.Call(_load(NOW), [], keywords=[])
        sink = ast.Subscript(_load(SINKS), self._site(name), ast.Load())
        return ast.Call(ast.Attribute(sink, "extend", ast.Load()), [ast.Tuple([now, kept], ast.Load())], keywords=[])

    def _statement(self, name: str, place: ast.stmt, before: bool = False) -> ast.stmt:
        first, *rest = name.split(".")
        if rest:
            value = _load(first)
            # the hook itself reads the last attribute: a property that raises must not raise in the cell
            for part in rest[:-1]:
                value = ast.Attribute(value, part, ast.Load())
            statement = ast.Expr(self._call(name, value, FIELD_HOOK))
        else:
            statement = ast.Expr(self._put(name))
        line = place.lineno if before else place.end_lineno or place.lineno
        column = place.col_offset if before else place.end_col_offset or place.col_offset
        for node in ast.walk(statement):
            if isinstance(node, ast.expr | ast.stmt):
                node.lineno = node.end_lineno = line
                node.col_offset = node.end_col_offset = column
        return statement


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _number_or(name: str, other: ast.expr) -> ast.expr:
    """``name if type(name) is float or type(name) is int else other``."""
    kind = ast.Call(_load(TYPE), [_load(name)], keywords=[])
    tests: list[ast.expr] = [ast.Compare(kind, [ast.Is()], [_load(known)]) for known in (FLOAT, INT)]
    return ast.IfExp(ast.BoolOp(ast.Or(), tests), _load(name), other)


def _sums(loop: ast.AST, names: frozenset[str]) -> set[str]:
    additions = (node for node in ast.walk(loop) if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add))
    return {name for node in additions for name in stored_names(node.target) if name in names}


def _reset(body: list[ast.stmt], sums: set[str]) -> set[str]:
    """Of the names that are summed up, those begun anew in this very block: complete at its end."""
    assigns = (node for node in body if isinstance(node, ast.Assign))
    return {name for node in assigns for target in node.targets for name in stored_names(target)} & sums

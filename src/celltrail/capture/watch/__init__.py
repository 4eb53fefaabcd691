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
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from celltrail.capture.analyze import Kinds, bound_names, by_kind, dotted, root

SINKS = "__celltrail_sinks__"
NOW, TYPE, FLOAT, INT = "__celltrail_now__", "__celltrail_type__", "__celltrail_float__", "__celltrail_int__"
KEEP = "__celltrail_keep__"
HOOK = "__celltrail_watch__"
FIELD_HOOK = "__celltrail_watch_field__"

_METRIC = re.compile(
    r"(?:.*_)?(?:loss|acc|accuracy|reward|perplexity|ppl|f1|auc|auroc|mse|mae|rmse|error|err|score|bleu|rouge|elbo|kl|"
    r"nll|iou|dice|precision|recall|r2|regret|grad_norm)\d*|lr|learning_rate",
    re.IGNORECASE,
)
_EPOCH = re.compile(
    r"(?:n|i|cur|current|global)?_?(?:epoch|episode)s?(?:_?(?:n|i|idx|index|num|id))?|ep|ep_idx", re.IGNORECASE
)
_ROUND = re.compile(r"(?:n|i|cur|current|global)?_?(?:iter|iteration|update|round|generation|cycle)", re.IGNORECASE)
_TRACKERS = frozenset(["celltrail", "wandb", "mlflow", "trackio"])
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BINDING = (ast.For, ast.AsyncFor, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)


def is_metric_name(name: str) -> bool:
    """Whether a variable of this name is plainly a metric by the field's habits.

    >>> [name for name in ("loss", "self.val_loss", "lr", "lost", "error_rate", "x") if is_metric_name(name)]
    ['loss', 'self.val_loss', 'lr']
    """
    return _METRIC.fullmatch(name.rsplit(".", 1)[-1]) is not None


def is_axis_name(name: str) -> bool:
    """Whether a loop variable of this name counts epochs or rounds.

    >>> [name for name in ("epoch", "i_episode", "ep", "iteration", "i", "depoch") if is_axis_name(name)]
    ['epoch', 'i_episode', 'ep', 'iteration']
    """
    return bool(_EPOCH.fullmatch(name) or _ROUND.fullmatch(name))


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
    sinks: Sinks = field(default_factory=Sinks)  # what is extended with its values


def logs_itself(kinds: Kinds, namespace: Mapping[str, Any]) -> bool:
    """Whether the code already sends its metrics to a tracker: a ``.log(`` that is no logarithm.

    >>> [logs_itself(by_kind(ast.parse(code)), {"np": ast}) for code in ("run.log({'loss': 1})", "np.log(2)")]
    [True, False]
    """
    modules: dict[str, str] = {}
    for node in kinds[ast.Import]:
        modules.update({alias.asname or alias.name.split(".")[0]: alias.name for alias in node.names})
    for node in kinds[ast.Call]:
        if not (isinstance(node.func, ast.Attribute) and node.func.attr == "log"):
            continue
        owner = root(node.func) or ""
        value = namespace.get(owner)
        module = modules.get(owner) or (value.__name__ if isinstance(value, ModuleType) else None)
        if module is None or module.split(".")[0] in _TRACKERS:
            return True
    return False


def metric_names(kinds: Kinds) -> tuple[str, ...]:
    """Variables that loops bind to something computed and that are plainly metrics, in their order.

    >>> metric_names(by_kind(ast.parse("loss = 0\\nfor i in x:\\n    loss = f(i)\\n    acc = 0\\n    y = 1")))
    ('loss',)
    """
    found: dict[str, None] = {}
    for loop in (loop for kind in _LOOPS for loop in kinds[kind]):
        inside = by_kind(loop)
        for kind in _BINDING:
            for node in inside[kind]:
                for name in _bound_by(node):
                    if is_metric_name(name):
                        found[name] = None
    return tuple(found)


def axis_names(kinds: Kinds) -> tuple[str, ...]:
    """Loop variables that the field counts a training by: epochs anywhere, rounds where there is a loop within.

    >>> axis_names(by_kind(ast.parse("for epoch in e:\\n    for i, x in enumerate(d):\\n        loss = f(x)")))
    ('epoch',)
    """
    found: dict[str, None] = {}
    for loop in (*kinds[ast.For], *kinds[ast.AsyncFor]):
        counter = next(iter(bound_names(loop.target)), "")
        is_round = _ROUND.fullmatch(counter) and any(by_kind(part)[kind] for part in loop.body for kind in _LOOPS)
        if is_round or _EPOCH.fullmatch(counter):
            found[counter] = None
    return tuple(found)


def all_bound(kinds: Kinds) -> set[str]:
    """Every name and attribute that is bound anywhere in the code.

    >>> sorted(all_bound(by_kind(ast.parse("def f(self):\\n    self.loss = acc = 1"))))
    ['acc', 'self.loss']
    """
    stored = (node for kind in (ast.Name, ast.Attribute) for node in kinds[kind] if isinstance(node.ctx, ast.Store))
    return {name for node in stored if (name := dotted(node))}


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Watchable names that a statement binds to something computed."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant | None):
        return
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _names(target)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr | ast.For | ast.AsyncFor):
        yield from _names(node.target)


def _names(target: ast.AST) -> Iterator[str]:
    yield from bound_names(target)
    for inner in ast.walk(target):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and (name := dotted(inner)):
            yield name


def insert(tree: ast.Module, names: Iterable[str], plan: Plan, sink: Sink, *, by_name: bool = False) -> list[str]:
    """Insert a hook call at each binding of these names inside a loop or function; changes the tree.

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
    before = len(plan.targets)
    inserter = _Inserter(frozenset(names), plan, sink, by_name)
    tree.body = inserter.block(tree.body)
    return list(dict.fromkeys(plan.targets[before:]))


def insert_in(function: ast.AST, names: Iterable[str], plan: Plan, sink: Sink, *, by_name: bool = False) -> list[str]:
    """As `insert`, but only inside one function of the tree."""
    before = len(plan.targets)
    _Inserter(frozenset(names), plan, sink, by_name).visit(function)
    return list(dict.fromkeys(plan.targets[before:]))


class _Inserter(ast.NodeTransformer):
    def __init__(self, names: frozenset[str], plan: Plan, sink: Any, by_name: bool) -> None:
        self.names, self.plan, self.sink, self.by_name = names, plan, sink, by_name
        self.in_loop = self.in_function = 0
        self.sums: set[str] = set()  # names that are summed up somewhere inside the loop at hand

    @property
    def active(self) -> bool:
        """Whether what is bound here is to be recorded."""
        return bool(self.in_loop or (self.in_function and not self.by_name))

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
        for name in dict.fromkeys(_names(target)):
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
        in_loop, sums = self.in_loop, self.sums
        self.in_loop, self.sums = 0, set()
        self.in_function += 1
        node.body = self.block(node.body)
        self.in_function -= 1
        self.in_loop, self.sums = in_loop, sums
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
    return {name for node in additions for name in _names(node.target) if name in names}


def _reset(body: list[ast.stmt], sums: set[str]) -> set[str]:
    """Of the names that are summed up, those begun anew in this very block: complete at its end."""
    assigns = (node for node in body if isinstance(node, ast.Assign))
    return {name for node in assigns for target in node.targets for name in _names(target)} & sums

"""Which variables are metrics: by the field's habits, and by where the code binds them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from celltrail.capture.analyze import Kinds, bound_names, by_kind, dotted, root

_METRIC = re.compile(
    r"(?:.*_)?(?:loss|acc|accuracy|reward|perplexity|ppl|f1|auc|auroc|mse|mae|rmse|error|err|score|bleu|rouge|elbo|kl|"
    r"nll|iou|dice|precision|recall|r2|regret|grad_norm)\d*|lr|learning_rate",
    re.IGNORECASE,
)
_EPOCH = re.compile(
    r"(?:n|i|cur|current|global)?_?(?:epoch|episode)s?(?:_?(?:n|i|idx|index|num|id))?|ep|ep_idx", re.IGNORECASE
)
_ROUND = re.compile(r"(?:n|i|cur|current|global)?_?(?:iter|iteration|update|round|generation|cycle)", re.IGNORECASE)
_JUDGES = re.compile(r"(?:.*_)?(?:eval|val|valid|test|scor|judg|infer|predict|check)(?:[a-z]*)(?:_.*)?", re.IGNORECASE)
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


def judges(function: str) -> bool:
    """Whether a function of this name evaluates what another one trains.

    >>> [name for name in ("test_loop", "run_validation", "evaluate", "train", "latest", "attest") if judges(name)]
    ['test_loop', 'run_validation', 'evaluate']
    """
    return _JUDGES.fullmatch(function) is not None


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
                for name in bound_by(node):
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


def bound_by(node: ast.AST) -> Iterator[str]:
    """Watchable names that a statement binds to something computed."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant | None):
        return
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from stored_names(target)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr | ast.For | ast.AsyncFor):
        yield from stored_names(node.target)


def stored_names(target: ast.AST) -> Iterator[str]:
    """The plain names and attributes that an assignment target binds."""
    yield from bound_names(target)
    for inner in ast.walk(target):
        if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and (name := dotted(inner)):
            yield name


def own_names(tree: ast.Module, names: Iterable[str]) -> set[str]:
    """Those of these names that loops of the cell itself bind, and not only its functions.

    >>> code = "def f():\\n    for i in x: acc = i\\nfor i in x: loss = f()"
    >>> sorted(own_names(ast.parse(code), ["acc", "loss"]))
    ['loss']
    """
    wanted, found = set(names), set[str]()
    if not wanted:
        return found
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    for node, in_loop in waiting:  # grows meanwhile
        in_loop = in_loop or isinstance(node, (*_LOOPS, _Comprehension))
        if in_loop:
            found |= wanted.intersection(bound_by(node))
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            waiting.extend((inner, in_loop) for inner in ast.iter_child_nodes(node))
    return found

"""``%track on``: which cells are worth a run without being marked."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from celltrail.capture.analyze import Kinds, by_kind, root
from celltrail.capture.watch import names
from celltrail.parsing import parse

# one cheap look decides whether the code is worth parsing
_HINT = re.compile(r"fit|train|\blog\b|\bfor\b|\bwhile\b")
_CALL = re.compile(
    r"(?:partial_)?fit|fit_\w*(?:model|generator)\w*|train(?:_(?:model|network|net|epoch|one_epoch|loop|step))?"
)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_worth(source: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a cell trains or logs: it calls fit, train or a log, or a loop in it binds what is plainly a metric.

    What it only defines does not count, and neither does a cell that begins runs itself.

    >>> [is_worth(code, {}) for code in ("m.fit(x, y)", "def f():\\n    m.fit(x)", "for i in x:\\n    loss = f(i)")]
    [True, False, True]
    """
    if not _HINT.search(source):
        return False
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError):  # as when it has magics: those are marked by hand
        return False
    tree.body = [each for each in tree.body if not isinstance(each, _DEFINITIONS)]
    kinds = by_kind(tree)
    if _begins_runs(kinds, namespace):
        return False
    return bool(
        any(_trains(call, namespace) for call in kinds[ast.Call])
        or names.logs_itself(kinds, namespace)
        or names.metric_names(kinds)
    )


def _trains(call: ast.Call, namespace: Mapping[str, Any]) -> bool:
    called = call.func
    if isinstance(called, ast.Name):
        return _CALL.fullmatch(called.id) is not None
    if not (isinstance(called, ast.Attribute) and _CALL.fullmatch(called.attr)):
        return False
    # `model.train()` of torch only switches a mode
    owner = namespace.get(root(called) or "")
    return called.attr != "train" or bool(call.args or call.keywords) or not hasattr(type(owner), "named_parameters")


def _begins_runs(kinds: Kinds, namespace: Mapping[str, Any]) -> bool:
    for call in kinds[ast.Call]:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "start":
            owner = namespace.get(root(call.func) or "")
            if isinstance(owner, ModuleType) and owner.__name__ == "celltrail":
                return True
    return False

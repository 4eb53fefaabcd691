"""The modules beside the notebook that a cell depends on: which they are, and what they hold in memory just now.

What a file says does not count here: a module that was edited and not loaded again computes what it did before.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import sys
from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any

from celltrail.capture.analyze import Kinds
from celltrail.capture.values.fingerprint import Budget, fingerprint, kinds

_MOST = 50


def modules(values: Iterable[object], imports: Iterable[str]) -> dict[str, ModuleType] | None:
    """The local modules behind these values and imports, and those that they use in turn.

    None where there are too many, or where an import has yet to load one.
    """
    found: dict[str, ModuleType] = {}
    waiting = {name for value in values for name in _behind(value)}
    for name in imports:
        if name in sys.modules:
            waiting.add(name)
        elif not _is_library(name):
            return None
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if name in found or not isinstance(module, ModuleType) or not is_local(module):
            continue
        found[name] = module
        if len(found) > _MOST:
            return None
        waiting.update(other for value in list(kinds.contents(module).values()) for other in _behind(value))
    return found


def imported(tree: Kinds) -> set[str]:
    """The modules that code imports by name.

    >>> from celltrail.capture.analyze import by_kind
    >>> sorted(imported(by_kind(ast.parse("import a.b as c\\nfrom d import e"))))
    ['a.b', 'd']
    """
    found = {alias.name for node in tree[ast.Import] for alias in node.names}
    return found | {node.module for node in tree[ast.ImportFrom] if node.module and not node.level}


def contents(module: ModuleType, budget: Budget) -> str:
    """The print of what a module defines and holds; what cannot be looked into is passed over."""
    parts: list[tuple[str, str]] = []
    for name, value in sorted(kinds.contents(module).items()):
        if name.startswith("__") or isinstance(value, ModuleType):
            continue
        found = fingerprint(value, budget)
        parts.append((name, found.digest if found.quality != "opaque" else ""))
    return fingerprint(parts, budget).digest


def is_local(module: ModuleType) -> bool:
    """Whether a module is neither installed nor part of Python."""
    name = kinds.contents(module).get("__name__")
    path = kinds.contents(module).get("__file__")
    return isinstance(name, str) and isinstance(path, str) and kinds.library(name) is None


def _behind(value: Any) -> Iterable[str]:
    """The names of the modules whose code a value brings along."""
    kind = type(value)
    if issubclass(kind, ModuleType):  # isinstance would ask the value for its class
        found = kinds.contents(value).get("__name__")
        return [found] if isinstance(found, str) else []
    if kind is FunctionType:
        return [value.__module__] if isinstance(value.__module__, str) else []
    classes = kinds.mro(value) if issubclass(kind, type) else kinds.mro(kind)
    return [name for each in classes if (name := kinds.module(each)) not in ("builtins", "__main__", "")]


def _is_library(name: str) -> bool:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    try:
        spec = importlib.machinery.PathFinder.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return False
    place = spec.origin if spec else None
    return bool(place) and any(part in str(place).split(os.sep) for part in ("site-packages", "dist-packages"))

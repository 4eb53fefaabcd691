"""Functions that a tracked cell calls but did not define: watched too, for as long as the cell runs.

A function of an earlier cell or of a module beside the notebook is compiled again from its source with the hooks
in it, and given the new code; at the end of the cell it gets its own back. The function object, its closure and
defaults stay the same ones, so whoever holds it notices nothing.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from celltrail.capture import calls
from celltrail.capture.analyze import Kinds, by_kind, dotted
from celltrail.capture.values.fingerprint.kinds import members, module, mro
from celltrail.capture.watch import Plan, Sink, insert_in
from celltrail.capture.watch.names import axis_names, is_metric_name, logs_itself, metric_names
from celltrail.parsing import parse

_MOST_VALUES = 300  # looked at on the way through the notebook's objects
_MOST_FUNCTIONS = 20
_MOST_LINES = 3000
_FUTURES = 0x1FF0000  # flags of a code object that came from "from __future__ import ..."


@dataclass(slots=True)
class Swapped:
    """One function with other code than its own."""

    function: Any  # a FunctionType
    own: CodeType
    watched: CodeType

    def undo(self) -> None:
        """Give it its own code back, unless somebody else changed it meanwhile."""
        if self.function.__code__ is self.watched:
            self.function.__code__ = self.own


def swap(
    kinds: Kinds,
    reads: Iterable[str],
    namespace: Mapping[str, Any],
    names: tuple[str, ...] | None,
    own: Collection[str],
    plan: Plan,
    sink: Sink,
    hooks: Mapping[str, Any],
    hears: bool = False,
) -> list[Swapped]:
    """Put hooks into the functions that a cell reaches; what was changed, to be undone.

    Args:
        kinds: the cell's nodes.
        reads: the names it reads.
        namespace: the notebook.
        names: what to watch; None for loop variables with the name of a metric.
        own: names that the cell's own loops bind: what a function calls so is something else.
        plan: gets the new calls.
        sink: makes the sink of a call.
        hooks: what the inserted code names.
        hears: whether calls that train or score are told to plug-ins.
    """
    found: list[Swapped] = []
    for function in _functions(kinds, reads, namespace):
        code = function.__code__
        if len(found) < _MOST_FUNCTIONS and (_may_bind(code, names) or (hears and calls.may_call(code))):
            watched = _compiled(function, names, own, plan, sink, hears)
            if watched is not None:
                for name, hook in hooks.items():
                    function.__globals__.setdefault(name, hook)
                found.append(Swapped(function, code, watched))
                function.__code__ = watched
    return found


def _may_bind(code: CodeType, names: tuple[str, ...] | None) -> bool:
    """A cheap look at whether a function, or one inside it, can bind what is wanted."""
    bound = {*code.co_varnames, *code.co_cellvars, *code.co_freevars, *code.co_names}
    if any(is_metric_name(name) for name in bound) if names is None else any(n.split(".")[-1] in bound for n in names):
        return True
    return any(isinstance(constant, CodeType) and _may_bind(constant, names) for constant in code.co_consts)


def _functions(kinds: Kinds, reads: Iterable[str], namespace: Mapping[str, Any]) -> Iterator[FunctionType]:
    """The functions of this notebook and of modules beside it that the cell can reach by names."""
    places = os.getcwd(), sys.path[0]
    waiting: list[Any] = [namespace[name] for name in sorted(reads) if name in namespace]
    for attribute in kinds[ast.Attribute]:
        first, *rest = (dotted(attribute) or "").split(".")
        value = namespace.get(first)
        if rest and isinstance(value, ModuleType) and rest[0] in vars(value):
            waiting.append(vars(value)[rest[0]])
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_VALUES:
        value = waiting.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        for function in _of_value(value, places):
            if id(function) not in seen or function is value:
                seen.add(id(function))
                if function.__globals__ is not namespace and not _is_beside(function.__code__.co_filename, *places):
                    continue
                yield function
                around = function.__globals__
                waiting.extend(around[name] for name in _all_names(function.__code__) if name in around)


def _of_value(value: Any, places: tuple[str, str]) -> Iterator[FunctionType]:
    """A function behind its decorators, or the methods of a class or instance."""
    if type(value) is MethodType:
        value = value.__func__
    if issubclass(type(value), partial):  # isinstance would ask the value for its class
        value = value.func
    if type(value) is FunctionType:
        yield value
        inner = vars(value).get("__wrapped__")
        if isinstance(inner, FunctionType):
            yield inner
        return
    kind = value if issubclass(type(value), type) else type(value)
    for owner in mro(kind)[:-1]:
        if not _is_own_module(module(owner), places):
            continue
        for member in members(owner).values():
            if isinstance(member, FunctionType):
                yield member
            elif isinstance(member, staticmethod | classmethod) and isinstance(member.__func__, FunctionType):
                yield member.__func__


def _is_own_module(name: str, places: tuple[str, str]) -> bool:
    if name == "__main__":
        return True
    path = getattr(sys.modules.get(name), "__file__", None)
    return path is not None and _is_beside(path, *places)


@lru_cache(maxsize=2048)
def _is_beside(path: str, *places: str) -> bool:
    """Whether a file lies beside the notebook, and is not part of an environment that does."""
    if "site-packages" in path or not os.path.isabs(path):
        return False
    return any(os.path.commonpath([path, place]) == place for place in map(os.path.abspath, filter(None, places)))


def _all_names(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _all_names(constant)
    return found


def _compiled(
    function: FunctionType, names: tuple[str, ...] | None, own: Collection[str], plan: Plan, sink: Sink, hears: bool
) -> CodeType | None:
    """The function's code from its source, with hooks; None where there is no source or nothing to watch."""
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines or len(lines) > _MOST_LINES:
        return None
    try:
        tree = parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    node = _definition(by_kind(tree), code)
    if node is None:
        return None
    inside = by_kind(node)
    wanted = names
    if wanted is None:
        wanted = () if logs_itself(inside, function.__globals__) else metric_names(inside)
    wanted = tuple(name for name in wanted if name not in own)
    is_watched = bool(wanted and insert_in(node, wanted, plan, sink, by_name=names is None))
    is_heard = hears and calls.insert(node, function.__globals__)
    if not (is_watched or is_heard):
        return None
    if is_watched:
        insert_in(node, set(axis_names(inside)).difference(wanted), plan, sink, by_name=True)
    ast.fix_missing_locations(tree)
    flags = (code.co_flags & _FUTURES) | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    module = compile(tree, code.co_filename, "exec", flags=flags, dont_inherit=True)
    made = _same(module, code)
    # a source that is not the one the function was made from shows itself here
    return made if made is not None and _fits(made, code) else None


def compiled_again(lines: list[str], own: CodeType) -> CodeType | None:
    """A function's code made from its source once more, without hooks; None where the source is another one."""
    try:
        tree = parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    flags = (own.co_flags & _FUTURES) | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return _same(compile(tree, own.co_filename, "exec", flags=flags, dont_inherit=True), own)


def _fits(code: CodeType, own: CodeType) -> bool:
    return (
        code.co_freevars == own.co_freevars
        and code.co_varnames[: _arguments(own)] == own.co_varnames[: _arguments(own)]
        and set(own.co_names) <= set(code.co_names)
        and _plain_constants(own) <= _plain_constants(code)
    )


def _arguments(code: CodeType) -> int:
    return code.co_argcount + code.co_kwonlyargcount


def _plain_constants(code: CodeType) -> set[str]:
    return {repr(constant) for constant in code.co_consts if not isinstance(constant, CodeType)}


def _definition(kinds: Kinds, code: CodeType) -> ast.AST | None:
    for node in (*kinds[ast.FunctionDef], *kinds[ast.AsyncFunctionDef]):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        if node.name == code.co_name and first == code.co_firstlineno:
            return node
    return None


def _same(around: CodeType, own: CodeType) -> CodeType | None:
    for constant in around.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == own.co_qualname and constant.co_firstlineno == own.co_firstlineno:
                return constant
            if (inner := _same(constant, own)) is not None:
                return inner
    return None

"""Calls that train or score in a tracked cell, told to the plug-in of the library whose function is called.

``model.fit(X, y)`` is compiled as ``end(7, begin(7, "", model.fit, X, y)())``. ``begin`` gives back the function with
all its arguments, to which a plug-in may have added a callback; ``end`` shows the plug-in what came of it. Nothing of
the library is replaced, and while it works no frame of ours is on the stack: tracebacks and warnings are its own.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from celltrail.capture.analyze import Kinds, by_kind, root
from celltrail.capture.shield import shield
from celltrail.run import Run, current

BEGIN, END = "__celltrail_begin__", "__celltrail_end__"
_VERBS = re.compile(
    r"fit(?:_transform|_predict)?|partial_fit|train|optimize|evaluate|validate|test|score|cv|cross_val_score|cross_validate|"
    r"set_postfix|\w+_(?:score|error|loss)"
)
_numbers = count()

After = Callable[[Any], object]
Around = Callable[["Call"], After | None]
_arounds: dict[str, Around] = {}  # by the library whose calls they hear of
_heard: dict[Any, tuple[Around, ...]] = {}  # by the type or module that a function belongs to


@dataclass(slots=True, eq=False)
class Call:
    """A call that is about to happen, as its plug-in may change it."""

    run: Run
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]  # what is put in here is handed to the function
    target: str  # the variable that its result is assigned to, or ""
    namespace: Mapping[str, Any]  # the global variables of the code that calls

    @property
    def owner(self) -> Any:
        """The object whose method is called; None for a function."""
        return self.function.__self__ if isinstance(self.function, MethodType) else None

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", "")

    def argument(self, name: str, place: int | None = None) -> Any:
        """What is handed over under this name or, where the caller gave it by its place, there; None if nothing is."""
        if name in self.kwargs:
            return self.kwargs[name]
        return self.args[place] if place is not None and place < len(self.args) else None

    def accepts(self, name: str) -> bool:
        """Whether the function takes a keyword argument of this name that the caller did not give by its place."""
        function, given = self.function, len(self.args)
        if isinstance(function, MethodType):  # of which what is remembered must not hold the object
            function, given = function.__func__, given + 1
        return _places(function).get(name, -1) >= given

    def names(self, value: Any) -> list[str]:
        """The global variables that are this very object."""
        return [name for name, held in self.namespace.items() if held is value and not name.startswith("_")]


@lru_cache(maxsize=256)
def _places(function: Callable[..., Any]) -> dict[str, int]:
    """At which place each argument that has a name may be given; behind all others where by its name only."""
    parameters = inspect.signature(function).parameters.values()
    places = {each.name: place for place, each in enumerate(parameters) if each.kind is each.POSITIONAL_OR_KEYWORD}
    return places | {each.name: sys.maxsize for each in parameters if each.kind is each.KEYWORD_ONLY}


@dataclass(slots=True, eq=False)
class _Open:
    """A call that has begun and is not over."""

    index: int
    owner: Any
    after: list[After]

    def close(self, result: Any = None) -> None:
        # that of the library itself first: it takes back what it put in, before those of its bases look
        for call in self.after:
            shield(call, result)


@dataclass(slots=True, eq=False)
class _Stack(threading.local):
    calls: list[_Open] = field(default_factory=list[_Open])


_stack = _Stack()


def hear(library: str, around: Around) -> Callable[[], None]:
    """Hear of each call of this library's functions, methods and subclasses in tracked cells.

    Args:
        library: the name of its package.
        around: is called with each `Call` before it happens; what it returns, if anything, afterwards with the
            result, or with None if the call raised (which may be told late, at the end of the cell at latest).

    Returns:
        What stops it.
    """
    _arounds[library] = around
    _heard.clear()

    def stop() -> None:
        if _arounds.get(library) is around:
            del _arounds[library]
        _heard.clear()

    return stop


def is_heard() -> bool:
    """Whether any plug-in wants to hear of calls."""
    return bool(_arounds)


def begin(index: int, target: str, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """The function with its arguments, as the inserted code calls it."""
    if not callable(function):
        return function  # the call itself says so best
    if _arounds:
        call = shield(_begun, index, target, function, args, kwargs, sys._getframe(1).f_globals)
        if call is not None:
            kwargs = call.kwargs
    return partial(function, *args, **kwargs)


def end(index: int, result: Any, /) -> Any:
    """The result, as it is."""
    if _stack.calls:
        shield(_ended, index, result)
    return result


NAMES: dict[str, Any] = {BEGIN: begin, END: end}


def settle() -> None:
    """Close what has begun and raised: the code that called is over."""
    while _stack.calls:
        _stack.calls.pop().close()


def _begun(
    index: int, target: str, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], namespace: dict[str, Any]
) -> Call | None:
    heard = _listening(function)
    run = current() if heard else None
    if run is None:
        return None
    call = Call(run, function, args, dict(kwargs), target, namespace)
    begun = _stack.calls
    if begun and (owner := call.owner) is not None:
        for each in [each for each in begun if each.owner is owner]:  # raised, and the cell went on
            begun.remove(each)
            each.close()
    after = [told for around in heard if (told := shield(around, call)) is not None]
    if after:
        begun.append(_Open(index, call.owner, after))
    return call


def _ended(index: int, result: Any) -> None:
    if not any(each.index == index for each in _stack.calls):
        return
    while (last := _stack.calls.pop()).index != index:
        last.close()
    last.close(result)


def _listening(function: Any) -> tuple[Around, ...]:
    kind: Any
    if isinstance(function, MethodType):
        kind = function.__self__ if isinstance(function.__self__, type) else type(function.__self__)
    elif isinstance(function, FunctionType):
        kind = function.__module__
    else:
        kind = function if isinstance(function, type) else type(function)
    found = _heard.get(kind)
    if found is None:
        found = _heard[kind] = tuple(_arounds[name] for name in dict.fromkeys(_libraries(kind)) if name in _arounds)
    return found


def _libraries(kind: Any) -> Iterator[str]:
    for module in (each.__module__ for each in kind.__mro__) if isinstance(kind, type) else (kind,):
        if isinstance(module, str):
            yield module.split(".")[0]


# putting it in


def insert(tree: ast.AST, namespace: Mapping[str, Any], kinds: Kinds | None = None) -> bool:
    """Let each call in this code that may train or score be heard of; changes the tree.

    Args:
        tree: of a cell or a function.
        namespace: the global variables of the code: its own functions are left alone.
        kinds: the nodes of the tree, where they are known.

    Returns:
        Whether there is any.

    >>> [insert(ast.parse(code), {}) for code in ("model.fit(x)", "model.predict(x)")]
    [True, False]
    """
    nodes = (kinds or by_kind(tree))[ast.Call]
    if not any(_VERBS.fullmatch(_name(node)) for node in nodes):
        return False  # most code has none, and going through it costs
    inserter = _Inserter(tree, namespace)
    inserter.visit(tree)
    return inserter.is_any


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def may_call(code: CodeType) -> bool:
    """A cheap look at whether a function, or one inside it, can call what is wanted."""
    if any(_VERBS.fullmatch(name) for name in code.co_names):
        return True
    return any(isinstance(constant, CodeType) and may_call(constant) for constant in code.co_consts)


class _Inserter(ast.NodeTransformer):
    def __init__(self, tree: ast.AST, namespace: Mapping[str, Any]) -> None:
        self.namespace, self.is_any, self.top = namespace, False, tree
        self.targets = {
            id(node.value): node.targets[0].id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        }

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        # what decorates a function may read or compile its code
        return node if node.decorator_list and node is not self.top else self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # pyright: ignore[reportAssignmentType]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not _VERBS.fullmatch(_name(node)) or not self._may_be_heard(node):
            return node
        self.is_any = True
        index = ast.Constant(next(_numbers))
        target = ast.Constant(self.targets.get(id(node), ""))
        begun = ast.Call(ast.Name(BEGIN, ast.Load()), [index, target, node.func, *node.args], node.keywords)
        ended = ast.Call(ast.Name(END, ast.Load()), [index, ast.Call(begun, [], [])], [])
        for new in (ended, ended.func, index, target, ended.args[1], begun, begun.func):
            ast.copy_location(new, node)
        return ended

    def _may_be_heard(self, node: ast.Call) -> bool:
        if any(isinstance(each, ast.Starred) for each in node.args) or any(not each.arg for each in node.keywords):
            return False  # a wrong "**x" would be blamed on us
        value = self.namespace.get(root(node.func) or "")
        if isinstance(node.func, ast.Name) and isinstance(value, FunctionType | type):
            return bool(_listening(value))
        if isinstance(value, ModuleType):
            return value.__name__.split(".")[0] in _arounds
        return True

"""Which of the notebook's names a cell reaches: those it reads, and those that its functions and classes read.

With ``scale = 1; def f(x): return x * scale; scale = 5; f(2)`` the last cell's code says `f` only; what it computes
depends on `scale`. A function is found behind its decorators, in a class or an instance of the notebook, and in a
small list or dict.
"""

from __future__ import annotations

import dis
import functools
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, FunctionType, MethodType
from typing import Any

from celltrail.capture.values.fingerprint import kinds

_MOST_NAMES = 1000
_MOST_VALUES = 3000  # looked at on the way
_MOST_HELD = 50  # values of a list or dict, or attributes of an object
_GLOBAL = frozenset(dis.opmap[name] for name in ("LOAD_GLOBAL", "LOAD_NAME"))
_HOOKS = "__celltrail_"  # called by functions whose variables are watched
_EXTENDED = dis.EXTENDED_ARG


def reach(names: Iterable[str], namespace: Mapping[str, Any]) -> set[str]:
    """The names, and those of the notebook that the functions and classes behind them read.

    >>> space = {"__name__": "__main__"}
    >>> exec("scale = 1\\ndef f(x): return x * scale\\nclass Net:\\n def go(self): return f(1)\\nnet = Net()", space)
    >>> sorted(reach(["net"], space))
    ['f', 'net', 'scale']
    """
    found, waiting = set(names), list(names)
    seen: set[int] = set()
    while waiting and len(found) < _MOST_NAMES:
        value = namespace.get(waiting.pop())
        new = _named(value, namespace, seen) - found
        found |= new
        waiting.extend(new)
    return found


def global_names(code: CodeType) -> frozenset[str]:
    """The global names that code reads, functions in it included; attributes of the same name do not count.

    >>> sorted(global_names(compile("def f(a): return a.mean + [b for _ in c]", "", "exec")))
    ['b', 'c']
    """
    return _global_names(code)


def _named(value: Any, namespace: Mapping[str, Any], seen: set[int]) -> set[str]:
    """The names of the notebook that one value's own functions read."""
    found: set[str] = set()
    for function in _functions(value, namespace, seen):
        found |= _global_names(function.__code__) & namespace.keys()
    return {name for name in found if not name.startswith(_HOOKS)}


def _functions(value: Any, namespace: Mapping[str, Any], seen: set[int]) -> Iterator[FunctionType]:
    held, depth = [value], 0
    while held and depth < 4 and len(seen) < _MOST_VALUES:
        inside: list[Any] = []
        for each in held:
            if id(each) in seen:
                continue
            if type(each) is FunctionType and each.__globals__ is namespace:
                yield each
            parts = list(_parts(each))
            if parts:  # only these can come round again, and numbers share their addresses
                seen.add(id(each))
                inside += parts
        held, depth = inside, depth + 1


def _parts(value: Any) -> Iterator[Any]:
    """What a value holds that may be a function, or hold one."""
    kind = type(value)
    if kind is FunctionType:
        yield from _closed_over(value)
        yield from value.__defaults__ or ()
        yield from value.__dict__.values()
    elif kind is MethodType:
        yield value.__func__
        yield value.__self__
    elif kind is functools.partial:
        yield value.func
        yield from value.args
        yield from value.keywords.values()
    elif kind is property:
        yield from (value.fget, value.fset, value.fdel)
    elif kind is staticmethod or kind is classmethod:
        yield value.__func__
    elif kind is list or kind is tuple:
        yield from value[:_MOST_HELD]
    elif kind is dict:
        yield from list(value.values())[:_MOST_HELD] if len(value) <= _MOST_HELD else ()
    else:
        yield from _of_notebook(value, kind)


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not bound yet
            continue


def _of_notebook(value: Any, kind: type) -> Iterator[Any]:
    """The members of a class of the notebook; the class of such an object, and its attributes."""
    if kinds.is_derived(kind, type):
        if kinds.module(value) == "__main__":
            yield from list(kinds.members(value).values())
            yield from kinds.bases(value)
    elif kinds.module(kind) == "__main__":
        yield kind
        yield from [held for _, held in kinds.attributes(value)][:_MOST_HELD]
    elif kinds.is_derived(kind, functools.cached_property) or kinds.qualname(kind) == "_lru_cache_wrapper":
        yield from (held for name, held in kinds.attributes(value) if name in ("func", "__wrapped__"))


@lru_cache(maxsize=2048)
def _global_names(code: CodeType) -> frozenset[str]:
    # by hand: dis takes a quarter of a millisecond for twenty lines
    found: set[str] = set()
    argument = 0
    data = code.co_code
    for place in range(0, len(data), 2):
        argument = argument << 8 | data[place + 1]
        if data[place] == _EXTENDED:
            continue
        if data[place] in _GLOBAL:
            shift = 1 if data[place] == dis.opmap["LOAD_GLOBAL"] else 0
            found.add(code.co_names[argument >> shift])
        argument = 0
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _global_names(constant)
    return frozenset(found)

"""Readers of what a notebook defines: functions by what they do, classes by their methods, modules by version.

A function's bytecode says the same in every process and does not change with comments or its place in the file.
What its global names mean is not part of it: `capture.reach` follows those.
"""

from __future__ import annotations

import linecache
from functools import lru_cache
from types import CodeType, FunctionType, GenericAlias, ModuleType
from typing import Any, NamedTuple

from celltrail.capture import calls, watch
from celltrail.capture.values.fingerprint import kinds
from celltrail.capture.values.fingerprint.plain import by
from celltrail.capture.values.fingerprint.walk import Reader, Update, Walk, text
from celltrail.capture.watch import swap

# inserted into functions of tracked cells; numbers in those calls differ from execution to execution
_HOOKS = frozenset([watch.SINKS, watch.HOOK, watch.FIELD_HOOK, watch.KEEP, calls.BEGIN])
# bound by class statements, or changing although the class does not
_NO_MEMBERS = frozenset(
    "__abstractmethods__ __annotate__ __annotate_func__ __annotations__ __annotations_cache__ __dataclass_fields__"  # noqa: SIM905
    " __dataclass_params__ __dict__ __firstlineno__ __module__ __orig_bases__ __parameters__ __qualname__"
    " __static_attributes__ __weakref__ _abc_impl __subclasshook__".split()
)


def function(walk: Walk, value: FunctionType, update: Update) -> None:
    """A function: bytecode, constants, names, defaults, what it closes over and its attributes."""
    library = kinds.library(value.__module__) if type(value.__module__) is str else None
    update(text(value.__qualname__))
    if library is not None:
        update(text(library))
    elif _mentions(value.__code__, _HOOKS):
        own = _unwatched(value.__code__)
        if own is None:
            walk.lower("opaque")
        else:
            update(walk.token(own))
    else:
        update(walk.token(value.__code__))
    closure = tuple(value.__closure__ or ())
    update(walk.token((value.__defaults__, value.__kwdefaults__, closure, value.__dict__)))


def code(walk: Walk, value: CodeType, update: Update) -> None:
    """Compiled code, without the lines it came from."""
    update(value.co_code)
    update(b"%d %d %d %d" % (value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags))
    for names in (value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars):
        update(text("\n".join(names)))
    for constant in value.co_consts:
        update(walk.token(constant))


def class_(walk: Walk, value: type, update: Update) -> None:
    """A class: by name and version when it is a library's, else by everything its body binds."""
    update(text(kinds.qualname(value)))
    library = kinds.library(kinds.module(value))
    if library is not None:
        update(text(library))
        return
    for base in kinds.bases(value):
        update(walk.token(base))
    members = kinds.members(value)
    for name in sorted(name for name in members if type(name) is str and name not in _NO_MEMBERS):
        update(text(name))
        update(walk.token(members[name]))


def module(walk: Walk, value: ModuleType, update: Update) -> None:
    """A module: name and version; the source of local ones is kept with the run."""
    held = kinds.contents(value)
    name = held.get("__name__")
    update(text(name if type(name) is str else ""))
    update(text(kinds.version(value)))


def slots_of(*names: str) -> Reader:
    """Reader of descriptors, by the functions behind them."""

    def read(walk: Walk, value: Any, update: Update) -> None:
        update(text(kinds.name(type(value))))
        for name in names:
            update(walk.token(type(value).__dict__[name].__get__(value)))

    return read


def wrapped(walk: Walk, value: Any, update: Update) -> None:
    """A function inside a cache, without what was cached."""
    held = dict(kinds.attributes(value))
    update(walk.token(held.get("__wrapped__")))


def _mentions(code: CodeType, names: frozenset[str]) -> bool:
    if not names.isdisjoint(code.co_names):
        return True
    return any(isinstance(constant, CodeType) and _mentions(constant, names) for constant in code.co_consts)


@lru_cache(maxsize=256)
def _unwatched(watched: CodeType) -> CodeType | None:
    """The code of a function without the calls that watch its variables, compiled again from its source."""
    lines = linecache.getlines(watched.co_filename)
    return swap.compiled_again(lines, watched)


class _Named(NamedTuple):
    field: int  # what stands here in the class is a reader of its place


EXACT: dict[type, Reader] = {
    FunctionType: function,
    CodeType: code,
    property: slots_of("fget", "fset", "fdel"),
    staticmethod: slots_of("__func__"),
    classmethod: slots_of("__func__"),
}
EXACT[GenericAlias] = slots_of("__origin__", "__args__")
EXACT[type(int | None)] = slots_of("__args__")
EXACT[type(vars(_Named)["field"])] = by(lambda value: str(value.__reduce__()))
DERIVED: dict[type, Reader] = {type: class_, ModuleType: module}

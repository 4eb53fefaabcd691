"""What a type says about itself, asked without running a line of its author's.

``value.__class__``, ``hasattr`` and even ``SomeClass.__module__`` run code that a class or metaclass brings along;
the slots of `type` and `object` themselves do not.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from types import GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

_module = type.__dict__["__module__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_mro = type.__dict__["__mro__"].__get__
_bases = type.__dict__["__bases__"].__get__
_base = type.__dict__["__base__"].__get__
_members: Any = type.__dict__["__dict__"].__get__
_basicsize = type.__dict__["__basicsize__"].__get__
_contents: Any = vars(ModuleType)["__dict__"].__get__
_OWN_SLOTS = ("__dict__", "__weakref__")


def mro(kind: type) -> tuple[type, ...]:
    """The classes that a class consists of."""
    return _mro(kind)


def bases(kind: type) -> tuple[type, ...]:
    """The classes that a class names as its bases."""
    return _bases(kind)


def members(kind: type) -> Mapping[str, Any]:
    """What the body of a class binds."""
    return _members(kind)


def module(kind: type) -> str:
    """The module a class says it comes from."""
    try:
        found = _module(kind)
    except AttributeError:  # a class may delete it
        return ""
    return found if type(found) is str else ""


def qualname(kind: type) -> str:
    """The name of a class in its module."""
    return _qualname(kind)


def name(kind: type) -> str:
    """The name of a class with its module.

    >>> name(cached_property)
    'functools.cached_property'
    """
    return f"{module(kind)}.{qualname(kind)}"


def contents(value: ModuleType) -> Mapping[str, Any]:
    """The names in a module, without waking one that loads itself when asked."""
    return _contents(value)


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes that an object holds itself, by name; what a `cached_property` keeps there is no state.

    >>> class Net:
    ...     def __init__(self): self.width, self.depth = 8, 2
    >>> list(attributes(Net()))
    [('depth', 2), ('width', 8)]
    """
    found: dict[str, Any] = {}
    cached: set[str] = set()
    for kind in mro(type(value)):
        for key, member in members(kind).items():
            if type(member) is MemberDescriptorType:
                try:
                    found.setdefault(key, member.__get__(value))
                except AttributeError:  # a slot that is empty
                    continue
            elif type(member) is GetSetDescriptorType and key == "__dict__":
                held = member.__get__(value)
                found.update((name, held[name]) for name in list(held) if type(name) is str)
            elif type(member) is cached_property:
                cached.add(key)
    for key in sorted(found.keys() - cached):
        yield key, found[key]


def hides(kind: type) -> bool:
    """Whether objects of this class hold more than their attributes show: memory that belongs to C code.

    >>> hides(cached_property), hides(type(iter([])))
    (False, True)
    """
    while kind is not object:
        below = _base(kind)
        own = sum(
            type(member) is MemberDescriptorType or (type(member) is GetSetDescriptorType and key in _OWN_SLOTS)
            for key, member in members(kind).items()
        )
        if _basicsize(kind) - _basicsize(below) > 8 * own:
            return True
        kind = below
    return False


@lru_cache(maxsize=4096)
def library(name: str) -> str | None:
    """Name and version of the installed package that a module belongs to; None for the notebook and files beside it.

    >>> library("json"), library("__main__")
    ('json', None)
    """
    if name == "__main__":
        return None
    found = sys.modules.get(name)
    path = contents(found).get("__file__") if isinstance(found, ModuleType) else None
    if type(path) is str and not _is_installed(path):
        return None
    top = name.partition(".")[0]
    return top + version(sys.modules.get(top))


def version(value: object) -> str:
    """`` 1.2`` for a module that says its version, nothing for any other."""
    found = contents(value).get("__version__") if isinstance(value, ModuleType) else None
    return f" {found}" if type(found) is str else ""


def _is_installed(path: str) -> bool:
    return "site-packages" in path or "dist-packages" in path or path.startswith(_STANDARD)


_STANDARD = tuple(sysconfig.get_path(place) + os.sep for place in ("stdlib", "platstdlib"))

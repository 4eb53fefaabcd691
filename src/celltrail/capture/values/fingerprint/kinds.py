"""What a type says about itself, asked without running a line of its author's.

``value.__class__``, ``hasattr`` and even ``SomeClass.__module__`` run code that a class or metaclass brings along;
the slots of `type` and `object` themselves do not.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from types import GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_MOST_KINDS = 4000

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


def is_derived(kind: type, of: type) -> bool:
    """Whether a class is another one or derived from it."""
    return any(each is of for each in _mro(kind))


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


class PerKind(Generic[T]):
    """What was found out about classes, kept by their identity: hashing one may run its metaclass's code.

    >>> asked = PerKind(lambda kind: kind.__name__.upper())
    >>> asked(int), asked(int)
    ('INT', 'INT')
    """

    def __init__(self, find: Callable[[type], T]) -> None:
        self._find = find
        self._found: dict[int, tuple[weakref.ref[type], T]] = {}

    def __call__(self, kind: type) -> T:
        """What was found out about this class."""
        known = self._found.get(id(kind))
        if known is not None and known[0]() is kind:
            return known[1]
        found = self._find(kind)
        if len(self._found) >= _MOST_KINDS:
            self._found.clear()
        self._found[id(kind)] = weakref.ref(kind), found
        return found


def attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes that an object holds itself, by name; what a `cached_property` keeps there is no state.

    >>> class Net:
    ...     def __init__(self): self.width, self.depth = 8, 2
    >>> list(attributes(Net()))
    [('depth', 2), ('width', 8)]
    """
    slots, held, cached = _places(type(value))
    found: dict[str, Any] = {}
    for key, slot in slots:
        try:
            found[key] = slot.__get__(value)
        except AttributeError:  # it is empty
            continue
    if held is not None:
        own: dict[str, Any] = held.__get__(value)
        found.update((key, own[key]) for key in list(own) if type(key) is str and key not in cached)
    for key in sorted(found):
        yield key, found[key]


def _find_places(kind: type) -> tuple[list[tuple[str, Any]], Any, set[str]]:
    """Where objects of a class hold something: its slots, its dict, and the names that caches put into that."""
    slots: dict[str, Any] = {}
    held: Any = None
    cached: set[str] = set()
    for each in mro(kind):
        for key, member in members(each).items():
            if type(member) is MemberDescriptorType:
                slots.setdefault(key, member)
            elif type(member) is GetSetDescriptorType and key == "__dict__":
                held = held or member
            elif type(member) is cached_property:
                cached.add(key)
    return list(slots.items()), held, cached


def _find_hidden(kind: type) -> bool:
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


_places = PerKind(_find_places)
_hides = PerKind(_find_hidden)


def hides(kind: type) -> bool:
    """Whether objects of this class hold more than their attributes show: memory that belongs to C code.

    >>> hides(cached_property), hides(type(iter([])))
    (False, True)
    """
    return _hides(kind)


@lru_cache(maxsize=4096)
def library(name: str) -> str | None:
    """Name and version of the installed package that a module belongs to; None for the notebook and files beside it.

    >>> library("functools"), library("__main__")
    ('functools', None)
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

"""What is to happen as soon as a library has been imported, whoever imports it and whenever."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Call = Callable[[ModuleType], object]


class _Finder:
    """One for the process: two that look for the same module would hide it from each other."""

    def __init__(self) -> None:
        self._awaited: dict[str, list[Call]] = {}

    def wait(self, name: str, call: Call) -> Callable[[], None]:
        self._awaited.setdefault(name, []).append(call)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)  # pyright: ignore[reportArgumentType]
        return lambda: self._forget(name, call)

    def _forget(self, name: str, call: Call) -> None:
        calls = self._awaited.get(name, [])
        if call in calls:
            calls.remove(call)
        if not calls:
            self._awaited.pop(name, None)
        if not self._awaited and self in sys.meta_path:
            sys.meta_path.remove(self)  # pyright: ignore[reportArgumentType]

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The protocol of ``sys.meta_path``: the ordinary module, loaded by a loader that looks at it once."""
        if name not in self._awaited:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._arrived)  # pyright: ignore[reportAttributeAccessIssue]
        return spec

    def _arrived(self, module: ModuleType) -> None:
        for call in tuple(self._awaited.get(module.__name__, ())):
            self._forget(module.__name__, call)
            call(module)


class _Loader:
    """The loader it stands for, in everything but the moment after the module was executed."""

    def __init__(self, loader: Any, arrived: Call) -> None:
        self._loader, self._arrived = loader, arrived

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the loader does; what the module says of itself is what it would say without us."""
        spec: Any = module.__spec__
        spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._arrived(module)


_finder = _Finder()


def after_import(name: str, call: Call) -> Callable[[], None]:
    """Call this with the module once it has been imported for the first time, on the thread that imports it.

    Args:
        name: of a module that is not imported yet.
        call: gets the module; it must not raise.

    Returns:
        What stops waiting. While anything is awaited there is one finder in ``sys.meta_path``, otherwise none.

    >>> stop = after_import("antigravity", print)
    >>> stop()
    """
    return _finder.wait(name, call)

"""The generator of a library that is imported in the middle of a cell: its state as nobody has drawn from it yet.

NumPy loads ``numpy.random`` when it is first used, PyTorch makes its generator as it is imported, and both seed it from
the system then: before the cell there is nothing to read, and after it the first numbers are gone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Tell = Callable[[str, Any], object]
_READ: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "numpy.random": ("numpy", lambda module: module.get_state(legacy=False)),
    "torch": ("torch", lambda module: module.get_rng_state()),
}


class Arrival:
    """Tells of the state that a library's global generator has as it comes into being, between `on` and `off`.

    Args:
        tell: gets the library and what reads its state, on the thread that imports.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._awaited: set[str] = set()

    def on(self) -> None:
        """Watch for the imports that have not happened yet."""
        self._awaited = {name for name in _READ if name not in sys.modules}
        if self._awaited and self not in sys.meta_path:
            sys.meta_path.insert(0, self)  # pyright: ignore[reportArgumentType]

    def off(self) -> None:
        """Leave the import system as it was found."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)  # pyright: ignore[reportArgumentType]

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The protocol of ``sys.meta_path``: the ordinary module, loaded by a loader that looks at it once."""
        if name not in self._awaited:
            return None
        self._awaited.discard(name)
        if not self._awaited:
            self.off()
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._tell)  # pyright: ignore[reportAttributeAccessIssue]
        return spec


class _Loader:
    """The loader it stands for, in everything but the moment after the module was executed."""

    def __init__(self, loader: Any, tell: Tell) -> None:
        self._loader, self._tell = loader, tell

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
        library, read = _READ[module.__name__]
        self._tell(library, lambda: read(module))

"""The generator of a library that is imported in the middle of a cell: its state as nobody has drawn from it yet.

NumPy loads ``numpy.random`` when it is first used, PyTorch makes its generator as it is imported, and both seed it from
the system then: before the cell there is nothing to read, and after it the first numbers are gone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from celltrail.capture.imports import after_import

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
        self._stops: list[Callable[[], None]] = []

    def on(self) -> None:
        """Watch for the imports that have not happened yet."""
        self.off()
        self._stops = [after_import(name, self._look) for name in _READ if name not in sys.modules]

    def off(self) -> None:
        """Leave the import system as it was found."""
        while self._stops:
            self._stops.pop()()

    def _look(self, module: ModuleType) -> None:
        library, read = _READ[module.__name__]
        self._tell(library, partial(read, module))

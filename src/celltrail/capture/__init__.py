"""Cells become runs while they happen: what the cell was, what it showed, what it needed.

`Recorder` is the one object with hooks, `Tracked` one execution being recorded. The rooms beside them:

- ``analyze`` what code says about itself, ``params`` which of its values are parameters
- ``watch`` values of loop variables on their way to the log
- ``outputs`` what the kernel told its client, ``values`` what names stood for, with fingerprints
- ``rng`` generators of random numbers, ``files`` what was opened, ``environment`` where it ran
- ``session`` every execution of the kernel, ``lineage`` which of them a run depends on
- ``already`` and ``stale``: this ran before, and this no longer holds

Nothing in here draws; a `Notice` is emitted where something is to be shown.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celltrail.capture.notice import Notice
    from celltrail.capture.recorder import Recorder

__all__ = ["Notice", "Recorder"]


def __getattr__(name: str) -> Any:
    # a script that records needs a tenth of what the recorder of cells does
    if name not in __all__:
        raise AttributeError(f"{__name__} has no {name!r}")
    return getattr(import_module(f"celltrail.capture.{name.lower()}"), name)

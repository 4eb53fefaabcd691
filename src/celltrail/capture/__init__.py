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

from celltrail.capture.notice import Notice
from celltrail.capture.recorder import Recorder

__all__ = ["Notice", "Recorder"]

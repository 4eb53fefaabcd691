"""Cells become runs while they happen: what the cell was, what it showed, what it needed.

`Recorder` is the one object with hooks. Nothing in here draws; it emits a `Notice` where something is to
be shown.
"""

from celltrail.capture.notice import Notice
from celltrail.capture.recorder import Recorder

__all__ = ["Notice", "Recorder"]

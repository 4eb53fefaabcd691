"""A run from its record alone: its slice as a notebook, and its replay in a fresh kernel, judged."""

from celltrail.replay.how import Progress
from celltrail.replay.replaying import replay
from celltrail.replay.slices import Slice, Step, slice_of
from celltrail.replay.verdict import First, Replay

__all__ = ["First", "Progress", "Replay", "Slice", "Step", "replay", "slice_of"]

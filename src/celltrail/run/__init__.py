"""Runs while they happen: start, log, params, tags, finish; the current run; telling listeners.

A `Run` knows its store and nothing above it: charts, alerts and frameworks hear of it by `listen`.
"""

from celltrail.run.attribution import attributed, carry, current, current_block, set_current
from celltrail.run.events import Alerted, Ended, Event, Logged, LoggedBlock, Started, listen
from celltrail.run.recording import Run
from celltrail.run.seeding import set_seed
from celltrail.run.starting import log, start

__all__ = [
    "Alerted",
    "Ended",
    "Event",
    "Logged",
    "LoggedBlock",
    "Run",
    "Started",
    "attributed",
    "carry",
    "current",
    "current_block",
    "listen",
    "log",
    "set_current",
    "set_seed",
    "start",
]

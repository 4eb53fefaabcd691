"""Runs while they happen: start, log, params, tags, finish; the current run; telling listeners.

A `Run` knows its store and nothing above it: charts, alerts and frameworks hear of it by `listen`.
"""

from celltrail.run.attribution import around, attributed, carry, current, current_block, set_current
from celltrail.run.events import Alerted, Ended, Event, Intervened, Kept, Logged, LoggedBlock, Results, Started, listen
from celltrail.run.recording import Run
from celltrail.run.seeding import set_seed
from celltrail.run.starting import knob, log, start, watch
from celltrail.run.steering import Wish

__all__ = [
    "Alerted",
    "Ended",
    "Event",
    "Intervened",
    "Kept",
    "Logged",
    "LoggedBlock",
    "Results",
    "Run",
    "Started",
    "Wish",
    "around",
    "attributed",
    "carry",
    "current",
    "current_block",
    "knob",
    "listen",
    "log",
    "set_current",
    "set_seed",
    "start",
    "watch",
]

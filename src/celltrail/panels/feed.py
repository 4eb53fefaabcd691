"""The points of one live run on their way to the panels, bounded."""

from __future__ import annotations

import threading
import time
from collections import deque

from celltrail.contract import Band, Flag, Knob, Part, RunState
from celltrail.model import is_of_machine
from celltrail.panels.closer import flags_of_onward
from celltrail.panels.columns import Column, Floats, news_of
from celltrail.panels.curves import axes, goals, last_step
from celltrail.panels.earlier import NONE
from celltrail.panels.following import Looks
from celltrail.query.row import real
from celltrail.run import Logged, LoggedBlock, Run

MOST_FLAGS = 200
WAITING = 200_000  # log() calls that may wait for the publisher; older ones are in the trail anyway


class Feed:
    """Bounded columns of one run. `put` is called inside ``log()``; everything else by the publisher."""

    def __init__(self, run: Run) -> None:
        self.run = run
        record = run.record()
        self._began_us = record.started_us
        self._carries = bool(record.carried)  # points from before this process, which nobody tells
        self._waiting: deque[Logged | LoggedBlock] = deque(maxlen=WAITING)
        self.columns: dict[str, Column] = {}
        self.put = self._waiting.append
        self.flags: list[Flag] = [flag for _, flag in flags_of_onward(record, run.store)]
        self._told = 0  # flags that the panel knows of
        self._steered = 0  # changes of what the run was asked to that it knows of
        self._ended = False
        self._points = 0
        self.earlier = NONE
        self._beaten: dict[str, float] = {}
        self._held_at = 0.0
        self._others: Looks | None = None  # at what ranks and workers write of the run, once there are any
        self._is_seen = False  # to its end
        self._looking = threading.Lock()

    def look(self) -> None:
        """Look whether other processes write the run too, and at what they wrote; on a thread of its own.

        Whoever asks while another thread looks waits for it: the last look of all is not to be missed.
        """
        with self._looking:
            if self._is_seen:
                return
            self._is_seen = not self.run.is_running
            if self._others is None and self.run.writer.is_shared:
                self._others = Looks(self.run.store, self.run.id)
            if self._others is not None:
                self._others.look()

    @property
    def bands(self) -> list[Band]:
        """From the least to the most of its ranks; none while one process writes it."""
        return self._others.bands if self._others else []

    @property
    def said(self) -> list[str]:
        """Which of its ranks are slow or died."""
        return self._others.said if self._others else []

    @property
    def is_shown(self) -> bool:
        """Whether there is something to show of it that this process did not log."""
        return bool(self._others and any(not is_of_machine(line.metric) for line in self._others.lines))

    @property
    def has_news(self) -> bool:
        """Whether anything happened since the last `drain`."""
        is_told = self._told == len(self.flags) and self._steered == self.run.steering.changes
        is_looked_at = self._others is not None and self._others.is_new
        return bool(self._waiting) or is_looked_at or not is_told or (not self.run.is_running and not self._ended)

    def flag(self, flag: Flag) -> None:
        """Something the run said of a place; the newest are passed over once there are many."""
        if len(self.flags) < MOST_FLAGS:
            self.flags.append(flag)

    def new_flags(self) -> bool:
        """Whether there are flags that this was not asked of yet."""
        before, self._told = self._told, len(self.flags)
        return before < self._told

    def drain(self) -> None:
        """Move what waits into the columns."""
        self._ended, self._steered = not self.run.is_running, self.run.steering.changes
        if self._carries:
            self._carries = False
            self._add_carried()
        rows: dict[tuple[str, ...], list[Logged]] = {}
        while self._waiting:
            event = self._waiting.popleft()
            if isinstance(event, Logged):
                rows.setdefault(event.names, []).append(event)
            else:
                self._add(event.names, rows.pop(event.names, []))
                seconds = (event.t_us - self._began_us) / 1e6
                for index, name in enumerate(event.names):
                    self._column(name).add(event.steps, seconds, event.values[:, index])
                self._count(event.names, len(event.steps))
        for names, events in rows.items():
            self._add(names, events)
        if self._others is not None and self._others.is_new:
            self._others.put_into(self.columns)
            self._points = sum(column.total for name, column in self.columns.items() if not is_of_machine(name))

    def _add_carried(self) -> None:
        """The points the run has from before: of its own earlier processes, or of the run it was forked from."""
        record = self.run.record()
        since_us = record.resumes[-1].t_us if record.resumes else record.created_us
        for name, series in self.run.store.series(self.run.id).items():
            earlier = series.at(series.t_us < since_us)
            if len(earlier.step):
                self._column(name).add(earlier.step, (earlier.t_us - self._began_us) / 1e6, earlier.value)
                self._points += 0 if is_of_machine(name) else len(earlier.step)

    def _column(self, name: str) -> Column:
        return self.columns.setdefault(name, Column())

    def _add(self, names: tuple[str, ...], events: list[Logged]) -> None:
        if not events:
            return
        steps = [event.step for event in events]
        seconds = [(event.t_us - self._began_us) / 1e6 for event in events]
        for index, name in enumerate(names):
            self._column(name).add(steps, seconds, [event.values[index] for event in events])
        self._count(names, len(events))

    def _count(self, names: tuple[str, ...], calls: int) -> None:
        if not is_of_machine(names[0]):
            self._points += calls * len(names)

    @property
    def trained(self) -> list[str]:
        """The series that do not tell of the machine."""
        return [name for name in list(self.columns) if not is_of_machine(name)]

    def parts(self, full: bool) -> tuple[list[Part], list[Floats]]:
        """What to tell a panel: all of it, or what is new."""
        return news_of(self.run.id, self.columns, full)

    def _hold(self) -> dict[str, float]:
        """How the run stands among the earlier ones of its cell, looked up once a second."""
        now = time.monotonic()
        if self.earlier.runs and (now - self._held_at >= 1 or not self.run.is_running):
            self._held_at = now
            known = goals(self.run.record(), self.earlier.lines)
            shares = {
                name: self.earlier.beaten(name, known[name], float(column.points()[0, -1]), column.last)
                for name, column in self.columns.items()
                if name in known and column.last is not None
            }
            self._beaten = {name: share for name, share in shares.items() if share is not None}
        return self._beaten

    def state(self) -> RunState:
        """The run beside its points."""
        run = self.run
        record = run.record()
        error = record.error if not run.is_running else None
        return {
            "run": run.id,
            "name": run.name,
            "status": run.status,
            "step": last_step(record),
            "seconds": run.seconds,
            "started": self._began_us / 1e6,
            "axes": axes(record),
            "points": self._points,
            "last": {name: real(self.columns[name].last) for name in self.trained},
            "goals": goals(record, self.trained),
            "earlier": self.earlier.runs,
            "beaten": self._hold(),
            "left": self.earlier.left(run.step, run.seconds) if run.is_running else None,
            "error": str(error) if error else None,
            "asked_to": run.steering.asked_to if run.is_running else "",
            "paused": run.steering.is_paused,
            "knobs": self._knobs() if run.is_running else [],
        }

    def _knobs(self) -> list[Knob]:
        return [
            {
                "name": knob.name,
                "value": knob.value,
                "wanted": knob.wanted,
                "low": knob.low,
                "high": knob.high,
                "whole": type(knob.value) is int,
            }
            for knob in list(self.run.steering.knobs.values())
        ]

"""Runs that other processes write, wholly or as ranks and workers: read from their trail while they grow."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from celltrail.contract import Band, Flag, Part, RunState
from celltrail.model import RunRecord, is_of_machine, trained
from celltrail.panels.closer import flags_of
from celltrail.panels.columns import Column, Floats, news_of
from celltrail.panels.curves import curves, state_of
from celltrail.panels.earlier import NONE
from celltrail.panels.together import bands, said_of
from celltrail.query import StoredRun
from celltrail.query.ranks import ranks
from celltrail.run import Wish
from celltrail.store import control
from celltrail.store.folders import run_folder

if TYPE_CHECKING:
    from celltrail.panels.figure import Line
    from celltrail.store import Store


class Looks:
    """What the trail says of a run that other processes write: its curves, the bands of its ranks, which need a look.

    `look` may be called on a thread of its own; what it found is taken by `take` on another one.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self.run = StoredRun(store.record(run_id), store)
        self.lines: list[Line] = []
        self.totals: list[int] = []
        self.bands: list[Band] = []
        self.said: list[str] = []
        self.is_new = False
        self.is_over = False  # it has ended, and no rank or worker goes on

    def look(self) -> None:
        """Read it once more."""
        self.run = self.run.refresh()
        writers, folder = self.run.store.writers(self.run.id), run_folder(self.run.store.root, self.run.id)
        self.is_over = self.run.status != "running" and not any(writer.is_alive(folder) for writer in writers)
        self.lines, self.totals = curves(self.run)
        names = [line.metric for line in self.lines if not is_of_machine(line.metric)]
        self.bands = bands(self.run.store.series(self.run.id), names)
        self.said = said_of((each.rank, each.told) for each in ranks(self.run.record, self.run.store))
        self.is_new = True

    def put_into(self, columns: dict[str, Column], without_machine: bool = False) -> None:
        """Put what was found into columns, in place of what they hold."""
        self.is_new = False
        for line, total in zip(self.lines, self.totals, strict=True):
            if not (without_machine and is_of_machine(line.metric)):
                columns.setdefault(line.metric, Column()).replace(line.points, total)


class Elsewhere:
    """A run of another process, behind the names by which a chart speaks to one of its own."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self.id, self.name, self.store = looks.run.id, looks.run.name, looks.run.store

    def record(self) -> RunRecord:
        """What is known of it."""
        return self._looks.run.record

    @property
    def is_running(self) -> bool:
        """Whether it went on when it was last looked at."""
        return self._looks.run.status == "running"

    def note(self, text: str, *, metric: str | None = None, step: int | None = None) -> None:
        """Keep a note on it."""
        self._looks.run.note(text, metric=metric, step=step)

    def steer(self, wish: Wish) -> str:
        """Leave a wish for its process in the trail."""
        control.post(self.store.root, self.id, wish._asdict())
        return "asked by way of the trail"


class Followed:
    """A run of another process as a chart takes it; the counterpart of `feed.Feed`."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._looks = Looks(store, run_id)
        self.run = Elsewhere(self._looks)
        self.columns: dict[str, Column] = {}
        self.flags: list[Flag] = []
        self.earlier = NONE
        self._told = 0
        self._looking = threading.Lock()

    @property
    def has_news(self) -> bool:
        """Whether there was a look since the last `drain`."""
        return self._looks.is_new

    @property
    def trained(self) -> list[str]:
        """The series that do not tell of the machine."""
        return [name for name in list(self.columns) if not is_of_machine(name)]

    @property
    def bands(self) -> list[Band]:
        """From the least to the most of its ranks."""
        return self._looks.bands

    @property
    def said(self) -> list[str]:
        """Which of its ranks are slow or died."""
        return self._looks.said

    @property
    def is_shown(self) -> bool:
        """Whether there is something to show of it."""
        return bool(trained(self.run.record()))

    def look(self) -> None:
        """Read it once more, the last time when all of it has ended; after another thread that is just at it."""
        with self._looking:
            if not self._looks.is_over:
                self._looks.look()

    def drain(self) -> None:
        """Take what was found."""
        if self._looks.is_new:
            self._looks.put_into(self.columns)
            self.flags = flags_of(self._looks.run)

    def new_flags(self) -> bool:
        """Whether there are flags that this was not asked of yet."""
        before, self._told = self._told, len(self.flags)
        return before < self._told

    def parts(self, full: bool) -> tuple[list[Part], list[Floats]]:
        """What to tell a panel: all of it, or what is new."""
        return news_of(self.run.id, self.columns, full)

    def state(self) -> RunState:
        """The run beside its points."""
        return state_of(self._looks.run, self._looks.lines)

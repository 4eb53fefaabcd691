"""Hands on a run that goes on: people ask on any thread, and the thread that the run began on does it as it logs."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from celltrail.errors import BadValue, StopTraining, nearest
from celltrail.model import Intervention

Deed = Literal["stop", "pause", "resume", "turn"]
LOOK_S = 0.1  # a wait without end would not hear Ctrl-C on Windows
_SAID = {"stop": "stops at the next ct.log()", "pause": "pauses at the next ct.log()", "resume": "goes on"}


class Obeying(Protocol):
    """As much of a run as does what it was asked to."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def step(self) -> int | None:
        """Of its last point."""
        ...

    def held(self) -> None:
        """It waits from now on."""

    def intervened(self, deed: Intervention) -> None:
        """It was done."""


class Wish(NamedTuple):
    """What somebody asks of a run: to stop, to pause, to go on, or to turn a knob to a value."""

    id: str  # the same wish may come by two ways
    do: Deed
    by: str = "panel"
    knob: str = ""
    value: float | None = None
    at: int | None = None  # the step to stop at, the same for all ranks; the next one where there is none


@dataclass(slots=True)
class Knob:
    """A number that people may change while the run goes on."""

    name: str
    value: float  # that the code was given last
    low: float | None
    high: float | None
    wanted: float | None = None  # since then
    by: str = ""

    def check(self, value: float | None) -> float:
        """The value as the code will be given it, or the sentence why not."""
        least, most = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        if value is None or not math.isfinite(value) or not least <= value <= most:
            raise BadValue(f"{self.name} was given {value}; it takes {self._allowed()}")
        if type(self.value) is not int:
            return float(value)
        if value != int(value):
            raise BadValue(f"{self.name} was given {value}; it takes whole numbers, as {self.value} is one")
        return int(value)

    def _allowed(self) -> str:
        if self.low is None and self.high is None:
            return "any finite number"
        if self.high is None:
            return f"at least {self.low}"
        return f"at most {self.high}" if self.low is None else f"{self.low} to {self.high}"


class Steering:
    """What was asked of one run and is not done yet."""

    def __init__(self) -> None:
        self.is_asked = False  # all that ``log()`` looks at
        self.asked_to: Literal["", "pause", "stop"] = ""
        self.is_paused = False
        self.changes = 0  # grows with each, for whoever shows how the run stands
        self.knobs: dict[str, Knob] = {}
        self._by, self._at = "", -math.inf
        self._met: set[str] = set()
        self._lock = threading.Lock()  # of those who ask
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._thread = threading.get_ident()
        self._hearing: list[Callable[[bool], None]] = []

    @property
    def is_here(self) -> bool:
        """Whether this thread is the one that does what is asked."""
        return threading.get_ident() == self._thread

    def hear(self, callback: Callable[[bool], None]) -> None:
        """Call this, on any thread, as soon as something is asked, and once nothing is asked any more."""
        self._hearing.append(callback)

    def ask(self, wish: Wish) -> str:
        """Take a wish, once; what will happen, as a sentence without its subject."""
        with self._lock:
            if wish.do == "turn":
                return self._turn(wish)
            if wish.do not in _SAID:
                raise BadValue(f"a run cannot be asked to {wish.do!r}; it can stop, pause, resume, or turn a knob")
            if wish.id not in self._met:
                self._met.add(wish.id)
                self._by = wish.by
                if wish.do != "pause":
                    self._may_go_on.set()
                elif self.asked_to != "stop":
                    self._may_go_on.clear()
                if wish.do == "stop":
                    self._at = -math.inf if wish.at is None else wish.at
                if wish.do == "stop" or self.asked_to != "stop":
                    self._await("" if wish.do == "resume" else wish.do)
            return _SAID[wish.do] if wish.at is None else f"stops at step {wish.at:,}, with all its ranks"

    def obey(self, run: Obeying) -> None:
        """Wait as long as the run is to pause; raise if it is to stop, once."""
        if not self.is_here:
            return
        if self.asked_to == "pause":
            self._wait(run)
        if self.asked_to == "stop" and (run.step or 0) >= self._at:
            by = self._by
            self._await("")
            run.intervened(Intervention("stop", run.step, by))
            raise StopTraining(run.name, run.step, by)

    def take(self, run: Obeying, knob: Knob) -> None:
        """The code is given the value that was asked for."""
        wanted, knob.wanted = knob.wanted, None
        if wanted is not None and wanted != knob.value:
            before, knob.value = knob.value, wanted
            run.intervened(Intervention("knob", run.step, knob.by, knob.name, before, wanted))
        self.changes += 1

    def _turn(self, wish: Wish) -> str:
        knob = self.knobs.get(wish.knob)
        if knob is None:
            there_is = ", ".join(self.knobs) or "none: declare one with ct.knob()"
            raise BadValue(
                f"no knob is called {wish.knob!r}{nearest(wish.knob, self.knobs) or ';'} there is {there_is}"
            )
        value = knob.check(wish.value)
        if wish.id not in self._met:
            self._met.add(wish.id)
            knob.by, knob.wanted = wish.by, value
            self.changes += 1
        return f"gets {knob.name} = {value:g} at the next ct.knob({knob.name!r}, ...)"

    def _await(self, what: Literal["", "pause", "stop"]) -> None:
        self.asked_to = what
        self.is_asked = bool(what)
        self.changes += 1
        for callback in self._hearing:
            callback(self.is_asked)

    def _wait(self, run: Obeying) -> None:
        by, began = self._by, time.monotonic()
        self.is_paused = True
        self.changes += 1
        try:
            run.held()
            while not self._may_go_on.wait(LOOK_S):
                pass
        finally:  # Ctrl-C ends a pause too
            self.is_paused = False
            self._may_go_on.set()
            if self.asked_to == "pause":
                self._await("")
            run.intervened(Intervention("pause", run.step, by, seconds=time.monotonic() - began))

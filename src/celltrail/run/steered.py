"""What people may do to a run while it goes on: stop it, pause it, turn the knobs that its code declares."""

from __future__ import annotations

import math
from typing import Any

from celltrail.errors import BadValue, CelltrailError
from celltrail.model import Intervention
from celltrail.run.described import Described
from celltrail.run.events import Intervened, tell
from celltrail.run.steering import Knob, Steering, Wish
from celltrail.run.values import check_name
from celltrail.store import control

AHEAD, HEARD_S = 16, 1.0  # steps, and the time in which every rank has heard


class Steered(Described):
    """A run that listens to people."""

    step: int | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steering = Steering()
        self._wishes = control.Wishes(self.id)
        self._relays: dict[str, Wish] = {}
        self._wishes.fresh(self.store.root)  # what was asked of an earlier process of the same run is over

    @property
    def stopped_by(self) -> str | None:
        """Who or what stopped it early, "panel" for a click; None if nobody did."""
        return self.summary.get("stopped_by")

    def steer(self, wish: Wish) -> str:
        """Ask the run to stop, pause or go on as it logs, or to turn a knob; what will happen, as a sentence.

        It may be asked on any thread, and twice by two ways.

        Raises:
            CelltrailError: the run has already ended.
            BadValue: there is no such knob, or it does not take this value.
        """
        if not self.is_running:
            raise CelltrailError(f"run {self.name!r} has already {self.status}; there is nothing to {wish.do}")
        if wish.do == "stop" and wish.at is None and self.writer.is_shared:
            wish = self._relayed(wish)
        return f"{self.name} {self.steering.ask(wish)}"

    def knob(self, name: str, value: float, low: float | None = None, high: float | None = None) -> float:
        """A number that people can change in the chart while the run goes on; returns what they chose last.

        Put the call where the number is used, inside the loop. The first call declares the knob and records its value
        as a parameter; a change is recorded with the step at which it took effect.

        Args:
            name: what the slider is called.
            value: the value until somebody changes it; an integer stays one.
            low: the least it can be set to.
            high: the most.

        Raises:
            BadValue: the value is not a finite number, or not between low and high.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     for step in range(3):
        ...         run.log({"train/lr": run.knob("lr", 1e-3, 1e-5, 1e-1)})
        >>> run.params["lr"]
        0.001
        """
        knob = self.steering.knobs.get(name) or self._declare(name, value, low, high)
        if knob.wanted is not None:
            self.steering.take(self, knob)
        return knob.value

    def held(self) -> None:
        """Say that the code waits; when it goes on, the pause is told as what people did."""
        self.writer.event("held", step=self.step)

    def intervened(self, deed: Intervention) -> None:
        """Keep what people did, and tell of it."""
        if deed.do == "stop":
            self.summary["stopped_by"] = deed.by
        self.writer.event("intervention", **deed.told())
        tell(Intervened(self, deed))

    def _relayed(self, wish: Wish) -> Wish:
        """A stop for all ranks: one that left alone would leave the others waiting for it."""
        known = self._relays.get(wish.id)
        if known is None:
            step = self.step or 0
            known = wish._replace(id=f"{wish.id}, all", at=step + max(AHEAD, round(step * HEARD_S / self.seconds)))
            self._relays[wish.id] = known
            control.post(self.store.root, self.id, known._asdict())
        return known

    def _declare(self, name: str, value: float, low: float | None, high: float | None) -> Knob:
        name = check_name(name, "knob")
        for number in (value, low, high):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
                raise BadValue(f"knob {name!r} was given {number!r}; a knob is a number, and so are its bounds")
        if not math.isfinite(value):
            raise BadValue(f"knob {name!r} begins at {value}; it takes a finite number")
        knob = Knob(name, value, low, high)
        knob.check(value)
        self.steering.knobs[name] = knob
        self.steering.changes += 1
        self.writer.event("knob", name=name, value=value, low=low, high=high)
        if name not in self.params:
            self.params[name] = value
        return knob

    def _heed(self) -> None:
        """What people asked by way of the trail, who cannot reach this process."""
        for wish in self._wishes.fresh(self.store.root):
            if not self.writer.owns and wish.get("at") is None:
                continue  # what is not for all ranks is for the first
            try:
                self.steer(Wish(**wish))
            except (CelltrailError, TypeError) as problem:
                self.writer.note(f"a wish was not heeded: {problem}")

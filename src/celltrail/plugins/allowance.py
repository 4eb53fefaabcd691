"""How much of the user's time a plug-in may take."""

from __future__ import annotations

import math
import time

_WEIGHT = 0.2  # of the newest look in what is known of the cost of one, and of the time between two


class Pace:
    """Which of a training's steps are looked at: the first ones, then every so many-th, at an even distance.

    A short training is seen whole, on a slow or busy machine too: the first looks are counted, not timed.

    Args:
        share: of the training thread's own time, what the later looks may take.
        at_first: how many looks are free of that, one a step.

    Attributes:
        due: the next step to look at.
        last: the last one that was looked at.

    >>> pace = Pace(0.01, at_first=2)
    >>> spent_ns = pace.looked(0, time.thread_time_ns())
    >>> pace.is_due(1)
    True
    >>> spent_ns = pace.looked(1, time.thread_time_ns() - 1_000_000)
    >>> pace.is_due(2)
    False
    """

    def __init__(self, share: float, at_first: int) -> None:
        self._share, self._left = share, at_first
        self.due = 0
        self._cost_ns = self._step_ns = 0.0
        self._has_looked = False
        self.last, self._last_ns = 0, time.thread_time_ns()

    def is_due(self, step: int) -> bool:
        """Whether this step is one to look at; the least that can be asked, for it is asked at every step."""
        return step >= self.due

    def looked(self, step: int, began_ns: int) -> int:
        """A look at this step, begun at this time of the thread, has just ended; how long it took."""
        now = time.thread_time_ns()
        spent_ns = now - began_ns
        self._left -= 1
        if not self._has_looked:  # it meets everything for the first time, and no step was timed before it
            self._has_looked = True
            self.due, self.last, self._last_ns = step + 1, step, now
            return spent_ns
        own_ns = max(1, now - self._last_ns - spent_ns) / max(1, step - self.last)
        self._cost_ns += (spent_ns - self._cost_ns) * (_WEIGHT if self._cost_ns else 1)
        self._step_ns += (own_ns - self._step_ns) * (_WEIGHT if self._step_ns else 1)
        self.last, self._last_ns = step, now
        if self._left > 0:
            self.due = step + 1
        else:
            self.due = step + max(1, math.ceil(self._cost_ns / (self._share * self._step_ns)))
        return spent_ns

"""How much of the user's time a plug-in may take."""

from __future__ import annotations

import math
import time

_WEIGHT = 0.2  # of the newest look in what is known of the cost of one, and of the time between two


class Pace:
    """Which of a training's steps are looked at: the first ones, then every so many-th, at an even distance.

    Args:
        share: of the training thread's own time, what the looks may take.
        at_once_s: what they may take before that counts.

    Attributes:
        due: the next step to look at.
        last: the last one that was looked at.

    >>> pace = Pace(0.01, 0.0)
    >>> pace.is_due(0)
    True
    >>> pace.looked(0, 1_000_000)
    >>> pace.is_due(1)
    True
    >>> pace.looked(1, 1_000_000)
    >>> pace.is_due(2)
    False
    """

    def __init__(self, share: float, at_once_s: float) -> None:
        self._share, self._left_ns = share, at_once_s * 1e9
        self.due = 0
        self._cost_ns = self._step_ns = 0.0
        self._has_looked = False
        self.last, self._last_ns = 0, time.thread_time_ns()

    def is_due(self, step: int) -> bool:
        """Whether this step is one to look at; the least that can be asked, for it is asked at every step."""
        return step >= self.due

    def looked(self, step: int, spent_ns: int) -> None:
        """A look at this step has just ended, and took so much."""
        now = time.thread_time_ns()
        if not self._has_looked:  # it meets everything for the first time, and no step was timed before it
            self._has_looked = True
            self._left_ns -= min(spent_ns, self._left_ns / 2)
            self.due, self.last, self._last_ns = step + 1, step, now
            return
        own_ns = max(1, now - self._last_ns - spent_ns) / max(1, step - self.last)
        self._cost_ns += (spent_ns - self._cost_ns) * (_WEIGHT if self._cost_ns else 1)
        self._step_ns += (own_ns - self._step_ns) * (_WEIGHT if self._step_ns else 1)
        self.last, self._last_ns = step, now
        self._left_ns -= spent_ns
        if self._left_ns > 0:
            self.due = step + 1
        else:
            self.due = step + max(1, math.ceil(self._cost_ns / (self._share * self._step_ns)))

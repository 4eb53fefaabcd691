"""How much of a cell's time its recording may take, and what it gives up when it takes more.

Counted is processor time of the main thread: that other programs keep the machine busy is no fault of the
recording. What is given up comes in a fixed order, each step only where it saves something and where the cost
goes on, and each is told on the run. Status, source and what the cell logs itself are never given up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

LEAST_NS = 10_000_000
# unless a budget was asked for, what is wanted may take so many times the share: a curve that ends in the middle
# is worse than a loop of hundreds of nanoseconds that takes a quarter longer
_SPARING = 25


@dataclass(frozen=True, slots=True)
class Limit:
    """What the recording of a cell may cost: a share of the cell's time, and always so much."""

    share: float = 0.01
    least_ns: int = LEAST_NS
    is_asked: bool = False


class Step(NamedTuple):
    """One thing that can be given up: what it is called, what it costs so far, whether there is any of it left."""

    name: str
    cost_ns: int
    is_possible: bool
    is_wanted: bool = False  # it is what the recording is for


class Allowance:
    """Watches over the cost of one execution.

    Args:
        limit: what it may cost.
    """

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.degraded: list[str] = []  # what was given up, in order
        self._begun = self._since = time.perf_counter_ns()
        self._spent = 0  # at the last step

    def allowed_ns(self) -> int:
        """What the execution may have cost until now."""
        return max(self.limit.least_ns, round(self.limit.share * (time.perf_counter_ns() - self._begun)))

    def seconds(self, most: float, spent_ns: int) -> float:
        """For how long values may be looked at: what is left, and half of what is always allowed in any case.

        >>> Allowance(Limit(share=0, least_ns=20_000_000)).seconds(0.05, spent_ns=4_000_000)
        0.016
        """
        left = max(self.allowed_ns() - spent_ns, self.limit.least_ns // 2)
        return min(most, left / 1e9)

    def give_up(self, name: str) -> None:
        """Note something that is left out from now on."""
        if name not in self.degraded:
            self.degraded.append(name)

    def next_step(self, spent_ns: int, steps: list[Step]) -> Step | None:
        """What to give up now, if anything.

        Args:
            spent_ns: what the execution cost so far.
            steps: what can be given up, in the order it shall be.
        """
        now = time.perf_counter_ns()
        wanted = 0 if self.limit.is_asked else max((step.cost_ns for step in steps if step.is_wanted), default=0)
        for step in steps:
            share = self.limit.share * (_SPARING if step.is_wanted and not self.limit.is_asked else 1)
            spent = spent_ns - (0 if step.is_wanted else wanted)
            is_over = spent > max(self.limit.least_ns, share * (now - self._begun))
            # what was given up lately cannot bring back what it has cost
            goes_on = spent_ns - self._spent > share * (now - self._since)
            if is_over and goes_on and step.is_possible and step.cost_ns * 10 > spent:
                self._since, self._spent = now, spent_ns
                self.give_up(step.name)
                return step
        return None

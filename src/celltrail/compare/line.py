"""One thing that is compared."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from celltrail.compare.verdict import Verdict
from celltrail.contract import Goal
from celltrail.model import Json


@dataclass(frozen=True, slots=True)
class Line:
    """One compared thing with its value in each run, in the order of the runs."""

    name: str
    values: tuple[Json, ...]
    goal: Goal = "none"
    is_best: bool = False  # the best value of a metric, not its last
    verdicts: tuple[Verdict | None, ...] = ()  # of a metric, for each run

    @property
    def is_tested(self) -> bool:
        """Whether something can be said of it against the first run."""
        return any(verdict is not None and verdict.gap is not None for verdict in self.verdicts)

    @property
    def is_judged(self) -> bool:
        """Whether there is an interval around any of its values."""
        return any(verdict is not None for verdict in self.verdicts)

    @property
    def differs(self) -> bool:
        """Whether any run has another value than the first; NaN is the same as NaN."""
        return any(_plain(value) != _plain(self.values[0]) for value in self.values[1:])


def _plain(value: Json) -> str:
    """A value so that equal ones are equal: True is not 1, NaN is NaN, and 1 is 1.0."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)

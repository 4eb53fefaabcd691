"""What can be said of a metric of a run against the first: better, worse, or nothing that is sure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from celltrail import contract
from celltrail.compare.line import Line
from celltrail.compare.parts import value_of
from celltrail.model import RunRecord
from celltrail.query.plain import number
from celltrail.stats import Gap, bootstrap, welch
from celltrail.stats.interval import mean_interval

Interval = Literal["welch", "bootstrap"]
_TESTS = {"welch": welch, "bootstrap": bootstrap}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A metric of one run over its repeats, and against the first run.

    Attributes:
        n: how many runs or rows stand behind it.
        mean: over them.
        half: how far the 95% interval of the mean reaches to either side; None where it is unknown.
        gap: the difference to the first run; None for that itself, and where it cannot be tested.
        word: better, worse, higher, lower or not distinguishable; "" without a gap.
    """

    n: int
    mean: float
    half: float | None
    gap: Gap | None = None
    word: str = ""

    @property
    def text(self) -> str:
        """All of it in a line: "better by 0.02, 95% interval 0.01 to 0.03 (n=5)"."""
        gap = self.gap
        if gap is None:
            return ""
        if self.word == "not distinguishable":
            return f"not distinguishable ({gap.count})"
        return (
            f"{self.word} by {number(abs(gap.by))}, 95% interval {number(gap.low)} to {number(gap.high)} ({gap.count})"
        )

    @property
    def short(self) -> str:
        """The word and how many: "not distinguishable (n=3)"."""
        return f"{self.word} ({self.gap.count})" if self.gap else ""

    def payload(self) -> contract.Verdict:
        """As the front end gets it."""
        return {"n": self.n, "mean": self.mean, "half": self.half, "word": self.word, "text": self.text}


def verdicts(line: Line, groups: Sequence[Sequence[RunRecord]], how: Interval) -> tuple[Verdict | None, ...]:
    """For each run what its repeats say of a metric; None where it has none, or it cannot be told."""
    name = line.name.removeprefix("best ") if line.is_best else line.name
    goal = line.goal if line.is_best else "none"
    values = [_known(records, name, goal) for records in groups]
    told: list[Verdict | None] = []
    for place, mine in enumerate(values):
        if len(mine) < 2:
            told.append(None)
            continue
        mean, half = mean_interval(mine)
        gap = _TESTS[how](values[0], mine) if place else None
        told.append(Verdict(len(mine), mean, half, gap, gap.word(line.goal) if gap else ""))
    return tuple(told)


def _known(records: Sequence[RunRecord], name: str, goal: contract.Goal) -> list[float]:
    found = (value_of(record, name, goal) for record in records)
    return [float(value) for value in found if value is not None and math.isfinite(value)]

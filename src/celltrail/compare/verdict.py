"""What can be said of a metric of a run against the first: better, worse, or nothing that is sure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from celltrail import contract
from celltrail.query.plain import number
from celltrail.stats import Gap

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """A metric of one run over its repeats or its rows, and against the first run.

    Attributes:
        n: how many runs or rows stand behind it.
        of: what they are.
        mean: of the repeats; of rows the metric itself.
        low: the lower end of the 95% interval, NaN where that is unknown.
        high: its upper end.
        gap: the difference to the first run; None for that itself, and where it cannot be tested.
        word: better, worse, higher, lower or not distinguishable; "" without a gap.
        among: how many metrics were held against the first run at once.
        p: of the gap, corrected for that many by Holm's method; NaN without a gap.
    """

    n: int
    of: Literal["runs", "rows"]
    mean: float
    low: float
    high: float
    gap: Gap | None = None
    word: str = ""
    among: int = 1
    p: float = math.nan

    @property
    def around(self) -> str:
        """Where the metric lies: "mean 0.92 ± 0.01 (n=5)" of repeats, "0.9 to 0.94 (n=360 rows)" of rows."""
        if self.of == "rows":
            return f"{number(self.low)} to {number(self.high)} (n={self.n} rows)"
        return f"mean {number(self.mean)} ± {self.high - self.mean:.2g} (n={self.n})"

    @property
    def text(self) -> str:
        """All of it in a line: "better by 0.02, 95% interval 0.01 to 0.03 (n=5)"."""
        gap = self.gap
        if gap is None:
            return ""
        if gap.word("none") == "not distinguishable":
            return f"not distinguishable ({gap.count})"
        draws = f", {gap.draws:,} draws" if gap.draws else ""
        chance = f"p={self.p:.2g} by Holm among {self.among} metrics{draws}"
        if self.word == "not distinguishable":
            return f"not distinguishable, {chance} ({gap.count})"
        ends = f"95% interval {number(gap.low)} to {number(gap.high)}"
        corrected = f", {chance}" if self.among > 1 else ""
        return f"{self.word} by {number(abs(gap.by))}, {ends}{corrected} ({gap.count})"

    def corrected(self, among: int, p: float) -> Verdict:
        """The verdict as one of so many: a difference that may be one of chance among them is none."""
        word = self.word if p < _LEVEL else "not distinguishable"
        return replace(self, word=word, among=among, p=p)

    @property
    def short(self) -> str:
        """The word and how many: "not distinguishable (n=3)"."""
        return f"{self.word} ({self.gap.count})" if self.gap else ""

    def payload(self) -> contract.Verdict:
        """As the front end gets it."""
        return {"around": self.around, "word": self.word, "text": self.text}

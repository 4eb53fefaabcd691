"""Two runs row by row: what the second got right that the first did not, and the other way round."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from celltrail.contract import Goal
from celltrail.errors import BadValue
from celltrail.query.evaluation import Evaluated
from celltrail.query.plain import number
from celltrail.stats import Gap, flipped, mcnemar, paired

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows that both runs were evaluated on.

    Attributes:
        df: a row for each: ``id``, ``truth``, ``first``, ``second`` (what each predicted), and of a classification
            whether that is right (``first_correct``, ``second_correct``), else the errors (``first_error`` ...); of
            texts both, right where a text is exactly the other.
        metric: what is compared: accuracy, the mean absolute error, or of texts the word error rate of a row.
        only_one: rows that only one of the two has.
    """

    df: pd.DataFrame = field(repr=False)
    metric: Literal["accuracy", "mae", "wer"]
    only_one: int

    @property
    def fixed(self) -> pd.DataFrame:
        """Rows that the first run got wrong and the second right."""
        first, second = self._right
        return self.df.loc[~first & second]

    @property
    def broken(self) -> pd.DataFrame:
        """Rows that the first run got right and the second wrong."""
        first, second = self._right
        return self.df.loc[first & ~second]

    @property
    def still_wrong(self) -> pd.DataFrame:
        """Rows that both got wrong."""
        first, second = self._right
        return self.df.loc[~first & ~second]

    @cached_property
    def p_value(self) -> float:
        """How likely so large a difference is by chance: McNemar's exact test, or random signs for a regression."""
        if self.metric == "accuracy":
            return mcnemar(len(self.fixed), len(self.broken))
        return flipped(*self._losses)

    @cached_property
    def gap(self) -> Gap | None:
        """The difference of the metric, with its 95% interval by paired bootstrap; None where no two rows differ."""
        return paired(*self._losses)

    @property
    def ci(self) -> tuple[float, float]:
        """The 95% interval of the difference; (0, 0) where no row differs."""
        return (self.gap.low, self.gap.high) if self.gap else (self._by, self._by)

    @property
    def goal(self) -> Goal:
        """The direction it is better in."""
        return "max" if self.metric == "accuracy" else "min"

    @property
    def verdict(self) -> str:
        """The second against the first: better, worse or not distinguishable."""
        return self.gap.word(self.goal) if self.gap else "not distinguishable"

    @property
    def _by(self) -> float:
        first, second = self._losses
        return sum(second) / len(second) - sum(first) / len(first)

    @property
    def _right(self) -> tuple[Any, Any]:
        if "first_correct" not in self.df:
            raise BadValue("rows of a regression are not right or wrong; .df has the errors of both runs")
        return self.df["first_correct"], self.df["second_correct"]

    @property
    def _losses(self) -> tuple[list[float], list[float]]:
        if self.metric == "accuracy":
            return self.df["first_correct"].astype(float).tolist(), self.df["second_correct"].astype(float).tolist()
        return self.df["first_error"].abs().tolist(), self.df["second_error"].abs().tolist()

    def __repr__(self) -> str:
        low, high = self.ci
        told = f"{self.verdict}: {self.metric} {self._by:+.4g}, 95% interval {number(low)} to {number(high)}"
        counts = f"{len(self.df)} rows"
        if "first_correct" in self.df:
            changed = f"{len(self.fixed)} fixed, {len(self.broken)} broken, {len(self.still_wrong)} still wrong"
            counts = f"{changed} of {counts}"
        test = "McNemar" if self.metric == "accuracy" else "permutation"
        aside = f"; {self.only_one} rows that only one of them has are left out" if self.only_one else ""
        return f"<{counts} · {told} · {test} p = {self.p_value:.3g}{aside}>"


def rows_of(first: Evaluated, second: Evaluated) -> Rows:
    """The rows that two evaluations share, by their ids.

    Raises:
        BadValue: the tasks differ, no row is shared, or a row is not true to the same thing in both.
    """
    if first.task != second.task:
        raise BadValue(f"a {first.task} and a {second.task} have no rows in common")
    if first.task == "ranking":
        raise BadValue("a ranking is judged query by query, not row by row; .df() of both evaluations has the metrics")
    kept = ["correct"] if first.is_classification else ["correct", "error"] if first.task == "text" else ["error"]
    one, two = (each.table.loc[:, ["id", "truth", "output", *kept]] for each in (first, second))
    both = one.merge(two, on="id", suffixes=("_1", "_2"), validate="one_to_one")
    if both.empty:
        raise BadValue(
            f"runs {first.run.name!r} and {second.run.name!r} share no row: their ids have nothing in common"
        )
    differing = int((both["truth_1"].to_numpy() != both["truth_2"].to_numpy()).sum())
    if differing:
        raise BadValue(
            f"{differing} of {len(both)} rows of the same id are not of the same truth: the two were evaluated on "
            "other data, or in another order; run.evaluate(..., ids=...) says which row is which"
        )
    frame = both.rename(columns={"truth_1": "truth", "output_1": "first", "output_2": "second"})
    frame = frame.rename(
        columns={f"{name}_{n}": f"{word}_{name}" for name in kept for n, word in ((1, "first"), (2, "second"))}
    )
    wanted = ["id", "truth", "first", "second", *(f"{word}_{name}" for word in ("first", "second") for name in kept)]
    only_one = len(one) + len(two) - 2 * len(both)
    metric = "accuracy" if first.is_classification else "wer" if first.task == "text" else "mae"
    return Rows(frame.loc[:, wanted], metric, only_one)

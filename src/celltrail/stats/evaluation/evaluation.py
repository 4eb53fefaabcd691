"""`Evaluation`: what was true, what was predicted, and how good that was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from celltrail.errors import BadValue, nearest
from celltrail.stats.evaluation.curves import Calibration, Curve, calibration, precision_recall, roc

if TYPE_CHECKING:
    import pandas as pd

SCORE = "score"  # the column of the second of two labels; of more of them f"score {label}"


class Score(NamedTuple):
    """One metric with its 95% interval, NaN where that is unknown; ``n`` rows, or queries of a ranking."""

    name: str
    value: float
    low: float
    high: float
    method: str
    n: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How good a model is on a split, row by row.

    Attributes:
        split: such as "val".
        task: binary, multiclass, regression, ranking or text.
        labels: of a classification, in the order of its confusion matrix.
        scores: the metrics.
        table: a row for each that was evaluated: ``id``, ``truth``, ``output``, ``score`` or one score for each label,
            ``group`` where there are some, and ``correct`` or ``error``. Of texts each metric of the row too.
        signatures: of texts, how each metric was computed, by its name.
    """

    split: str
    task: str
    labels: Sequence[Any]
    scores: Sequence[Score]
    table: pd.DataFrame = field(repr=False)
    signatures: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def metrics(self) -> pd.DataFrame:
        """A row per metric: ``value``, ``ci_low``, ``ci_high``, ``ci_method``, ``n``, ``split``."""
        import pandas as pd

        columns = ["metric", "value", "ci_low", "ci_high", "ci_method", "n"]
        return pd.DataFrame(list(self.scores), columns=columns).assign(split=self.split).set_index("metric")

    @property
    def confusion(self) -> pd.DataFrame:
        """The confusion matrix: how many rows of each true label (down) got each predicted label (across)."""
        import pandas as pd

        self._needs_classes("a confusion matrix")
        counts = pd.crosstab(self.table["truth"], self.table["output"])
        made = counts.reindex(index=self.labels, columns=self.labels, fill_value=0)
        return made.rename_axis(index="truth", columns="output")

    def roc(self, label: Any = None) -> Curve:
        """The ROC curve of a label against the rest; by default the second of two labels."""
        return roc(*self._marked(label))

    def precision_recall(self, label: Any = None) -> Curve:
        """Precision over recall of a label against the rest."""
        return precision_recall(*self._marked(label))

    def calibration(self, label: Any = None, bins: int = 10) -> Calibration:
        """Calibration: how often a label came true in each bin of its predicted probability."""
        mark, score = self._marked(label)
        if score.min() < 0 or score.max() > 1:
            raise BadValue(f"the scores go from {score.min():.3g} to {score.max():.3g}: they are no probabilities")
        return calibration(mark, score, bins)

    def worst(self, n: int = 50) -> pd.DataFrame:
        """The worst rows, at most ``n``: the largest errors, or the most confident wrong labels, first."""
        if self.task in ("regression", "ranking", "text"):
            return self._first(self.table["error"].abs(), n)
        wrong: Any = ~self.table["correct"].astype(bool)
        if not self.scored:
            return self.table.loc[wrong].head(n)
        return self._first(self.sureness()[wrong], n)

    def _first(self, by: Any, n: int) -> pd.DataFrame:
        """The rows with the largest values."""
        return self.table.loc[by.sort_values(ascending=False, kind="stable").index[:n]]

    def by_group(self) -> pd.DataFrame:
        """For each group, how many rows it has and its accuracy, or mean absolute error."""
        if "group" not in self.table:
            raise BadValue("the rows are in no groups: run.evaluate(..., groups=df['sex']) puts them into some")
        name, of = ("accuracy", self.table["correct"]) if self.is_classification else ("mae", self.table["error"].abs())
        grouped: Any = of.groupby(self.table["group"])
        return grouped.agg(["size", "mean"]).set_axis(["n", name], axis=1)

    @property
    def is_classification(self) -> bool:
        """Whether labels are predicted."""
        return self.task in ("binary", "multiclass")

    @property
    def scored(self) -> list[Any]:
        """The labels that have a score."""
        return [label for label in self.labels if self.column(label) in self.table]

    def column(self, label: Any) -> str:
        """The name of the column with the scores of a label."""
        if len(self.labels) == 2:
            return SCORE if label == self.labels[1] else ""
        return f"{SCORE} {label}"

    def sureness(self) -> pd.Series:
        """The score of the label that was predicted, row by row."""
        import numpy as np
        import pandas as pd

        if len(self.labels) == 2:
            score = self.table[SCORE]
            second = self.table["output"] == self.labels[1]
            flipped = 1 - score if score.between(0, 1).all() else -score
            return pd.Series(np.where(second, score, flipped), self.table.index)
        whole = self.table[[self.column(label) for label in self.labels]].to_numpy()
        return pd.Series(whole.max(axis=1), self.table.index)

    def _marked(self, label: Any) -> tuple[Any, Any]:
        self._needs_classes("this curve")
        if not self.scored:
            raise BadValue("the rows have labels only, no scores: give them by run.evaluate(y_true, y_score=...)")
        if label is None and len(self.labels) == 2:
            label = self.labels[1]
        if label not in self.scored:
            known = ", ".join(map(str, self.scored))
            raise BadValue(
                f"no scores of the label {label!r}{nearest(str(label), map(str, self.scored)) or ';'} of {known}"
            )
        return (self.table["truth"] == label).to_numpy(), self.table[self.column(label)].to_numpy()

    def _needs_classes(self, what: str) -> None:
        if not self.is_classification:
            raise BadValue(f"{what} is of a classification, and this is a {self.task}")

    def __repr__(self) -> str:
        lines = [f"evaluation of {self.split}: {self.task}, {len(self.table)} rows"]
        for score in self.scores:
            ends = "" if math.isnan(score.low) else f"  ({score.low:.4g} to {score.high:.4g}, {score.method})"
            lines.append(f"  {score.name:<18} {score.value:.4g}{ends}")
        return "\n".join(lines)

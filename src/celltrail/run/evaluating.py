"""`run.evaluate`: how good predictions are, kept row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celltrail.model import Json
from celltrail.run import media
from celltrail.run.explaining import Explains
from celltrail.run.values import check_name

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.stats.evaluation import Evaluation, Read
    from celltrail.stats.fairness import Fairness

NAME = "evaluation"  # of the tables: f"evaluation/{split}" of the metrics, f"evaluation/{split}/rows" of the rows


class Evaluates(Explains):
    """What a run can be told about predictions. `query.StoredRun.evaluation` reads it back."""

    def evaluate(
        self,
        y_true: Any,
        y_pred: Any = None,
        *,
        y_score: Any = None,
        split: str = "val",
        labels: Any = None,
        groups: Any = None,
        ids: Any = None,
        task: str | None = None,
    ) -> Evaluation:
        """Record how good predictions are: scikit-learn's metrics with 95% intervals, and every row.

        The metrics are logged as ``split/accuracy`` and so on, at the step of the last `log` call.

        Args:
            y_true: the truth, shape (n,): labels of any kind, numbers, or how relevant each row is.
            y_pred: the predictions, shape (n,). Fractions where the truth is labels, or shape (n, labels), are scores.
            y_score: scores in addition to predicted labels: probabilities or decision values, shape (n,) for the
                second of two labels, else (n, labels).
            split: which split the rows are, such as "val": the first part of the metrics' names.
            labels: the labels in the order of the scores, ``model.classes_``; sorted when left out.
            groups: the group of each row, shape (n,); for a ranking, its query.
            ids: a unique id for each row, so that two runs can be compared row by row in any order; row numbers when
                left out.
            task: "binary", "multiclass", "regression" or "ranking"; inferred from the values when left out, except
                a ranking.

        Returns:
            The evaluation: ``.metrics``, ``.confusion``, ``.roc()``, ``.worst(50)`` and more.

        Raises:
            BadValue: lengths differ, values are missing, labels are unknown; nothing is kept then.
            MissingExtra: scikit-learn is not installed.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     found = run.evaluate([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.1], split="test")
        >>> float(found.metrics.value["accuracy"]), float(found.metrics.value["roc_auc"])
        (0.75, 1.0)
        """
        from celltrail.stats.evaluation import Evaluation, read, scores_of

        split = check_name(split, "split")
        rows = read(y_true, y_pred, y_score, task=task, labels=labels, groups=groups, ids=ids)
        found = Evaluation(split, rows.task, rows.labels, scores_of(rows), table_of(rows))
        facts: dict[str, Json] = {"task": rows.task, "labels": list(rows.labels)}
        self._keep(f"{NAME}/{split}/rows", found.table, None, media.table)
        self._keep(f"{NAME}/{split}", found.metrics.reset_index(), None, _with(facts))
        self.log_results({f"{split}/{score.name}": score.value for score in found.scores})
        return found

    def evaluate_text(self, preds: Any, refs: Any, split: str = "val", *, ids: Any = None) -> Evaluation:
        """Record how close texts are to references: BLEU, chrF, ROUGE, error rates and exact matches, row by row.

        The metrics are logged as ``split/bleu`` and so on, at the step of the last `log` call.

        Args:
            preds: the texts that were produced, one for each row.
            refs: the references: a text for each row, or a list of several equally good ones.
            split: which split the rows are, such as "val".
            ids: a unique id for each row; row numbers when left out.

        Returns:
            The evaluation: ``.metrics``, ``.signatures`` (how each was computed), ``.worst(50)``, ``.table``.

        Raises:
            BadValue: lengths differ, or something is not text; nothing is kept then.
            MissingExtra: sacrebleu, rouge-score or jiwer is not installed.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     found = run.evaluate_text(["the cat sat", "a dog"], ["the cat sat", "the dog"], split="test")
        >>> float(found.metrics.value["exact_match"])
        0.5
        """
        from celltrail.stats.evaluation import Evaluation
        from celltrail.stats.evaluation.text import judged

        split = check_name(split, "split")
        told = judged(preds, refs, ids)
        found = Evaluation(split, "text", [], told.scores, told.table, told.signatures)
        facts: dict[str, Json] = {"task": "text", "labels": [], "signatures": told.signatures}
        self._keep(f"{NAME}/{split}/rows", found.table, None, media.table)
        self._keep(f"{NAME}/{split}", found.metrics.reset_index(), None, _with(facts))
        self.log_results({f"{split}/{score.name}": score.value for score in found.scores})
        return found

    def fairness(
        self,
        y_true: Any,
        y_pred: Any = None,
        groups: Any = None,
        *,
        y_score: Any = None,
        split: str = "val",
        positive: Any = None,
        labels: Any = None,
        n_boot: int = 1000,
    ) -> Fairness:
        """Record how a classifier treats groups, by fairlearn: rates by group, gaps between them, the worst slices.

        The numbers are logged as ``fair/dpd`` (demographic parity difference), ``fair/eod`` (equalised odds),
        ``fair/accuracy/GROUP`` and so on, so that a rule (``run.alert("fair/dpd > 0.1")``) and a gate can use them.

        Args:
            y_true: the truth, shape (n,), of two labels.
            y_pred: the predictions, shape (n,), as in `evaluate`.
            groups: the groups of the rows: a column, or a frame or dict of several.
            y_score: probabilities of the second label, shape (n,), for calibration by group.
            split: which split the rows are, such as "val".
            positive: the favourable label; the second one unless given.
            labels: the two labels in their order.
            n_boot: bootstrap samples for the intervals of the gaps.

        Raises:
            BadValue: there are not two labels, or a column has no groups or too many.
            MissingExtra: fairlearn is not installed.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     found = run.fairness([0, 1, 1, 0] * 20, [0, 1, 0, 0] * 20, ["a", "a", "b", "b"] * 20)
        >>> run.summary["fair/accuracy/a"], run.summary["fair/accuracy/b"]
        (1.0, 0.5)
        """
        from celltrail.stats.fairness import fairness

        split = check_name(split, "split")
        found = fairness(
            y_true, y_pred, groups, y_score=y_score, split=split, positive=positive, labels=labels, n_boot=n_boot
        )
        facts: dict[str, Json] = {
            "positive": found.positive, "gaps": [list(gap) for gap in found.gaps], "warnings": list(found.warnings),
        }  # fmt: skip
        self._keep(f"{NAME}/{split}/slices", found.slices, None, media.table)
        self._keep(f"{NAME}/{split}/groups", found.table, None, _with(facts))
        for name in ("fair/dpd*", "fair/eod*", "fair/eopd*"):
            self.define_metric(name, goal="min")
        for name in ("fair/dpr*", "fair/accuracy/*"):
            self.define_metric(name, goal="max")
        self.log_results(found.metrics)
        return found


def table_of(rows: Read) -> pd.DataFrame:
    """The rows as a frame, with whether each is right, or by how much it is wrong."""
    import pandas as pd

    columns: dict[str, Any] = {"id": rows.ids, "truth": rows.truth, "output": rows.output}
    if rows.score is not None:
        one = rows.score.shape[1] == 1
        names = ["score"] if one else [f"score {label}" for label in rows.labels]
        columns |= {name: rows.score[:, at] for at, name in enumerate(names)}
    if rows.groups is not None:
        columns["group"] = rows.groups
    if rows.labels:
        columns["correct"] = rows.truth == rows.output
    else:
        columns["error"] = rows.output - rows.truth
    return pd.DataFrame(columns)


def _with(facts: dict[str, Json]) -> Callable[[str, Any], media.Content]:
    def read(key: str, value: Any) -> media.Content:
        made = media.table(key, value)
        return made._replace(facts={**made.facts, **facts})

    return read

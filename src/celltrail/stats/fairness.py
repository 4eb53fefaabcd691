"""Whether a classifier treats groups alike: rates by group, how far they are apart, and the slices it is worst on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, MissingExtra
from celltrail.stats.evaluation.curves import calibration
from celltrail.stats.evaluation.evaluation import Score
from celltrail.stats.evaluation.metrics import wilson
from celltrail.stats.evaluation.reading import Read, read
from celltrail.stats.interval import mean_interval

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEW = 30  # rows below which little can be said of a group
MOST_GROUPS, MOST_SLICES = 50, 20
_MOST_VALUES, _PARTS = 12, 4  # numbers of more different values are cut into parts of like size
RATES = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate")
GAPS = {
    "dpd": "demographic_parity_difference",
    "dpr": "demographic_parity_ratio",
    "eod": "equalized_odds_difference",
    "eopd": "equal_opportunity_difference",
}


@dataclass(frozen=True, eq=False)
class Fairness:
    """How a classifier treats groups.

    Attributes:
        split: such as "val".
        positive: the favourable label.
        gaps: how far the groups of each feature are apart, ``dpd/age`` and so on: the demographic parity difference
            and ratio, the equalised odds and the equal opportunity difference.
        table: a row for each group and metric: ``feature``, ``group``, ``metric``, ``value``, ``ci_low``, ``ci_high``,
            ``ci_method``, ``n``.
        slices: groups and their intersections with 30 rows and more, the least accurate first.
        warnings: what keeps some of it from being trusted.
    """

    split: str
    positive: Any
    gaps: Sequence[Score]
    table: pd.DataFrame = field(repr=False)
    slices: pd.DataFrame = field(repr=False)
    warnings: Sequence[str] = ()

    @property
    def features(self) -> list[str]:
        """What the groups are by."""
        return list(dict.fromkeys(self.table["feature"]))

    @property
    def by_group(self) -> pd.DataFrame:
        """A row for each group, a column for each metric, and ``n``."""
        wide = self.table.pivot(index=["feature", "group"], columns="metric", values="value")
        return wide.assign(n=self.table.groupby(["feature", "group"])["n"].max())

    @property
    def metrics(self) -> dict[str, float]:
        """As a run logs them: ``fair/dpd``, ``fair/accuracy/over 60``; of several features the largest gap."""
        found: dict[str, float] = {}
        several = len(self.features) > 1
        for name in GAPS:
            values = {gap.name: gap.value for gap in self.gaps if gap.name.startswith(f"{name}/")}
            found[f"fair/{name}"] = min(values.values()) if name == "dpr" else max(values.values())
            if several:
                found |= {f"fair/{each}": value for each, value in values.items()}
        for line in self.table.to_dict("records"):
            group = f"{line['feature']}={line['group']}" if several else line["group"]
            if not math.isnan(line["value"]):
                found[f"fair/{line['metric']}/{group}"] = line["value"]
        return found

    def __repr__(self) -> str:
        lines = [f"fairness on {self.split}, by {', '.join(self.features)}; a gain is {self.positive!r}"]
        lines += [
            f"  {gap.name:<16} {gap.value:.4g}  ({gap.low:.4g} to {gap.high:.4g}, {gap.method})" for gap in self.gaps
        ]
        return "\n".join([*lines, *self.warnings])


def fairness(
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
    """How a classifier treats groups, by fairlearn; `Run.fairness` does the same and keeps it in a run.

    Args:
        y_true: the truth, shape (n,), of two labels.
        y_pred: the predictions, shape (n,), as in `Run.evaluate`.
        groups: the groups of the rows: a column, or a frame or dict of several; numbers with many different values
            are cut into four parts of similar size.
        y_score: probabilities of the positive label, shape (n,), for calibration by group.
        split: which split the rows are, such as "val".
        positive: the favourable label; the second one unless given.
        labels: the two labels in their order.
        n_boot: bootstrap samples for the intervals of the gaps.

    Returns:
        The figures: ``.gaps``, ``.by_group``, ``.slices``, ``.warnings``.

    Raises:
        BadValue: there are not two labels, or a column has no groups or too many.
        MissingExtra: fairlearn is not installed.

    >>> found = fairness([0, 1, 1, 0] * 20, [0, 1, 0, 0] * 20, ["a", "a", "b", "b"] * 20)
    >>> float(found.by_group.loc[("group", "b"), "accuracy"]), found.metrics["fair/eopd"]
    (0.5, 1.0)
    """
    try:
        from fairlearn import metrics as library
    except ImportError:
        raise MissingExtra("fairness by group", "fairness") from None
    rows = read(y_true, y_pred, y_score, labels=labels)
    if len(rows.labels) != 2:
        raise BadValue(
            f"fairness is of two labels, not {len(rows.labels)}: hold one against the rest, "
            f"as in y == {rows.labels[0]!r}"
        )
    gain = rows.labels[1] if positive is None else positive
    if gain not in rows.labels:
        raise BadValue(f"positive={positive!r} is none of the labels {rows.labels[0]!r} and {rows.labels[1]!r}")
    if type(n_boot) is not int or n_boot < 20:
        raise BadValue(f"n_boot={n_boot!r} is too few to draw an interval from; give 20 or more")
    columns = _columns(groups, len(rows.truth))
    gaps: list[Score] = []
    lines: list[tuple[Any, ...]] = []
    for feature, column in columns.items():
        part = _Feature(library, rows, gain, feature, column)
        lines += part.lines()
        gaps += part.gaps(n_boot)
    import pandas as pd

    heads = ["feature", "group", "metric", "value", "ci_low", "ci_high", "ci_method", "n"]
    table = pd.DataFrame(lines, columns=heads)
    slices = _slices(rows.truth == rows.output, columns)
    return Fairness(split, gain, gaps, table, slices, _warnings(table))


class _Feature:
    """The groups of one feature."""

    def __init__(self, library: Any, rows: Read, positive: Any, feature: str, column: Any) -> None:
        import numpy as np

        self._library, self._feature, self._column = library, feature, column
        self._mark, self._given = rows.truth == positive, rows.output == positive
        self._groups, which = np.unique(column, return_inverse=True)
        cell = which * 4 + self._mark * 2 + self._given
        self._counts = np.bincount(cell, minlength=4 * len(self._groups)).reshape(-1, 2, 2)  # group, truth, output
        self._score = None
        if rows.score is not None and rows.has_probabilities:
            self._score = rows.score[:, -1] if positive == rows.labels[1] else 1 - rows.score[:, -1]

    def lines(self) -> Iterator[tuple[Any, ...]]:
        """The rates of each group, by fairlearn, with Wilson's intervals; its calibration, where there are scores."""
        from sklearn.metrics import accuracy_score

        functions = {name: getattr(self._library, name, accuracy_score) for name in RATES}
        frame = self._library.MetricFrame(
            metrics=functions, y_true=self._mark, y_pred=self._given, sensitive_features=self._column
        ).by_group
        for at, group in enumerate(self._groups):
            (tn, fp), (fn, tp) = self._counts[at].tolist()
            n = tn + fp + fn + tp
            shares = ((tn + tp, n), (fp + tp, n), (tp, fn + tp), (fp, tn + fp))
            for name, (hits, of) in zip(RATES, shares, strict=True):
                value = float(frame.loc[group, name]) if of else math.nan  # fairlearn says 0 of no row
                yield self._feature, str(group), name, value, *wilson(hits, of), "wilson", n
            if self._score is not None:
                yield from self._calibrated(str(group), self._column == group, n)

    def _calibrated(self, group: str, here: Any, n: int) -> Iterator[tuple[Any, ...]]:
        assert self._score is not None
        mark, score = self._mark[here].astype(float), self._score[here]
        bins = calibration(mark, score)
        error = float((bins.rows * abs(bins.predicted - bins.observed)).sum() / n)
        yield self._feature, group, "calibration_error", error, math.nan, math.nan, "ten bins", n
        off, half = mean_interval((score - mark).tolist())
        half = math.nan if half is None else half
        yield self._feature, group, "predicted_minus_true", off, off - half, off + half, "t", n

    def gaps(self, n_boot: int) -> Iterator[Score]:
        """How far the groups are apart, by fairlearn; intervals by drawing all rows again."""
        import numpy as np

        n = int(self._counts.sum())
        rng = np.random.default_rng(0)
        drawn = rng.multinomial(n, self._counts.ravel() / n, n_boot).reshape(n_boot, *self._counts.shape).astype(float)
        selected = _share(drawn[:, :, :, 1].sum(axis=2), drawn.sum(axis=(2, 3)))
        found = _share(drawn[:, :, 1, 1], drawn[:, :, 1].sum(axis=2))
        false = _share(drawn[:, :, 0, 1], drawn[:, :, 0].sum(axis=2))
        draws = {
            "dpd": np.ptp(selected, axis=1),
            "dpr": _share(selected.min(axis=1), selected.max(axis=1)),
            "eod": np.maximum(np.ptp(found, axis=1), np.ptp(false, axis=1)),
            "eopd": np.ptp(found, axis=1),
        }
        for name, function in GAPS.items():
            value = getattr(self._library, function)(self._mark, self._given, sensitive_features=self._column)
            low, high = np.quantile(draws[name], (0.025, 0.975))
            yield Score(f"{name}/{self._feature}", float(value), float(low), float(high), "bootstrap", n)


def _columns(groups: Any, n: int) -> dict[str, Any]:
    """The groups by feature, each as text."""
    import pandas as pd

    if groups is None:
        raise BadValue("fairness needs groups: a column, or a frame of several, a row for each that was predicted")
    held = groups if isinstance(groups, Mapping | pd.DataFrame) else {getattr(groups, "name", None) or "group": groups}
    try:
        frame = pd.DataFrame(held)
    except ValueError as problem:
        raise BadValue(f"these groups are no columns of one length: {problem}") from None
    if len(frame) != n:
        raise BadValue(f"groups has {len(frame)} rows and y_true {n}: they belong together row by row")
    found: dict[str, Any] = {}
    for name in frame.columns:
        column = _labelled(frame[name].reset_index(drop=True)).to_numpy()
        kinds = len(set(column))
        if not 2 <= kinds <= MOST_GROUPS:
            raise BadValue(f"{name!r} has {kinds} groups; 2 to {MOST_GROUPS} can be held against each other")
        found[str(name)] = column
    return found


def _labelled(column: Any) -> Any:
    """A column of groups as text."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and column.nunique() > _MOST_VALUES:
        parts: Any = pd.qcut(column, _PARTS, labels=False, duplicates="drop")
        ends = column.groupby(parts).agg(["min", "max"])
        names = {at: f"{low:g} to {high:g}" for at, low, high in ends.itertuples()}
        return parts.map(names).fillna("missing")
    is_whole = pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all()
    text = column.map("{:g}".format) if is_whole else column.astype(str)
    return text.where(column.notna(), "missing")


def _slices(correct: Any, columns: dict[str, Any]) -> pd.DataFrame:
    """Groups and pairs of them, the least accurate first."""
    import pandas as pd

    overall = float(correct.mean())
    frame = pd.DataFrame(columns).assign(correct=correct)
    lines: list[list[Any]] = []
    for names in [*((name,) for name in columns), *itertools.combinations(columns, 2)]:
        for key, n, hits in frame.groupby(list(names))["correct"].agg(["size", "sum"]).itertuples():
            if n >= FEW:
                values = key if isinstance(key, tuple) else (key,)
                text = " & ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
                low, high = wilson(int(hits), int(n))
                lines.append([text, int(n), float(hits / n), low, high, high < overall])
    found = pd.DataFrame(lines, columns=["slice", "n", "accuracy", "ci_low", "ci_high", "is_below"])
    return found.sort_values(["accuracy", "n"], ascending=[True, False], ignore_index=True).head(MOST_SLICES)


def _warnings(table: Any) -> list[str]:
    small = table[table["n"] < FEW].drop_duplicates(["feature", "group"])
    return [
        f"{line['feature']}={line['group']} has only {line['n']} rows: its rates, and gaps that rest on it, say little"
        for line in small.to_dict("records")
    ]


def _share(part: Floats, whole: Floats) -> Floats:
    import numpy as np

    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)

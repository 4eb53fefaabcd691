"""Metrics by scikit-learn, each with a 95% interval."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from celltrail.errors import MissingExtra
from celltrail.stats.coded import ranks
from celltrail.stats.evaluation.evaluation import Score
from celltrail.stats.evaluation.reading import Read
from celltrail.stats.interval import mean_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_Z = 1.959964
_DRAWS, _MOST = 1000, 20_000_000  # draws of a bootstrap, and numbers drawn in all
_FIRST = 10  # of a ranking


def scores_of(rows: Read) -> list[Score]:
    """The metrics of these rows; the numbers are scikit-learn's own, and so are their names."""
    try:
        import sklearn.metrics as library
    except ImportError:
        raise MissingExtra("run.evaluate", "ml") from None
    kinds = {"regression": _regression, "ranking": _ranking}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a label that no row has, which zero_division says already
        return list(kinds.get(rows.task, _classification)(rows, library))


def _classification(rows: Read, library: Any) -> Iterator[Score]:
    truth, output, labels, n = rows.truth, rows.output, rows.labels, len(rows.truth)
    table = library.confusion_matrix(truth, output, labels=labels)
    yield Score("accuracy", float(library.accuracy_score(truth, output)), *wilson(int(table.trace()), n), "wilson", n)
    drawn = _tables(table)
    balanced = _recall(drawn)[:, table.sum(axis=1) > 0]
    yield _bootstrapped("balanced_accuracy", library.balanced_accuracy_score(truth, output), _mean(balanced), n)
    two = len(labels) == 2
    how: dict[str, Any] = {"pos_label": labels[1]} if two else {"average": "macro", "labels": labels}
    for name, of in (("precision", _precision), ("recall", _recall), ("f1", _f1)):
        value = getattr(library, f"{name}_score")(truth, output, zero_division=0, **how)
        if two and name != "f1":  # a share of rows
            rows_of = table[:, 1] if name == "precision" else table[1]
            yield Score(name, float(value), *wilson(int(table[1, 1]), int(rows_of.sum())), "wilson", n)
            continue
        draws = of(drawn)[:, 1] if two else _mean(of(drawn))
        yield _bootstrapped(name if two else f"{name}_macro", value, draws, n)
    if rows.score is not None and len(labels) > 1:
        yield from _of_scores(rows, library)


def _of_scores(rows: Read, library: Any) -> Iterator[Score]:
    import numpy as np

    truth, score, labels, n = rows.truth, rows.score, rows.labels, len(rows.truth)
    assert score is not None
    columns = score.shape[1]
    marks = [truth == label for label in (labels[1:] if columns == 1 else labels)]
    if all(0 < mark.sum() < n for mark in marks):
        areas = [_area(mark, score[:, at]) for at, mark in enumerate(marks)]
        sure = rows.has_probabilities or columns == 1
        if columns == 1:
            value = library.roc_auc_score(marks[0], score[:, 0])
        elif sure:
            value = library.roc_auc_score(truth, score, multi_class="ovr", labels=labels)
        else:  # scikit-learn takes no scores of several labels that are no probabilities
            value = np.mean([area for area, _ in areas])
        half = _Z * float(np.sqrt((np.mean([pull for _, pull in areas], axis=0) ** 2).mean() / n))
        name = "roc_auc" if columns == 1 else "roc_auc_ovr"
        area = float(value)
        yield Score(name, area, max(0.0, area - half), min(1.0, area + half), "delong", n)
        if columns == 1:
            value = library.average_precision_score(marks[0], score[:, 0])
            yield _bootstrapped("average_precision", value, _precisions(marks[0], score[:, 0]), n)
    if rows.has_probabilities:
        whole = np.column_stack([1 - score, score]) if columns == 1 else score
        value = library.log_loss(truth, whole, labels=labels)
        at = (
            np.searchsorted(labels, truth)
            if labels == sorted(labels)
            else [labels.index(each) for each in truth.tolist()]
        )
        held = np.clip(whole, np.finfo(whole.dtype).eps, 1)
        yield _mean_of("log_loss", value, -np.log(held[np.arange(n), at] / whole.sum(axis=1)))
        if columns == 1:
            value = library.brier_score_loss(marks[0], score[:, 0])
            yield _mean_of("brier", value, (score[:, 0] - marks[0]) ** 2)


def _regression(rows: Read, library: Any) -> Iterator[Score]:
    import numpy as np

    truth, output = rows.truth, rows.output
    error: Floats = np.subtract(output, truth)
    yield _mean_of("mae", library.mean_absolute_error(truth, output), np.abs(error))
    square = _mean_of("mse", library.mean_squared_error(truth, output), error**2)
    low, high = (math.sqrt(max(0.0, end)) for end in (square.low, square.high))
    yield Score("rmse", float(library.root_mean_squared_error(truth, output)), low, high, "t", len(truth))
    if len(truth) > 1:

        def explained(weights: Floats) -> Floats:
            n = weights.sum(axis=1)
            spread = weights @ truth**2 - (weights @ truth) ** 2 / n
            return 1 - np.divide(weights @ error**2, spread, out=np.ones(len(n)), where=spread > 0)

        yield _bootstrapped("r2", library.r2_score(truth, output), _weighted(len(truth), explained), len(truth))


def _ranking(rows: Read, library: Any) -> Iterator[Score]:
    """The mean over queries; one with a single row, or with nothing relevant, has no order to judge."""
    import numpy as np

    assert rows.groups is not None
    gains: dict[str, list[float]] = {"ndcg": [], f"ndcg_at_{_FIRST}": [], "mrr": [], "map": []}
    for query in np.unique(rows.groups):
        here = rows.groups == query
        truth, score = rows.truth[here], rows.output[here]
        if len(truth) < 2 or not truth.max() > 0:
            continue
        gains["ndcg"].append(library.ndcg_score([truth], [score]))
        gains[f"ndcg_at_{_FIRST}"].append(library.ndcg_score([truth], [score], k=_FIRST))
        order = np.argsort(-score, kind="stable")
        gains["mrr"].append(1 / (1 + int(np.argmax(truth[order] > 0))))
        gains["map"].append(library.average_precision_score(truth > 0, score))
    for name, values in gains.items():
        if values:
            yield _mean_of(name, float(np.mean(values)), np.asarray(values))


def _mean_of(name: str, value: Any, values: Floats) -> Score:
    _, half = mean_interval(values.tolist())
    half = math.nan if half is None else half
    return Score(name, float(value), float(value) - half, float(value) + half, "t", len(values))


def _bootstrapped(name: str, value: Any, draws: Floats, n: int) -> Score:
    import numpy as np

    low, high = np.nanquantile(draws, (0.025, 0.975)) if n > 1 else (math.nan, math.nan)
    return Score(name, float(value), float(low), float(high), "bootstrap", n)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share, by Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953.

    >>> wilson(8, 10)
    (0.490..., 0.943...)
    """
    if not n:
        return math.nan, math.nan
    share, z2 = hits / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _area(mark: Any, score: Floats) -> tuple[float, Floats]:
    """The area under the ROC curve, and how far each row pulls at it: DeLong et al. (1988), by the ranks of
    Sun and Xu (2014), https://doi.org/10.1109/LSP.2014.2337313.
    """
    import numpy as np

    here = np.asarray(mark, bool)
    n, there = len(here), int(here.sum())
    place = ranks(score) + 1
    above = (place[here] - (ranks(score[here]) + 1)) / (n - there)
    below = 1 - (place[~here] - (ranks(score[~here]) + 1)) / there
    area = float(above.mean())
    pull = np.empty(n)
    pull[here] = (above - area) * n / there
    pull[~here] = (below - area) * n / (n - there)
    return area, pull


def _tables(table: Any) -> Floats:
    """Confusion matrices of rows drawn again, of shape (draws, labels, labels)."""
    import numpy as np

    n, cells = int(table.sum()), table.size
    draws = int(np.clip(_MOST // cells, 50, _DRAWS))
    found = np.random.default_rng(0).multinomial(n, table.ravel() / n, draws)
    return found.reshape(draws, *table.shape).astype(float)


def _recall(tables: Floats) -> Floats:
    return _share(_diagonal(tables), tables.sum(axis=2))


def _precision(tables: Floats) -> Floats:
    return _share(_diagonal(tables), tables.sum(axis=1))


def _f1(tables: Floats) -> Floats:
    return _share(2 * _diagonal(tables), tables.sum(axis=1) + tables.sum(axis=2))


def _diagonal(tables: Floats) -> Floats:
    return tables.diagonal(axis1=1, axis2=2)


def _share(part: Floats, whole: Floats) -> Floats:
    import numpy as np

    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _mean(values: Floats) -> Floats:
    return values.mean(axis=1)


def _precisions(mark: Any, score: Floats) -> Floats:
    """The average precision of rows drawn again; rows of one score are one step."""
    import numpy as np

    order = np.argsort(-score, kind="stable")
    hits = np.asarray(mark, float)[order]
    last = np.append(np.nonzero(np.diff(score[order]))[0], len(score) - 1)

    def average(weights: Floats) -> Floats:  # of the rows in that order: which is drawn does not depend on it
        found, seen = (weights * hits).cumsum(axis=1)[:, last], weights.cumsum(axis=1)[:, last]
        steps = np.diff(found, axis=1, prepend=0)
        all_hits = found[:, -1]
        return _share((steps * _share(found, seen)).sum(axis=1), all_hits)

    return _weighted(len(score), average)


def _weighted(n: int, of: Callable[[Floats], Floats]) -> Floats:
    """What comes out for rows drawn again, as how often each was drawn."""
    import numpy as np

    rng = np.random.default_rng(0)
    draws = int(np.clip(_MOST // n, 50, _DRAWS))
    at_once = max(1, 2_000_000 // n)
    found: list[Floats] = []
    for start in range(0, draws, at_once):
        count = min(at_once, draws - start)
        # the rows of each draw, counted in one go: a twentieth of the time of a multinomial
        drawn = rng.integers(0, n, (count, n)) + n * np.arange(count)[:, None]
        found.append(of(np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n).astype(float)))
    return np.concatenate(found)

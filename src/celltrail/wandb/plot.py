"""``wandb.plot``: charts made from a table or from what a classifier said, kept as Altair charts of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import celltrail as ct
from celltrail.wandb.media import Table

_Rows = list[dict[str, Any]]


class Chart:
    """A chart that is kept once it is logged; ``altair`` is the chart itself, yours to restyle."""

    def __init__(self, chart: Any) -> None:
        self.altair = chart

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it."""
        run.log_figure(key, self.altair, step)


def line(table: Table, x: str, y: str, stroke: str | None = None, title: str = "", **_: Any) -> Chart:
    """A line through the rows of a table; with ``stroke`` a line for each value of that column."""
    return _drawn(table.rows(), "line", title, x=x, y=y, color=stroke)


def scatter(table: Table, x: str, y: str, title: str = "", **_: Any) -> Chart:
    """A dot for each row of a table."""
    return _drawn(table.rows(), "point", title, x=x, y=y)


def bar(table: Table, label: str, value: str, title: str = "", **_: Any) -> Chart:
    """A bar for each row of a table."""
    altair: Any = import_module("altair")
    return _drawn(table.rows(), "bar", title, x=altair.X(_name(label), type="nominal", sort=None), y=value)


def histogram(table: Table, value: str, title: str = "", **_: Any) -> Chart:
    """How the values of a column are spread."""
    altair: Any = import_module("altair")
    return _drawn(table.rows(), "bar", title, x=altair.X(_name(value), type="quantitative", bin=True), y="count()")


def line_series(
    xs: Sequence[Any],
    ys: Sequence[Sequence[Any]],
    keys: Sequence[Any] | None = None,
    title: str = "",
    xname: str = "x",
    **_: Any,
) -> Chart:
    """Several lines, over one x for all of them or over one for each."""
    each = xs if (xs and isinstance(xs[0], list | tuple)) or hasattr(xs[0], "__len__") else [xs] * len(ys)
    names = list(keys) if keys is not None else [f"line {number}" for number in range(len(ys))]
    rows = [
        {xname: x, "value": y, "key": str(name)}
        for name, across, up in zip(names, each, ys, strict=True)
        for x, y in zip(across, up, strict=False)
    ]
    return _drawn(rows, "line", title, x=xname, y="value", color="key")


def confusion_matrix(
    probs: Any = None,
    y_true: Any = None,
    preds: Any = None,
    class_names: Sequence[str] | None = None,
    title: str = "",
    **_: Any,
) -> Chart:
    """How often each class was taken for each; by predictions, or by the largest of the probabilities."""
    numpy: Any = import_module("numpy")
    if y_true is None or (probs is None) == (preds is None):
        raise ct.BadValue("a confusion matrix takes y_true, and either preds or probs")
    truths = numpy.asarray(y_true)
    said = numpy.asarray(preds) if preds is not None else numpy.asarray(probs).argmax(axis=1)
    names = _classes(truths, said, class_names)
    counts = {(truth, guess): 0 for truth in names for guess in names}
    for truth, guess in zip(truths.tolist(), said.tolist(), strict=True):
        counts[truth, guess] += 1
    rows = [
        {"actual": names[truth], "predicted": names[guess], "count": count} for (truth, guess), count in counts.items()
    ]
    return _drawn(rows, "rect", title or "Confusion matrix", x="predicted:O", y="actual:O", color="count")


def roc_curve(
    y_true: Any,
    y_probas: Any,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str = "",
    **_: Any,
) -> Chart:
    """True over false positives of each class."""
    rows = _curves(
        "roc_curve", ("false positive rate", "true positive rate"), y_true, y_probas, labels, classes_to_plot
    )
    return _drawn(
        rows, "line", title or "ROC", x="false positive rate", y="true positive rate", color="class", order="at"
    )


def pr_curve(
    y_true: Any,
    y_probas: Any,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str = "",
    **_: Any,
) -> Chart:
    """Precision over recall of each class."""
    rows = _curves("precision_recall_curve", ("precision", "recall"), y_true, y_probas, labels, classes_to_plot)
    return _drawn(rows, "line", title or "Precision over recall", x="recall", y="precision", color="class", order="at")


def _curves(
    name: str,
    columns: tuple[str, str],
    y_true: Any,
    y_probas: Any,
    labels: Sequence[str] | None,
    chosen: Sequence[Any] | None,
) -> _Rows:
    numpy: Any = import_module("numpy")
    try:
        curve: Any = getattr(import_module("sklearn.metrics"), name)
    except ImportError as error:
        raise ct.CelltrailError(f"{name} is computed by scikit-learn: pip install 'celltrail[ml]'") from error
    truths, scores = numpy.asarray(y_true), numpy.asarray(y_probas)
    found: _Rows = []
    classes = numpy.unique(truths)
    for place, each in enumerate(classes):
        if chosen is not None and each not in chosen:
            continue
        first, second, _ = curve(truths == each, scores[:, place])
        keep = numpy.unique(numpy.linspace(0, len(first) - 1, 200).astype(int))
        label = str(labels[place]) if labels is not None else str(each)
        found += [
            {columns[0]: float(first[i]), columns[1]: float(second[i]), "class": label, "at": int(i)} for i in keep
        ]
    return found


def _classes(truths: Any, said: Any, names: Sequence[str] | None) -> Mapping[Any, str]:
    if names is not None:
        return {place: str(name) for place, name in enumerate(names)}
    return {each: str(each) for each in sorted({*truths.tolist(), *said.tolist()})}


def _drawn(rows: _Rows, mark: str, title: str, **places: Any) -> Chart:
    altair: Any = import_module("altair")
    given = {place: _typed(each, rows) if isinstance(each, str) else each for place, each in places.items() if each}
    chart = getattr(altair.Chart(altair.Data(values=rows), title=title), f"mark_{mark}")()
    return Chart(chart.encode(**given))


def _typed(told: str, rows: _Rows) -> str:
    """A column as Altair names it, with its type: rows without a frame have none."""
    if told.endswith((":O", "()")):
        return told
    values = [row[told] for row in rows if row.get(told) is not None]
    if not values and not any(told in row for row in rows):
        raise ct.BadValue(f"the table has no column {told!r}; it has {', '.join(rows[0]) if rows else 'no rows'}")
    is_number = all(isinstance(value, int | float) for value in values)
    return f"{_name(told)}:{'Q' if is_number else 'N'}"


def _name(column: str) -> str:
    """With what means something in Altair's names taken literally."""
    return "".join(f"\\{sign}" if sign in ":.[]" else sign for sign in column)

"""How far rows have moved from those that a model was made with: column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from celltrail.dataset.rows import frames_of
from celltrail.dataset.table import table_of
from celltrail.errors import BadValue
from celltrail.stats.shift import by_chance, kolmogorov, stability, wasserstein

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

WATCH, ACT = 0.1, 0.25  # of the population stability index: what people go by, and no standard
_UNLIKELY = 0.01  # over all columns together
_BINS = 10
_MOST_VALUES = 50
_SHOWN = 8

Level = Literal["steady", "watch", "act"]


@dataclass(frozen=True, repr=False)
class Drift:
    """How far each column has drifted; false if one has moved. ``str()`` says it in sentences.

    Attributes:
        table: a row for each column, what moved most first: ``column``, ``psi`` (population stability index over
            deciles of the reference, or over its values) with ``psi_p``, how often chance alone would give as much in
            samples of this size, ``ks`` and ``ks_p`` (Kolmogorov-Smirnov), ``wasserstein``
            (in the unit of the column), of what is no number NaN; ``missing`` (the share now less that of the
            reference) and ``level``: steady, watch (psi above 0.1) or act (above 0.25), the last two only
            where chance is no explanation.
        rows: how many rows the reference has, and how many there are now.
        gone: columns that only the reference has.
        new: columns that the reference lacks.
    """

    table: pd.DataFrame
    rows: tuple[int, int]
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    @property
    def moved(self) -> dict[str, str]:
        """A sentence for each column to watch or act on, by its name."""
        rows = self.table.to_dict("records")
        return {row["column"]: _sentence(row) for row in rows if row["level"] != "steady"}

    def __bool__(self) -> bool:
        return not (self.moved or self.gone)

    def __repr__(self) -> str:
        head = f"{self.rows[1]:,} rows now against {self.rows[0]:,}: "
        if self:
            return f"{head}no column has moved"
        sentences = list(self.moved.values())
        lines = [f"{head}{len(sentences)} of {len(self.table)} columns have moved"]
        lines += [f"- {sentence}" for sentence in sentences[:_SHOWN]]
        lines += [f"… and {len(sentences) - _SHOWN} more"] if len(sentences) > _SHOWN else []
        lines += [f"- gone: {', '.join(self.gone)}"] if self.gone else []
        return "\n".join(lines)


def drift(reference: Any, current: Any) -> Drift:
    """Hold rows against a reference, column by column.

    Args:
        reference: the rows that a model was made with.
        current: the rows that it sees now.

    >>> found = drift({"x": list(range(100))}, {"x": [value + 60 for value in range(100)]})
    >>> found.table["level"].tolist(), bool(found)
    (['act'], False)

    Raises:
        BadValue: one of them has no rows, or they have no column in common.
    """
    import pandas as pd

    tables = [table_of(each, index=False) for each in (reference, current)]
    for name, table in zip(("reference", "current"), tables, strict=True):
        if not table.rows:
            raise BadValue(f"{name} has no rows; drift is told from rows on both sides")
    before, now = ([column.name for column in table.columns] for table in tables)
    names = [name for name in before if name in now]
    frames = frames_of(tables, names) if names else []
    if not frames or not len(frames[0].columns):
        raise BadValue(f"no column that can be read is in both: one has {_few(before)}, the other {_few(now)}")
    told = [
        {"column": name, **_held(*(cast("pd.Series", frame[name]) for frame in frames))} for name in frames[0].columns
    ]
    for row in told:
        row["level"] = _level(row["psi"], row["psi_p"] * len(told))
    table = pd.DataFrame(told).sort_values("psi", ascending=False, ignore_index=True, kind="stable")
    gone, new = (tuple(name for name in some if name not in other) for some, other in ((before, now), (now, before)))
    return Drift(table, (tables[0].rows, tables[1].rows), gone, new)


def _held(reference: pd.Series, current: pd.Series) -> dict[str, Any]:
    missing = float(current.isna().mean() - reference.isna().mean())
    first, second = reference.dropna(), current.dropna()
    told: dict[str, Any] = dict.fromkeys(("psi", "psi_p", "ks", "ks_p", "wasserstein"), float("nan"))
    if len(first) and len(second):
        is_number = first.dtype.kind in "if"
        counts = _binned(first.to_numpy(float), second.to_numpy(float)) if is_number else _counted(first, second)
        told["psi"], told["psi_p"] = stability(*counts), by_chance(*counts)
        if is_number:
            told["ks"], told["ks_p"] = kolmogorov(first.to_numpy(float), second.to_numpy(float))
            told["wasserstein"] = wasserstein(first.to_numpy(float), second.to_numpy(float))
    elif len(first) != len(second):
        told["psi"], told["psi_p"] = float("inf"), 0.0  # on one side there is nothing but what is missing
    return {**told, "missing": missing}


def _level(psi: float, chance: float) -> Level:
    if not chance < _UNLIKELY or not psi > WATCH:
        return "steady"
    return "act" if psi > ACT else "watch"


def _binned(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many of each lie between the deciles of the first; values that are few are bins of their own."""
    import numpy as np

    values = np.unique(first)
    edges = values if len(values) <= _BINS else np.unique(np.quantile(first, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, each, "right"), minlength=len(edges) + 1) for each in (first, second)]
    return counts[0], counts[1]


def _counted(first: pd.Series, second: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each frequent value of the first stands in both, and all others together."""
    import numpy as np

    known = first.value_counts().index[:_MOST_VALUES]
    found = [each.value_counts().reindex(known, fill_value=0).to_numpy() for each in (first, second)]
    counts = [np.append(some, len(each) - some.sum()) for some, each in zip(found, (first, second), strict=True)]
    return counts[0], counts[1]


def _sentence(row: dict[Any, Any]) -> str:
    far = "" if row["ks"] != row["ks"] else f", KS {row['ks']:.2f}, {row['wasserstein']:.3g} away"
    missing = f", {row['missing']:+.0%} missing" if abs(row["missing"]) >= 0.01 else ""
    return f"{row['column']}: psi {row['psi']:.2f} ({row['level']}){far}{missing}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) or "none"

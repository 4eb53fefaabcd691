"""Whether what a model is judged by has seen what it learned from: rows, groups, times and labels over splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from celltrail.dataset.rows import frames_of, hashes, unequal
from celltrail.dataset.table import Column, Table, table_of
from celltrail.errors import BadValue
from celltrail.stats.shift import homogeneous, kolmogorov

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

LABEL = "label"  # the column of the labels that were given beside the rows
_MOST_LABELS = 50
_UNLIKELY = 0.01
_SHOWN = 3


@dataclass(frozen=True, repr=False)
class Splits:
    """What leaks between splits; false if something does. ``str()`` says it in sentences.

    Attributes:
        rows: how many rows each split has.
        duplicates: a row for each row of a later split that an earlier one has too: ``split row of row_of``, rows
            counted from 0, and ``label_differs``.
        groups: groups in several splits: ``group``, and how many rows each split has of it.
        times: by split ``first``, ``last``, and ``early``: how many of its rows lie before the last of the one before.
        labels: the share of each label by split, or quartiles of a number.
        label_p: how often chance alone would spread the labels so.
        problems: sentences, by what they speak of: duplicates, groups, times, labels, columns.
    """

    rows: dict[str, int]
    duplicates: pd.DataFrame
    groups: pd.DataFrame
    times: pd.DataFrame
    labels: pd.DataFrame
    label_p: float | None
    problems: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return not self.problems

    def __repr__(self) -> str:
        head = ", ".join(f"{name} {count:,} rows" for name, count in self.rows.items())
        if self:
            return f"{head}: no row, group or time in two of them, and no shift of labels"
        return "\n".join([head, *(f"- {sentence}" for sentence in self.problems.values())])


def check_splits(
    splits: Mapping[str, Any],
    *,
    group: str | None = None,
    time: str | None = None,
    label: str | None = None,
    ignore: Sequence[str] = (),
) -> Splits:
    """Look for what leaks from one split into another.

    Args:
        splits: in the order of their use, at least two; of each the rows, or rows and labels: ``(x, y)``.
        group: the column that says what must not be torn apart, such as a patient.
        time: the column by which later splits must lie later.
        label: the column that is predicted; rows are equal without it.
        ignore: columns that make every row another one, such as an id.
    """
    tables = {name: _with_labels(value) for name, value in splits.items() if value is not None}
    if len(tables) < 2:
        raise BadValue("there is nothing to hold against each other: give two splits or more, train= and test=")
    if label is None and all(any(each.name == LABEL for each in table.columns) for table in tables.values()):
        label = LABEL
    problems: dict[str, str] = {}
    names = _shared(tables, problems)
    for name in (group, time, label, *ignore):
        if name is not None:
            next(iter(tables.values())).column(name)
    features = [name for name in names if name not in (label, *ignore)]
    duplicates = _duplicates(tables, features, label if label in names else None, problems)
    groups = _groups(tables, group, problems)
    times = _times(tables, time, problems)
    labels, p = _labels(tables, label, problems)
    counts = {name: table.rows for name, table in tables.items()}
    return Splits(counts, duplicates, groups, times, labels, p, problems)


def _with_labels(value: Any) -> Table:
    if isinstance(value, tuple) and len(value) == 2:
        rows, labels = table_of(value[0], index=False), table_of(value[1], index=False)
        if rows.rows != labels.rows or len(labels.columns) != 1:
            raise BadValue(f"{rows.rows} rows and {labels.rows} labels do not belong together; each row has one label")
        told = labels.columns[0]
        return Table((*rows.columns, type(told)(LABEL, told.dtype, told.values)), rows.rows)
    return table_of(value, index=False)


def _shared(tables: Mapping[str, Table], problems: dict[str, str]) -> list[str]:
    known = {name: [column.name for column in table.columns] for name, table in tables.items()}
    first = next(iter(known.values()))
    shared = [name for name in first if all(name in names for names in known.values())]
    missing = {name: sorted(set().union(*known.values()) - set(names)) for name, names in known.items()}
    told = [f"{split} has no {', '.join(map(repr, names[:_SHOWN]))}" for split, names in missing.items() if names]
    if not shared:
        raise BadValue(f"the splits have no column in common: {'; '.join(told)}")
    if told:
        problems["columns"] = f"{'; '.join(told)}: rows are compared by the other {len(shared)} columns"
    return shared


def _duplicates(
    tables: Mapping[str, Table], features: Sequence[str], label: str | None, problems: dict[str, str]
) -> pd.DataFrame:
    import pandas as pd

    splits = list(tables)
    frames = dict(zip(splits, frames_of(list(tables.values()), features), strict=True))
    labels = dict(zip(splits, frames_of(list(tables.values()), [label] if label else []), strict=True))
    prints = {split: hashes(frame) for split, frame in frames.items()}
    found: list[pd.DataFrame] = []
    for earlier, later in combinations(splits, 2):
        rows, of = _met(prints[earlier], prints[later])
        is_same = ~_differ(frames[earlier].iloc[of], frames[later].iloc[rows])
        rows, of = rows[is_same], of[is_same]
        other = _differ(labels[earlier].iloc[of], labels[later].iloc[rows])
        told: dict[str, Any] = {"split": later, "row": rows, "of": earlier, "row_of": of, "label_differs": other}
        found.append(pd.DataFrame(told))
        if len(rows):
            problems[f"duplicates in {later} of {earlier}"] = _told_duplicates(
                later, earlier, rows, of, len(prints[later]), int(other.sum())
            )
    return pd.concat(found, ignore_index=True)


def _differ(first: pd.DataFrame, second: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of two frames of one length are not the same."""
    import numpy as np

    found = np.zeros(len(first), bool)
    for differs in unequal(first, second).values():
        found |= differs
    return found


def _met(earlier: NDArray[np.uint64], later: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the later split that may be in the earlier one, and the first one there that each may be."""
    import numpy as np
    import pandas as pd

    firsts = np.flatnonzero(~pd.Series(earlier).duplicated().to_numpy())
    places = pd.Index(earlier[firsts]).get_indexer(pd.Index(later))
    rows = np.flatnonzero(places >= 0)
    return rows, firsts[places[rows]]


def _told_duplicates(later: str, earlier: str, rows: Any, of: Any, count: int, contradicting: int) -> str:
    pairs = ", ".join(f"{row} is {same}" for row, same in zip(rows[:_SHOWN], of[:_SHOWN], strict=True))
    more = ", ..." if len(rows) > _SHOWN else ""
    said = f"{len(rows):,} of {count:,} rows of {later} stand{'s' * (len(rows) == 1)} in {earlier} too"
    labels = f"; {contradicting:,} of them with another label" if contradicting else ""
    return f"{said} ({pairs}{more}){labels}: what is measured on {later} is partly what was learned by heart"


def _groups(tables: Mapping[str, Table], group: str | None, problems: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    if group is None:
        return pd.DataFrame()
    frames = frames_of(list(tables.values()), [group])
    counts = {split: frame[group].value_counts() for split, frame in zip(tables, frames, strict=True)}
    found: Any = pd.DataFrame(counts).fillna(0).astype(int)
    found = found[(found > 0).sum(axis=1) > 1].rename_axis("group").reset_index()
    if len(found):
        which = ", ".join(map(str, found["group"][:_SHOWN])) + (", ..." if len(found) > _SHOWN else "")
        problems["groups"] = (
            f"{len(found):,} value{'s' * (len(found) > 1)} of {group!r} stand{'s' * (len(found) == 1)} in more than "
            f"one split ({which}): split by {group!r}, not by rows, or the model is judged on what it knows"
        )
    return found


def _times(tables: Mapping[str, Table], time: str | None, problems: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    if time is None:
        return pd.DataFrame()
    told: list[dict[str, Any]] = []
    before: Any = None
    for split, table in tables.items():
        values: Any = pd.Series(_plain_times(table.column(time)))
        early = 0 if before is None else int((values < before).sum())
        if early:
            problems[f"times of {split}"] = (
                f"{early:,} of {len(values):,} rows of {split} lie before the last of the split before it ({before}): "
                f"the model learned from what came after them"
            )
        told.append({"split": split, "first": values.min(), "last": values.max(), "early": early})
        before = values.max() if before is None else max(before, values.max())
    return pd.DataFrame(told).set_index("split")


def _plain_times(column: Column) -> Any:
    if column.values is None:
        raise BadValue(f"{column.name!r} holds objects that cannot be put in order; pd.to_datetime makes times of them")
    return column.values.to_pandas()


def _labels(
    tables: Mapping[str, Table], label: str | None, problems: dict[str, str]
) -> tuple[pd.DataFrame, float | None]:
    import pandas as pd

    having = {name: table for name, table in tables.items() if any(each.name == label for each in table.columns)}
    if label is None or len(having) < 2:
        return pd.DataFrame(), None
    series: list[Any] = [frame[label].dropna() for frame in frames_of(list(having.values()), [label])]
    every: Any = pd.concat(series)
    if every.dtype.kind in "if" and every.nunique() > _MOST_LABELS:
        return _numbers(dict(zip(having, series, strict=True)), label, problems)
    counts: Any = pd.DataFrame({split: each.value_counts() for split, each in zip(having, series, strict=True)})
    counts = counts.fillna(0).astype(int)
    shares = counts / counts.sum()
    p = homogeneous(counts.to_numpy().T)
    absent = [
        f"{split} has none of {_few(counts.index[counts[split] == 0])}"
        for split in having
        if (counts[split] == 0).any()
    ]
    if absent:
        problems["labels that are missing"] = f"{'; '.join(absent)}: nothing can be said of what is not there"
    if p < _UNLIKELY:
        widest = (shares.max(axis=1) - shares.min(axis=1)).idxmax()
        told = ", ".join(f"{shares.loc[widest, split]:.0%} of {split}" for split in having)
        problems["labels"] = (
            f"the labels are not spread alike: {label} {widest!s} is {told} (p {_p(p)}); stratify, or judge by "
            f"metrics that do not depend on it"
        )
    return shares.rename_axis(label), p


def _numbers(series: Mapping[str, Any], label: str, problems: dict[str, str]) -> tuple[pd.DataFrame, float | None]:
    import pandas as pd

    quartiles = pd.DataFrame({split: each.quantile([0, 0.25, 0.5, 0.75, 1]) for split, each in series.items()})
    first, *others = series.items()
    least = 1.0
    for split, each in others:
        distance, p = kolmogorov(first[1].to_numpy(float), each.to_numpy(float))
        p = min(1.0, p * len(others))
        least = min(least, p)
        if p < _UNLIKELY:
            problems[f"labels of {split}"] = (
                f"{label} is not spread alike: its median is {first[1].median():.4g} in {first[0]} and "
                f"{each.median():.4g} in {split}, the distributions {distance:.2f} apart (p {_p(p)})"
            )
    return quartiles.rename_axis("quantile"), least


def _few(values: Any) -> str:
    return ", ".join(map(str, list(values)[:_SHOWN])) + (", ..." if len(values) > _SHOWN else "")


def _p(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {p:.3f}"

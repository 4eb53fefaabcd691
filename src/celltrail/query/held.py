"""Columns of the runs of a sheet: read once while no run changes, as values, ranks, kinds and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from celltrail.contract import Scalar, Summed
from celltrail.query.columns import Column
from celltrail.query.row import scalar
from celltrail.query.sifting import ranks_of
from celltrail.stats.interval import mean_interval
from celltrail.store.catalogue.facts import Key
from celltrail.store.index.cells import to_values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store import Store
    from celltrail.store.index import Look

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MOST_VALUES = 12
_MOST_COLUMNS = 64
_FEW = 48  # runs of a group that are summed up one by one sooner than together


class Kinds(NamedTuple):
    """What is alike in a column: the same number for runs whose value counts as the same."""

    codes: Ints
    firsts: list[Any]  # the first value of each


class Held:
    """The columns of some runs.

    Args:
        store: their trail.
        runs: their ids; one that is gone since has nothing in any column.
        column: the column of a name.
    """

    def __init__(self, store: Store, runs: Sequence[str], column: Callable[[str], Column]) -> None:
        self.along: Sequence[str] = ()  # columns that are read with one that the index has yet to read from documents
        self._store, self._runs, self._column = store, runs, column
        self._revision: tuple[int, float] | None = None  # of the index, when these were read
        self._values: dict[str, list[Any]] = {}
        self._ranks: dict[str, Ints] = {}
        self._kinds: dict[str, Kinds] = {}
        self._numbers: dict[str, Floats] = {}

    def renew(self) -> bool:
        """Look if runs have changed since, and forget what was read of them; whether they have."""
        before, self._revision = self._revision, self._store.look((), lambda look: look.revision)
        if before in {None, self._revision}:
            return False
        for kept in (self._values, self._ranks, self._kinds, self._numbers):
            kept.clear()
        return True

    def read(self, names: Iterable[str]) -> None:
        """These columns are asked for next: read in one pass, as the runs stood when they were looked at."""
        names = list(dict.fromkeys(names))
        missing = [name for name in names if name not in self._values]
        if not missing:
            return
        for name in [name for name in self._values if name not in names][: -max(1, _MOST_COLUMNS - len(names))]:
            for kept in (self._values, self._ranks, self._kinds, self._numbers):
                kept.pop(name, None)
        columns = [self._column(name) for name in missing]
        found = self._store.again(_keys(columns), lambda look: self._cells(look, columns))
        if found is None:  # what is read from every document is read with all that is looked at
            keys = _keys([*columns, *(self._column(name) for name in self.along)])
            found = self._store.look(keys, lambda look: self._cells(look, columns))
        self._values |= found

    def values(self, names: Sequence[str]) -> dict[str, list[Any]]:
        """What each of the runs has in these columns."""
        self.read(names)
        return {name: self._values[name] for name in names}

    def ranks(self, name: str) -> Ints:
        """Where each of the runs stands in this column; -1 where it has nothing."""
        if name not in self._ranks:
            self._ranks[name] = ranks_of(self.values([name])[name])
        return self._ranks[name]

    def kinds(self, name: str) -> Kinds:
        """Which of the runs are alike in this column."""
        import numpy as np

        if name not in self._kinds:
            values = self.values([name])[name]
            if self._missing_only(name):  # ranks are as good, and found without a look at each value
                codes = np.unique(self.ranks(name), return_inverse=True)[1]
            else:
                codes = np.array(list(map(_Numbered().__getitem__, map(alike, values))), np.int64)
            self._kinds[name] = Kinds(codes, [values[at] for at in np.unique(codes, return_index=True)[1].tolist()])
        return self._kinds[name]

    def summed(self, name: str, places: Ints) -> Summed:
        """What some of the runs have in this column, by their places."""
        import numpy as np

        values = self.values([name])[name]
        if len(places) <= _FEW:
            return summed([values[at] for at in places.tolist()])
        numbers = self._number(name)[places]
        codes, firsts = self.kinds(name)
        found, first = np.unique(codes[places], return_index=True)
        shown = found[np.argsort(first)[:MOST_VALUES]].tolist()
        return _told(numbers[np.isfinite(numbers)].tolist(), len(places), [firsts[code] for code in shown], len(found))

    def _number(self, name: str) -> Floats:
        """What of this column is a number, NaN elsewhere."""
        import numpy as np

        if name not in self._numbers:
            values = self.values([name])[name]
            if not {*map(type, values)} <= {float, int, type(None)}:
                values = [value if is_number(value) else math.nan for value in values]
            self._numbers[name] = np.array(values, np.float64)
        return self._numbers[name]

    def _missing_only(self, name: str) -> bool:
        """Whether this column has numbers or nothing, and so ranks that tell what is alike."""
        values = self.values([name])[name]
        if not {*map(type, values)} <= {float, int, type(None)}:
            return False
        return int((self._number(name) != self._number(name)).sum()) == values.count(None)

    def _cells(self, look: Look, columns: Sequence[Column]) -> dict[str, list[Any]]:
        keys = _keys(columns)
        chosen = [look.columns[key].sql for key in keys]
        cells = look.cells(self._runs, chosen)
        if len(cells) != len(self._runs):
            some = {run: rest for run, *rest in look.cells(self._runs, ["hot.id", *chosen])}
            cells = [some.get(run, [None] * len(keys)) for run in self._runs]
        turned = zip(*cells, strict=True) if cells else ([] for _ in keys)
        facts = {key: to_values(column, look.columns[key].has) for key, column in zip(keys, turned, strict=True)}
        return {column.name: told_by(column, facts) for column in columns}


class _Numbered(dict[Any, int]):
    """Things, numbered as they come."""

    def __missing__(self, thing: Any) -> int:
        self[thing] = number = len(self)
        return number


def _keys(columns: Iterable[Column]) -> list[Key]:
    return list(dict.fromkeys(key for column in columns for key in column.keys))


def told_by(column: Column, facts: Mapping[Key, Sequence[Any]]) -> list[Any]:
    """What runs have in a column by these facts of them."""
    return list(map(column.of, *(facts[key] for key in column.keys)))


def summed(values: Sequence[Any]) -> Summed:
    """What some runs have in one column.

    >>> found = summed([1.0, 3.0, None, float("nan")])
    >>> found["mean"], found["known"], found["unknown"]
    (2.0, 2, 2)
    """
    known = [float(value) for value in values if is_number(value) and math.isfinite(value)]
    kinds: dict[Any, Any] = {}
    for value in values:
        kinds.setdefault(alike(value), value)
    return _told(known, len(values), list(kinds.values())[:MOST_VALUES], len(kinds))


def _told(known: list[float], runs: int, values: Sequence[Any], kinds: int) -> Summed:
    mean, half = mean_interval(known) if known else (None, None)
    return {
        "known": len(known),
        "unknown": runs - len(known),
        "mean": mean,
        "half": half,
        "low": min(known, default=None),
        "high": max(known, default=None),
        "values": [told(value) for value in values],
        "kinds": kinds,
    }


def is_number(value: Any) -> bool:
    """Whether this is a number to reckon with.

    >>> is_number(0.5), is_number(True), is_number(float("nan"))
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def told(value: Any) -> Scalar:
    """A value as one scalar."""
    return ", ".join(map(str, value)) if isinstance(value, list) else scalar(value)


def alike(value: Any) -> Any:
    """Equal for values that count as the same, as dictionaries compare.

    >>> alike(1) == alike(1.0), alike(1) == alike(True), alike(float("nan")) == alike(float("nan"))
    (True, False, True)
    """
    kind = type(value)
    if kind is str or kind is int or value is None or (kind is float and value == value):
        return value
    return kind, repr(value)

"""What two versions of data differ in: columns, types, rows and cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celltrail.dataset.digest import Digest, digest_of
from celltrail.dataset.rows import frames_of, hashes, unequal
from celltrail.dataset.table import Table
from celltrail.errors import BadValue

if TYPE_CHECKING:
    import pandas as pd

MOST_CELLS = 1000
_SHOWN = 8
_COLUMNS = ["row", "column", "before", "after"]


@dataclass(frozen=True, repr=False)
class Difference:
    """What differs between two versions of data; false if nothing does. ``str()`` says it in sentences.

    Attributes:
        added: columns that only the second has.
        removed: columns that only the first has.
        retyped: columns of another type, with both types; their values may be the same.
        changed: columns with changed values, and how many cells of each changed; None if that is not known.
        cells: the changed cells, a thousand at most: ``row column before after``; ``row`` is counted from 0, or the
            value of the key.
        rows_added: rows that only the second has.
        rows_removed: rows that only the first has.
        note: what could not be determined.
    """

    added: list[str]
    removed: list[str]
    retyped: dict[str, tuple[str, str]]
    changed: dict[str, int | None]
    cells: pd.DataFrame
    rows_added: pd.DataFrame
    rows_removed: pd.DataFrame
    note: str = ""

    def __bool__(self) -> bool:
        return bool(
            self.added or self.removed or self.retyped or self.changed or len(self.rows_added) or len(self.rows_removed)
        )

    def __repr__(self) -> str:
        if not self:
            return self.note or "the same rows in the same order"
        lines = [f"columns {word}: {', '.join(names)}" for word, names in
                 (("added", self.added), ("removed", self.removed)) if names]  # fmt: skip
        lines += [f"{name}: {before} became {after}" for name, (before, after) in self.retyped.items()]
        for name, count in self.changed.items():
            lines.append(
                f"{name}: other values" if count is None else f"{name}: {count:,} cell{'s' * (count > 1)} changed"
            )
        for word, rows in (("added", self.rows_added), ("removed", self.rows_removed)):
            if len(rows):
                lines.append(f"{len(rows):,} row{'s' * (len(rows) > 1)} {word}: {_few(rows.index)}")
        for row, column, before, after in self.cells.head(_SHOWN).itertuples(index=False):
            lines.append(f"  row {row}, {column}: {before!r} → {after!r}")
        return "\n".join([*lines, *([self.note] if self.note else [])])


def difference(first: Table, second: Table, key: str | None = None) -> Difference:
    """What the second table has that the first has not, and the other way round.

    Args:
        first: the older rows.
        second: the newer ones.
        key: a column that names each row, once. Without it rows are held against each other by their place where
            there are equally many, else by all they hold.
    """
    import pandas as pd

    prints = digest_of(first), digest_of(second)
    told, empty = _of_columns(*prints), pd.DataFrame()
    shared = [column.name for column in prints[0].columns if column.name in {each.name for each in prints[1].columns}]
    frames = frames_of([first, second], shared)
    note = (
        "columns of objects that cannot be read were left out" if prints[0].is_partial or prints[1].is_partial else ""
    )
    if key is not None:
        return _by_key(told, frames, key, note)
    if first.rows == second.rows:
        cells, counts = _cells(frames[0], frames[1], frames[0].index)
        return Difference(
            **told, changed=_counted(counts), cells=cells, rows_added=empty, rows_removed=empty, note=note
        )
    prints_of_rows = [hashes(frame) for frame in frames]
    removed, added = (
        frame.loc[~pd.Series(own).isin(other).to_numpy()]
        for frame, own, other in zip(frames, prints_of_rows, prints_of_rows[::-1], strict=True)
    )
    said = f"{first.rows:,} rows became {second.rows:,}: they are compared whole, in any order; key= names each row"
    cells, note = pd.DataFrame(columns=pd.Index(_COLUMNS)), " ".join([said, note]).strip()
    return Difference(**told, changed={}, cells=cells, rows_added=added, rows_removed=removed, note=note)


def of_digests(first: Digest, second: Digest) -> Difference:
    """What can be told where only the digests are at hand: which columns, not which rows."""
    import pandas as pd

    known = {column.name: column.hex for column in first.columns}
    same_rows = first.rows == second.rows
    changed: dict[str, int | None] = {
        column.name: None for column in second.columns if known.get(column.name, column.hex) != column.hex
    }
    told = _of_columns(first, second)
    note = "which rows is not known: of one of them only the digests are kept" if changed else ""
    if not same_rows:
        note = f"{first.rows:,} rows became {second.rows:,}; {note or 'which ones is not known'}"
    empty, cells = pd.DataFrame(), pd.DataFrame(columns=pd.Index(_COLUMNS))
    return Difference(**told, changed=changed, cells=cells, rows_added=empty, rows_removed=empty, note=note)


def _of_columns(first: Digest, second: Digest) -> dict[str, Any]:
    before = {column.name: column for column in first.columns}
    after = {column.name: column for column in second.columns}
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    retyped = {
        name: (before[name].kind, after[name].kind)
        for name in after
        if name in before
        and "null" not in (before[name].kind, after[name].kind)
        and before[name].kind != after[name].kind
    }
    return {"added": added, "removed": removed, "retyped": retyped}


def _counted(counts: dict[str, int]) -> dict[str, int | None]:
    return {name: count for name, count in counts.items() if count}


def _cells(first: pd.DataFrame, second: pd.DataFrame, rows: Any) -> tuple[pd.DataFrame, dict[str, int]]:
    import numpy as np
    import pandas as pd

    found: list[tuple[Any, str, Any, Any]] = []
    counts: dict[str, int] = {}
    for name, differs in unequal(first, second).items():
        counts[name] = int(differs.sum())
        places = np.flatnonzero(differs)[: MOST_CELLS - len(found)]
        before, after = (np.asarray(frame[name])[places].tolist() for frame in (first, second))
        found += zip(rows[places], [name] * len(places), before, after, strict=True)
    return pd.DataFrame(found, columns=pd.Index(_COLUMNS)), counts


def _by_key(told: dict[str, Any], frames: list[pd.DataFrame], key: str, note: str) -> Difference:
    import numpy as np

    keyed: list[Any] = []
    for frame, which in zip(frames, ("first", "second"), strict=True):
        if key not in frame.columns:
            raise BadValue(f"{key!r} is no column of both; it names each row, once")
        if frame[key].duplicated().any():
            twice = np.asarray(frame[key])[frame[key].duplicated()][0]
            raise BadValue(f"{key!r} does not name each row once: the {which} has {twice!r} twice")
        keyed.append(frame.set_index(key))
    shared = keyed[0].index.intersection(keyed[1].index, sort=False)
    cells, counts = _cells(keyed[0].loc[shared], keyed[1].loc[shared], shared)
    added = keyed[1].loc[~keyed[1].index.isin(shared)]
    removed = keyed[0].loc[~keyed[0].index.isin(shared)]
    return Difference(**told, changed=_counted(counts), cells=cells, rows_added=added, rows_removed=removed, note=note)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _few(values: Any) -> str:
    return ", ".join(str(_plain(each)) for each in values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")

"""Read-only SQL over the runs of a trail, for the curious.

A statement sees a database of its own, filled for it: nothing it says can reach the trail or its index.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, nearest
from celltrail.query.evaluate import aggregate_of
from celltrail.query.opening import open_store

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store import Store
    from celltrail.store.catalogue.facts import Document
    from celltrail.store.index import Look

_VIEWS = {
    "runs": ("id", "name", "status", "project", "group", "folder", "parent", "notebook", "user", "host", "created",
             "started", "ended", "duration", "error", "notes", "starred", "rating", "archived"),
    "params": ("run", "name", "value"),
    "metrics": ("run", "name", "goal", "first", "last", "last_step", "min", "min_step", "max", "max_step", "mean",
                "sum", "count", "nan_count"),
    "tags": ("run", "tag"),
}  # fmt: skip
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_MOST_ROWS = 1_000_000
_LONGEST = 64 << 20  # bytes of one value
_STEPS = 10_000  # of SQLite's machine between two looks at the clock


def sql(
    query: str,
    params: Sequence[Any] | Mapping[str, Any] = (),
    *,
    store: Store | Path | str | None = None,
    timeout: float = 60.0,
) -> pd.DataFrame:
    """Ask the trail in read-only SQL, over the views ``runs``, ``params``, ``metrics`` and ``tags``.

    Times are seconds since the epoch, NaN is NULL, lists and dicts are JSON text. Archived runs are included
    (add ``where not archived``), deleted ones are not.

    Args:
        query: one SELECT, for example ``select value, count(*) from params where name = 'lr' group by value``.
        params: values for ``?`` or ``:name`` in it.
        store: another trail; that of the working folder unless given.
        timeout: give up after so many seconds.

    Returns:
        A pandas frame, a row for each row of the answer.

    >>> import celltrail as ct
    >>> with ct.start("a"): pass
    >>> ct.sql("select name, status from runs").iloc[0].tolist()
    ['a', 'finished']
    """
    import pandas as pd

    db = sqlite3.connect("")  # a temporary file, in memory while small
    try:
        named = [view for view in _VIEWS if re.search(rf"\b{view}\b", query, re.IGNORECASE)]
        _fill(db, named, open_store(store))
        _lock(db, timeout)
        try:
            found = db.execute(query, params)
            rows = found.fetchmany(_MOST_ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning, UnicodeError, OverflowError) as error:
            raise BadValue(_told(str(error), timeout)) from None
        if len(rows) > _MOST_ROWS:
            raise BadValue(f"the answer has more than {_MOST_ROWS:,} rows; add a limit to the query")
        return pd.DataFrame(rows, columns=[column[0] for column in found.description or ()])
    finally:
        db.close()


def _fill(db: sqlite3.Connection, named: Sequence[str], store: Store) -> None:
    """Make the views, and put rows into those the statement names."""
    for view, columns in _VIEWS.items():
        db.execute(f"create table {view} ({', '.join(map(_quoted, columns))})")
    if named and store.id:
        store.look((), lambda look: _read(db, named, look))


def _read(db: sqlite3.Connection, named: Sequence[str], look: Look) -> None:
    db.rollback()  # the index may have failed, and be asked again
    kept = "select id from hot where not coalesce(deleted, 0) order by created desc, id desc"
    ids = [run_id for (run_id,) in look.select(kept)]
    adding = [(f"insert into {view} values ({', '.join('?' * len(_VIEWS[view]))})", _ROWS[view]) for view in named]
    for run_id, document in look.documents(ids, {_PARTS[view] for view in named}):
        for add, rows in adding:
            db.executemany(add, rows(run_id, document))
    db.commit()


def _lock(db: sqlite3.Connection, timeout: float) -> None:
    """From here on only reading, not for ever, and no giant values."""
    until = time.monotonic() + timeout
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    db.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    db.set_authorizer(_allowed)


def _allowed(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action in _READING or (action == sqlite3.SQLITE_FUNCTION and second != "load_extension"):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _run(run_id: str, document: Document) -> Iterator[tuple[Any, ...]]:
    yield tuple(_cells(document.fact((name,)) for name in _VIEWS["runs"]))


def _params(run_id: str, document: Document) -> Iterator[tuple[Any, ...]]:
    for name, value in document.values("params").items():
        yield run_id, name, *_cells([value])


def _metrics(run_id: str, document: Document) -> Iterator[tuple[Any, ...]]:
    for name, metric in document.metrics.items():
        yield run_id, name, metric.goal, *_cells(aggregate_of(metric, each) for each in _VIEWS["metrics"][3:])


def _tags(run_id: str, document: Document) -> Iterator[tuple[Any, ...]]:
    return ((run_id, tag) for tag in document.fact(("tags",)) or ())


_ROWS = {"runs": _run, "params": _params, "metrics": _metrics, "tags": _tags}
_PARTS = {"runs": "rest", "params": "params", "metrics": "metrics", "tags": "rest"}  # of the document


def _cells(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, float) and math.isnan(value):
            yield None
        elif isinstance(value, bool):
            yield int(value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            yield str(value)
        elif value is None or isinstance(value, str | int | float):
            yield value
        else:
            yield json.dumps(value, ensure_ascii=False, default=str)


def _told(error: str, timeout: float) -> str:
    """What is wrong with a statement, in a sentence with the nearest name."""
    kind, _, name = error.partition(": ")
    views = f"the views are {', '.join(_VIEWS)}"
    if kind == "no such table":
        return f"no view {name!r}{nearest(name, _VIEWS) or f'; {views}'}"
    if kind == "no such column":
        known = {column for columns in _VIEWS.values() for column in columns}
        close = nearest(name.rpartition(".")[2], known)
        shown = "; ".join(f"{view}: {', '.join(columns)}" for view, columns in _VIEWS.items())
        return f"no column {name!r}{close or f'; {shown}'}"
    if error == "interrupted":
        return f"the query took longer than {timeout:g} s; narrow it, or give it a longer timeout"
    if "not authorized" in error or "prohibited" in error or "only execute one statement" in error:
        return f"only one SELECT can be asked, and nothing be changed; {views}"
    return f"the query cannot be answered: {error}; {views}"


def _quoted(name: str) -> str:
    return f'"{name}"'

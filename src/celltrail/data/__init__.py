"""``ct.data``: what data holds, how versions differ, what leaks between splits, what has drifted, which runs used it.

>>> import celltrail as ct
>>> print(ct.data.diff({"age": [31, 44]}, {"age": [31, 45]}))
age: 1 cell changed
  row 1, age: 44 → 45
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.dataset import (
    DataVersion,
    Difference,
    Digest,
    Splits,
    Table,
    difference,
    digest_of,
    of_digests,
    profile_of,
    sample_of,
    table_of,
)
from celltrail.dataset.drift import Drift
from celltrail.dataset.drift import drift as drifted
from celltrail.dataset.source import rows_in
from celltrail.dataset.splits import check_splits as checked
from celltrail.errors import BadValue
from celltrail.query import RunSet, open_store, runs
from celltrail.run import current as current_run

if TYPE_CHECKING:
    from celltrail.store import Store

__all__ = ["DataVersion", "check_splits", "diff", "digest", "drift", "profile", "used_by"]


def digest(data: Any) -> Digest:
    """The digest of some rows, by their contents: a frame, array, tensor, dict of columns, or a file that holds rows.

    It is the same in CSV, Parquet, Arrow or pandas; the order of rows and of columns matters.

    >>> str(digest({"a": [1, 2]}))
    'cdg1:...'
    """
    return digest_of(_rows(data))


def profile(data: Any) -> dict[str, dict[str, Any]]:
    """What each column holds: missing values, quartiles, frequent values; beyond 100,000 rows, from a sample."""
    return profile_of(sample_of(_rows(data)))


def diff(a: Any, b: Any, key: str | None = None) -> Difference:
    """What changed from ``a`` to ``b``: columns, rows and cells.

    Args:
        a: the older rows, a file of them, or a version such as ``ct.run("baseline").data[0]``.
        b: the newer rows.
        key: a column that identifies each row. Without it rows are matched by position if there are equally many,
            else by all they hold.

    Raises:
        BadValue: one of them holds no rows, or the key is not unique.

    >>> found = diff({"id": [1, 2], "x": [0.5, 0.7]}, {"id": [1, 2], "x": [0.5, 0.8]}, key="id")
    >>> "x" in str(found)
    True
    """
    if isinstance(a, DataVersion) or isinstance(b, DataVersion):
        if key is not None:
            raise BadValue("of a version only digests are kept, so there is no key to go by; give the rows themselves")
        return of_digests(*(each.as_digest if isinstance(each, DataVersion) else digest(each) for each in (a, b)))
    return difference(_rows(a), _rows(b), key)


def check_splits(
    train: Any = None,
    val: Any = None,
    test: Any = None,
    *,
    group: str | None = None,
    time: str | None = None,
    label: str | None = None,
    ignore: Sequence[str] = (),
    **others: Any,
) -> Splits:
    """Look for what leaks between splits: rows in two of them, torn groups, times that overlap, labels that shift.

    Inside a run, each finding also raises an alert.

    Args:
        train: the rows of the training split; or rows and labels, ``(x, y)``.
        val: those of the validation split.
        test: those of the test split.
        group: the column that must not span splits, such as a patient.
        time: the column by which later splits must be later.
        label: the column that is predicted; rows are compared without it.
        ignore: columns that make every row unique, such as an id.
        others: further splits by their names.

    Raises:
        BadValue: fewer than two splits, no column in common, or a column that is not there.

    >>> print(check_splits(train={"x": [1, 2, 3]}, test={"x": [3, 4]}))
    train 3 rows, test 2 rows
    - 1 of 2 rows of test stands in train too (0 is 2): what is measured on test is partly what was learned by heart
    """
    given = {"train": train, "val": val, "test": test, **others}
    held = {name: _rows_and_labels(value) for name, value in given.items() if value is not None}
    found = checked(held, group=group, time=time, label=label, ignore=ignore)
    run = current_run()
    if run is not None and run.is_running:
        for about, sentence in found.problems.items():
            run.log_alert(f"splits: {about}", sentence, rule="check_splits")
    return found


def drift(reference: Any, current: Any) -> Drift:
    """How far each column has drifted from a reference: PSI, Kolmogorov-Smirnov, Wasserstein.

    Inside a run, each column that has moved also raises an alert.

    Args:
        reference: the rows that a model was trained on, or a file of them.
        current: the rows that it sees now.

    Raises:
        BadValue: one of them has no rows or is only the digest of a version, or they have no column in common.

    >>> print(drift({"x": [1, 2, 3, 4]}, {"x": [1, 2, 3, 4]}))
    4 rows now against 4: no column has moved
    """
    if isinstance(reference, DataVersion) or isinstance(current, DataVersion):
        raise BadValue("of a version only digests and a profile are kept; drift is told from the rows themselves")
    found = drifted(_rows_and_labels(reference), _rows_and_labels(current))
    run = current_run()
    if run is not None and run.is_running:
        for column, sentence in found.moved.items():
            run.log_alert(f"drift: {column}", sentence, rule="drift")
    return found


def used_by(data: Any, store: Store | None = None) -> RunSet:
    """The runs that used this data, newest first: rows, a file of rows, a version, or its digest as text.

    Only data logged by `Run.log_data` is considered, in every run of the trail.

    >>> import celltrail as ct
    >>> with ct.start("demo") as run:
    ...     found = run.log_data({"x": [1, 2, 3]}, "toy")
    >>> [run.name for run in used_by({"x": [1, 2, 3]})]
    ['demo']
    """
    text = data if isinstance(data, str) and ":" in data and not Path(data).exists() else None
    wanted = text or str(data.digest if isinstance(data, DataVersion) else digest(data))
    store = open_store(store)
    ids = [
        record.id
        for record in store.records()
        if any(wanted in (told.get("digest"), *(told.get("parents") or ())) for told in record.data.values())
    ]
    return runs(store=store).where(f"id in {json.dumps(ids)}")


def _rows(data: Any) -> Table:
    if not isinstance(data, str | os.PathLike):
        return table_of(data)
    path = Path(data).expanduser()
    if not path.is_file():
        raise BadValue(f"there is no file {path.name!r}")
    table = rows_in(path)
    if table is None:
        raise BadValue(
            f"{path.name!r} is no file of rows; those are csv, tsv, parquet, feather, arrow and jsonl up to 2 GB"
        )
    return table


def _rows_and_labels(value: Any) -> Any:
    return _rows(value) if isinstance(value, str | os.PathLike) else value

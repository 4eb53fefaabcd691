"""The data a run named, as tables: the versions, and what is in their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from celltrail.dataset.version import DataVersion
from celltrail.model import Json
from celltrail.query.data import version_of
from celltrail.query.items import size
from celltrail.query.plain import number, shown
from celltrail.query.tabled import Table

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun

_MOST_VERSIONS = 6  # whose columns are shown


def named_data(run: StoredRun) -> Iterator[Table]:
    """The versions that a run named, and the columns of the first ones."""
    versions = [version_of(told, run.store.blobs) for told in run.record.data.values()]
    heads = ["name", "split", "rows", "columns", "size", "digest", "from"]
    yield Table("data", "data versions", heads, list(map(_version, versions)))
    for version in versions[:_MOST_VERSIONS]:
        if version.columns:
            heads = ["column", "type", "missing", "different", "what is in it"]
            yield Table("data", f"columns of {version.key}", heads, list(_columns(version)))


def short(digest: str | None) -> str | None:
    """The scheme and the beginning of a digest.

    >>> short("cdg1:6641bfac6884fbba24d6")
    'cdg1:6641bfac6884'
    """
    return None if digest is None else "{0}:{2:.12}".format(*digest.partition(":"))


def _version(version: DataVersion) -> list[Json]:
    columns = len(version.columns) or None
    return [
        version.name,
        version.split,
        version.rows,
        columns,
        None if version.size is None else size(version.size),
        f"{short(version.digest)} (not all could be read)" if version.is_partial else short(version.digest),
        _origin(version),
    ]


def _origin(version: DataVersion) -> str:
    source = version.source
    known = [str(source[name]) for name in ("path", "reference") if source.get(name)]
    known += [f"{name} {source[name]}" for name in ("revision", "md5", "fingerprint") if source.get(name)]
    known += [f"made from {', '.join(str(short(parent)) for parent in version.parents)}"] if version.parents else []
    return "; ".join(known)


def _columns(version: DataVersion) -> Iterator[list[Json]]:
    profile = version.profile
    for column in version.columns:
        told = profile.get(column.name, {})
        share = column.nulls / version.rows if version.rows else 0
        missing = f"{share:.2g}" if 0 < share < 0.01 else f"{share:.0%}" if share else None
        yield [column.name, f"{column.kind} ({column.dtype})", missing, told.get("distinct"), _within(told)]


def _within(told: dict[str, Any]) -> str:
    """Quartiles, ends, lengths or frequent values, in words."""
    if told.get("quartiles") and told.get("distinct", 99) > 8:
        low, _, middle, _, high = map(number, told["quartiles"])
        return f"{low} to {high}, half below {middle}"
    if told.get("frequent"):
        return ", ".join(f"{shown(value)} ({count:,})" for value, count in told["frequent"])
    if told.get("quartiles"):
        return f"{number(told['quartiles'][0])} to {number(told['quartiles'][4])}"
    if told.get("first"):
        return f"{told['first']} to {told['last']}"
    return f"{told['length']['mean']:.0f} characters, at most {told['length']['most']:,}" if told.get("length") else ""

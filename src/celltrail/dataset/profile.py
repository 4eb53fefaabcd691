"""What is in the columns, shortly: missing values, quartiles, frequent values; of large data in a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celltrail.dataset.digest import kind_of
from celltrail.dataset.table import Column, Table, compute

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 100_000
MOST_COLUMNS = 200
_MOST_FREQUENT = 8
_OFTEN = 10  # a text that fewer rows have may name somebody
_LONGEST = 64
_QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def sample_of(table: Table) -> Table:
    """The rows and columns that a profile looks at, copied: what is done to the data later does not change them."""
    part = Table(table.columns[:MOST_COLUMNS], table.rows)
    return part.taken(max(2, -(-table.rows // MOST_ROWS)) if table.rows > MOST_ROWS else 1)


def profile_of(sample: Table) -> dict[str, dict[str, Any]]:
    """By column: its kind; share of rows that are missing; mean, standard deviation and quartiles of numbers, first
    and last of times, lengths of texts; how many different values, and those that ten rows or more have.

    >>> from celltrail.dataset.table import table_of
    >>> profile_of(table_of({"a": [1.0, 2.0, None, 4.5]}))["a"]["quartiles"]
    [1.0, 1.5, 2.0, 3.25, 4.5]
    """
    return {column.name: _of(column) for column in sample.columns}


def _of(column: Column) -> dict[str, Any]:
    import pyarrow as pa

    pc = compute()

    values = column.values
    if values is None or not len(values):
        return {"kind": "opaque" if values is None else "null"}
    kind = kind_of(values)[0]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    told: dict[str, Any] = {"kind": kind, "missing": values.null_count / len(values)}
    values = values.drop_null()
    if not len(values):
        return told
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        told |= _numbers(values)
    elif kind.startswith(("ts", "date")):
        ends = pc.min_max(values).as_py()
        told |= {"first": str(ends["min"]), "last": str(ends["max"])}
    elif kind == "str":
        lengths = pc.utf8_length(values)
        told["length"] = {"mean": pc.mean(lengths).as_py(), "most": pc.max(lengths).as_py()}
    if kind in ("int", "str", "bool"):
        told |= _frequent(values)
    return told


def _numbers(values: pa.ChunkedArray) -> dict[str, Any]:
    import pyarrow as pa

    pc = compute()

    values = values.cast(pa.float64(), safe=False)
    quartiles = pc.quantile(values, list(_QUARTILES)).to_pylist()
    return {"mean": pc.mean(values).as_py(), "std": pc.stddev(values).as_py(), "quartiles": quartiles}


def _frequent(values: pa.ChunkedArray) -> dict[str, Any]:
    pc = compute()

    counts = pc.value_counts(values)
    order = pc.sort_indices(counts.field(1), sort_keys=[("", "descending")])[:_MOST_FREQUENT]
    found = [(each["values"], each["counts"]) for each in counts.take(order).to_pylist()]
    often = [[value, count] for value, count in found if count >= _OFTEN and len(str(value)) <= _LONGEST]
    return {"distinct": len(counts), "frequent": often}

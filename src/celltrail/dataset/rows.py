"""Rows of several tables made alike, so that they can be held against each other, and a number for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from celltrail.dataset.digest import kind_of
from celltrail.dataset.table import Column, Table, compute

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_NUMBERS = ("int", "float", "bool")
_COUNTED = ("ts", "tsz", "tsus", "tszus", "date", "time", "dur")


def frames_of(tables: Sequence[Table], names: Sequence[str]) -> list[pd.DataFrame]:
    """These columns of each table as a frame, equal values equal whatever types they came in.

    Numbers are int64 where they are whole and none is missing in all tables, else float64; times are counted in
    int64; all else is text. Columns of objects that cannot be read are left out.
    """
    import pandas as pd

    found: list[dict[str, Any]] = [{} for _ in tables]
    for name in names:
        columns = [table.column(name) for table in tables]
        if any(column.values is None for column in columns):
            continue
        for frame, arrays in zip(found, _alike(columns), strict=True):
            for place, array in enumerate(arrays):
                frame[f"{name}[{place}]" if len(arrays) > 1 else name] = array
    return [
        pd.DataFrame(
            {name: pd.Series(array, dtype=array.dtype, copy=False) for name, array in frame.items()},
            index=pd.RangeIndex(table.rows),
            copy=False,
        )
        for frame, table in zip(found, tables, strict=True)
    ]


def hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """A number for each row; equal rows have equal ones, others hardly ever."""
    import numpy as np
    import pandas as pd

    if not len(frame.columns):
        return np.zeros(len(frame), np.uint64)
    return cast("Any", pd).util.hash_pandas_object(frame, index=False).to_numpy()


def unequal(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """For each column where the two frames of one length differ; missing values are equal to each other."""
    found: dict[str, NDArray[np.bool_]] = {}
    for name in first.columns:
        one, other = first[name].to_numpy(), second[name].to_numpy()
        differs = one != other
        if one.dtype.kind == "f":
            differs &= (one == one) | (other == other)
        found[name] = differs
    return found


def _alike(columns: Sequence[Column]) -> list[list[NDArray[Any]]]:
    import numpy as np

    values = [column.values for column in columns]
    kinds = {kind_of(each)[0] for each in values if each is not None} - {"null"}
    if kinds <= set(_NUMBERS):
        is_whole = kinds <= {"int", "bool"} and not any(each is None or each.null_count for each in values)
        arrays = [_numbers(each, is_whole and not _has_nan(each)) for each in values]
        if len({array.dtype for array in arrays}) > 1:
            arrays = [array.astype(np.float64) for array in arrays]
    elif len(kinds) == 1 and kinds <= set(_COUNTED):
        arrays = [_counted(each) for each in values]
    else:
        arrays = [_texts(each) for each in values]
    return [_by_place(array, column) for array, column in zip(arrays, columns, strict=True)]


def _by_place(array: NDArray[Any], column: Column) -> list[NDArray[Any]]:
    """One array for each element of a row."""
    if not column.shape:
        return [array]
    size = 1
    for each in column.shape:
        size *= each
    parts = array.reshape(-1, size) if size else array.reshape(0, 0)
    return [parts[:, place] for place in range(size)]


def _has_nan(values: Any) -> bool:
    import pyarrow as pa

    pc = compute()

    return pa.types.is_floating(values.type) and bool(pc.any(pc.is_nan(values)).as_py())


def _numbers(values: Any, whole: bool) -> NDArray[Any]:
    import numpy as np

    array = values.to_numpy()
    if array.dtype == object:  # booleans and nulls
        array = np.array([np.nan if each is None else float(each) for each in array], np.float64)
    return array.astype(np.int64, copy=False) if whole else array.astype(np.float64) + 0.0


def _counted(values: Any) -> NDArray[np.int64]:
    """Times as numbers, the lowest for a missing one."""
    import numpy as np
    import pyarrow as pa

    kind = values.type
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_date(kind):
        values = values.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_time(kind):
        values = values.cast(pa.time64("us"), safe=False)
    else:
        values = values.cast(pa.duration("us"), safe=False)
    return values.cast(pa.int64()).fill_null(np.iinfo(np.int64).min).to_numpy()


def _texts(values: Any) -> NDArray[Any]:
    """What is no number as text, also what another table holds as numbers."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = pa.chunked_array([chunk.dictionary_decode() for chunk in values.chunks], values.type.value_type)
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.large_string()).to_numpy(zero_copy_only=False)
    return np.array([None if each is None else str(each) for each in values.to_pylist()], object)

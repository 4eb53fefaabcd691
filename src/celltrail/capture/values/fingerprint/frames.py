"""Readers of tables: pandas, polars, Arrow; column by column, from the memory that holds them."""

from __future__ import annotations

from typing import Any

from celltrail.capture.values.fingerprint import arrays, kinds, plain
from celltrail.capture.values.fingerprint.walk import FULL_BYTES, MOST_PARTS, Reader, Update, Walk, text

_NO_STATE = frozenset(["_cache", "_id", "_references", "_readonly"])
_MOST_COLUMNS = 1000
_SHORT = 200  # values of a column


def frame(walk: Walk, value: Any, update: Update) -> None:
    """A pandas frame: its two indexes and its columns."""
    walk.contains(value)
    update(text(kinds.name(type(value))))
    manager = dict(kinds.attributes(value))["_mgr"]
    for axis in manager.axes:
        update(walk.token(axis))
    count = len(manager.axes[0])
    share = _share(sum(block.values.nbytes for block in manager.blocks), count)
    for number in _chosen(walk, count):
        column(walk, manager.iget_values(number), update, share)


def series(walk: Walk, value: Any, update: Update) -> None:
    """A pandas series: index, name and values."""
    walk.contains(value)
    held = dict(kinds.attributes(value))
    update(text(kinds.name(type(value))))
    update(walk.token(held.get("_name")))
    manager = held["_mgr"]
    update(walk.token(manager.axes[0]))
    column(walk, manager.internal_values(), update)


def index(walk: Walk, value: Any, update: Update) -> None:
    """A pandas index."""
    update(text(kinds.name(type(value))))
    for name, held in kinds.attributes(value):
        if name == "_data":
            update(text(name))
            column(walk, held, update)
        elif name not in _NO_STATE:
            update(text(name))
            update(walk.token(held))


def column(walk: Walk, value: Any, update: Update, whole: int = FULL_BYTES) -> None:
    """The values of one column, in whichever of pandas' ways they are kept."""
    import numpy as np

    walk.costs(1)
    if type(value) is np.ndarray:
        arrays.elements(walk, value, update, whole)
        return
    held = dict(kinds.attributes(value))
    update(text(kinds.name(type(value))))
    if "_pa_array" in held:
        arrow(walk, held["_pa_array"], update, whole)
    elif "_mask" in held and "_data" in held:
        mask, data = held["_mask"], held["_data"]
        arrays.elements(walk, mask, update, whole)
        # what lies under a missing value is left over from something else
        arrays.elements(walk, np.where(mask, 0, data) if data.nbytes <= whole else data, update, whole)
    elif "_ndarray" in _slots(value):
        update(text(str(value.dtype)))
        arrays.elements(walk, value._ndarray, update, whole)
        if hasattr(value.dtype, "categories"):
            update(walk.token(value.dtype.categories))
    else:
        for name, part in held.items():
            if name not in _NO_STATE:
                update(text(name))
                update(walk.token(part))
        if kinds.hides(type(value)):
            walk.lower("opaque")


def extension(walk: Walk, value: Any, update: Update) -> None:
    """An array of pandas outside of a frame."""
    walk.contains(value)
    column(walk, value, update)


def _slots(value: Any) -> set[str]:
    return {name for kind in kinds.mro(type(value)) for name in kinds.members(kind)}


def _share(size: int, columns: int) -> int:
    """How large a column may be to be read whole."""
    return FULL_BYTES if size <= FULL_BYTES else FULL_BYTES // max(1, columns)


def _chosen(walk: Walk, count: int) -> list[int]:
    if count > _MOST_COLUMNS:
        walk.lower("sampled")
    return [place for part in plain.windows(count, _MOST_COLUMNS) for place in range(*part)]


# arrow and polars


def arrow(walk: Walk, value: Any, update: Update, whole: int = FULL_BYTES) -> None:
    """An array of Arrow, chunked or not, whatever its chunks."""
    import pyarrow as pa

    length = len(value)
    update(text(str(value.type)))
    update(b"%d:" % length)
    if length <= _SHORT:
        # Arrow's own functions let other threads in: on a busy kernel the way back takes milliseconds
        plain.items(walk, value.to_pylist(), update)
        return
    size = value.nbytes
    allowed = walk.allow(size, whole)
    rows = length if allowed == size else max(1, allowed * length // size)
    for start, stop in plain.windows(length, rows):
        update(_serialized(pa, value.slice(start, stop - start)))


def _serialized(pa: Any, value: Any) -> Any:
    """Bytes that do not tell where in which buffer the values lie; written for sending, so compact."""
    kind = value.type
    if pa.types.is_dictionary(kind):
        value = value.cast(kind.value_type)
    elif pa.types.is_string_view(kind):
        value = value.cast(pa.large_string())
    elif pa.types.is_binary_view(kind):
        value = value.cast(pa.large_binary())
    if isinstance(value, pa.ChunkedArray):
        value = value.chunk(0) if value.num_chunks == 1 else value.combine_chunks()
        if isinstance(value, pa.ChunkedArray):  # too large for one, or of no chunk at all
            value = pa.concat_arrays(value.chunks) if value.num_chunks else pa.array([], value.type)
    return pa.RecordBatch.from_arrays([value], [""]).serialize()


def table(walk: Walk, value: Any, update: Update) -> None:
    """A table or batch of Arrow."""
    walk.contains(value)
    update(text(kinds.name(type(value))))
    update(walk.token(value.schema.names))
    share = _share(value.nbytes, value.num_columns)
    for number in _chosen(walk, value.num_columns):
        arrow(walk, value.column(number), update, share)


def loose(walk: Walk, value: Any, update: Update) -> None:
    """An array of Arrow by itself."""
    walk.contains(value)
    arrow(walk, value, update)


def polars_frame(walk: Walk, value: Any, update: Update) -> None:
    """A polars frame, by its columns."""
    walk.contains(value)
    columns = value.get_columns()
    update(text(kinds.name(type(value))))
    update(b"%d:" % len(columns))
    share = _share(value.estimated_size(), len(columns))
    for number in _chosen(walk, len(columns)):
        _polars_column(walk, columns[number], update, share)


def polars_series(walk: Walk, value: Any, update: Update) -> None:
    """A polars series."""
    walk.contains(value)
    _polars_column(walk, value, update, FULL_BYTES)


def _polars_column(walk: Walk, value: Any, update: Update, whole: int) -> None:
    import pyarrow as pa

    length, size = len(value), value.estimated_size()
    update(text(f"{value.name} {value.dtype!r} {length}"))
    if str(value.dtype) == "Object":
        walk.lower("opaque")
        return
    allowed = walk.allow(size, whole)
    rows = length if allowed == size else max(1, allowed * length // size)
    for start, stop in plain.windows(length, rows):
        update(_serialized(pa, value.slice(start, stop - start).to_arrow()))


LIBRARY: dict[tuple[str, str], Reader] = {
    ("pandas", "DataFrame"): frame,
    ("pandas", "Series"): series,
    ("pandas", "Index"): index,
    ("pandas", "ExtensionArray"): extension,
    ("pandas", "Timestamp"): plain.by(lambda value: f"{value._value} {value.unit} {value.tz}"),
    ("pandas", "Timedelta"): plain.by(lambda value: f"{value._value} {value.unit}"),
    ("pandas", "NaTType"): plain.nothing,
    ("pandas", "NAType"): plain.nothing,
    ("pandas", "Period"): plain.by(repr),
    ("pandas", "Interval"): plain.by(repr),
    ("pandas", "ExtensionDtype"): plain.by(repr),
    ("pyarrow", "Table"): table,
    ("pyarrow", "RecordBatch"): table,
    ("pyarrow", "Array"): loose,
    ("pyarrow", "ChunkedArray"): loose,
    ("pyarrow", "Schema"): plain.by(str),
    ("pyarrow", "DataType"): plain.by(str),
    ("pyarrow", "Field"): plain.by(str),
    ("polars", "DataFrame"): polars_frame,
    ("polars", "Series"): polars_series,
    ("polars", "DataType"): plain.by(repr),
}
assert MOST_PARTS > _MOST_COLUMNS

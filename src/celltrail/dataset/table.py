"""Anything that holds rows, as one table of Arrow columns: frames, arrays, tensors, lists of dicts, datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

ALLOWED = (
    "a frame of pandas or Polars, a table of Arrow, an array, a tensor, a list of dicts, a dict of columns, "
    "a Bunch of scikit-learn, a Dataset of Hugging Face or a TensorDataset of PyTorch"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: as it is called; a place, such as "0", where it has no name.
        dtype: the type as the library spells it that held it.
        values: one for each row, or for each element of a row that is an array itself; None where they are objects
            that no type of Arrow holds.
        shape: of each row; () for a plain value.
    """

    name: str
    dtype: str
    values: pa.ChunkedArray | None
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length."""

    columns: tuple[Column, ...]
    rows: int

    @property
    def nbytes(self) -> int:
        """How much memory the values take."""
        return sum(column.values.nbytes for column in self.columns if column.values is not None)

    def without(self, names: Sequence[str]) -> Table:
        """The columns but these."""
        return Table(tuple(column for column in self.columns if column.name not in names), self.rows)

    def column(self, name: str) -> Column:
        """The column of this name."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            known = ", ".join(column.name for column in self.columns[:8])
            raise BadValue(f"there is no column {name!r}; there is {known or 'none'}")
        return found

    def taken(self, step: int) -> Table:
        """Every so manieth row."""
        if step < 2:
            return self
        rows = range(0, self.rows, step)
        return Table(tuple(_taken(column, rows, self.rows) for column in self.columns), len(rows))


def table_of(value: Any, *, index: bool = True) -> Table:
    """The rows of a value.

    Args:
        value: what holds them.
        index: whether an index of pandas that is no plain numbering counts as columns.

    Raises:
        BadValue: it holds no rows, or columns of different lengths.

    >>> [column.name for column in table_of({"a": [1, 2], "b": ["x", None]}).columns]
    ['a', 'b']
    >>> table_of(np.zeros((3, 2))).rows
    3
    """
    columns = tuple(_columns(value, index))
    lengths = {_rows_of(column) for column in columns if column.values is not None}
    if len(lengths) > 1:
        raise BadValue(f"the columns have different lengths: {', '.join(map(str, sorted(lengths)))}; rows need one")
    return Table(columns, lengths.pop() if lengths else _length(value))


def _columns(value: Any, index: bool) -> Iterator[Column]:
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if isinstance(value, Table):
        yield from value.columns
    elif library == "pandas" and hasattr(value, "columns"):
        yield from _frame(value, index)
    elif library == "pandas" and hasattr(value, "to_frame"):
        yield from _frame(value.to_frame() if value.name is not None else value.to_frame("0"), index)
    elif library == "datasets" and hasattr(value, "with_format"):
        yield from _arrow(value.with_format("arrow")[:])
    elif hasattr(value, "tensors") and library == "torch":
        yield from _mapping({str(place): each for place, each in enumerate(value.tensors)}, index)
    elif hasattr(value, "__arrow_c_stream__"):
        yield from _arrow(value)
    elif isinstance(value, Mapping) and {"data", "target", "feature_names"} <= value.keys():
        yield from _bunch(value)
    elif isinstance(value, Mapping) and value:
        yield from _mapping(value, index)
    elif isinstance(value, list | tuple) and value and all(isinstance(row, Mapping) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        yield from _mapping({name: [row.get(name) for row in value] for name in names}, index)
    elif isinstance(value, str | bytes) or (isinstance(value, list | tuple) and not value):
        raise BadValue(f"{_told(value)} holds no rows; allowed is {ALLOWED}")
    else:
        yield from _array(as_array(value), "")


def as_array(value: Any) -> NDArray[Any]:
    """An array of anything that is one; `BadValue` where it is none."""
    import numpy as np

    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    try:
        found = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadValue(f"{_told(value)} holds no rows ({error}); allowed is {ALLOWED}") from None
    if not found.ndim or (found.dtype.kind == "O" and not isinstance(value, list | tuple | np.ndarray)):
        raise BadValue(f"{_told(value)} holds no rows; allowed is {ALLOWED}")
    return found


def _frame(frame: Any, index: bool) -> Iterator[Column]:
    if index and not _is_numbering(frame.index):
        levels = frame.index.to_frame(index=False)
        names = ["index" if name is None else str(name) for name in frame.index.names]
        for place, name in enumerate(names):
            yield _series(name, levels.iloc[:, place])
    for place, name in enumerate(frame.columns):
        yield _series(_name(name), frame.iloc[:, place])


def _is_numbering(index: Any) -> bool:
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1 and index.name is None


def _name(name: Any) -> str:
    return ".".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _series(name: str, series: Any) -> Column:
    import pyarrow as pa

    try:
        values = pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        values = None
    return Column(name, str(series.dtype), _chunked(values))


def _arrow(value: Any) -> Iterator[Column]:
    import pyarrow as pa

    table = value if isinstance(value, pa.Table) else pa.table(value)
    for place, name in enumerate(table.column_names):
        yield Column(name, str(table.schema.types[place]), table.column(place))


def _bunch(bunch: Mapping[str, Any]) -> Iterator[Column]:
    frame = bunch.get("frame")
    if frame is not None:
        yield from _frame(frame, True)
        return
    data = as_array(bunch["data"])
    for place, name in enumerate(bunch["feature_names"]):
        yield from _array(data[:, place], str(name))
    yield from _array(as_array(bunch["target"]), "target")


def _mapping(value: Mapping[Any, Any], index: bool) -> Iterator[Column]:
    import pyarrow as pa

    for name, held in value.items():
        if isinstance(held, list | tuple):
            try:
                yield Column(str(name), "list", _chunked(pa.array(held, from_pandas=True)))
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                yield Column(str(name), "list", None)
            continue
        inner = tuple(_columns(held, index))
        for column in inner:
            full = str(name) if len(inner) == 1 else f"{name}.{column.name}"
            yield Column(full, column.dtype, column.values, column.shape)


def _array(array: NDArray[Any], name: str) -> Iterator[Column]:
    if array.dtype.names:
        for field in array.dtype.names:
            yield from _array(array[field], f"{name}.{field}" if name else field)
    elif array.ndim == 2:
        for place in range(array.shape[1]):
            yield Column(f"{name}.{place}" if name else str(place), str(array.dtype), _held(array[:, place]))
    else:
        yield Column(name or "0", str(array.dtype), _held(array.reshape(-1)), array.shape[1:])


def _held(array: NDArray[Any]) -> pa.ChunkedArray | None:
    import numpy as np
    import pyarrow as pa

    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        array = array.astype(np.float64)  # Arrow computes little with halves, and has no long doubles
    try:
        return _chunked(pa.array(array, from_pandas=True))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _chunked(values: Any) -> pa.ChunkedArray | None:
    import pyarrow as pa

    return values if values is None or isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def _taken(column: Column, rows: range, of: int) -> Column:
    import numpy as np

    if column.values is None:
        return column
    if not column.shape:
        return Column(column.name, column.dtype, column.values.take(np.fromiter(rows, np.int64, len(rows))))
    each = len(column.values) // max(1, of)
    places = (np.fromiter(rows, np.int64, len(rows))[:, None] * each + np.arange(each)).reshape(-1)
    return Column(column.name, column.dtype, column.values.take(places), column.shape)


def _rows_of(column: Column) -> int:
    assert column.values is not None
    each = 1
    for size in column.shape:
        each *= size
    return len(column.values) // each if each else 0


def _length(value: Any) -> int:
    return len(value) if hasattr(value, "__len__") else 0


def compute() -> Any:
    """The functions of Arrow, which are made as it is loaded and known to no checker of types."""
    from importlib import import_module

    return import_module("pyarrow.compute")


def _told(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"a {type(value).__name__} of shape {shape}"
    return f"a {type(value).__name__}"

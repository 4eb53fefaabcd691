"""Tables: frames, rows or columns as Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from celltrail.errors import BadValue
from celltrail.run.media.content import Content, refuse

# in so few bytes there is nothing to skip or to squeeze: statistics, dictionaries and zstd are more than they save
_SMALL = 4096
_ALLOWED = "a pandas DataFrame, a table of Arrow or Polars, a list of dicts, or a dict of lists of one length"


def table(key: str, value: Any) -> Content:
    """Rows and columns; each column holds values of one type."""
    import pyarrow as pa
    from pyarrow import parquet

    file = io.BytesIO()
    try:
        found = _arrow(key, value)
        is_large = found.nbytes > _SMALL
        parquet.write_table(
            found,
            file,
            compression="zstd" if is_large else "none",
            use_dictionary=is_large,
            write_statistics=is_large,
        )
    except BadValue:
        raise
    except (pa.ArrowException, TypeError, ValueError, OverflowError, NotImplementedError) as error:
        said = " ".join(str(part) for part in error.args)[:300]
        refuse(key, value, f"no table of columns ({said})", _ALLOWED, "convert mixed columns with .astype(str)")
    facts = {"rows": found.num_rows, "columns": len(value.columns) if hasattr(value, "iloc") else found.num_columns}
    return Content("table", "application/vnd.apache.parquet", file.getvalue(), facts)


def _arrow(key: str, value: Any) -> Any:
    import pyarrow as pa

    if hasattr(value, "iloc") and hasattr(value, "columns"):
        return pa.Table.from_pandas(value)
    if hasattr(value, "__arrow_c_stream__") or (isinstance(value, Mapping) and value):
        return pa.table(value)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(row, Mapping) for row in value):
        refuse(key, value, "no table", _ALLOWED, "pd.DataFrame(value) makes one of most things")
    # a row may lack what another has: pyarrow alone takes the columns of the first row
    names = list(dict.fromkeys(name for row in value for name in row))
    return pa.table({str(name): [row.get(name) for row in value] for name in names})

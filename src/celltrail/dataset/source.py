"""Data that is somewhere: files of rows, and what other tools say of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from celltrail.dataset.table import Table, table_of
from celltrail.errors import BadValue

MOST_READ = 2 << 30  # bytes of a file; of a larger one only the file itself is known
_MD5 = re.compile(r"^\s*-?\s*(md5|etag|path|size|hash|rev|url):\s*(\S+)\s*$", re.MULTILINE)


def is_reference(text: str) -> bool:
    """Whether a text names data elsewhere.

    >>> is_reference("hf://datasets/imdb@main"), is_reference("data/train.csv")
    (True, False)
    """
    return re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE) is not None


def reference_of(uri: str) -> dict[str, Any]:
    """What a reference says by itself; neither account nor signature of an address is kept.

    >>> reference_of("lakefs://shop/main/train.parquet")["revision"]
    'main'
    >>> reference_of("hf://datasets/org/corpus@9f1c2/train.jsonl")["revision"]
    '9f1c2'
    """
    parts = urlsplit(uri)
    clean = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    told: dict[str, Any] = {"reference": uri if parts.scheme == "hf" else clean, "kind": parts.scheme}
    if parts.scheme == "lakefs":
        told["revision"] = parts.path.strip("/").partition("/")[0] or None
    elif parts.scheme == "hf":
        told["revision"] = next(
            (part.rpartition("@")[2] for part in f"{parts.netloc}{parts.path}".split("/") if "@" in part), None
        )
    return {name: value for name, value in told.items() if value is not None}


def dvc_of(path: Path) -> dict[str, Any]:
    """What DVC knows of a file or folder: by the ``.dvc`` file beside it, or in a ``dvc.lock`` of its folder."""
    beside = path if path.suffix == ".dvc" else path.with_name(path.name + ".dvc")
    if beside.is_file():
        told = dict(_MD5.findall(beside.read_text("utf-8", "replace")))
        return _dvc(told, told.get("path", path.name))
    lock = path.parent / "dvc.lock"
    if lock.is_file():
        for block in re.split(r"^\s*- (?=path:)", lock.read_text("utf-8", "replace"), flags=re.MULTILINE):
            told = dict(_MD5.findall(block))
            if told.get("path") == path.name:
                return _dvc(told, path.name)
    return {}


def _dvc(told: dict[str, str], path: str) -> dict[str, Any]:
    digest = told.get("md5") or told.get("etag")
    size = told.get("size", "")
    found: dict[str, Any] = {"kind": "dvc", "reference": f"dvc:{path}", "md5": digest, "revision": told.get("rev")}
    return {name: value for name, value in found.items() if value} | ({"size": int(size)} if size.isdigit() else {})


def rows_in(path: Path) -> Table | None:
    """The rows of a file; None where it is of no kind that holds rows, or too large to be read.

    Raises:
        BadValue: by its name it holds rows, and they cannot be read.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None or path.stat().st_size > MOST_READ:
        return None
    import pyarrow as pa

    try:
        return table_of(read(path))
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, BadValue):
            raise
        said = " ".join(str(error).split())[:200]
        raise BadValue(
            f"{path.name!r} cannot be read as {path.suffix[1:]} ({said}); read it yourself and log the frame"
        ) from None


def _csv(delimiter: str) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        from pyarrow import csv

        parsed = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        return csv.read_csv(path, parse_options=parsed, convert_options=csv.ConvertOptions(strings_can_be_null=True))

    return read


def _parquet(path: Path) -> Any:
    from pyarrow import parquet

    return _as_pandas_has_it(parquet.read_table(path))


def _feather(path: Path) -> Any:
    from pyarrow import feather

    return _as_pandas_has_it(feather.read_table(path))


def _lines(path: Path) -> Any:
    from pyarrow import json

    return json.read_json(path)


def _as_pandas_has_it(table: Any) -> Any:
    """An index that pandas kept among the columns is put first, as in the frame."""
    import json

    told = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    kept = [name for name in told.get("index_columns", ()) if isinstance(name, str) and name in table.column_names]
    if not kept:
        return table
    names = {each["field_name"]: each["name"] or "index" for each in told.get("columns", ()) if each.get("field_name")}
    rest = [name for name in table.column_names if name not in kept]
    return table.select([*kept, *rest]).rename_columns([*(names.get(name) or "index" for name in kept), *rest])


_READERS: dict[str, Callable[[Path], Any]] = {
    ".csv": _csv(","),
    ".tsv": _csv("\t"),
    ".parquet": _parquet,
    ".pq": _parquet,
    ".feather": _feather,
    ".arrow": _feather,
    ".jsonl": _lines,
    ".ndjson": _lines,
}

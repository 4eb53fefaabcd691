"""What somebody names as data: values in memory, files, folders, and references to what is elsewhere."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

from celltrail.dataset import DataVersion, Table, digest_of, table_of
from celltrail.dataset.source import dvc_of, is_reference, reference_of, rows_in
from celltrail.errors import BadValue
from celltrail.store.files.hashing import Stamp, hashed

_REMEMBERED = 1000
_known: OrderedDict[Stamp, DataVersion] = OrderedDict()  # the rows of files that looked so


def held(value: Any) -> tuple[DataVersion, Table]:
    """The version of a value in memory, which has no name yet, and its rows."""
    table = table_of(value)
    told = getattr(value, "_fingerprint", None)  # of a Dataset of Hugging Face
    return replace(_of_rows(table), source={"fingerprint": told} if isinstance(told, str) else {}), table


def somewhere(place: str | os.PathLike[str], project: Path) -> tuple[DataVersion, Table | None]:
    """The version of a file, a folder or a reference; of a file that was not seen before, its rows."""
    if isinstance(place, str) and is_reference(place):
        name = place.rstrip("/").rpartition("/")[2]
        return DataVersion(name, None, None, "reference", source=reference_of(place)), None
    path = Path(place).expanduser().absolute()
    if not path.exists():
        raise BadValue(f"there is no file or folder {path.name!r}; mend the path, or log what was read from it")
    told = dvc_of(path)
    if path.suffix == ".dvc":
        digest = f"md5:{told['md5']}" if "md5" in told else None
        return DataVersion(path.stem, None, digest, "reference", size=told.get("size"), source=told), None
    told = {"path": _placed(path, project), **told}
    if path.is_dir():
        digest, size = _of_folder(path)
        return DataVersion(path.name, None, digest, "folder", size=size, source=told), None
    return _of_file(path, told)


def remember(found: DataVersion, place: Any) -> None:
    """Know the rows of a file when it is named again and still looks the same."""
    stamp = Stamp.of(os.fspath(place)) if isinstance(place, str | os.PathLike) else None
    if stamp is not None and stamp.is_settled(time.time_ns()):
        _known[stamp] = found
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)


def _of_rows(table: Table) -> DataVersion:
    found = digest_of(table)
    columns, is_partial = found.columns, found.is_partial
    return DataVersion("", None, str(found), "table", found.rows, columns, table.nbytes, is_partial=is_partial)


def _of_file(path: Path, told: dict[str, Any]) -> tuple[DataVersion, Table | None]:
    stamp = Stamp.of(str(path))
    if stamp in _known:
        known = _known[stamp]
        return replace(known, name=path.name, source={**told, "file": known.source["file"]}), None
    file = hashed(str(path))
    if not file.digest:
        raise BadValue(f"{path.name!r} cannot be read; allowed is a file that this account may read")
    told["file"] = f"{'blake3' if file.how == 'full' else 'blake3-sampled'}:{file.digest}"
    size = file.stamp.size if file.stamp else None
    table = rows_in(path)
    if table is None:
        return DataVersion(path.name, None, told["file"], "file", size=size, source=told), None
    return replace(_of_rows(table), name=path.name, size=size, source=told), table


def _of_folder(folder: Path) -> tuple[str, int]:
    """One digest for the names and the content of all files below, and their size in bytes."""
    from blake3 import blake3

    whole, size = blake3(), 0
    for inner, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(inner, name)
            file = hashed(path)
            place = os.path.relpath(path, folder).replace(os.sep, "/")
            whole.update(f"{place}\0{file.how}:{file.digest}\n".encode("utf-8", "surrogateescape"))
            size += file.stamp.size if file.stamp else 0
    return f"blake3-tree:{whole.hexdigest()}", size


def _placed(path: Path, project: Path) -> str:
    """The path from the folder of the trail; elsewhere the name alone, for a record is shown to others."""
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else path.name

"""The data that a run used: what it named by `log_data`, and what its cell was seen to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from celltrail.dataset.digest import ColumnDigest
from celltrail.dataset.version import DataVersion
from celltrail.errors import NoRun, StoreError
from celltrail.model import Json
from celltrail.query.inputs import values_of
from celltrail.store.files.encoding import decode

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun
    from celltrail.store import Blobs

_ROWS = frozenset(["DataFrame", "Series", "ndarray", "Tensor", "Table", "LazyFrame", "Dataset", "Bunch", "csr_matrix"])
_HOW = {"full": "blake3", "sampled": "blake3-sampled"}


def data_of(run: StoredRun) -> list[DataVersion]:
    """Named versions first; then files and rows that its cell read and that no version speaks of."""
    named = [version_of(told, run.store.blobs) for told in run.record.data.values()]
    paths = {each.source.get("path") for each in named}
    return [*named, *(each for each in _read(run) if each.source.get("path") not in paths or each.kind == "table")]


def version_of(told: Mapping[str, Json], blobs: Blobs) -> DataVersion:
    """One version as the document of a run has it; without columns where these cannot be read any more."""
    detail = _facts(told.get("detail"), blobs)
    return DataVersion(
        name=str(told.get("name", "")),
        split=told.get("split"),
        digest=told.get("digest"),
        kind=told.get("kind", "file"),
        rows=told.get("rows"),
        columns=tuple(ColumnDigest(*each) for each in detail.get("columns", ())),
        size=told.get("size"),
        source=told.get("source") or {},
        parents=tuple(told.get("parents") or ()),
        is_partial=bool(told.get("is_partial")),
        _profile=lambda: _facts(told.get("profile"), blobs),
    )


def _facts(digest: Json, blobs: Blobs) -> dict[str, Any]:
    try:
        return decode(blobs.get(digest)) if digest else {}
    except (NoRun, StoreError):  # what is left is still worth having
        return {}


def _read(run: StoredRun) -> Iterator[DataVersion]:
    try:
        files = run.files
    except (StoreError, NoRun):
        return
    for file in files:
        if file.mode == "write":
            continue
        digest = file.before or file.hash
        known = f"{_HOW[file.how]}:{digest}" if digest and file.how in _HOW else None
        yield DataVersion(file.path, None, known, "file", size=file.size, source={"path": file.path}, how="read")
    for name, facts in values_of(run).items():
        shape = facts.get("shape")
        if facts.get("when") == "before" and facts.get("type") in _ROWS and isinstance(shape, list) and shape:
            mark = "xxh3" if facts.get("quality") == "full" else "xxh3-sampled"
            digest = f"{mark}:{facts['fp']}" if facts.get("fp") else None
            yield DataVersion(name, None, digest, "table", rows=shape[0], source={"variable": name}, how="read")

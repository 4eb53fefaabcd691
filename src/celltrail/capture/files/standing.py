"""Whether files that an earlier run read are still what they were: by stamps, and by a digest where those moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from celltrail.model import Json
from celltrail.query.files import File
from celltrail.store.files.hashing import Stamp, hashed

State = Literal["same", "likely", "changed", "gone", "unknown"]
_MOST_BYTES = 50_000_000  # that are read while a cell waits: a twentieth of a second


def state_of(entry: Mapping[str, Json], project: str, most_bytes: float = float("inf")) -> State:
    """What has become of a file that a run read, by its record in the section ``files``.

    Args:
        entry: the record.
        project: the folder that paths of the project are relative to.
        most_bytes: a larger file whose stamp has moved is not read, and so unknown.
    """
    mode, how, digest = entry.get("mode"), entry.get("how"), entry.get("hash")
    if mode == "write":
        return "same"  # an output is no input
    path = str(File.of(entry).resolve(project))
    found = Stamp.of(path)
    if found is None:
        return "unknown" if how == "gone" else "gone"
    if entry.get("late"):
        return "unknown"  # what was read is not what was hashed
    if mode == "both":
        digest = entry.get("before")  # the run changed it: once more, it would read what it wrote
    elif found.size != entry.get("size"):
        return "changed"
    elif found.mtime_ns == entry.get("mtime_ns"):
        return "same"
    if not digest or how not in ("full", "sampled") or found.size > most_bytes:
        return "unknown"
    now = hashed(path, "full" if how == "full" else "sample")
    if now.how != how:
        return "unknown"
    return "changed" if now.digest != digest else "same" if how == "full" else "likely"


def are_same(entries: Iterable[Mapping[str, Json]], project: str) -> bool | None:
    """Whether a cell that waits would read what the run read; None where that is likely only."""
    left, is_sure = _MOST_BYTES, True
    for entry in entries:
        state = state_of(entry, project, left)
        if state not in ("same", "likely"):
            return False
        is_sure = is_sure and state == "same"
        left -= entry.get("size") or 0
    return True if is_sure else None


def as_left(entry: Mapping[str, Json]) -> Mapping[str, Json]:
    """The record of a file for asking whether it was changed after the run: also what the run itself made of it.

    >>> as_left({"mode": "both", "hash": "1f", "before": "a0"})["mode"]
    'read'
    """
    return {**entry, "mode": "read"} if entry.get("mode") == "both" else entry

"""`StoredRun.report`: a run as a document, by whoever knows how to write it, which this floor does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celltrail.errors import CelltrailError

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun

_writers: list[Callable[[StoredRun, str], Any]] = []


def written_by(writer: Callable[[StoredRun, str], Any]) -> None:
    """From now on this writes reports: ``writer(run, kind)``."""
    _writers[:] = [writer]


def report(run: StoredRun, kind: str) -> Any:
    """The report of this kind on a run."""
    if not _writers:
        raise CelltrailError("nobody writes reports here: import celltrail as ct, and ask a run of ct.run()")
    return _writers[0](run, kind)

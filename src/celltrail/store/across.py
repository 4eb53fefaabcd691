"""One metric of many runs: those in packs are one read, the others one each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celltrail.store.log.series import Series
    from celltrail.store.seal.packs import Packed


class Across:
    """The points of a metric by run.

    Args:
        packed: what packs say of it.
        read: the points of a run that is in no pack, None where it has none.
    """

    def __init__(self, packed: Packed, read: Callable[[str], Series | None]) -> None:
        self._packed, self._read = packed, read

    def has(self, run_id: str) -> bool | None:
        """Whether a run has the metric, where a pack tells; None where it is in none."""
        return run_id in self._packed.found if run_id in self._packed.answered else None

    def series(self, run_id: str) -> Series | None:
        """The points of a run, None where it has none."""
        known = self.has(run_id)
        return self._packed.found.get(run_id) if known is not None else self._read(run_id)

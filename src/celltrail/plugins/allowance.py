"""How much of the user's time a plug-in may take."""

from __future__ import annotations

import time


class Allowance:
    """What something may cost: so many seconds at once, then a share of the process's own time."""

    def __init__(self, share: float, at_once_s: float) -> None:
        self._share, self._at_once_s = share, at_once_s
        self.spent_ns = 0

    def is_within(self, since_s: float) -> bool:
        """Whether less than that has been spent since this moment of `time.process_time`."""
        return self.spent_ns / 1e9 < self._at_once_s + self._share * (time.process_time() - since_s)

"""Records that wait in memory while the disk does not take them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from celltrail.store.log import Log

RING_BYTES = 64 << 20
RETRY_S = 1.0


class Waiting:
    """What one log could not write yet, in order; bounded, so that the newest are dropped once it is full.

    Not thread-safe by itself; its owner holds a lock.

    Args:
        log: where it belongs.
        tell: called with how many records were dropped, once all others are written.
    """

    def __init__(self, log: Log, tell: Callable[[int], None]) -> None:
        self._log = log
        self._tell = tell
        self._records: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._tried = 0.0
        self.is_needed = False  # the disk failed, and not all that was to be written since is written
        self.failure: OSError | None = None  # the last one

    @property
    def lost(self) -> int:
        """How many records would be missing if nothing more could be written."""
        return self._dropped + len(self._records)

    def append(self, data: bytes) -> OSError | None:
        """Write a record, or keep it for later: then the failure is returned, the first time."""
        failure = None
        if not self.is_needed:
            try:
                self._log.append(data)
                return None
            except OSError as error:
                failure = self.failure = error
        self.hold(data)
        return failure

    def hold(self, data: bytes) -> bool:
        """Keep a record until the disk takes it; whether there was room."""
        self.is_needed = True
        if not self._has_room(data):
            self.retry()
        is_kept = self._has_room(data)
        if is_kept:
            self._records.append(data)
            self._bytes += len(data)
        else:
            self._dropped += 1
        self.is_needed = True
        self.retry()
        return is_kept

    def retry(self, *, now: bool = False) -> None:
        """Write what waits, once a second at most."""
        if not self.is_needed or (not now and time.monotonic() - self._tried < RETRY_S):
            return
        self._tried = time.monotonic()
        try:
            if not self._log.is_open:
                self._log.next_part()
            while self._records:
                self._log.append(self._records[0])
                self._bytes -= len(self._records.popleft())
        except OSError:
            return
        self.is_needed, self.failure = False, None
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._tell(dropped)

    def _has_room(self, data: bytes) -> bool:
        return self._bytes + len(data) <= RING_BYTES

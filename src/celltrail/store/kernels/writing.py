"""The log that a kernel session writes."""

from __future__ import annotations

import os
from pathlib import Path

from celltrail.model import Json
from celltrail.store import root
from celltrail.store.files import alive, disk, forks
from celltrail.store.files.encoding import encode
from celltrail.store.kernels import FOLDER
from celltrail.store.log import EVENT_KIND, Log, frame
from celltrail.store.log.opening import Clock


class SessionLog:
    """What one process writes of one session; used by one thread. `OSError` when the disk fails."""

    def __init__(self, trail: Path, session: str, started_us: int) -> None:
        folder = trail / FOLDER / session / "m"
        disk.make_folder(folder, trail)
        self._clock = Clock()
        head = self._clock.head(root.trail_id(trail)) | {"session": session, "started": started_us}
        self._log = Log(folder, alive.writer_name(), head)
        self._synced = 0
        self._pid = os.getpid()
        forks.in_child(self._become_child)

    @property
    def size(self) -> int:
        """Bytes written to the present part."""
        return self._log.size

    @property
    def is_lost(self) -> bool:
        """Whether what is written would not be found any more: the trail was moved or deleted."""
        return self._log.is_lost()

    def event(self, kind: str, **fields: Json) -> None:
        """Append something that happened."""
        if self._pid != os.getpid():
            return
        if not self._log.is_open:
            self._log.next_part()
        self._log.append(frame(EVENT_KIND, encode({"t": self._clock.now(), "kind": kind, **fields}), self._log.salt))

    def sync(self) -> None:
        """Bring what was appended to the disk."""
        if self._log.is_open and self._log.size != self._synced:
            self._log.sync()
            self._synced = self._log.size

    def close(self, status: str) -> None:
        """The last record."""
        if self._log.is_open and self._pid == os.getpid():
            self._log.end({"status": status, "rows": 0, "metrics": {}})
        self._log.close()

    def _become_child(self) -> None:
        self._log.close()

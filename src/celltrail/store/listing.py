"""The runs of a trail, listed without reading again what has not changed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from celltrail.errors import NoRun
from celltrail.model import RunRecord
from celltrail.store import forks
from celltrail.store.blobs import Blobs
from celltrail.store.runs import RunFiles, Seen, seen_of


def run_folder(trail: Path, run_id: str) -> Path:
    """Where a run lives: by the last characters of its id, for the first ones are its time."""
    return trail / "runs" / run_id[-2:] / run_id


def run_ids(trail: Path) -> list[str]:
    """The ids of all runs that have a folder."""
    try:
        groups = [entry.path for entry in os.scandir(trail / "runs") if len(entry.name) == 2]
    except FileNotFoundError:
        return []
    return [entry.name for group in groups for entry in os.scandir(group) if entry.name.endswith(group[-2:])]


class Listing:
    """What this process knows of each run, begun from the index and kept up there."""

    def __init__(self, trail_id: str, root: Path, blobs: Blobs) -> None:
        from celltrail.store.index import Index

        self._root = root
        self._runs = str(root / "runs")
        self._blobs = blobs
        self._index = Index(trail_id, root)
        self._seen: dict[str, Seen] = {}
        self._is_loaded = False
        self._lock = threading.Lock()
        forks.in_child(self._become_child)

    def records(self) -> list[RunRecord]:
        """Every run as it is now, newest first."""
        with self._lock:
            if not self._is_loaded:
                rows = {id_: seen for id_, row in self._index.load().items() if (seen := seen_of(row))}
                self._seen, self._is_loaded = rows | self._seen, True
            changed: dict[str, bytes | None] = {}
            present = set(run_ids(self._root))
            for run_id in present:
                self._refresh(run_id, changed)
            for run_id in self._seen.keys() - present:
                del self._seen[run_id]
                changed[run_id] = None
            self._index.store(changed)
            found = [seen.record for seen in self._seen.values()]
        return sorted(found, key=lambda record: (record.created_us, record.id), reverse=True)

    def record(self, run_id: str) -> RunRecord:
        """One run as it is now."""
        with self._lock:
            if run_id not in self._seen and (row := self._index.get(run_id)) and (seen := seen_of(row)):
                self._seen[run_id] = seen
            changed: dict[str, bytes | None] = {}
            self._refresh(run_id, changed)
            self._index.store(changed)
            if run_id not in self._seen:
                raise NoRun(f"run {run_id!r} in {self._root.name} has no run.json (yet); ct.runs() lists the others")
            return self._seen[run_id].record

    def _refresh(self, run_id: str, changed: dict[str, bytes | None]) -> None:
        old = self._seen.get(run_id)
        try:
            new = RunFiles(f"{self._runs}/{run_id[-2:]}/{run_id}", self._blobs).refresh(old)
        except FileNotFoundError:
            # not written yet, or removed while we looked
            if self._seen.pop(run_id, None):
                changed[run_id] = None
            return
        if new is not old:
            self._seen[run_id] = new
            changed[run_id] = new.encode()

    def _become_child(self) -> None:
        self._lock = threading.Lock()

"""What an examination of a trail finds, and what it may use to look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from celltrail.errors import StoreError
from celltrail.model import Json, RunRecord
from celltrail.store.blobs import Blobs, references
from celltrail.store.files.written import is_run_written
from celltrail.store.runs import RunFiles
from celltrail.store.upkeep.trash import Trash

Mend = Callable[[], str]


@dataclass(slots=True)
class Finding:
    """One thing that is not as it should be, in plain words."""

    kind: str  # a short name, the same for all of its kind
    where: str  # a path relative to the trail, or ""
    what: str
    cost: str  # what it costs as long as it stays so
    remedy: str  # what to do
    level: Literal["wrong", "note"] = "wrong"
    mend: Mend | None = field(default=None, repr=False)  # repairs it and says what it did
    done: str = ""  # what the repair did, or why it could not
    run: str = ""  # the name of the run it is about: nobody knows runs by their ids

    def __str__(self) -> str:
        run = f" (run {self.run!r})" if self.run else ""
        return f"{self.where}{run}: {self.what}" if self.where else self.what


class Patient:
    """The trail under examination."""

    def __init__(self, trail: Path, *, reads_all: bool = False) -> None:
        self.root = trail
        self.blobs = Blobs(trail)
        self.trash = Trash(trail)
        self.reads_all = reads_all
        self.forgets_index = False  # what the index knows may be of files that a repair replaced
        self.items: dict[str, set[str]] = {}  # blobs that runs kept beside numbers, and which runs, as far as read

    @cached_property
    def records(self) -> dict[Path, RunRecord]:
        """Every run that can be read, by its folder: from its files, not from the index."""
        found: dict[Path, RunRecord] = {}
        for folder in references.run_folders(self.root):
            try:
                found[folder] = RunFiles(folder, self.blobs).refresh(None).record
            except (OSError, StoreError):
                continue
        return found

    def forget(self) -> None:
        """Look again: a repair changed what runs there are."""
        for known in ("records", "named", "names"):
            self.__dict__.pop(known, None)
        self.forgets_index = True

    def is_running(self, folder: Path) -> bool:
        """Whether a process may still be writing this run."""
        record = self.records.get(folder)
        return (record is not None and record.is_running) or is_run_written(folder)

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of every run that can be read, by its id."""
        return {folder.name: record.name for folder, record in self.records.items()}

    def run_at(self, where: str) -> str:
        """The name of the run that a path in the trail belongs to, "" where that is not known."""
        parts = where.split("/")
        return self.names.get(parts[2], "") if parts[0] == "runs" and len(parts) > 2 else ""

    def take_items(self, run: str, events: Iterable[Mapping[str, Json]]) -> None:
        """Note the blobs of what a run kept beside numbers."""
        for event in events:
            if event.get("kind") == "item" and isinstance(digest := event.get("blob"), str):
                self.items.setdefault(digest, set()).add(run)

    @cached_property
    def named(self) -> dict[str, set[str]]:
        """Every blob that is referred to, and by what."""
        return references.in_trail(self.root, self.blobs)

    def name(self, path: Path) -> str:
        """A path as it is told: relative to the trail."""
        return path.relative_to(self.root).as_posix()

    def discard(self, path: Path, why: str) -> str:
        """Take something out of the way; what was done, in words."""
        entry = self.trash.put(path, f"doctor: {why}")
        return "was gone already" if entry is None else f"moved to trash/{entry.date}"

    def keep(self, path: Path, why: str) -> str:
        """Keep a copy of a file that is to be replaced; what was done, in words."""
        return f"the old one is in trash/{self.trash.put_copy(path, f'doctor: {why}').date}"

"""What of a kernel session goes with time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from celltrail.errors import StoreError
from celltrail.store.blobs import Blobs
from celltrail.store.files.written import is_written
from celltrail.store.folders import run_folder
from celltrail.store.kernels import FOLDER, KernelSession, session
from celltrail.store.log import logs

KEEP_S = 7 * 86_400.0
_MOST_READ = 4 << 20  # bytes of what one execution needed


@dataclass(frozen=True, slots=True)
class OldSession:
    """A session that nobody writes any more and that is older than a week."""

    folder: Path
    newest: float
    records: KernelSession
    has_runs: bool  # one of its runs is still in the trail

    def expired(self, used: set[str]) -> set[str]:
        """The random states of its executions, but for those that are in the slice of a run."""
        kept = {digest for each in self.records.executions if each.id in used for digest in each.rng.values()}
        return {digest for each in self.records.executions for digest in each.rng.values()} - kept


def old_sessions(trail: Path, now: float) -> list[OldSession]:
    """All of them."""
    found: list[OldSession] = []
    for folder in sorted((trail / FOLDER).glob("*")):
        paths = sorted(folder.rglob("*.ctl"))
        newest = max((path.stat().st_mtime for path in (folder, *paths)), default=now)
        if folder.is_dir() and now - newest > KEEP_S and not any(map(is_written, paths)):
            records = session(folder)
            runs = {each.run for each in records.executions if each.run}
            has_runs = any(run_folder(trail, run).is_dir() for run in runs)
            found.append(OldSession(folder, newest, records, has_runs))
    return found


def names(old: OldSession, trail: Path) -> set[str]:
    """The logs of a session as those who refer to blobs are named."""
    return {path.relative_to(trail).as_posix() for path in logs.paths(old.folder)}


def in_slices(digests: Iterable[str], blobs: Blobs) -> set[str]:
    """The executions that some run needed, by what these blobs say of slices."""
    found: set[str] = set()
    for digest in digests:
        try:
            if digest not in blobs or blobs.is_in_pieces(digest) or blobs.size(digest) > _MOST_READ:
                continue
            data = blobs.get(digest)
            if data[:1] == b"{" and b'"slice"' in data:
                found.update(each["id"] for each in orjson.loads(data)["slice"]["minimal"])
        except (StoreError, ValueError, KeyError, TypeError):
            continue
    return found

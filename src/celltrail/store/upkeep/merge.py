"""Bringing trails together: another trail, a copy of this one, or what a run wrote while its trail was away.

Merging is copying files by the rules of `joining`. Blobs come first and a run's document last, so a merge that
is interrupted leaves nothing that refers to what is not there; running it again does the rest.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from celltrail.errors import Damaged, NoRun, StoreError
from celltrail.model import Json
from celltrail.store import registry as models
from celltrail.store import root
from celltrail.store.artifacts import FOLDER
from celltrail.store.audit import Audit
from celltrail.store.blobs import PIECES, Blobs, references
from celltrail.store.blobs.chunks import manifest_of
from celltrail.store.docs import actors
from celltrail.store.files import disk
from celltrail.store.files.telling import counted, sized
from celltrail.store.kernels import expiry, travelling
from celltrail.store.runs import RunFiles
from celltrail.store.seal import sealed
from celltrail.store.upkeep.joining import (
    Join,
    join_document,
    join_entries,
    join_immutable,
    join_lines,
    join_log,
    join_seal,
    open_regular,
    read_small,
)

_ROOM = 64 << 20  # left free on the disk
_RUN = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_LOG = re.compile(r"[\w.-]+\.ctl")
_LOG_BESIDE = re.compile(r"[\w.-]+\.ctl~[0-9a-f]{12}")
_PARQUET = re.compile(r".+\.parquet")
_ENTRIES = re.compile(r".+\.json")
_ARTIFACT = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}\.json")
_DOCUMENT = re.compile(r"run(\.\d+)?\.json")
_SEAL = re.compile(r"sealed(\.\d+)?\.json")
_BLOB = re.compile(r"([0-9a-f]{64})(\.pieces)?")
_VISITED = ("blobs", "audit", "actors", "registry", "kernels", "runs")


@dataclass(slots=True)
class MergeReport:
    """What a merge did."""

    source: str  # id of the other trail, or "" where it has none
    new: list[str] = field(default_factory=list)  # ids of runs
    changed: list[str] = field(default_factory=list)
    same: int = 0
    blobs: int = 0
    copied: int = 0  # bytes of blobs
    notes: list[str] = field(default_factory=list)

    def payload(self) -> dict[str, Json]:
        """As JSON."""
        counts = {"same": self.same, "blobs": self.blobs, "bytes": self.copied}
        return {"source": self.source, "new": self.new, "changed": self.changed, **counts, "notes": self.notes}

    def __str__(self) -> str:
        told = [
            f"{counted(len(self.new), 'new run')}",
            f"{len(self.changed):,} changed",
            f"{self.same:,} known already",
        ]
        lines = [", ".join(told) + f"; {counted(self.blobs, 'blob')} copied ({sized(self.copied)})"]
        return "\n".join(lines + self.notes)


def merge(source: Path, target: Path, only: Iterable[str] | None = None) -> MergeReport:
    """Bring everything of the trail ``source`` into the trail ``target``; ``source`` is only read.

    ``only``: nothing but these runs, the kernel sessions they ran in, the versions of models they made, and the blobs
    that all of these refer to.

    Raises:
        NoRun: there is no trail in ``source``.
        StoreError: it holds links, devices or more than fits on the disk, or one of the two cannot be used.
    """
    place = _trail_in(source)
    if place.resolve() == target.resolve():
        raise StoreError(f"{source.name!r} is this trail itself: there is nothing to import")
    merging = _Merge(place, target, None if only is None else frozenset(only))
    try:
        merging.inspect()
        root.establish(target)
        # said before it is done; an import that brings nothing new is one all the same
        Audit(target).record("import", "", {"trail": merging.report.source, "folder": place.name})
        all_else = (merging.audit, merging.actors) if only is None else ()
        for step in (merging.blobs, *all_else, merging.registry, merging.kernels, merging.runs):
            step()
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(root.unwritable(target, error)) from error
    return merging.report


def merge_run(source: Path, target: Path) -> bool:
    """Bring one copy of a run's folder into the other; whether that changed anything. The first is only read."""
    outcomes = [outcome for _, outcome in _joined_run(source, target, target.parents[2])]
    return any(outcome != "same" for outcome in outcomes)


class _Merge:
    """One merge of one trail into another."""

    def __init__(self, source: Path, target: Path, only: frozenset[str] | None) -> None:
        self._source, self._target, self._only = source, target, only
        self._blobs = Blobs(target)
        try:
            self.report = MergeReport(root.trail_id(source))
        except Damaged:
            self.report = MergeReport("")
            self.report.notes.append(f"{source.name}/trail.json does not verify; the runs were taken all the same")

    def inspect(self) -> None:
        """Refuse what no celltrail wrote before anything is copied."""
        size = 0
        for top in _VISITED:
            for path, about in _visited(self._source / top):
                name = path.relative_to(self._source).as_posix()
                if stat.S_ISLNK(about.st_mode):
                    raise StoreError(f"{name} is a link, which may lead anywhere; a trail has none: remove it first")
                if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
                    raise StoreError(f"{name} is not a plain file; a trail has no others: remove it first")
                if stat.S_ISREG(about.st_mode) and not (self._target / name).exists():
                    size += about.st_size
        free = shutil.disk_usage(_existing(self._target)).free
        if size > free - _ROOM and self._only is None:
            raise StoreError(
                f"{self._source.name} needs up to {sized(size)}, the disk of this trail has {sized(free)} left, "
                f"and {sized(_ROOM)} must stay free; make room first, celltrail gc may help"
            )

    def blobs(self) -> None:
        """Every blob that verifies; lists of pieces after their pieces."""
        lists: list[tuple[Path, str]] = []
        needed = self._needed()
        for path in _files(self._source / "blobs", 2):
            match = _BLOB.fullmatch(path.name)
            if not match or path.parent.name != path.name[:2] or (needed is not None and match[1] not in needed):
                continue
            if match[2]:
                lists.append((path, match[1]))
            elif match[1] not in self._blobs or not self._blobs.touch(match[1]):
                self._blob(path, match[1])
        for path, digest in lists:
            self._list(path, digest)

    def _needed(self) -> set[str] | None:
        """The blobs that the chosen runs refer to; None for all."""
        if self._only is None:
            return None
        blobs = Blobs(self._source)
        folders = [self._source / "runs" / run_id[-2:] / run_id for run_id in self._only]
        told = [references.in_files(self._models), *(references.in_run(folder, blobs) for folder in folders)]
        named = references.closed(set().union(*told), blobs)
        return named | travelling.blobs(self._sessions, expiry.in_slices(named, blobs))

    @cached_property
    def _models(self) -> list[Path]:
        """The documents of models: all, or those of versions that the chosen runs made."""
        if self._only is not None:
            return models.made_by(self._source, self._only)
        return [path for path in _files(self._source / models.FOLDER, 4) if path.suffix == ".json"]

    @cached_property
    def _sessions(self) -> list[Path]:
        return travelling.folders(self._source, self._only or ())

    def _blob(self, path: Path, digest: str) -> None:
        try:
            with open_regular(path) as file:
                kept = self._blobs.put_as(digest, file)
        except Damaged as error:
            self.report.notes.append(str(error))
            return
        self.report.blobs += 1
        self.report.copied += kept

    def _list(self, path: Path, digest: str) -> None:
        if digest in self._blobs and self._blobs.touch(digest):
            return
        try:
            data = read_small(path)
            missing = [piece for piece in manifest_of(digest, data).blobs if piece not in self._blobs]
        except Damaged as error:
            self.report.notes.append(f"{error}; it was left out")
            return
        if missing:
            self.report.notes.append(f"blob {digest[:12]} lacks {counted(len(missing), 'piece')} and was left out")
            return
        target = self._folder("blobs", digest[:2]) / (digest + PIECES)
        disk.replace_whole(target, data, mode=0o444)

    def audit(self) -> None:
        """The other trail's chains, and their payloads but those that were erased in either."""
        for path in _files(self._source / "audit", 1):
            if path.name.endswith(".jsonl"):
                self._join(join_lines, path, self._folder("audit") / path.name)
        erased = self._erased()
        for path in _files(self._source / "audit" / "payload", 1):
            if path.suffix == ".json" and path.stem not in erased:
                self._join(join_immutable, path, self._folder("audit", "payload") / path.name)
        for event in erased:
            (self._target / "audit" / "payload" / f"{event}.json").unlink(missing_ok=True)

    def _erased(self) -> set[str]:
        found: set[str] = set()
        for place in (self._source, self._target):
            audit = Audit(place)
            for entry in audit.entries():
                payload = audit.payload(entry) if entry.do == "erase" else None
                if isinstance(payload, dict):
                    found.update(event for event in payload.get("events", ()) if re.fullmatch(r"[\w.-]+", str(event)))
        return found

    def actors(self) -> None:
        """What people set for the whole trail."""
        for path in _files(self._source / "actors", 1):
            if path.suffix == ".json":
                self._join(join_entries, path, self._folder("actors") / path.name)

    def registry(self) -> None:
        """Models: versions and moves of aliases never change."""
        for path in self._models:
            folder = path.parent.relative_to(self._source)
            self._join(join_immutable, path, self._folder(*folder.parts) / path.name)

    def kernels(self) -> None:
        """The light records of what ran besides the runs."""
        chosen = None if self._only is None else {folder.name for folder in self._sessions}
        for path in _files(self._source / "kernels", 3):
            session = path.relative_to(self._source).parts[1]
            if _LOG.fullmatch(path.name) and (chosen is None or session in chosen):
                folder = path.parent.relative_to(self._source)
                self._join(join_log, path, self._folder(*folder.parts) / path.name)

    def runs(self) -> None:
        """Every run, in the order of their ids."""
        touched: dict[str, int] = {}
        for folder in sorted(_folders(self._source / "runs", 2), key=lambda folder: folder.name):
            if not _RUN.fullmatch(folder.name) or (self._only is not None and folder.name not in self._only):
                continue
            home = self._target / "runs" / folder.name[-2:] / folder.name
            is_new = not home.is_dir()
            outcomes = self._joined(folder, home)
            if is_new and home.is_dir():
                self.report.new.append(folder.name)
            elif any(outcome != "same" for outcome in outcomes):
                self.report.changed.append(folder.name)
                touched[folder.name] = time.time_ns() // 1_000_000 << 16
            else:
                self.report.same += 1
        if touched:
            actors.touch(self._target, touched)  # readers need not look at ended runs again unless told

    def _joined(self, folder: Path, home: Path) -> list[str]:
        found: list[str] = []
        for path, outcome in _joined_run(folder, home, self._target):
            found.append(outcome)
            name = path.relative_to(self._source).as_posix()
            if outcome == "both":
                self.report.notes.append(
                    f"{name} differs from the copy that is here: both are kept, and the fuller one is read"
                )
            elif outcome == "unreadable":
                self.report.notes.append(f"{name} is not readable and was left out")
        return found

    def _join(self, join: Join, source: Path, target: Path) -> None:
        name = source.relative_to(self._source).as_posix()
        try:
            if join(source, target) == "both":
                self.report.notes.append(f"{name} differs from the copy that is here: both are kept")
        except (Damaged, KeyError, TypeError, ValueError, AttributeError):
            self.report.notes.append(f"{name} is not readable and was left out")

    def _folder(self, *parts: str) -> Path:
        folder = self._target.joinpath(*parts)
        disk.make_folder(folder, self._target)
        return folder


def _joined_run(source: Path, target: Path, top: Path) -> Iterator[tuple[Path, str]]:
    """Join the files of a run's folder: points first, the document last; what became of each."""
    # logs that were sealed here and removed are not needed again
    covered = sealed.covered_by(RunFiles(target, Blobs(top)).seals()[0]) if target.is_dir() else {}
    for path, join in _plan(source):
        goal = target / path.relative_to(source)
        try:
            if path.stat().st_size <= covered.get(path.name, 0) and not goal.exists():
                continue
            disk.make_folder(goal.parent, top)
            yield path, join(path, goal)
        except FileNotFoundError:
            continue  # sealed or cleaned up over there, just now
        except (Damaged, KeyError, TypeError, ValueError, AttributeError):
            yield path, "unreadable"


# what proves or describes comes after what it speaks of
_JOINS: tuple[tuple[str, re.Pattern[str], Join], ...] = (
    ("m", _LOG, join_log),
    ("m", _LOG_BESIDE, join_immutable),
    ("sealed", _PARQUET, join_immutable),
    ("", _SEAL, join_seal),
    ("edits", _ENTRIES, join_entries),
    ("control", _ENTRIES, join_immutable),
    (FOLDER, _ARTIFACT, join_immutable),
    ("", _DOCUMENT, join_document),
)


def _plan(folder: Path) -> Iterator[tuple[Path, Join]]:
    for place, name, join in _JOINS:
        for path in _files(folder / place, 1):
            if name.fullmatch(path.name):
                yield path, join


def _trail_in(source: Path) -> Path:
    for place in (source, source / root.FOLDER):
        if (place / "trail.json").is_file() or (place / "runs").is_dir():
            return place
    raise NoRun(f"there is no trail in {source.name!r}: it has neither trail.json nor runs/")


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _visited(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything in a folder, links not followed."""
    try:
        yield folder, folder.lstat()
    except FileNotFoundError:
        return
    if folder.is_symlink():
        return
    for place, folders, names in os.walk(folder):
        for name in folders + names:
            path = Path(place, name)
            try:
                yield path, path.lstat()
            except FileNotFoundError:
                continue


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Plain files at most so deep, by name, without temporary ones."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_file(follow_symlinks=False) and not entry.name.endswith(".tmp"):
            yield Path(entry.path)
        elif depth > 1 and entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), depth - 1)


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """The folders so deep."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if depth == 1:
                yield Path(entry.path)
            else:
                yield from _folders(Path(entry.path), depth - 1)

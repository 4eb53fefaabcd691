"""Clean-up: what nothing refers to, what people deleted and what is old goes to the trash, and from there for good.

A plan says what would go and why before anything does. Nothing that a run refers to is ever in it, unless
somebody deleted that run.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from celltrail.errors import CelltrailError, NoRun, StoreError
from celltrail.model import Json
from celltrail.store import root
from celltrail.store.audit import Audit
from celltrail.store.blobs import BlobFile, Blobs, references
from celltrail.store.docs import edits
from celltrail.store.docs.settings import Settings
from celltrail.store.files import disk
from celltrail.store.files.telling import counted, sized
from celltrail.store.files.written import is_run_written, is_written
from celltrail.store.kernels import expiry
from celltrail.store.runs import RunFiles
from celltrail.store.upkeep.trash import Trash, Trashed, size_of
from celltrail.store.upkeep.usage import usage

YOUNG_S = 86_400.0  # a writer that finds its blob there and does not write it again has that long to refer to it
KEEP_DELETED_S = 7 * 86_400.0
KEEP_TEMP_S = 3600.0
_MOST_NAMED = 5

Kind = Literal["blob", "leftover", "light record", "deleted run", "blob of a deleted run", "trash"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is to go."""

    kind: Kind
    what: str  # a path relative to the trail, or a run by name and id
    size: int
    why: str
    used: float  # when it was last used or changed, seconds since the epoch
    for_good: bool  # deleted, not only moved to the trash
    path: Path = field(repr=False)
    trashed: Trashed | None = field(default=None, repr=False)


@dataclass(slots=True)
class Plan:
    """What a clean-up does, in this order, or has done."""

    before: int  # bytes of the trail, its trash included
    budget: int | None
    items: list[Item] = field(default_factory=list)
    biggest: list[tuple[str, str, int]] = field(default_factory=list)  # id, name, bytes, where a budget cannot be met
    notes: list[str] = field(default_factory=list)
    is_done: bool = False

    @property
    def freed(self) -> int:
        """Bytes that are deleted for good."""
        return sum(item.size for item in self.items if item.for_good)

    @property
    def to_trash(self) -> int:
        """Bytes that go to the trash, where they wait for their time."""
        return sum(item.size for item in self.items if not item.for_good)

    @property
    def after(self) -> int:
        """Bytes of the trail afterwards."""
        return self.before - self.freed

    @property
    def is_met(self) -> bool:
        """Whether the trail is within its budget afterwards."""
        return self.budget is None or self.after <= self.budget

    def payload(self) -> dict[str, Json]:
        """As JSON."""
        names = ("kind", "what", "size", "why", "used", "for_good")
        items = [{name: getattr(item, name) for name in names} for item in self.items]
        biggest = [{"id": id_, "name": name, "size": size} for id_, name, size in self.biggest]
        sizes = {"before": self.before, "after": self.after, "freed": self.freed, "to_trash": self.to_trash}
        told = {"budget": self.budget, "met": self.is_met, "done": self.is_done}
        return {**sizes, **told, "items": items, "biggest": biggest, "notes": self.notes}

    def __str__(self) -> str:
        if not self.items and self.is_met:
            none = "nothing was removed" if self.is_done else "nothing to remove"
            return "\n".join([f"{none}: all {sized(self.before)} of the trail are in use", *self.notes])
        verb = ("deleted", "moved to the trash") if self.is_done else ("would be deleted", "would go to the trash")
        lines = [f"{sized(self.freed)} {verb[0]}, {sized(self.to_trash)} {verb[1]}, {sized(self.after)} left"]
        if not self.is_met:
            runs = ", ".join(f"{name} ({id_}, {sized(size)})" for id_, name, size in self.biggest)
            lines.append(
                f"the budget of {sized(self.budget or 0)} cannot be met: runs refer to all that is left; "
                f"the biggest are {runs or 'none'}; delete runs you no longer need, or give more room"
            )
        return "\n".join(lines + self.notes)


def plan(trail: Path, blobs: Blobs, budget: int | None = None) -> Plan:
    """What is to go, and why; nothing is changed.

    Raises:
        NoRun: there is no trail.
    """
    if not trail.is_dir():
        raise NoRun(f"there is no trail {trail.name!r} to clean up")
    made = Plan(usage(trail).total, budget)
    looked = _Look(trail, blobs)
    made.items += sorted(looked.unreferenced(), key=lambda item: -item.size)
    made.items += [*looked.leftovers(), *looked.light_records()]
    old = [run for run in looked.deleted if looked.now - run.at > KEEP_DELETED_S]
    made.items += looked.runs(old, for_good=False)
    made.items += looked.old_trash()
    if not made.is_met:
        _shrink(made, looked, old)
    if not made.is_met:
        made.biggest = looked.biggest()
    return made


def carry_out(made: Plan, trail: Path, blobs: Blobs) -> Plan:
    """Do what a plan says, after the audit has it. What was used meanwhile stays."""
    trash = Trash(trail)
    done = Plan(made.before, made.budget, biggest=made.biggest, notes=made.notes, is_done=True)
    for item in made.items:
        try:
            if _went(item, trash, blobs):
                done.items.append(item)
        except OSError as error:
            done.notes.append(f"{item.what} could not be removed: {error.strerror or error}")
    return done


def record(trail: Path, made: Plan) -> None:
    """Say in the audit what is to go; `StoreError` where that cannot be written: then nothing goes."""
    kinds = {item.kind for item in made.items}
    counts = {kind: sum(item.kind == kind for item in made.items) for kind in sorted(kinds)}
    runs = [item.what for item in made.items if item.kind == "deleted run"]
    try:
        Audit(trail).record("gc", "", {"budget": made.budget, "freed": made.freed, "items": counts, "runs": runs})
    except OSError as error:
        raise StoreError(root.unwritable(trail, error)) from error


@dataclass(frozen=True, slots=True)
class _Deleted:
    folder: Path
    name: str
    at: float


class _Look:
    """What there is in a trail, as far as a clean-up needs to know."""

    def __init__(self, trail: Path, blobs: Blobs) -> None:
        self._trail = trail
        self._blobs = blobs
        self.now = disk.now_at(trail)
        self.trash = sorted(Trash(trail).entries(), key=lambda entry: entry.at_us)
        # the files before the names: what is put later is not among them
        self._files = sorted(blobs.files(), key=lambda file: not file.is_list)
        self.deleted = sorted(self._find_deleted(), key=lambda run: run.at)
        self._gone = {run.folder.name for run in self.deleted if self.now - run.at > KEEP_DELETED_S}
        self._named = references.in_trail(trail, blobs)
        self._old = expiry.old_sessions(trail, self.now)
        self._let_expire()
        young = {file.digest for file in self._files if self._is_young(file.used)}
        living = {digest for digest, holders in self._named.items() if holders - self._gone}
        self._kept = references.closed(living | young, blobs)

    def unreferenced(self) -> Iterator[Item]:
        """Blobs that nothing refers to."""
        for file in self._files:
            if file.digest not in self._kept and not self._is_young(file.used):
                holders = self._named.get(file.digest, set())
                if not holders:
                    yield self._blob(file, "blob", "nothing refers to it", for_good=False)

    def leftovers(self) -> Iterator[Item]:
        """What processes left behind that died while they wrote a blob."""
        for place, _, names in os.walk(self._trail / "blobs"):
            for path in (Path(place, name) for name in names if name.endswith(".tmp")):
                used = _used(path)  # -1 for what is done and renamed meanwhile
                if used > 0 and self.now - used > KEEP_TEMP_S:
                    name = path.relative_to(self._trail).as_posix()
                    yield Item("leftover", name, size_of(path), "its process died", used, False, path)

    def light_records(self) -> Iterator[Item]:
        """What ran besides runs in kernels that are gone and of which the trail has no run any more."""
        for old in self._old:
            if not old.has_runs:
                name, why = old.folder.relative_to(self._trail).as_posix(), "cells of no run, older than 7 days"
                yield Item("light record", name, size_of(old.folder), why, old.newest, False, old.folder)

    def _let_expire(self) -> None:
        if not any(each.rng for old in self._old for each in old.records.executions):
            return
        of_runs = [digest for digest, holders in self._named.items() if any("/" not in holder for holder in holders)]
        used = expiry.in_slices(of_runs, self._blobs)
        for old in self._old:
            logs = expiry.names(old, self._trail)
            for digest in old.expired(used):
                self._named[digest] = self._named.get(digest, set()) - logs

    def runs(self, deleted: list[_Deleted], *, for_good: bool) -> Iterator[Item]:
        """Deleted runs, each before the blobs that only they refer to."""
        gone = {run.folder.name for run in deleted}
        for run in deleted:
            days = max(0, round((self.now - run.at) / 86_400))
            what, why = f"{run.name} ({run.folder.name})", f"deleted {counted(days, 'day')} ago"
            yield Item("deleted run", what, size_of(run.folder), why, run.at, for_good, run.folder)
        kept = references.closed({digest for digest, holders in self._named.items() if holders - gone}, self._blobs)
        theirs = references.closed(
            {digest for digest, holders in self._named.items() if holders and not holders - gone}, self._blobs
        )
        for file in self._files:
            if file.digest in theirs - kept and not self._is_young(file.used):
                yield self._blob(file, "blob of a deleted run", "only deleted runs refer to it", for_good=for_good)

    def old_trash(self) -> Iterator[Item]:
        """What has been in the trash for its time."""
        days = Settings(self._trail)["trash.days"]
        limit = time.strftime("%Y-%m-%d", time.gmtime(max(0, time.time() - days * 86_400)))
        for entry in self.trash:
            if entry.date < limit:
                yield self.thrown(entry, f"in the trash for more than {days} days: {entry.why}")

    def thrown(self, entry: Trashed, why: str) -> Item:
        """Something in the trash that is to be deleted."""
        return Item("trash", entry.path, entry.size, why, entry.at_us / 1e6, True, entry.place, entry)

    def biggest(self) -> list[tuple[str, str, int]]:
        """The runs that take the most room, their blobs included."""
        sizes = {file.digest: file.size for file in self._files}
        mine: dict[str, set[str]] = {}
        for digest, holders in self._named.items():
            for holder in holders:
                mine.setdefault(holder, set()).add(digest)
        found: list[tuple[int, Path]] = []
        for folder in references.run_folders(self._trail):
            theirs = references.closed(mine.get(folder.name, ()), self._blobs)
            found.append((size_of(folder) + sum(sizes.get(digest, 0) for digest in theirs), folder))
        top = sorted(found, reverse=True)[:_MOST_NAMED]
        return [(folder.name, _name_of(folder, self._blobs), size) for size, folder in top]

    def _find_deleted(self) -> Iterator[_Deleted]:
        for folder in references.run_folders(self._trail):
            if not (folder / "edits").is_dir():
                continue
            won = edits.winners(edits.read(folder / "edits")).get("deleted")
            if won is not None and won.value is True and not is_run_written(folder):
                yield _Deleted(folder, _name_of(folder, self._blobs), (won.at >> 16) / 1000)

    def _is_young(self, used: float) -> bool:
        return self.now - used < YOUNG_S

    def _blob(self, file: BlobFile, kind: Kind, why: str, *, for_good: bool) -> Item:
        return Item(kind, file.path.relative_to(self._trail).as_posix(), file.size, why, file.used, for_good, file.path)


def _shrink(made: Plan, looked: _Look, old: list[_Deleted]) -> None:
    """Take more until the budget is met: what is on its way to the trash, the trash, then what was deleted lately."""
    for place, item in enumerate(made.items):
        if made.is_met:
            return
        if not item.for_good:
            made.items[place] = _for_good(item)
    known = {item.path for item in made.items}
    for entry in looked.trash:
        if made.is_met:
            return
        if entry.place not in known:
            made.items.append(looked.thrown(entry, f"over the budget; {entry.why}"))
    lately = [run for run in looked.deleted if run not in old]
    for count in range(1, len(lately) + 1):
        if made.is_met:
            return
        known = {item.path for item in made.items}
        more = looked.runs([*old, *lately[:count]], for_good=True)
        made.items += [item for item in more if item.path not in known]


def _for_good(item: Item) -> Item:
    return Item(item.kind, item.what, item.size, f"{item.why}; over the budget", item.used, True, item.path)


def _went(item: Item, trash: Trash, blobs: Blobs) -> bool:
    """Remove one thing; not if it was used since the plan was made."""
    if item.trashed is not None:
        trash.discard(item.trashed)
        return True
    if item.kind == "deleted run" and not _is_still_deleted(item.path):
        return False
    if item.kind == "light record" and any(map(is_written, item.path.rglob("*.ctl"))):
        return False
    is_blob = item.kind in ("blob", "blob of a deleted run")
    if is_blob and _used(item.path) != item.used:
        return False
    entry = trash.put(item.path, f"gc: {item.why}")
    if entry is None:
        return False
    if is_blob and _used(entry.place) != item.used:
        # a writer counted on it between our look and the move
        with contextlib.suppress(CelltrailError):
            trash.restore(entry)
        return False
    if item.for_good:
        trash.discard(entry)
    return True


def _is_still_deleted(folder: Path) -> bool:
    won = edits.winners(edits.read(folder / "edits")).get("deleted")
    return won is not None and won.value is True and not is_run_written(folder)


def _used(path: Path) -> float:
    try:
        return os.stat(path, follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return -1.0


def _name_of(folder: Path, blobs: Blobs) -> str:
    try:
        return RunFiles(folder, blobs).refresh(None).record.name
    except (OSError, StoreError):
        return folder.name[-6:].lower()

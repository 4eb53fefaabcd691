"""Actors: one person in one process each, with a document of their own, ``actors/<actor>.json``.

It holds what the person wants of the whole trail (settings, views, rules, templates), and in ``touched`` the runs this
process edited: a reader that knows 100,000 ended runs asks these few files what changed, not every run.
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from celltrail.errors import Damaged
from celltrail.store.files import alive, disk
from celltrail.store.files.encoding import decode

if TYPE_CHECKING:
    from celltrail.store import Store

_T = TypeVar("_T")

# a document of more entries costs more than the stats it saves
MOST_TOUCHED = 1000
EVERYTHING = "*"
_SETTLED_NS = 50_000_000  # a folder that was changed just now may be changed once more within one tick of its clock
# a change within this time of the last one may leave the same time stamp on a file
_RACY_NS = 2_000_000_000
_UNREADABLE = (Damaged, KeyError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a reader has followed one actor."""

    stamp: str  # of the actor's file; "" when it may have changed unnoticed
    at: int  # of the newest touch that was followed


def actor() -> str:
    """One person in this process: the name of every file that holds their word."""
    return _actor(os.getpid())


@lru_cache(maxsize=1)
def _actor(pid: int) -> str:
    # a fork is another process and so another actor: hence the argument
    from blake3 import blake3

    return f"{blake3(f'{person_name()} {Path.home()}'.encode()).hexdigest()[:8]}-{alive.writer_name()}"


def person_name() -> str:
    """The account this process runs as, "" where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no entry and no environment
        return ""


def document_path(trail: Path) -> Path:
    """This process's own document of a trail; its folder exists when this returns."""
    disk.make_folder(trail / "actors", trail)
    return trail / "actors" / f"{actor()}.json"


class AsTheyAre(Generic[_T]):
    """What people said in a trail, read again only when somebody said something more.

    Args:
        read: what is wanted of it.
    """

    def __init__(self, read: Callable[[Store], _T]) -> None:
        self._read = read
        self._known: dict[Path, tuple[int, _T]] = {}  # by trail: when its documents were changed last

    def of(self, store: Store) -> _T | None:
        """It; None where nobody has ever said anything."""
        try:
            changed = os.stat(store.root / "actors").st_mtime_ns
        except OSError:
            return None
        known = self._known.get(store.root)
        if known is not None and known[0] == changed:
            return known[1]
        found = self._read(store)
        if time.time_ns() - changed > _SETTLED_NS:
            self._known[store.root] = changed, found
        return found


def touch(trail: Path, runs: Mapping[str, int]) -> None:
    """Tell readers that these runs were edited, run id -> time of the edit; after the edits are in their files."""
    from celltrail.store.docs.documents import Documents

    def put(known: dict[Any, Any]) -> None:
        known.update((run, {"at": at}) for run, at in runs.items())
        if len(known) > MOST_TOUCHED:
            fallen = sorted(known.items(), key=lambda item: item[1]["at"])[: -MOST_TOUCHED // 2]
            for run, _ in fallen:
                del known[run]
            known[EVERYTHING] = {"at": fallen[-1][1]["at"]}

    with Documents(document_path(trail)) as documents:
        # a hint need not survive the machine; two syncs would double the cost of an edit
        documents.is_synced = documents.tables() - {"touched"} != set()
        documents.change("touched", put)


def touched(trail: Path, marks: Mapping[str, Mark]) -> tuple[set[str] | None, dict[str, Mark]]:
    """The runs edited since these marks, None when it may be any, and the marks to ask with next time.

    A file that cannot be read now is asked again.
    """
    found: set[str] | None = set()
    now: dict[str, Mark] = {}
    try:
        entries = [entry for entry in os.scandir(trail / "actors") if entry.name.endswith(".json")]
    except FileNotFoundError:
        return found, now
    for entry in entries:
        name = entry.name.removesuffix(".json")
        mark = marks.get(name, Mark("", 0))
        try:
            stamp = stamp_of(entry)
            if stamp and stamp == mark.stamp:
                now[name] = mark
                continue
            times = _times(decode(Path(entry.path).read_bytes(), entry.name))
        except FileNotFoundError:
            continue  # folded into another
        except (OSError, *_UNREADABLE):
            now[name] = Mark("", mark.at)
            continue
        new = {run for run, at in times.items() if at > mark.at}
        found = None if found is None or EVERYTHING in new else found | new
        now[name] = Mark(stamp, max([mark.at, *times.values()]))
    return found, now


def stamp_of(entry: os.DirEntry[str]) -> str:
    """Changes whenever the file does; empty when a change just now could be missed."""
    about = entry.stat()
    if time.time_ns() - about.st_mtime_ns < _RACY_NS:
        return ""
    return f"{about.st_mtime_ns} {about.st_size} {about.st_ino}"


def touched_in(name: str, data: bytes) -> dict[str, int]:
    """The runs that an actor's document of this name lists, with the time of the edit; none where it is unreadable."""
    try:
        return _times(decode(data, name))
    except _UNREADABLE:
        return {}


def _times(tables: Any) -> dict[str, int]:
    return {run: int(fields["at"]) for run, fields in tables.get("touched", {}).items()}

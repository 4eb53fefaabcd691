"""The state that a run begins with: follows all executions of a session, and tells each run where its names come from.

Around a cell only identities are noted, about 15 us per 100 names. Code is followed in the background, or at the
latest when a tracked cell is about to begin and asks what other runs did to the objects it reads.
"""

from __future__ import annotations

import ast
import os
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from celltrail.capture.analyze import keys
from celltrail.capture.analyze.effects import Effects
from celltrail.capture.analyze.known import Sure
from celltrail.capture.analyze.touch import Touched, touched
from celltrail.capture.analyze.walk import effects
from celltrail.capture.files import quoted
from celltrail.capture.lineage import History, Kept, Slice, Status
from celltrail.capture.lineage.edges import Edge, edges, is_quiet, warning
from celltrail.capture.lineage.flags import Version, flags
from celltrail.capture.notice import Notice
from celltrail.capture.session.document import Document
from celltrail.capture.session.executions import parsed
from celltrail.capture.session.past import Past
from celltrail.capture.tracked import Tracked, cell_name
from celltrail.capture.values import Values
from celltrail.capture.values.variables import OF_THE_SHELL, Variables
from celltrail.model import Json, new_id, now_us
from celltrail.store import Store
from celltrail.store.files.encoding import encode

Key = tuple[int, str]
_FIXED = frozenset(
    [int, float, complex, bool, str, bytes, type(None), range, FunctionType, ModuleType, type, frozenset]
)
_CODE = (ModuleType, FunctionType, BuiltinFunctionType, type)
_PATIENCE_S = 0.02
_CHUNK = 64  # executions in one blob of the full list, so that runs share all but the last
_MOST_NAMES = 5_000
_CELL_MAGIC = "get_ipython().run_cell_magic("
_PUT_S = 3600.0  # so long a blob that was put is taken to be there: a clean-up spares those of a whole day
_MOST_CODE = 1 << 20  # characters; nobody follows more


@dataclass(slots=True, eq=False)
class _Entry:
    """One execution on its way into the history."""

    id: str
    count: int | None
    cell_id: str | None
    source: str | None  # None of a %%scratch
    code: str  # as IPython transformed it
    before: dict[str, int] | None
    at: int  # executions that had ended when it began
    is_scratch: bool = False
    began_us: int = 0
    is_kept: bool = False  # in the record of its session
    status: Status = "running"
    run: str | None = None
    after: dict[str, int] | None = None
    tracked: Tracked | None = None
    meta: object = None
    index: int | None = None  # in the history
    edges: list[Edge] | None = None
    version: Version = field(default_factory=lambda: Version(None))


class State:
    """Follows the executions of one session.

    Args:
        session: its id.
        shell: the IPython shell.
        clean: takes secrets out of code.
        notify: is told when a run goes on from what another run left.
    """

    def __init__(
        self,
        session: str,
        shell: Any,
        clean: Callable[[str], str],
        notify: Callable[[Notice], object],
    ) -> None:
        self._session, self._shell, self._clean, self._notify = session, shell, clean, notify
        self._hidden = frozenset(shell.user_ns_hidden) | OF_THE_SHELL
        self._variables = Variables(self._hidden)
        self.history = History()
        self._entries: list[_Entry] = []  # by index in the history
        self._versions: list[Version] = []  # of these
        # by index, what the record of the session has but did not run, and what ran and is not in that record
        self._idle: list[int] = []
        self._unrecorded: list[int] = []
        self._waiting: deque[_Entry] = deque()
        self._ended = 0
        self._open: dict[Key, list[_Entry]] = {}
        self._lock = threading.Lock()
        self._ids: dict[str, int] | None = None
        self._strange: set[str] = set()
        self._prints: dict[str, tuple[int, str]] = {}  # what a run left: its index, and the digest of the whole value
        self._names: dict[str, str] = {}  # of runs
        self._chunks: dict[tuple[Path, int], str] = {}
        self._codes: dict[tuple[str, int], tuple[str, float]] = {}  # by trail and index: digest, and when it was put
        self._document: tuple[tuple[str, int, int], Document | None] = (("", 0, 0), None)

    def _namespace(self) -> dict[str, Any]:
        return self._shell.user_ns

    def start(self) -> None:
        """From here on: what is there now has no known origin."""
        variables = self._variables.now(self._namespace())
        self._ids = identities(variables)
        self._strange = {name for name, value in variables if self._ids and not isinstance(value, _CODE)}

    # around a cell, on its thread

    def begin(self, key: Key, past: Past, info: Any) -> None:
        """An execution begins."""
        code = getattr(info, "transformed_cell", None) or info.raw_cell
        entry = _Entry(past.id, past.count, past.cell_id, past.source, code, self._ids, self._ended, past.is_scratch)
        entry.began_us = past.started_us
        entry.is_kept = past.is_kept
        entry.meta = getattr(info, "cell_meta", None)
        self._open.setdefault(key, []).append(entry)

    def finish(self, key: Key, tracked: Tracked) -> None:
        """A run is over, all its values were looked at, and its record is about to be written."""
        around = self._open.get(key)
        if around and around[-1].id == tracked.execution.id:
            around[-1].tracked, around[-1].run = tracked, tracked.run.id
            self._names[tracked.run.id] = tracked.run.name
            self._close(around[-1], tracked.execution.status)

    def end(self, key: Key, status: Status, info: Any = None, count: int | None = None) -> None:
        """The innermost execution there is over; one that nobody saw begin loaded the extension.

        Args:
            key: whose it is.
            status: how it ended.
            info: what IPython said of it.
            count: the number in its brackets.
        """
        around = self._open.get(key)
        if around:
            entry = around.pop()
            if not around:
                del self._open[key]
        elif info is not None:
            code = getattr(info, "transformed_cell", None) or info.raw_cell
            cell_id = cell_name(getattr(info, "cell_id", None))
            entry = _Entry(new_id(), count, cell_id, info.raw_cell, code, None, self._ended)
        else:
            return
        if entry.status == "running":
            self._close(entry, status)

    def _close(self, entry: _Entry, status: Status) -> None:
        entry.status = status
        entry.version.ended_us = now_us()
        self._ids = identities(self._variables.now(self._namespace()))
        entry.after = self._ids if entry.before is not None else None
        self._ended += 1
        self._waiting.append(entry)

    # before the body of a run

    def meet(self, key: Key, tracked: Tracked) -> None:
        """Say when the run starts from an object that another run changed."""
        around = self._open.get(key)
        entry = around[-1] if around else None
        if entry is None or tracked.found is None or entry.tracked is not None:
            return
        entry.tracked, entry.run = tracked, tracked.run.id
        self._look_again(entry)
        if not self.catch_up(_PATIENCE_S, entry.at):
            return  # the edges are still found at its end
        entry.edges = self._edges(entry, self._reads(entry, tracked, None), lambda: self._foreseen(tracked))
        changed = [edge for edge in entry.edges if edge.kind == "continues"]
        if changed and not tracked.mark.arguments.continues:
            self._warn([edge for edge in changed if edge.run == changed[0].run], tracked)

    def _look_again(self, entry: _Entry) -> None:
        """What a widget's callback or a thread bound since the last cell is none of this run's doing."""
        variables = self._variables.now(self._namespace())
        ids = identities(variables)
        if ids is not None and entry.before is not None:
            self._strange |= {
                name for name, value in variables if name not in entry.before and type(value) not in _CODE
            }
            entry.before = ids

    def _foreseen(self, tracked: Tracked) -> Touched:
        """What the run is going to touch, as far as its code says."""
        assert tracked.found is not None
        return touched(_effects(tracked.found.tree), self.history.known)

    def _warn(self, changed: list[Edge], tracked: Tracked) -> None:
        steps = self.history.steps
        made = sorted({index for edge in changed for index in edge.made})
        counts = [count for index in made if (count := steps[index].count) is not None]
        name = self._names.get(changed[0].run, changed[0].run)  # asking the trail would wait for its writers
        data = {"run": changed[0].run, "names": [edge.name for edge in changed], "cells": counts}
        self._notify(Notice("state", "warning", warning(changed, name, counts), data))

    def _edges(self, entry: _Entry, names: Iterable[str], own: Callable[[], Touched]) -> list[Edge]:
        space = self._namespace()
        return edges(self.history, names, entry.at, entry.run or "", space.get, own)

    def _reads(self, entry: _Entry, tracked: Tracked, what: Touched | None) -> set[str]:
        """The names whose value the run starts from, and those of objects within them."""
        found = tracked.found.reachable() - self._hidden if tracked.found is not None else set[str]()
        if what is not None:
            found = (found | what.reads) - what.pours
        prints = tracked.values.read if tracked.values is not None else {}
        inside = {number for name in found if name in prints for number in prints[name].inside}
        ids = entry.before or {}
        return found | {name for name, number in ids.items() if number in inside}

    # in the background

    def catch_up(self, timeout_s: float | None = None, upto: int | None = None) -> bool:
        """Follow the code of executions that have ended; whether none of the first so many is left."""
        limit = None if timeout_s is None else time.monotonic() + timeout_s
        while len(self._entries) < (self._ended if upto is None else upto):
            if limit is not None and time.monotonic() > limit:
                return False
            with self._lock:
                if self._waiting:
                    self._follow(self._waiting.popleft())
                else:
                    return False
        return True

    def follow(self) -> None:
        """Follow all that has ended."""
        self.catch_up()

    def _follow(self, entry: _Entry) -> None:
        tree, key = (entry.tracked.tree, entry.tracked.key) if entry.tracked is not None else (None, "")
        if tree is None or entry.code.startswith(_CELL_MAGIC):
            tree = parsed(entry.code) if len(entry.code) <= _MOST_CODE else None
            key = keys.code_key(tree) if tree is not None else ""
        found = _effects(tree) if tree is not None else None
        entry.version.key = key
        entry.version.source = entry.source
        fixed = {name for name, number in (entry.after or {}).items() if number < 0}
        entry.index = len(self.history.steps)
        self.history.add(
            entry.id,
            found,
            status=entry.status,
            count=entry.count,
            cell_id=entry.cell_id,
            run=entry.run,
            is_scratch=entry.is_scratch,
            before=entry.before,
            after=entry.after,
            proved=_proved(entry.tracked),
            immutable=fixed,
        )
        if entry.tracked is None:
            entry.before = None
        elif entry.tracked.values is not None:
            self._compare(entry.tracked.values, entry.index, entry.at)
        entry.after = entry.tracked = None
        self._entries.append(entry)
        self._versions.append(entry.version)
        if entry.is_kept != self.history.steps[entry.index].did_run:
            (self._idle if entry.is_kept else self._unrecorded).append(entry.index)

    def _compare(self, values: Values, index: int, at: int) -> None:
        """What a run read against what an earlier one left: calls in between may have changed it, or not."""
        for name, found in values.read.items():
            known = self._prints.pop(name, None)
            if known is not None and found.quality == "full":
                self.history.compared(name, known[0], at, found.digest == known[1])
        whole = {name: found for name, found in values.left.items() if found.quality == "full"}
        self._prints.update((name, (index, found.digest)) for name, found in whole.items())

    def changed_by(self, execution: str) -> list[str]:
        """The names whose objects an execution that is over has changed in place, as far as that is known."""
        self.catch_up()
        step = next((each for each in reversed(self.history.steps) if each.id == execution), None)
        space = self._namespace()
        found = step.touched.changes.items() if step is not None else ()
        return sorted(name for name, sure in found if sure > Sure.MAY and not is_quiet(space.get(name)))

    def conclude(self, tracked: Tracked) -> dict[str, Json]:
        """Put the sections of a run that is over into what it needed; the short form for its environment."""
        self.catch_up()
        entry = next((each for each in reversed(self._entries) if each.id == tracked.execution.id), None)
        if entry is None:
            return {}
        what = self.history.steps[entry.index].touched if entry.index is not None else None
        names = self._reads(entry, tracked, what)
        pours = what.pours if what is not None else set[str]()
        entry.before = None
        found = self.history.slice(names, pours, entry.at)
        if entry.edges is None:
            entry.edges = self._edges(entry, names, lambda: what or Touched())
        strange = found.unknown & self._strange
        about = flags(
            self.history, found, entry.at, self._versions, self._look(entry), entry.edges, strange, entry.cell_id
        )  # fmt: skip
        if tracked.files is not None:
            for kept in found.kept:
                earlier, read = self._entries[kept.index], self.history.steps[kept.index].touched.reads
                texts = [*quoted(earlier.source or ""), *self._places(read)]
                tracked.files.look_behind(texts, earlier.began_us * 1000)
        steps, store = self.history.steps, tracked.run.store
        tracked.needs["parents"] = {
            name: steps[index].id for name, index in sorted(self.history.parents(names | pours, entry.at).items())
        }
        tracked.needs["slice"] = self._slice(found, entry, store)
        tracked.needs["edges"] = [edge.told() for edge in entry.edges]
        tracked.needs["flags"] = [flag.told() for flag in about]
        kinds = list(dict.fromkeys(flag.kind for flag in about))
        return {
            "clean": not kinds,
            "flags": ", ".join(kinds),
            "slice": len(found.kept),
            "lower_bound": found.is_lower_bound,
            "continues": ", ".join(sorted({edge.run for edge in entry.edges if edge.kind == "continues"})),
            "uses": ", ".join(sorted({edge.run for edge in entry.edges if edge.kind == "uses"})),
        }

    def _places(self, names: Iterable[str]) -> Iterable[str]:
        """What may be paths among the values of these names."""
        values = (self._namespace().get(name) for name in names)
        return [str(value) for value in values if issubclass(type(value), str | PurePath)]

    def _slice(self, found: Slice, entry: _Entry, store: Store) -> dict[str, Json]:
        holes = sorted({hole for holes in found.holes.values() for hole in holes})
        is_kept = store.settings["sessions.kept"]
        return {
            "minimal": [{**self._told(kept.index, store), "why": _why(kept)} for kept in found.kept],
            "full": self._by_session(entry, store) if is_kept else self._one_by_one(entry, store),
            "lower_bound": holes,
        }

    def _by_session(self, entry: _Entry, store: Store) -> dict[str, Json]:
        """All that ran before, as the record of the session has it: a list of it would grow with every run."""
        told: dict[str, Json] = {"session": self._session}
        # only what makes a difference is looked at: most executions ran, are recorded and were over by then
        idle = (self._entries[index] for index in self._idle[: bisect_left(self._idle, entry.at)])
        others = (*idle, *self._entries[entry.at :], *self._at_work())
        if without := [each.id for each in others if each.is_kept and each.id < entry.id]:
            told["without"] = without
        also = self._unrecorded[: bisect_left(self._unrecorded, entry.at)]
        if also:
            told["also"] = [self._told(index, store) for index in also]
        return told

    def _at_work(self) -> list[_Entry]:
        return [each for around in list(self._open.values()) for each in list(around)]

    def _one_by_one(self, entry: _Entry, store: Store) -> dict[str, Json]:
        """All that ran before, where the session is not recorded."""
        full = self.history.full(entry.at)
        chunks: list[Json] = []
        whole = len(full) // _CHUNK
        for number in range(whole):
            digest = self._chunks.get((store.root, number))
            if digest is None or digest not in store.blobs:
                part = [self._told(index, store) for index in full[number * _CHUNK : (number + 1) * _CHUNK]]
                digest = self._chunks[store.root, number] = store.blobs.put(encode(part))
            chunks.append(digest)
        return {"chunks": chunks, "rest": [self._told(index, store) for index in full[whole * _CHUNK :]]}

    def _told(self, index: int, store: Store) -> dict[str, Json]:
        entry, step = self._entries[index], self.history.steps[index]
        code = self._code(index, entry.source, store) if entry.source is not None else ""
        facts = {"id": step.id, "cell": step.cell_id, "count": step.count, "status": step.status, "code": code}
        return {**facts, **({"run": step.run} if step.run else {})}

    def _code(self, index: int, source: str, store: Store) -> str:
        digest, put = self._codes.get((store.id, index), ("", 0.0))
        if not digest or time.monotonic() - put > _PUT_S:
            digest = store.blobs.put(self._clean(source))
            self._codes[store.id, index] = digest, time.monotonic()
        return digest

    def _look(self, entry: _Entry) -> Document | None:
        """The notebook: as the front end sent it with the cell, else as it is on disk."""
        sent = Document.of_front_end(entry.meta, entry.version.ended_us)
        path = self._namespace().get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
        if sent is not None or not (isinstance(path, str) and path.endswith(".ipynb")):
            return sent
        try:
            facts = os.stat(path)
        except (OSError, ValueError):
            return None
        stamp = (path, facts.st_mtime_ns, facts.st_size)
        if self._document[0] != stamp:
            self._document = stamp, Document.of_file(Path(path))
        return self._document[1]


def identities(variables: Sequence[tuple[str, Any]]) -> dict[str, int] | None:
    """What stands where, negative for what cannot change in place; None where there are too many names.

    >>> identities([("y", None)])["y"] < 0
    True
    """
    if len(variables) > _MOST_NAMES:
        return None
    fixed = _FIXED
    return {name: -id(value) if type(value) in fixed else id(value) for name, value in variables}


def _effects(tree: ast.AST) -> Effects:
    try:
        return effects(tree)
    except RecursionError:
        return Effects(holes={"an expression too deep to follow"})


def _proved(tracked: Tracked | None) -> dict[str, bool]:
    """Names whose value was compared, start against end."""
    if tracked is None or tracked.values is None:
        return {}
    found: dict[str, bool] = {}
    for name, old in tracked.values.read.items():
        new = tracked.values.left.get(name)
        if new is None or "opaque" in (old.quality, new.quality):
            continue
        if old.digest != new.digest:
            found[name] = True
        elif old.quality == new.quality == "full":
            found[name] = False
    return found


def _why(kept: Kept) -> dict[str, Json]:
    return dict(sorted(kept.why.items()))

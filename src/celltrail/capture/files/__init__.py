"""The files that one execution read and wrote, with digests: which file was it that this result came from?

Four sources: what ``open`` and the wrapped readers opened while the cell ran, what the names it read held, the
texts that stand in its code, and those in the code of the earlier cells that it depends on, which is where most
notebooks load their data. Hashing is done on a thread of its own; only names are kept, never contents.
"""

from __future__ import annotations

import ast
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from typing import Any, Literal

from celltrail.capture.files.openings import MOST_CALLS, Opened
from celltrail.capture.files.places import is_data, is_secret, placed, project
from celltrail.capture.worker import Worker
from celltrail.model import Json
from celltrail.run import Run
from celltrail.store.files.hashing import WHOLE_BYTES, Asked, Print, Stamp, hashed

Mode = Literal["read", "write", "both"]
By = Literal["open", "name", "slice"]

MOST_KEPT = 1_000
_MOST_SEEN = 20_000
_MOST_MENTIONED = 2_000
_LONGEST = 4_096
_MOST_CODE = 1 << 16  # characters of an earlier cell that are looked through
_MOST_HASHED = 8 << 30  # bytes of one execution that are read whole; what comes after is sampled
# files of these names hold models, whoever writes them
_MODELS = tuple(".pt .pth .ckpt .safetensors .joblib .keras .weights.h5 .onnx .gguf .cbm .skops".split())  # noqa: SIM905
_QUOTED = re.compile(r"""'([^'\n]{1,1024})'|"([^"\n]{1,1024})\"""")


@dataclass(slots=True)
class _Use:
    """How the execution used one file."""

    mode: Mode
    at_ns: int  # when it was first opened
    by: By


@dataclass(slots=True, eq=False)
class Files:
    """What is gathered about the files of one execution.

    Args:
        run: the run it is.
        folder: the working folder as the cell begins.
        asked: how to hash.
        hasher: the thread that hashes.
        keep: is told of each model that a library has written: its path, and the library.
    """

    run: Run
    folder: str
    asked: Asked
    hasher: Worker
    keep: Callable[[str, str], None] | None = None  # is told of the models that libraries write, with their names
    begun_ns: int = field(default_factory=time.time_ns)
    beyond: int = 0  # opened, but more than are kept
    calls: deque[Opened] = field(default_factory=deque)  # of `open`, that nobody has looked at yet
    here: str = ""  # the working folder of this moment: a loop may change it
    _opened: dict[tuple[str, Any, str], int] = field(default_factory=dict)
    _fresh: deque[tuple[str, Any, str]] = field(default_factory=deque)  # not yet looked at by the background
    _mentioned: dict[tuple[str, str], bool] = field(default_factory=dict)  # text and working folder: handed to a writer
    _looked: int = 0  # of those mentioned
    _behind: dict[str, int] = field(default_factory=dict)  # text in an earlier cell: when that began
    _before: dict[str, Stamp] = field(default_factory=dict)  # of files that were there before the body had run
    _prints: dict[str, Print] = field(default_factory=dict)  # as read, before anything was written
    _uses: dict[str, _Use] = field(default_factory=dict)
    _after: dict[str, Print] = field(default_factory=dict)
    _bytes: int = 0
    _told_of: set[str] = field(default_factory=set[str])  # models whose library said so
    _own: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.here = self.folder

    # on the thread of the user's code

    def opened(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """``open`` has been called so, the file first, by its name; which one that is is found out later."""
        self.calls.append((args, kwargs, self.here, time.time_ns()))
        if len(self.calls) > MOST_CALLS:  # a loop that opens and opens, and a background that does not come to it
            self._look_at_calls()

    def moved(self) -> None:
        """The working folder is another one."""
        self.here = _working_folder()

    def mention(self, value: Any, writes: bool = False) -> None:
        """This value may name files: it was handed to a reader or a writer."""
        folder = self.here
        for text in _texts(value):
            if len(self._mentioned) < _MOST_MENTIONED:
                self._mentioned[text, folder] = self._mentioned.get((text, folder), False) or writes

    def saved(self, value: Any, by: str) -> None:
        """This library has written a model to the file of this name."""
        if self.keep is not None and isinstance(value, str | os.PathLike):
            path = self._path(os.fsdecode(value), self.here)
            if path and self._is_data(path) and not is_secret(path):
                self._told_of.add(path)
                self.keep(path, by)

    def look(self, constants: Iterable[ast.AST], names: Iterable[str], namespace: Mapping[str, Any]) -> None:
        """The texts in the code, and what the names that it reads hold, may name files."""
        for node in constants:
            value = getattr(node, "value", None)
            if type(value) is str:
                self.mention(value)
        for name in names:
            self.mention(namespace.get(name))

    # in the background

    def look_behind(self, texts: Iterable[str], began_ns: int) -> None:
        """These stand in the code of an earlier cell that this one depends on, and may name what that read."""
        for text in texts:
            if len(self._behind) < _MOST_MENTIONED:
                self._behind[text] = began_ns  # the last to read it counts

    def begin(self) -> None:
        """While the body runs: what was mentioned so far is there before it, and is hashed as it then is."""
        mentioned = list(self._mentioned.items())
        new, self._looked = mentioned[self._looked :], len(mentioned)
        for (text, folder), _ in new:
            path = self._path(text, folder)
            stamp = Stamp.of(path) if path and path not in self._before else None
            if stamp is not None and self._is_data(path) and stamp.mtime_ns < self.begun_ns:
                self._before[path] = stamp
                self._hash_early(path)

    def tick(self) -> None:
        """What was opened for reading meanwhile is hashed as it now is."""
        self.begin()
        self._look_at_calls()
        while self._fresh:
            text, mode, folder = key = self._fresh.popleft()
            path = self._path(text, folder)
            if path and self._is_data(path):
                self._use(path, _mode(mode), self._opened[key], "open")
                if self._uses[path].mode == "read":
                    self._hash_early(path)

    def finish(self, patience_s: float) -> bool:
        """The body is over: hash what was written, and what is not hashed yet; whether that is done in time."""
        self.tick()
        for (text, folder), writes in list(self._mentioned.items()):
            path = self._path(text, folder)
            stamp = Stamp.of(path) if path else None  # first: most texts are the name of no file
            if stamp is not None and self._is_data(path):
                self._use(path, self._changed(path, stamp, writes), self.begun_ns, "name")
        for text, began_ns in self._behind.items():
            path = self._path(text, self.folder)
            if path not in self._uses and Stamp.of(path) is not None and self._is_data(path):
                self._use(path, "read", began_ns, "slice")
        for path in self._kept():
            self._later(partial(self._hash_late, path))
            if self.keep is not None and path not in self._told_of and self._is_model(path):
                self.keep(path, "open")
        return not self._uses or self.hasher.wait(patience_s)

    def told(self, clean: Callable[[str], str]) -> dict[str, Json]:
        """The section ``files``, one record a file in the order of first use, and how many there were beyond."""
        around = project(self.run.store.root, self.folder)
        beyond = max(0, len(self._uses) - MOST_KEPT) + self.beyond
        records = [self._told(path, around, clean) for path in self._kept()]
        return {"files": records, **({"files_beyond": beyond} if beyond else {})}

    # inside

    def _look_at_calls(self) -> None:
        """Of all calls of `open` the first of each file, mode and folder."""
        opened = self._opened
        with suppress(IndexError):  # two threads may be at it
            while True:
                args, kwargs, folder, at_ns = self.calls.popleft()
                key = args[0], args[1] if len(args) > 1 else kwargs.get("mode", "r"), folder
                if key in opened:
                    continue
                if len(opened) >= _MOST_SEEN:
                    self.beyond += 1
                    continue
                opened[key] = at_ns
                self._fresh.append(key)

    def _is_model(self, path: str) -> bool:
        return self._uses[path].mode == "write" and path.lower().endswith(_MODELS) and not is_secret(path)

    def _kept(self) -> list[str]:
        return list(self._uses)[:MOST_KEPT]

    def _use(self, path: str, mode: Mode, at_ns: int, by: By) -> None:
        use = self._uses.get(path)
        if use is None:
            self._uses[path] = _Use(mode, at_ns, by)
        elif use.mode == "read" and mode != "read":
            use.mode = "both"  # read before it was written; what is first written and then read back is an output

    def _changed(self, path: str, stamp: Stamp, writes: bool) -> Mode:
        before = self._before.get(path)
        if before is None:
            return "write" if writes or stamp.mtime_ns >= self.begun_ns else "read"
        return "read" if before == stamp and not writes else "both" if not writes else "write"

    def _path(self, text: str, folder: str) -> str:
        if "://" in text or "\0" in text or len(text) > _LONGEST:
            return ""
        if text.startswith("~"):
            text = os.path.expanduser(text)
        return os.path.normpath(os.path.join(folder or self.folder, text))

    def _is_data(self, path: str) -> bool:
        known = self._own.get(path)
        if known is None:
            known = self._own[path] = is_data(path, self.run.store.root)
        return known

    def _hash_early(self, path: str) -> None:
        if path not in self._prints and len(self._prints) < MOST_KEPT:
            self._prints[path] = Print("", "pending")
            self._later(partial(self._read, path, self._prints))

    def _later(self, job: Callable[[], None]) -> None:
        self.hasher.start()
        self.hasher.put(job)

    def _hash_late(self, path: str) -> None:
        early, use = self._prints.get(path), self._uses[path]
        if use.mode == "read" and early is not None and early.how != "pending":
            self._after[path] = early
        else:
            self._read(path, self._after)

    def _read(self, path: str, into: dict[str, Print]) -> None:
        if self.asked != "off" and is_secret(path):
            into[path] = Print("", "secret", Stamp.of(path))
            return
        into[path] = Print("", "failed")  # what it stays if hashing raises
        found = hashed(path, self.asked, WHOLE_BYTES if self._bytes <= _MOST_HASHED else 0)
        self._bytes += found.stamp.size if found.stamp and found.how == "full" else 0
        into[path] = found

    def _told(self, path: str, around: str, clean: Callable[[str], str]) -> Json:
        use = self._uses[path]
        found = self._after.get(path) or Print("", "pending")
        base, place = placed(path, around)
        told: dict[str, Json] = {"path": clean(_printable(place)), "base": base, "mode": use.mode, "by": use.by}
        told |= found.told()
        early = self._prints.get(path)
        if use.mode == "both" and early is not None and early.stamp and early.stamp.mtime_ns <= use.at_ns:
            told["before"] = early.digest
        # what was read may have been something else: the file changed after it was opened and before it was hashed
        if use.mode == "read" and found.stamp is not None and found.stamp.mtime_ns > use.at_ns:
            told["late"] = True
        return told


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return ""


def _mode(mode: Any) -> Mode:
    text = mode if isinstance(mode, str) else "r"
    if "+" in text and "w" not in text and "x" not in text:
        return "both"
    return "write" if set(text) & set("wxa") else "read"


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """The texts in a value that may be names of files: it itself, its items, and what stands in quotes as in SQL."""
    kind = type(value)
    if kind is str:
        if 0 < len(value) <= _LONGEST and "\n" not in value:
            yield value
        if len(value) <= 5 * _LONGEST and ("'" in value or '"' in value):
            for found in _QUOTED.finditer(value):
                yield found[1] or found[2]
    elif issubclass(kind, PurePath):  # isinstance would ask the value, which may be anything
        yield str(value)
    elif kind in (list, tuple, set, dict) and depth < 2 and len(value) <= MOST_KEPT:
        for inner in list(value.values() if kind is dict else value):
            yield from _texts(inner, depth + 1)


def quoted(code: str) -> list[str]:
    """What stands in quotes in the code of a cell, on one line each.

    >>> quoted("df = pd.read_csv('data/train.csv')")
    ['data/train.csv']
    """
    return [found[1] or found[2] for found in _QUOTED.finditer(code[:_MOST_CODE])]


def _printable(path: str) -> str:
    """A path that JSON can hold: bytes that are no text are written as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")

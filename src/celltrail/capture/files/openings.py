"""Which files a tracked cell opens: ``open`` and the readers that go around it, wrapped while such a cell runs.

Wrapping is put back as it was found when the last tracked cell has ended. An audit hook would see no more
(pyarrow, polars, h5py, duckdb, cv2 and safetensors open files in C) and could never be taken away again.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import io
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import time_ns
from types import TracebackType
from typing import Any, Protocol, cast

from celltrail.capture.shield import shield
from celltrail.capture.watch import points
from celltrail.run import Run, around, attributed, current_block

_OURS = {__file__, points.__file__}  # of whose functions the user's code calls some without knowing
_OPEN = ("builtins", "open")
_SHELL = "IPython.core.interactiveshell"  # what notebooks know as `open` calls its io_open
# module: what reads a file by name in C, and what writes one; only modules that are imported already
_READERS: dict[str, tuple[str, str]] = {
    "pyarrow.parquet": ("read_table read_pandas ParquetFile.__init__", "write_table ParquetWriter.__init__"),
    "pyarrow.feather": ("read_table read_feather", "write_feather"),
    "pyarrow.csv": ("read_csv open_csv", "write_csv"),
    "polars": (
        "read_csv read_parquet read_ipc read_ndjson read_json read_avro scan_csv scan_parquet scan_ipc scan_ndjson",
        "DataFrame.write_csv DataFrame.write_parquet DataFrame.write_ipc DataFrame.write_json DataFrame.write_ndjson",
    ),
    "h5py": ("File.__init__", ""),
    "duckdb": ("sql query execute read_csv read_parquet read_json connect", ""),
    "cv2": ("imread imreadmulti", "imwrite"),
    "safetensors.torch": ("safe_open load_file", "save_file"),
    "safetensors.numpy": ("safe_open load_file", "save_file"),
    "sqlite3": ("connect", ""),
    "numpy": ("loadtxt genfromtxt", ""),
    "torch": ("load", "save"),
    "joblib": ("load", "dump"),
}
# of these writers the whole file is a model; where the call has its name, by place and keyword
_SAVERS: dict[tuple[str, str], tuple[int, str]] = {
    ("torch", "save"): (1, "f"),
    ("joblib", "dump"): (1, "filename"),
    ("safetensors.torch", "save_file"): (1, "filename"),
    ("safetensors.numpy", "save_file"): (1, "filename"),
}


Opened = tuple[tuple[Any, ...], dict[str, Any], str, int]  # the arguments of a call, the working folder, and when
MOST_CALLS = 5_000  # that wait to be looked at


class Collector(Protocol):
    """Who is told of the files of one execution."""

    calls: deque[Opened]  # of `open`, the file first, by its name: looked at later
    here: str  # the working folder

    def opened(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """``open`` has been called so, the file first, by its name, and has opened it."""
        ...

    def moved(self) -> None:
        """The working folder is another one."""
        ...

    def mention(self, value: Any, writes: bool = False) -> None:
        """This value was handed to a reader or a writer: it may name files."""
        ...

    def saved(self, value: Any, by: str) -> None:
        """This library has written a model to the file of this name."""
        ...


_collecting: dict[Run | None, Collector] = {}  # never of None


def _collector() -> Collector | None:
    run = attributed()
    if run is None:
        return None
    found = _collecting.get(run)
    if found is None and run is current_block() and len(_collecting) == 1:
        return next(iter(_collecting.values()))  # a `with ct.start()` inside the cell
    return found


class Wrapped:
    """A function that does what the real one does, and then tells which files that were.

    It takes the real one's place also where somebody asks for its name, signature or text, or pickles it.
    """

    def __init__(self, real: Callable[..., Any], place: tuple[str, str]) -> None:
        functools.update_wrapper(cast("Any", self), real)
        self.real, self.place = real, place

    def __repr__(self) -> str:
        return repr(self.real)

    def __reduce__(self) -> tuple[Any, ...]:
        # by its place, like any function: another process gets the real one
        return _at, self.place


class Opening(Wrapped):
    """``open``."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Open, tell, hand over."""
        file = self.real(*args, **kwargs)
        collector = _collecting.get(around())
        if collector is None and _collecting:
            collector = _collector()
        if collector is not None:
            if args and type(args[0]) is str and len(collector.calls) < MOST_CALLS:
                # nothing of the user's is called for it, so nothing can raise; and two calls more would be felt
                collector.calls.append((args, kwargs, collector.here, time_ns()))
            else:
                shield(_tell_opened, collector, args, kwargs)
        return file


def _tell_opened(collector: Collector, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    file, *others = args or (kwargs["file"],)
    if not isinstance(file, int):  # a descriptor: whoever opened it was seen or not
        collector.opened((os.fsdecode(file), *others), kwargs)


class Moving(Wrapped):
    """``os.chdir``: asking for the working folder on every open would cost a tenth of the open."""

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Move, tell."""
        self.real(*args, **kwargs)
        for collector in tuple(_collecting.values()):
            shield(collector.moved)


class Reading(Wrapped):
    """A reader or writer that opens files by itself."""

    def __init__(self, real: Callable[..., Any], place: tuple[str, str], writes: bool) -> None:
        super().__init__(real, place)
        self.writes = writes

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Read or write, tell, hand over."""
        result = self.real(*args, **kwargs)
        if _collecting:
            shield(_tell_mentioned, args, kwargs, self.writes)
            if self.place in _SAVERS:
                shield(_tell_saved, self.place, args, kwargs)
        return result


def _method(real: Callable[..., Any], writes: bool) -> Callable[..., Any]:
    @functools.wraps(real)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = real(self, *args, **kwargs)
        if _collecting:
            shield(_tell_mentioned, args, kwargs, writes)
        return result

    return method


def _tell_mentioned(args: tuple[Any, ...], kwargs: dict[str, Any], writes: bool) -> None:
    collector = _collector()
    if collector is not None:
        for value in (*args, *kwargs.values()):
            collector.mention(value, writes)


def _tell_saved(place: tuple[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    collector, (at, name) = _collector(), _SAVERS[place]
    if collector is not None:
        collector.saved(args[at] if len(args) > at else kwargs.get(name), place[0].partition(".")[0])


def _at(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


class Openings:
    """Wraps ``open`` and the readers while somebody collects.

    Args:
        shell: the IPython shell; what it shows of an exception is shown without the wrappers.
    """

    def __init__(self, shell: Any = None) -> None:
        self._shell = shell
        self._undo: list[Callable[[], None]] = []
        self._made: dict[int, tuple[Any, Any]] = {}  # by id: what is wrapped, and what stands before it

    def begin(self, run: Run, collector: Collector) -> None:
        """Tell this collector of the files that the code of this run opens."""
        _collecting[run] = collector
        if len(_collecting) == 1:
            self._wrap()

    def bind(self, names: Iterable[str], namespace: dict[str, Any]) -> None:
        """Wrap those of these names that ``from lib import reader`` bound, until the last one stops collecting.

        Args:
            names: what the code that is about to run reads or binds.
            namespace: what they stand for.
        """
        if not _collecting:
            return
        wanted = tuple(names)
        for name in wanted:
            if known := self._made.get(id(namespace.get(name))):
                namespace[name] = known[1]

        def undo() -> None:
            for name in wanted:  # a name that the cell itself imported holds a wrapper as well
                value: Any = namespace.get(name)
                if issubclass(type(value), Wrapped):
                    namespace[name] = value.real

        self._undo.append(undo)

    def end(self, run: Run) -> None:
        """Stop; with the last one everything is put back."""
        if _collecting.pop(run, None) is not None and not _collecting:
            while self._undo:
                self._undo.pop()()

    def _wrap(self) -> None:
        shell_module = sys.modules.get(_SHELL)
        for owner, name in ((builtins, "open"), (io, "open"), (shell_module, "io_open")):
            real: Any = getattr(owner, name, None)
            if isinstance(real, Opening):  # left by code that saved `open` in one cell and put it back in another
                real = real.real
            if callable(real):  # io.open is builtins.open, and goes on being it
                self._replace(owner, name, self._wrapped(real, lambda real=real: Opening(real, _OPEN)), real)
        for name in ("chdir", "fchdir"):
            real = getattr(os, name, None)
            if callable(real) and not isinstance(real, Wrapped):
                wrapper = self._wrapped(real, lambda real=real, name=name: Moving(real, ("os", name)))
                self._replace(os, name, wrapper, real)
        for place, owner, name, real in _readers():
            wrapper = self._wrapped(real, lambda place=place, real=real: _reading(place, real))
            self._replace(owner, name, wrapper, real)
        if self._shell is not None:
            self._show_without_us(self._shell)

    def _wrapped(self, real: Any, make: Callable[[], Any]) -> Any:
        """What stands before it, the same one in every cell and under all its names."""
        known = self._made.get(id(real))
        if known is None:
            known = self._made[id(real)] = real, make()
        return known[1]

    def _replace(self, owner: Any, name: str, new: Any, real: Any) -> None:
        setattr(owner, name, new)

        def undo() -> None:
            # where somebody wrapped ours meanwhile theirs stays, and ours hands everything through
            if vars(owner).get(name) is new:
                setattr(owner, name, real)

        self._undo.append(undo)

    def _show_without_us(self, shell: Any) -> None:
        before = shell.showtraceback

        @functools.wraps(before)
        def showtraceback(*args: Any, **kwargs: Any) -> Any:
            shield(strip, sys.exc_info()[1])
            return before(*args, **kwargs)

        had = vars(shell).get("showtraceback")
        shell.showtraceback = showtraceback

        def undo() -> None:
            if vars(shell).get("showtraceback") is showtraceback:
                if had is None:
                    del shell.showtraceback
                else:
                    shell.showtraceback = had

        self._undo.append(undo)


def _reading(place: tuple[str, str], real: Any) -> Any:
    module, name = place
    writes = name in _READERS[module][1].split()
    return _method(real, writes) if "." in name else Reading(real, place, writes)


def _readers() -> Iterator[tuple[tuple[str, str], Any, str, Any]]:
    """Module and name of each reader and writer, what holds it, under which name, and itself."""
    for module_name, kinds in _READERS.items():
        module = sys.modules.get(module_name)
        if module is None:
            continue
        for names in kinds:
            for dotted in names.split():
                first, _, method = dotted.partition(".")
                found = vars(module).get(first)  # never through a __getattr__, which may import half a library
                if method:
                    real: Any = vars(found).get(method) if isinstance(found, type) else None
                    if callable(real):
                        yield (module_name, dotted), found, method, real
                elif callable(found) and not isinstance(found, Wrapped):
                    yield (module_name, first), module, first, found


def strip(error: BaseException | None) -> None:
    """Take the frames of the wrappers out of the tracebacks of an exception and of those that led to it."""
    waiting, done = [error], set[int]()
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in done:
            continue
        done.add(id(error))
        error.__traceback__ = _without_us(error.__traceback__)
        waiting += [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions


def _without_us(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and _is_ours(traceback):
        traceback = traceback.tb_next
    entry = traceback
    while entry is not None:
        while entry.tb_next is not None and _is_ours(entry.tb_next):
            entry.tb_next = entry.tb_next.tb_next
        entry = entry.tb_next
    return traceback


def _is_ours(entry: TracebackType) -> bool:
    return entry.tb_frame.f_code.co_filename in _OURS

"""Plug-ins: what other libraries tell of their training, with no line of the user's changed.

A plug-in is an entry point of the group ``celltrail.plugins``. It bears the name of the library it is for and names a
function ``on(library, hand)``, which is called once that library has been imported, by whomever and in whatever order,
and returns what puts everything back. Nothing is imported for its sake.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from celltrail.capture import calls
from celltrail.capture.imports import after_import
from celltrail.capture.params import has_param
from celltrail.capture.shield import asks_to_stop, otherwise_to, shield
from celltrail.capture.watch.points import watched, watched_step
from celltrail.errors import BadValue, nearest
from celltrail.model import Param
from celltrail.run import Run
from celltrail.run.attribution import around
from celltrail.run.facts import plain

GROUP = "celltrail.plugins"
LOSS = "train/loss"  # whoever tells of it leads the training

Off = Callable[[], object]


_tellers: weakref.WeakKeyDictionary[Run, dict[str, str]] = weakref.WeakKeyDictionary()  # by run and series
_counts: weakref.WeakKeyDictionary[Run, Callable[[], int]] = weakref.WeakKeyDictionary()


class Hand:
    """What a plug-in is given, so that it needs nothing of celltrail's but the door."""

    stopped = staticmethod(asks_to_stop)  # writes what a library tells, guarded: whether the run is asked to stop

    def __init__(self, library: str) -> None:
        self._library = library
        self.around = around  # the run of the cell or block around, if any: the least that can be asked of it

    def guard(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """This function as a library may call it: a fault in it is told once and kept on the run, never raised."""
        return partial(shield, function)

    def recorded(self, run: Run) -> set[str]:
        """Variables that are recorded for this run anyway, each under its own name."""
        return watched(run)

    def recorded_step(self, run: Run) -> int | None:
        """The step that those variables are at just now; None before the first value of one."""
        return watched_step(run)

    def has_param(self, run: Run, name: str, value: Any) -> bool:
        """Whether a variable of the cell is already recorded as a parameter of this name and value."""
        return has_param(run, name, value)

    def calls(self, around: calls.Around) -> Off:
        """Hear of the library's calls in tracked cells: see `calls.hear`."""
        return calls.hear(self._library, around)

    def imported(self, name: str, begin: Callable[[ModuleType], Off]) -> Off:
        """Begin once this module of the library is there; what comes back ends it."""
        return _Begun(name, partial(shield, begin)).off

    def claims(self, run: Run, name: str) -> bool:
        """Whether this plug-in is the one that tells of this series of the run: the first that asks is."""
        return _tellers.setdefault(run, {}).setdefault(name, self._library) == self._library

    def is_led(self, run: Run) -> bool:
        """Whether another plug-in leads the training of this run: it is the one that ends it where that is asked."""
        return _tellers.get(run, {}).get(LOSS, self._library) != self._library

    def count(self, run: Run, step: Callable[[], int]) -> None:
        """Be the one that counts the steps of this run: what others tell of its training stands where it says."""
        _counts.setdefault(run, step)

    def step(self, run: Run) -> int | None:
        """The step that the run's training is at, where a plug-in counts them."""
        step = _counts.get(run)
        return step() if step is not None else None

    def describe(self, run: Run, params: Mapping[str, Any] = {}, summary: Mapping[str, Any] = {}) -> None:
        """Set params and summaries, without waiting for the disk."""
        told = {name: Param(name, plain(value)) for name, value in params.items()}
        run.learn(params=told, summary={name: plain(value) for name, value in summary.items()})

    def note(self, run: Run, **facts: dict[str, Any] | list[str]) -> None:
        """Keep facts about what was told in the run's ``environment["autolog"]``, added to those that are there."""
        known = run.learned("environment").get("autolog", {})
        run.learn(environment={"autolog": {**known, **{k: _joined(known.get(k), v) for k, v in facts.items()}}})


def _joined(known: Any, new: dict[str, Any] | list[str]) -> Any:
    if not known:
        return new
    return {**known, **new} if isinstance(new, dict) else sorted({*known, *new})


class _Begun:
    """What begins with a module, now or when it comes, until it is switched off."""

    def __init__(self, name: str, begin: Callable[[ModuleType], Off | None]) -> None:
        self._begin = begin
        module = sys.modules.get(name)
        self._off: Off | None
        if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
            self._off = after_import(name, self._arrived)
        else:
            self._arrived(module)

    def _arrived(self, module: ModuleType) -> None:
        self._off = self._begin(module)

    def off(self) -> None:
        put_back, self._off = self._off, None
        if put_back is not None:
            shield(put_back)


class _Plugin:
    """One plug-in: off, waiting for its library, or at work."""

    def __init__(self, point: EntryPoint) -> None:
        self.name, self._point = point.name, point
        self._begun: _Begun | None = None

    @property
    def is_on(self) -> bool:
        return self._begun is not None

    def on(self) -> None:
        if self._begun is None:
            self._begun = _Begun(self.name, partial(shield, self._begin))

    def _begin(self, module: ModuleType) -> Off:
        return self._point.load()(module, Hand(self.name))

    def off(self) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.off()


_plugins: dict[str, _Plugin] = {}
_has_warned = False


def autolog(on: Iterable[str] | None = None, off: Iterable[str] = ()) -> tuple[str, ...]:
    """Choose which libraries report their training by themselves; ``%load_ext celltrail`` switches all of them on.

    Each library has a plug-in that starts once you import the library, before or after this call. It reports to the
    run of the cell or ``with`` block, and to nothing outside a run.

    Args:
        on: libraries by name; all that have a plug-in unless given, none for ``()``.
        off: libraries to leave alone. A plug-in that was on and is no longer named is switched off completely.

    Returns:
        The names of the plug-ins that are on now, including those whose library is not imported yet.

    Raises:
        BadValue: there is no plug-in of this name.

    >>> "torch" in autolog(), "torch" in autolog(off=["torch"]), autolog(on=())
    (True, False, ())
    """
    otherwise_to(_warn)
    known = _known()
    wanted = set(_named(known if on is None else on, known)) - set(_named(off, known))
    for name, plugin in known.items():
        plugin.on() if name in wanted else plugin.off()
    return tuple(name for name, plugin in known.items() if plugin.is_on)


def autolog_unless_told() -> None:
    """Switch every plug-in on, where the user has not said yet which they want."""
    if not _plugins:
        autolog()


def stop_autolog() -> None:
    """Switch every plug-in off and forget what the user said of them."""
    for plugin in _plugins.values():
        plugin.off()
    _plugins.clear()


def is_on() -> bool:
    """Whether any plug-in is on, be its library there yet or not."""
    return any(plugin.is_on for plugin in _plugins.values())


def _known() -> dict[str, _Plugin]:
    if not _plugins:
        _plugins.update((point.name, _Plugin(point)) for point in entry_points(group=GROUP))
    return _plugins


def _named(names: Iterable[str], known: Iterable[str]) -> list[str]:
    named = [names] if isinstance(names, str) else list(names)
    for name in named:
        if name not in known:
            there_is = ", ".join(sorted(known)) or "none: celltrail's installation lists no plug-ins, install it again"
            raise BadValue(f"no plug-in is called {name!r}{nearest(name, known) or ';'} there is {there_is}")
    return named


def _warn(text: str, traceback: str) -> None:
    global _has_warned
    if not _has_warned:
        _has_warned = True
        warnings.warn(f"celltrail: recording had a problem, your code did not: {text}", RuntimeWarning, stacklevel=5)

"""`Run.watch`: what becomes of a model while it trains, by whoever knows models of its library.

That is an entry point of the group ``celltrail.watchers`` with the library's name: a function
``watch(run, model, every, guard)`` that hooks into the model and returns what takes the hooks out again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from celltrail.errors import BadValue

GROUP = "celltrail.watchers"


def watch_model(run: Any, model: Any, every: int) -> None:
    """Watch this model until the run ends: see `Run.watch`."""
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise BadValue(f"every={every!r} is no number of steps; a model is looked at every so many steps, at least 1")
    from importlib.metadata import entry_points  # loads the library of mails: only whoever watches waits for it

    watchers = {point.name: point for point in entry_points(group=GROUP)}
    libraries = [each.__module__.split(".")[0] for each in type(model).__mro__]
    found = next((watchers[library] for library in libraries if library in watchers), None)
    if found is None:
        raise BadValue(
            f"a {type(model).__module__}.{type(model).__qualname__} cannot be watched; "
            f"models of {', '.join(sorted(watchers)) or 'no library'} can"
        )
    run.at_end(found.load()(run, model, every, _Guard(run)))


class _Guard:
    """Makes a function safe to be called by the library: after a fault, said on the run, it does nothing any more."""

    def __init__(self, run: Any) -> None:
        self._run, self._is_broken = run, False

    def __call__(self, function: Callable[..., Any]) -> Callable[..., None]:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> None:
            if self._is_broken:
                return
            try:
                function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  a training goes on, whatever becomes of watching it
                self._is_broken = True
                self._run.stumble(error)

        return guarded

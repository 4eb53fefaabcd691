"""accelerate, by its public class of trackers: ``Accelerator(log_with="celltrail")``. Tested with accelerate 1.15.0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Nobody, Series, key_of

WORD = "celltrail"  # of ``log_with``
_hand: Any = Nobody()


def on(accelerate: Any, hand: Any) -> Callable[[], None]:
    """Be a word of ``log_with``."""
    global _hand
    _hand = hand
    return hand.imported("accelerate.tracking", _be_a_word)


def _be_a_word(tracking: Any) -> Callable[[], None]:
    known: dict[str, Any] = tracking.LOGGER_TYPE_TO_CLASS
    tracking.register_tracker_class(tracker_class())
    return lambda: known.pop(WORD, None)


@lru_cache(maxsize=1)
def tracker_class() -> type:
    """The tracker, made once the library has its part of it."""
    tracking: Any = import_module("accelerate.tracking")

    class Tracker(tracking.GeneralTracker):
        """Writes what ``accelerator.log`` is given into the current run, or into one of its own."""

        name = WORD
        requires_logging_directory = False

        def __init__(self, run_name: str, **more: Any) -> None:
            super().__init__()
            run = ct.current()
            self._is_own, self._run = run is None, run or ct.start(run_name, **more)
            self._series = Series(_hand, self._run, "accelerate")

        @property
        def tracker(self) -> ct.Run:
            """The run itself."""
            return self._run

        @tracking.on_main_process
        def store_init_configuration(self, values: Mapping[str, Any]) -> None:
            """The library's protocol: settings become params."""
            _hand.describe(self._run, params=dict(values))

        @tracking.on_main_process
        def log(self, values: Mapping[str, Any], step: int | None = None, **more: Any) -> None:
            """The library's protocol: numbers become points."""
            self._series.log({key_of(name): value for name, value in values.items()}, step)

        @tracking.on_main_process
        def finish(self) -> None:
            """The library's protocol: a run that this tracker began is over."""
            if self._is_own:
                self._run.finish()

    return Tracker

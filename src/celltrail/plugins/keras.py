"""Keras 3, by its public callback. Tested with Keras 3.15.1.

In a tracked cell ``model.fit(...)`` tells by itself; anywhere else
``callbacks=[celltrail.plugins.keras.callback_class()()]`` does. A point an epoch: ``loss`` is ``train/loss``,
``val_loss`` is ``val/loss``, and ``train/lr`` is the optimizer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Key, Nobody, Series, key_of

_hand: Any = Nobody()


def on(keras: Any, hand: Any) -> Callable[[], None]:
    """Hear of each model that is fitted."""
    global _hand
    _hand = hand
    return hand.calls(_around)


def _around(call: Any) -> None:
    if call.name == "fit" and call.owner is not None and call.accepts("callbacks"):
        given = call.argument("callbacks")
        callbacks = given if isinstance(given, list | tuple) else [] if given is None else [given]
        call.kwargs["callbacks"] = [*callbacks, callback_class()()]


@lru_cache(maxsize=1)
def callback_class() -> type:
    """The callback, made once the library has its part of it."""
    base: Any = import_module("keras").callbacks.Callback

    class Callback(base):
        """Writes each epoch into the current run."""

        def __init__(self) -> None:
            super().__init__()
            self._series: Series | None = None

        def on_train_begin(self, logs: Any = None) -> None:
            """The library's protocol."""
            run = ct.current()
            self._series = None if run is None else Series(_hand, run, "keras")
            if run is not None and getattr(self.model, "built", False):
                _hand.describe(run, summary={"parameters": int(self.model.count_params())})

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            """The library's protocol."""
            if _hand.stopped(self._tell, epoch, logs or {}):
                self.model.stop_training = True

        def _tell(self, epoch: int, logs: Mapping[str, Any]) -> None:
            if self._series is None:
                return
            values = {key_of(name): value for name, value in logs.items()}
            rate = getattr(self.model.optimizer, "learning_rate", None)
            if rate is not None:
                values.setdefault(Key("train", "lr", "learning_rate"), float(rate))
            self._series.log(values, epoch)

    return Callback

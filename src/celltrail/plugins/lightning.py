"""Lightning, by its public logger. Tested with Lightning 2.6.6.

In a tracked cell ``trainer.fit(...)``, ``validate`` and ``test`` tell by themselves; anywhere else
``Trainer(logger=celltrail.plugins.lightning.logger_class()())`` does. Metrics keep the names that ``self.log`` gives
them, as ``split/name``: ``train_loss`` is ``train/loss``; the step is Lightning's, ``epoch`` a further axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Nobody, Series, key_of

_hand: Any = Nobody()


def on(lightning: Any, hand: Any) -> Callable[[], None]:
    """Hear of each Trainer that fits."""
    global _hand
    _hand = hand
    return hand.calls(_around)


def _around(call: Any) -> Callable[[Any], object] | None:
    trainer = call.owner
    if call.name not in ("fit", "validate", "test") or not hasattr(trainer, "loggers"):
        return None
    before, kind = list(trainer.loggers), logger_class()
    if any(isinstance(each, kind) for each in before):
        return None
    trainer.loggers = [*before, kind(trainer)]

    def after(result: Any) -> None:
        trainer.loggers = before

    return after


@lru_cache(maxsize=1)
def logger_class() -> type:
    """The logger, made once the library has its part of it."""
    loggers: Any = import_module("lightning.pytorch.loggers.logger")
    rank_zero_only: Any = import_module("lightning.pytorch.utilities").rank_zero_only

    class Logger(loggers.Logger):
        """Writes what a module logs into the current run, or into one of its own."""

        def __init__(self, trainer: Any = None) -> None:
            super().__init__()
            self._trainer = trainer  # that is told to stop; one who gave the logger by hand sees the exception
            run = ct.current()
            self._is_own, self.run = run is None, run or ct.start()
            self._series = Series(_hand, self.run, "lightning")
            self._series.reserve("train/loss")
            self._kept: set[tuple[str, int]] = set()  # checkpoints that were told of, and when they were written

        @property
        def name(self) -> str:
            """The library's protocol."""
            return self.run.name

        @property
        def version(self) -> str:
            """The library's protocol."""
            return self.run.id

        @rank_zero_only
        def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
            """The library's protocol."""
            given = dict(params or {}).items()
            told = {name: value for name, value in given if isinstance(value, bool | int | float | str)}
            _hand.describe(self.run, params=told)

        @rank_zero_only
        def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
            """The library's protocol."""
            if self._trainer is None:
                _hand.guard(self._tell)(metrics, step)
            elif _hand.stopped(self._tell, metrics, step):
                self._trainer.should_stop = True

        @rank_zero_only
        def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
            """The library's protocol: the callback has written one."""
            _hand.guard(self._keep)(checkpoint_callback)

        @rank_zero_only
        def finalize(self, status: str) -> None:
            """The library's protocol."""
            if self._is_own:
                self.run.finish("finished" if status == "success" else "failed")

        def _keep(self, callback: Any) -> None:
            best = getattr(callback, "best_k_models", {})
            for path in (*best, callback.best_model_path, getattr(callback, "last_model_path", "")):
                written = Path(path) if path else None
                if written is not None and written.exists():
                    key = path, written.stat().st_mtime_ns
                    if key not in self._kept:
                        self._kept.add(key)
                        self.run.offer_checkpoint(written, "lightning")

        def _tell(self, metrics: Mapping[str, float], step: int | None) -> None:
            axes = {"epoch": float(metrics["epoch"])} if "epoch" in metrics else {}
            values = {key_of(name): value for name, value in metrics.items() if name != "epoch"}
            self._series.log(values, step, axes=axes)

    return Logger

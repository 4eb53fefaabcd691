"""wandb's callbacks for Keras. Tested with Keras 3.15.1."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import celltrail as ct


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return _classes()[name]
    raise AttributeError(f"celltrail.wandb.integration.keras has no {name!r}; it has {', '.join(_NAMES)}")


_NAMES = ("WandbMetricsLogger", "WandbModelCheckpoint")


@lru_cache(maxsize=1)
def _classes() -> dict[str, type]:
    """The callbacks, made once Keras is asked for."""
    callbacks: Any = import_module("keras").callbacks

    class WandbMetricsLogger(callbacks.Callback):
        """Logs each epoch, under wandb's names: ``epoch/loss``, ``epoch/val_loss``, ``epoch/learning_rate``.

        Args:
            log_freq: "epoch"; "batch" or a number of batches logs ``batch/loss`` besides, every so many batches.
            initial_global_step: of the first batch.
        """

        def __init__(self, log_freq: Any = "epoch", initial_global_step: int = 0, **_: Any) -> None:
            super().__init__()
            self._every = {"epoch": 0, "batch": 1}.get(log_freq, log_freq)
            self._batches = initial_global_step

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            """The library's protocol."""
            told = {f"epoch/{name}": float(value) for name, value in (logs or {}).items()}
            rate = getattr(self.model.optimizer, "learning_rate", None)
            if rate is not None:
                told["epoch/learning_rate"] = float(rate)
            ct.log({**told, "epoch/epoch": epoch})

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            """The library's protocol."""
            self._batches += 1
            if self._every and self._batches % self._every == 0:
                told = {f"batch/{name}": float(value) for name, value in (logs or {}).items()}
                ct.log({**told, "batch/batch_step": self._batches})

    class WandbModelCheckpoint(callbacks.ModelCheckpoint):
        """Keras's own checkpoints; each file that it wrote is kept with the run, by content."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            """The library's protocol."""
            written = Path(str(self.filepath).format(epoch=epoch + 1, **(logs or {})))
            before = written.stat().st_mtime_ns if written.exists() else 0
            super().on_epoch_end(epoch, logs)
            run = ct.current()
            if run is not None and written.exists() and written.stat().st_mtime_ns != before:
                run.log_checkpoint(written)

    return {"WandbMetricsLogger": WandbMetricsLogger, "WandbModelCheckpoint": WandbModelCheckpoint}

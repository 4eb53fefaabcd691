"""Hugging Face's Trainer and all that descend from it, by its public callback. Tested with transformers 5.23.0.

In a tracked cell ``trainer.train()`` and ``trainer.evaluate()`` tell by themselves; anywhere else
``report_to="celltrail"`` does, which begins a run where there is none. What the Trainer logs keeps its names:
``loss`` is ``train/loss``, ``eval_loss`` is ``val/loss``, ``grad_norm`` is the norm before clipping; the step is the
Trainer's, ``epoch`` a further axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import celltrail as ct
from celltrail.plugins.names import TRAINING, Nobody, Series, key_of, metric_of

WORD = "celltrail"  # of ``report_to``
_hand: Any = Nobody()


def on(transformers: Any, hand: Any) -> Callable[[], None]:
    """Hear of each Trainer that trains, and be a word of ``report_to``."""
    global _hand
    _hand = hand
    leave = [hand.calls(_around), hand.imported("transformers.integrations.integration_utils", _be_a_word)]

    def off() -> None:
        for call in leave:
            call()

    return off


def _be_a_word(utils: Any) -> Callable[[], None]:
    known: dict[str, Any] = getattr(utils, "INTEGRATION_TO_CALLBACK", {})  # no promised interface
    known[WORD] = callback_class()

    def off() -> None:
        known.pop(WORD, None)

    return off


def _around(call: Any) -> Callable[[Any], object] | None:
    trainer = call.owner
    handler = getattr(trainer, "callback_handler", None)
    if call.name not in ("train", "evaluate") or handler is None:
        return None
    kind = callback_class()
    if any(isinstance(each, kind) for each in handler.callbacks):
        return None
    ours = kind()
    trainer.add_callback(ours)
    return lambda result: trainer.remove_callback(ours)


def _total(name: str) -> str:
    """What the Trainer says of the whole training: its mean loss is none of the points of the loss.

    >>> _total("train_runtime"), _total("train_loss"), _total("total_flos")
    ('train/runtime_s', 'train/loss_mean', 'total_flos')
    """
    split, metric, _ = key_of(name)
    known = metric_of(metric) if name.startswith("train_") else ""
    return f"{split}/{'loss_mean' if known == 'loss' else known}" if known else name


@lru_cache(maxsize=1)
def callback_class() -> type:
    """The callback, made once the library has its part of it."""
    base: Any = import_module("transformers.trainer_callback").TrainerCallback

    class Callback(base):
        """Writes what a Trainer logs into the current run, or into one of its own."""

        def __init__(self) -> None:
            self._run: ct.Run | None = None
            self._series: Series | None = None
            self._is_own = False

        def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            """The library's protocol."""
            _hand.guard(self._begin)(more.get("model"), getattr(args, "run_name", None))

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
            """The library's protocol."""
            if state.is_world_process_zero and logs and _hand.stopped(self._tell, logs, int(state.global_step)):
                control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            """The library's protocol: a checkpoint is written."""
            if state.is_world_process_zero:
                _hand.guard(self._keep)(Path(args.output_dir) / f"checkpoint-{state.global_step}", state.global_step)

        def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            """The library's protocol."""
            if self._is_own and self._run is not None:
                self._run.finish()

        def _keep(self, folder: Path, step: int) -> None:
            run = self._run or ct.current()
            if run is not None:
                run.offer_checkpoint(folder, "transformers", step=step)

        def _begin(self, model: Any, name: str | None) -> None:
            run = self._run = ct.current()
            if run is None:
                run, self._is_own = ct.start(name), True
                self._run = run
            self._series = Series(_hand, run, "transformers")
            self._series.reserve(*TRAINING)
            if hasattr(model, "num_parameters"):
                _hand.describe(run, summary={"parameters": int(model.num_parameters())})

        def _tell(self, logs: Mapping[str, Any], step: int) -> None:
            run = self._run or ct.current()
            if run is None:
                return
            self._series = self._series or Series(_hand, run, "transformers")
            logs = dict(logs)
            epoch = logs.pop("epoch", None)
            totals = [name for name in logs if name == "total_flos" or name.startswith("train_")]
            if totals:
                _hand.describe(run, summary={_total(name): logs.pop(name) for name in totals})
            values = {key_of(name): value for name, value in logs.items()}
            self._series.log(values, step, axes={} if epoch is None else {"epoch": float(epoch)})

    return Callback

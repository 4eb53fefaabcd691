"""Plain PyTorch loops: each step of an optimizer tells of its rates, its gradients and the variables around it.

Tested with PyTorch 2.13.0, by its public ``register_optimizer_step_post_hook``. Of a run's first optimizer, each step:

- ``train/lr``, or ``train/lr/0``, ``train/lr/1`` ... where groups of parameters differ
- ``train/loss``, ``train/acc`` and the like, from variables of these names in the code that steps, unless its cell
  records them as loop variables anyway: then they are there once, under their own name
- ``train/grad_norm``, the norm before clipping where a variable ``grad_norm`` or ``total_norm`` holds it; otherwise
  ``train/grad_norm_applied``, that of the gradients as the step used them
- ``epoch``, and ``train/samples_per_s`` where a DataLoader in sight tells the size of a batch

The step is the optimizer's, or where a loop variable has the loss, the step of that: with gradients accumulated over
several batches the rate stands at the batch after which the optimizer stepped.

Further optimizers have a number in front: ``train/opt1_lr``. The first 64 steps are looked at, each; after that what it
costs stays below 1 % of the time: when steps are so quick that it would not, every so many-th is looked at, for the
norms of gradients fewer still.
"""

from __future__ import annotations

import math
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from types import FrameType
from typing import Any

import celltrail as ct
from celltrail.plugins.allowance import Pace
from celltrail.plugins.frame import first_binding, of_type, user_frames, variables

NORMS = dict.fromkeys(("grad_norm", "total_norm"), "grad_norm")
LOSSES = {"loss": "loss", "train_loss": "loss", "acc": "acc", "train_acc": "acc", "accuracy": "accuracy"}
SCALARS = {**LOSSES, **NORMS}
RATES = ("lr", "learning_rate")
AT_FIRST = 64  # steps that are looked at whatever that takes
WAIT_S = 1.0  # values on an accelerator are read together this often: reading one waits for the device


def on(torch: Any, hand: Any) -> Callable[[], None]:
    """Hear of every step of every optimizer from now on."""
    steps = _Steps(torch, hand)
    hooks = import_module("torch.optim.optimizer")
    around, look = hand.around, hand.guard(steps.look)

    def after_step(optimizer: Any, args: Any, kwargs: Any) -> None:
        """PyTorch's protocol of a post hook."""
        # most steps of a quick loop: nothing of ours is in the processor's caches by then, so each object that is
        # touched counts, and nothing here can fail
        latest = steps.latest
        if latest and latest.count < latest.due and latest.optimizer() is optimizer and around() is steps.run:
            latest.count += 1
        else:
            look(optimizer, sys._getframe(1))

    return hooks.register_optimizer_step_post_hook(after_step).remove


class _Steps:
    """What is known of the runs whose optimizers step."""

    __slots__ = ("_hand", "_torch", "_trainings", "latest", "run")

    def __init__(self, torch: Any, hand: Any) -> None:
        self._torch, self._hand = torch, hand
        self._trainings: weakref.WeakKeyDictionary[Any, _Training] = weakref.WeakKeyDictionary()
        self.latest: _Stepped | None = None
        self.run: ct.Run | None = None  # of the latest, while it goes on

    def look(self, optimizer: Any, frame: FrameType) -> None:
        """An optimizer stepped, called by this code: maybe in another run, maybe another one, maybe one to look at."""
        run = ct.current()
        if run is None:
            return
        training = self._trainings.get(run)
        if training is None:
            training = self._trainings[run] = _Training(run, self._torch, self._hand)
            run.at_end(self._hand.guard(training.close), self._forget)
        self.latest, self.run = training.step(optimizer, frame), run if run.is_running else None

    def _forget(self) -> None:
        self.latest = self.run = None


@dataclass(slots=True)
class _Stepped:
    """What is known of one optimizer of a run."""

    prefix: str  # of its series
    run: weakref.ref[ct.Run]
    optimizer: weakref.ref[Any]
    count: int = 0  # of its steps
    due: int = 0  # the next one to look at
    pace: Pace = field(default_factory=lambda: Pace(0.004, AT_FIRST))
    norms: Pace = field(default_factory=lambda: Pace(0.002, AT_FIRST))


class _Training:
    """The steps of one run."""

    def __init__(self, run: ct.Run, torch: Any, hand: Any) -> None:
        self._run, self._torch, self._hand = weakref.ref(run), torch, hand
        self._optimizers: weakref.WeakKeyDictionary[Any, _Stepped] = weakref.WeakKeyDictionary()
        self._waiting: list[tuple[int, dict[str, Any]]] = []  # with tensors that are still on their device
        self._written = time.perf_counter()
        self._rate = _Rate()
        self._leave = run.outlive()  # what waits on a device is written when the run has ended
        self._told: set[str] = set()
        self._refused: set[str] = set()  # of which another plug-in tells
        self._is_sampled = False
        self._has_recorded = False  # whether the code that steps binds a loss that is recorded as a loop variable

    def step(self, optimizer: Any, frame: FrameType) -> _Stepped:
        """One step is over: put away what it tells, unless that would take too much of the user's time."""
        stepped = self._optimizers.get(optimizer) or self._meet(optimizer)
        number, run = stepped.count, self._run()
        stepped.count = number + 1
        if run is not None and number >= stepped.due:
            self._look(run, stepped, optimizer, number, frame)
            stepped.due = stepped.pace.due
        return stepped

    def _look(self, run: ct.Run, stepped: _Stepped, optimizer: Any, number: int, frame: FrameType) -> None:
        prefix = stepped.prefix
        if number > stepped.pace.last + 1:
            self._pass_over(run)
        began, norms_ns = time.thread_time_ns(), 0
        frames = tuple(user_frames(frame))
        recorded = self._hand.recorded(run)
        values = self._around(frames, prefix, recorded)
        if recorded.isdisjoint(RATES):
            values.update(_rates(optimizer, f"train/{prefix}lr"))
        if recorded.isdisjoint(NORMS) and f"train/{prefix}grad_norm" not in values:
            if stepped.norms.is_due(number):
                norm_began = time.thread_time_ns()
                values |= self._norm(optimizer, f"train/{prefix}grad_norm_applied")
                norms_ns = stepped.norms.looked(number, norm_began)
            else:
                self._pass_over(run)
        if not prefix:
            values |= self._rate.told(number, frames, self._torch.utils.data.DataLoader)
        for name in values.keys() - self._told - self._refused:
            (self._told if self._hand.claims(run, name) else self._refused).add(name)
        if self._refused:
            values = {name: value for name, value in values.items() if name not in self._refused}
        self._waiting.append((self._at(run, number), values))
        if time.perf_counter() - self._written > WAIT_S or not any(map(self._is_elsewhere, values.values())):
            self.write()
        stepped.pace.looked(number, began + norms_ns)

    def _at(self, run: ct.Run, number: int) -> int:
        """Where this step of an optimizer stands among what else is recorded of the training."""
        at = self._hand.recorded_step(run) if self._has_recorded else None
        return number if at is None else at

    def _now(self, stepped: _Stepped) -> int:
        """Where the step that an optimizer was at last stands."""
        run = self._run()
        return stepped.count - 1 if run is None else self._at(run, stepped.count - 1)

    def write(self) -> None:
        """Log what waits; this is where the host waits for the device."""
        self._written = time.perf_counter()
        waiting, self._waiting = self._waiting, []
        run = self._run()
        if run is None:
            return
        is_led = self._hand.is_led(run)
        for number, values in waiting:
            told = {name: _number(value) for name, value in values.items()}
            if is_led:
                self._log_along(run, number, told)
            else:
                run.log(told, step=number)

    def _log_along(self, run: ct.Run, number: int, told: dict[str, Any]) -> None:
        """Into a training that another plug-in leads: a stop would tear it here, and is that one's to see to."""
        import numpy as np

        if told:
            times = np.array([run.writer.clock()])
            run.log_block(tuple(told), np.array([number]), times, np.array([list(told.values())], dtype=float))

    def close(self) -> None:
        """The run has ended: write what waits, and nothing after it."""
        try:
            run = self._run()
            if run is not None and any(each.count > each.pace.last + 1 for each in self._optimizers.values()):
                self._pass_over(run)
            self.write()
        finally:
            self._leave()

    def _pass_over(self, run: ct.Run) -> None:
        """Say once that steps are left out: a replay, which leaves out others, is compared where both have some."""
        if not self._is_sampled:
            self._is_sampled = True
            self._hand.note(run, sampled=sorted(self._told))

    def _meet(self, optimizer: Any) -> _Stepped:
        known, run = len(self._optimizers), self._run()
        prefix = f"opt{known}_" if known else ""
        stepped = self._optimizers[optimizer] = _Stepped(prefix, self._run, weakref.ref(optimizer))
        if run is not None and not known:
            self._hand.count(run, lambda: self._now(stepped))
        return stepped

    def _is_elsewhere(self, value: Any) -> bool:
        return type(value) is not float and isinstance(value, self._torch.Tensor) and not value.is_cpu

    def _around(self, frames: tuple[FrameType, ...], prefix: str, recorded: set[str]) -> dict[str, Any]:
        """Losses and norms of the innermost code that has any: further out they are of steps before."""
        told: dict[str, Any] = {}
        for frame in frames:
            named = variables(frame, SCALARS)
            if named:
                self._has_recorded = any(name in LOSSES and name in recorded for name in named)
                numbers = {name: self._scalar(value) for name, value in named.items() if name not in recorded}
                for name, number in numbers.items():
                    if number is not None:
                        told.setdefault(f"train/{prefix}{SCALARS[name]}", number)
                break
        for frame in frames if "epoch" not in recorded else ():
            epoch = variables(frame, ("epoch",)).get("epoch")
            if type(epoch) in (int, float):
                return {**told, "epoch": epoch}
        return told

    def _scalar(self, value: Any) -> Any:
        """A number, or the copy of a tensor of one number: without its graph, and not changed by what comes later."""
        if isinstance(value, self._torch.Tensor):
            if value.numel() != 1 or value.is_meta:
                return None
            return value.item() if value.is_cpu else value.detach().clone()
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def _norm(self, optimizer: Any, name: str) -> dict[str, Any]:
        torch, params = self._torch, (p for group in optimizer.param_groups for p in group["params"])
        gradients = [gradient for p in params if (gradient := p.grad) is not None]
        if not gradients or any(gradient.is_sparse for gradient in gradients):
            return {}
        kind, wanted, norm = torch.Tensor, torch.float32, torch.linalg.vector_norm
        if all(type(each) is kind and each.is_cpu and each.dtype is wanted for each in gradients):
            # the same, but for what it takes to tell them apart by devices and types, which is half of it
            return {name: math.hypot(*[norm(gradient).item() for gradient in gradients])}
        return {name: self._scalar(torch.nn.utils.get_total_norm(gradients))}


class _Rate:
    """How many samples a second go through the first optimizer, by the loader whose batches it steps on."""

    EVERY_S = 0.5

    def __init__(self) -> None:
        self._since, self._before = time.perf_counter(), 0  # of the first step, number 0, only the end is seen

    def told(self, number: int, frames: tuple[FrameType, ...], kind: type) -> dict[str, float]:
        """The rate since it was last told; nothing where it is not known or not due."""
        passed = time.perf_counter() - self._since
        if passed < self.EVERY_S:
            return {}
        steps, self._before, self._since = number - self._before, number, time.perf_counter()
        for frame in frames:
            loaders = of_type(frame, kind)
            if len(loaders) > 1:
                loaders = {name: loader for name, loader in loaders.items() if "train" in name.lower()}
            if len(loaders) == 1 and not _accumulates(frame):
                (loader,) = loaders.values()
                return {"train/samples_per_s": steps * loader.batch_size / passed} if loader.batch_size else {}
        return {}


def _accumulates(frame: FrameType) -> bool:
    """Whether the code names what it does with gradients: then a step is not a batch."""
    return any("accum" in name.lower() for name in (*first_binding(frame.f_code), *frame.f_code.co_names))


def _rates(optimizer: Any, name: str) -> dict[str, float]:
    rates = [_number(group["lr"]) for group in optimizer.param_groups if "lr" in group]
    if not all(isinstance(rate, int | float) for rate in rates):
        return {}
    if len(set(rates)) == 1:
        return {name: rates[0]}
    return {f"{name}/{place}": rate for place, rate in enumerate(rates)}


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value

"""Optuna in a tracked cell: each trial of ``study.optimize`` is a run below the cell's. Tested with Optuna 5.0.0.

A trial's run has its params, what it reported on the way as ``intermediate``, and ``objective`` (``objective_0``,
``objective_1`` ... of several) in the direction that the study goes; the cell's run has ``objective`` trial by trial.
Anywhere else ``study.optimize(..., callbacks=[celltrail.plugins.optuna.record])`` does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import celltrail as ct
from celltrail.plugins.names import Nobody
from celltrail.plugins.stopping import stopped

_hand: Any = Nobody()
_PLAIN = bool | int | float | str


def on(optuna: Any, hand: Any) -> Callable[[], None]:
    """Hear of each study that optimizes."""
    global _hand
    _hand = hand
    return hand.calls(_around)


def record(study: Any, trial: Any) -> None:
    """Record a trial that has ended, for scripts: ``study.optimize(objective, callbacks=[record])``."""
    run = ct.current()
    if run is not None:
        _record(run, study, trial)


def _around(call: Any) -> None:
    if call.name == "optimize" and hasattr(call.owner, "trials") and call.accepts("callbacks"):
        ours = partial(_hand.guard(_record), call.run)  # threads of the study have no run of their own
        call.kwargs["callbacks"] = [*(call.argument("callbacks") or ()), ours]


def _record(run: ct.Run, study: Any, trial: Any) -> None:
    goals = ["max" if direction.name == "MAXIMIZE" else "min" for direction in study.directions]
    values = list(trial.values or ())
    names = ["objective"] if len(goals) == 1 else [f"objective_{place}" for place in range(len(goals))]
    state = trial.state.name.lower()
    told = dict(zip(names, values, strict=False)) if state == "complete" else {}  # a pruned one has what it had so far
    for name, goal in zip(names, goals, strict=True):
        run.define_metric(name, goal=goal)  # pyright: ignore[reportArgumentType]
    is_stopped = bool(told) and stopped(run.log, told, step=trial.number)
    tags = ("trial",) if state == "complete" else ("trial", state)
    seconds = max(0.0, trial.duration.total_seconds()) if trial.duration else 0.0  # a clock may be set back
    with run.trial(f"trial {trial.number}", trial.params, tags=tags, seconds=seconds) as own:
        for name, goal in zip(names, goals, strict=True):
            own.define_metric(name, goal=goal)  # pyright: ignore[reportArgumentType]
        for step, value in sorted(trial.intermediate_values.items()):
            is_stopped |= stopped(own.log, {"intermediate": value}, step=step)
        is_stopped |= bool(told) and stopped(own.log, told, step=trial.number)
        own.learn(summary={name: value for name, value in trial.user_attrs.items() if isinstance(value, _PLAIN)})
        own.finish("failed" if state == "fail" else "finished")
    if is_stopped:
        study.stop()

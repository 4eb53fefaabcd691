"""Optuna in a tracked cell: each trial of ``study.optimize`` is a run below the cell's. Tested with Optuna 5.0.0.

A trial's run has its params, what it reported on the way as ``intermediate``, and ``objective`` (``objective_0``,
``objective_1`` ... of several) in the direction that the study goes; the cell's run has ``objective`` trial by trial.
Anywhere else ``study.optimize(..., callbacks=[celltrail.plugins.optuna.record])`` does the same.
"""

from __future__ import annotations

from collections.abc import Callable
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


def _around(call: Any) -> Callable[[Any], object] | None:
    study = call.owner
    if call.name != "optimize" or not hasattr(study, "get_trials") or not call.accepts("callbacks"):
        return None
    known = _failed(study).keys()
    told: set[int] = set()

    def ours(study: Any, trial: Any) -> None:
        told.add(trial.number)
        _record(call.run, study, trial)  # threads of the study have no run of their own

    def after(_: Any) -> None:
        """A trial whose error ends the search is told to no callback."""
        for number, trial in _failed(study).items():
            if number not in known and number not in told:
                _write(call.run, study, trial)

    call.kwargs["callbacks"] = [*(call.argument("callbacks") or ()), _hand.guard(ours)]
    return after


def _failed(study: Any) -> dict[int, Any]:
    return {trial.number: trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "FAIL"}


def _record(run: ct.Run, study: Any, trial: Any) -> None:
    if _write(run, study, trial):
        study.stop()


def _write(run: ct.Run, study: Any, trial: Any) -> bool:
    """Write a trial down; whether the run is asked to stop."""
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
    return is_stopped

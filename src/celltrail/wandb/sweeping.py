"""``wandb.sweep`` and ``wandb.agent``: a sweep in this process, each trial a run of the trail."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import celltrail as ct
from celltrail.wandb.missing import left_out

_HOW = {"grid": "grid", "random": "random", "bayes": "optuna"}
_PLACES = 200  # of a parameter in multiples: so many values at most
_sweeps: dict[str, Mapping[str, Any]] = {}
trial: dict[str, Any] | None = None  # the parameters of the trial at work


def sweep(sweep: Mapping[str, Any], entity: str | None = None, project: str | None = None, **_: Any) -> str:
    """Describe a sweep; `agent` does it.

    Args:
        sweep: ``method`` ("grid", "random" or "bayes"), ``parameters``, and ``metric`` with ``name`` and ``goal``.
        entity: accepted, and of no meaning here.
        project: accepted: the runs are in the project that they are begun in.

    Returns:
        The name by which `agent` finds it.
    """
    if sweep.get("method") not in _HOW:
        raise ct.BadValue(f"the method of a sweep is {', '.join(_HOW)}, and not {sweep.get('method')!r}")
    space(sweep.get("parameters") or {})
    left_out(name for name, value in sweep.items() if value)
    name = f"{sweep.get('name') or 'sweep'}-{uuid4().hex[:8]}"
    _sweeps[name] = sweep
    return name


def agent(sweep_id: str, function: Callable[[], Any] | None = None, count: int | None = None, **_: Any) -> None:
    """Call the function once for each trial; in it ``wandb.init()`` gives the trial's run and its config.

    Args:
        sweep_id: as `sweep` gave it.
        function: takes nothing.
        count: how many trials; of a grid all of them without it.
    """
    about = _sweeps.get(sweep_id.rpartition("/")[2])
    if about is None:
        raise ct.BadValue(f"there is no sweep {sweep_id!r} in this process; it is what wandb.sweep(...) gave")
    if function is None:
        raise ct.BadValue("an agent needs a function here: programs are not started for a sweep")
    how: Any = _HOW[about["method"]]
    count = count or about.get("run_cap")
    if count is None and how != "grid":
        raise ct.BadValue(f"a {about['method']} sweep has no end: give wandb.agent(..., count=20)")
    metric = about.get("metric") or {}
    goal: Any = {"minimize": "min", "maximize": "max"}.get(metric.get("goal", ""))

    def tried(**point: Any) -> None:
        global trial
        trial = point
        try:
            function()
        finally:
            trial = None

    ct.sweep(
        tried,
        space(about["parameters"]),
        how,
        name=sweep_id.rpartition("/")[2],
        trials=None if how == "grid" else count,
        metric=metric.get("name"),
        goal=goal,
    )


def space(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What wandb writes of parameters, as `celltrail.sweep` takes it.

    >>> space({"lr": {"min": 1e-4, "max": 0.1, "distribution": "log_uniform_values"}, "depth": {"values": [2, 3]},
    ...        "seed": {"value": 7}})
    {'lr': (0.0001, 0.1, 'log'), 'depth': [2, 3], 'seed': [7]}
    """
    return {name: _choice(name, told) for name, told in parameters.items()}


def _choice(name: str, told: Mapping[str, Any]) -> Any:
    if "values" in told:
        return list(told["values"])
    if "value" in told:
        return [told["value"]]
    how = told.get("distribution", "")
    if {"min", "max"} <= told.keys() and how in ("", "uniform", "int_uniform"):
        return told["min"], told["max"]
    if {"min", "max"} <= told.keys() and how == "log_uniform_values":
        return told["min"], told["max"], "log"
    if {"min", "max"} <= told.keys() and how == "log_uniform":  # its ends are exponents of e
        return math.exp(told["min"]), math.exp(told["max"]), "log"
    if {"min", "max"} <= told.keys() and how in ("q_uniform", "q_log_uniform_values"):
        return _multiples(told["min"], told["max"], told.get("q", 1), is_log=how != "q_uniform")
    raise ct.BadValue(
        f"{name} is {dict(told)!r}; a parameter here has values, value, or min and max (uniform, log_uniform_values, "
        "log_uniform, q_uniform or q_log_uniform_values)"
    )


def _multiples(low: float, high: float, q: float, *, is_log: bool) -> list[float]:
    """Multiples of ``q`` from one end to the other; at even distances, or at even ratios.

    >>> _multiples(32, 64, 8, is_log=False), _multiples(8, 256, 8, is_log=True)[:4]
    ([32, 40, 48, 56, 64], [8, 16, 24, 32])
    """
    shares = [place / (_PLACES - 1) for place in range(_PLACES)]
    wanted = [low * (high / low) ** share if is_log else low + (high - low) * share for share in shares]
    return sorted({min(max(round(each / q) * q, low), high) for each in wanted})

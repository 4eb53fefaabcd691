"""``import celltrail.wandb as wandb``: scripts written for wandb record into the trail, with no account and no network.

What such a script uses day by day: `init` (with ``id`` and ``resume``), `log`, `config`, `summary`, `finish`,
`define_metric`, `watch`, `alert`, `Artifact` with `log_artifact` and `use_artifact`, `save`, `sweep` and `agent`, the
charts of `plot`, the callbacks of ``wandb.integration`` for Keras, XGBoost and LightGBM, and the media `Image`,
`Table`, `Histogram`, `Audio`, `Video`, `Html`. Settings that are about accounts, servers and processes (``entity``,
``mode="online"``, ``settings`` ...) are accepted and mean nothing here; ``mode="disabled"`` records nothing. What is
not there says so when it is asked for.

>>> import celltrail.wandb as wandb
>>> with wandb.init(project="demo", config={"lr": 0.1}) as run:
...     run.log({"loss": 0.5, "val": {"acc": 0.9}})
...     wandb.config.lr
0.1
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import celltrail as ct
from celltrail.wandb import plot, sweeping
from celltrail.wandb.artifacts import Artifact
from celltrail.wandb.media import Audio, Histogram, Html, Image, Plotly, Table, Video
from celltrail.wandb.missing import absent, left_out
from celltrail.wandb.running import AlertLevel, Run
from celltrail.wandb.settings import Settings
from celltrail.wandb.sweeping import agent, sweep

__all__ = [
    "AlertLevel", "Artifact", "Audio", "Histogram", "Html", "Image", "Plotly", "Run", "Settings", "Table", "Video",
    "agent", "alert", "config", "define_metric", "finish", "init", "log", "log_artifact", "log_model", "login", "plot",
    "restore", "run", "save", "setup", "summary", "sweep", "termlog", "termwarn", "unwatch", "use_artifact",
    "use_model", "watch",
]  # fmt: skip

run: Run | None
config: Settings
summary: Settings
_run: Run | None = None


def init(
    entity: str | None = None,
    project: str | None = None,
    *,
    name: str | None = None,
    notes: str | None = None,
    tags: Iterable[str] | None = None,
    config: Any = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    id: str | None = None,
    resume: bool | str | None = None,
    config_exclude_keys: Iterable[str] | None = None,
    config_include_keys: Iterable[str] | None = None,
    fork_from: str | None = None,
    resume_from: str | None = None,
    **more: Any,
) -> Run:
    """Begin a run; one that was begun so before and goes on is finished first.

    Args:
        entity: accepted, and of no meaning here.
        project: the run's project.
        name: the run's name; named by its time without one.
        notes: plain text.
        tags: short labels.
        config: settings, as a mapping or an object with attributes such as ``argparse.Namespace``.
        group: runs that belong together.
        job_type: becomes a tag.
        mode: "disabled" records nothing; every other one is the same here.
        id: a name of yours by which the run can be resumed; or the id of a run.
        resume: "allow", "auto" or True go on with the run of this id where there is one, "must" only then, "never" only
            where there is none. Without it a run that has the id already is left alone, and another one begun.
        config_exclude_keys: settings to leave out.
        config_include_keys: the only settings to take.
        fork_from: ``"ID?_step=200"``: another run, whose points up to this step it shares.
        resume_from: ``"ID?_step=200"``: the run to go on with, from this step.

    Within `agent` it is the run of the trial, with the trial's parameters as its config.
    """
    global _run
    if _run is not None:
        _run.finish()
    left_out(argument for argument, value in more.items() if value)
    given = _settings(config, set(config_include_keys or ()), set(config_exclude_keys or ()))
    if (mode or os.environ.get("WANDB_MODE")) == "disabled":
        _run = Run(None, given)
        return _run
    if sweeping.trial is not None:
        _run = Run(ct.current(), {**given, **sweeping.trial}, ends=False)
        return _run
    key = id or os.environ.get("WANDB_RUN_ID") or ""
    before = _before(key, resume or os.environ.get("WANDB_RESUME"))
    labels = [*([tags] if isinstance(tags, str) else tags or ()), *([job_type] if job_type else ())]
    where: dict[str, Any] = {"resume": before}
    for verb, told in (("fork", fork_from), ("resume", resume_from)):
        if told:
            where = _at(verb, told)
    own = ct.start(
        name or os.environ.get("WANDB_NAME"),
        tags=labels,
        notes=notes or "",
        group=group,
        project=project or os.environ.get("WANDB_PROJECT"),
        **where,
    )
    if key and key != own.id:
        own.summary["wandb_id"] = key
    _run = Run(own, given, key)
    return _run


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_: Any) -> None:
    """`Run.log` of the run that `init` began."""
    _current().log(data, step, commit)


def finish(exit_code: int | None = None, **_: Any) -> None:
    """End the run; without one nothing happens."""
    global _run
    if _run is not None:
        _run.finish(exit_code)
        _run = None


def define_metric(name: str, step_metric: Any = None, **more: Any) -> None:
    """`Run.define_metric` of the run that `init` began."""
    _current().define_metric(name, step_metric, **more)


def watch(models: Any, criterion: Any = None, log: Any = "gradients", log_freq: int = 1000, **_: Any) -> None:
    """`Run.watch` of the run that `init` began."""
    _current().watch(models, criterion, log, log_freq)


def unwatch(models: Any = None) -> None:
    """Nothing: models are watched until their run ends."""


def alert(title: str, text: str = "", level: Any = None, wait_duration: Any = 60, **_: Any) -> None:
    """`Run.alert` of the run that `init` began."""
    _current().alert(title, text, level, wait_duration)


def log_artifact(
    artifact: Any, name: str | None = None, type: str | None = None, aliases: Sequence[str] | None = None, **_: Any
) -> Any:
    """`Run.log_artifact` of the run that `init` began."""
    return _current().log_artifact(artifact, name, type, aliases)


def log_model(path: Any, name: str | None = None, aliases: Sequence[str] | None = None, **_: Any) -> None:
    """`Run.log_model` of the run that `init` began."""
    _current().log_model(path, name, aliases)


def use_model(name: str) -> str:
    """`Run.use_model` of the run that `init` began."""
    return _current().use_model(name)


def save(glob_str: Any, base_path: Any = None, policy: str = "live", **_: Any) -> list[str]:
    """`Run.save` of the run that `init` began."""
    return _current().save(glob_str, base_path, policy)


def restore(name: str, run_path: str | None = None, replace: bool = False, root: str | None = None) -> Any:
    """`Run.restore` of the run that `init` began; of any run where none was begun and ``run_path`` names it."""
    return (Run(None, {}) if _run is None or _run.is_over else _run).restore(name, run_path, replace, root)


def login(*_: Any, **__: Any) -> bool:
    """Nothing to log in to: True."""
    return True


def setup(*_: Any, **__: Any) -> None:
    """Nothing: there is no process beside this one."""


def termlog(string: str = "", **_: Any) -> None:
    """A line on the error stream."""
    sys.stderr.write(f"{string}\n")


termwarn = termlog


def use_artifact(artifact_or_name: Any, type: str | None = None, **_: Any) -> Any:
    """`Run.use_artifact` of the run that `init` began."""
    return _current().use_artifact(artifact_or_name, type)


def _settings(config: Any, only: set[str], without: set[str]) -> dict[str, Any]:
    if isinstance(config, str):
        raise ct.BadValue(f"config={config!r} is a text; read the file first and give what it holds, as a mapping")
    if hasattr(config, "flag_values_dict"):  # flags of absl
        config = config.flag_values_dict()
    given = config if isinstance(config, Mapping) else vars(config) if config is not None else {}
    return {name: value for name, value in given.items() if (not only or name in only) and name not in without}


def _at(verb: str, told: str) -> dict[str, Any]:
    """What ``fork_from`` and ``resume_from`` say, as `celltrail.start` takes it."""
    ref, _, step = told.rpartition("/")[2].partition("?_step=")
    if not step.isdecimal():
        raise ct.BadValue(f"{verb}_from={told!r} names no step; it is the id of a run and a step: 'ID?_step=200'")
    return {verb: _before(ref, "must"), "step": int(step)}


def _before(key: str, resume: bool | str | None) -> str | None:
    """The run to go on with, by its id."""
    if not resume or not key:
        return None
    found = [run.id for run in ct.runs() if key in (run.id, run.summary.get("wandb_id"))]
    if resume == "must" and not found:
        raise ct.CelltrailError(f"there is no run of the id {key!r} to resume; resume='allow' begins one")
    if resume == "never" and found:
        raise ct.CelltrailError(f"there is a run of the id {key!r} already, and resume='never'")
    return found[0] if found else None


def _current() -> Run:
    if _run is None or _run.is_over:
        raise ct.CelltrailError("no run was begun: call wandb.init() first")
    return _run


def __getattr__(name: str) -> Any:
    if name == "run":
        return None if _run is None or _run.is_over else _run
    if name in ("config", "summary"):
        return getattr(_current(), name)
    raise absent("celltrail.wandb", name, __all__)

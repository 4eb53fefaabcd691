"""How runs begin, by `start` or by the environment, and how a program that ends ends them."""

from __future__ import annotations

import atexit
import getpass
import inspect
import os
import platform
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from celltrail.errors import BadValue, CelltrailError, nearest
from celltrail.model import RunRecord, changed, new_id, now_us
from celltrail.run import joining, onward
from celltrail.run.attribution import current, current_block, enter, open_runs
from celltrail.run.copying import PATIENCE_S, copier
from celltrail.run.events import Started, tell
from celltrail.run.facts import as_params, as_tags
from celltrail.run.keeper import keeper
from celltrail.run.recording import Run
from celltrail.run.seeding import set_seed
from celltrail.run.values import check_name
from celltrail.run.workers import is_rank, is_worker, joined, let_go
from celltrail.store import Store, locate, present
from celltrail.store.log.ranks import rank_here
from celltrail.store.root import project_of

# as `Run.describe` takes them
_FACTS = {"cell_id", "notebook", "code", "environment", "executions", "problems", "parent", "summary", "data", "models"}
_ELSEWHERE = {"config": "params", "id": "name", "run_name": "name", "experiment": "project", "description": "notes"}


def start(
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    tags: str | Iterable[str] = (),
    notes: str = "",
    group: str | None = None,
    project: str | None = None,
    resume: str | None = None,
    fork: str | None = None,
    step: int | None = None,
    seed: int | None = None,
    store: Store | None = None,
    **facts: Any,
) -> Run:
    """Begin a run; it is in the trail when this returns, and the current run until it ends.

    Where ``CELLTRAIL_RUN_ID`` names a run that another process writes, this process joins it instead: a
    rank or worker has a log of its own, and name, params and the rest are those of the process that owns
    the run. So do the ranks that ``notebook_launcher`` makes in a cell that is a run.

    Args:
        name: what you call it; need not be unique. Without one, the run is named after the time.
        params: name -> value; numbers, text, booleans, None, and lists or dicts of them.
        tags: short labels to find it by; one alone needs no list.
        notes: plain text.
        group: runs that belong together, such as the seeds of one setting.
        project: "default" unless given or in ``CELLTRAIL_PROJECT``.
        resume: the name or id of a run that has ended or whose process died: it goes on under the same id, and
            whatever else is given here is added to it. ``run.step`` is the last step that was logged.
        fork: the name or id of another run: the new one shares its params and its points up to ``step``, and is
            its child.
        step: where to fork, after the last step unless given; with ``resume`` the step to rewind to: later points
            stay in the history, marked, and no longer count. Can be part of the name, as in
            ``fork="baseline@500"``.
        seed: seed random, NumPy and PyTorch with this number first. Without it no generator is touched.
        store: the trail to write to; found by `celltrail.store.locate` unless given.
        facts: where the run comes from, as in `Run.describe`.

    Raises:
        NoRun: there is no run to resume or fork.
        BadValue: the run to resume is still running, it never reached this step, or a value is not allowed.

    >>> from celltrail.run import current
    >>> run = start("demo", {"lr": 0.1}, tags=["first"])
    >>> run.params["lr"], current() is run
    (0.1, True)
    >>> run.finish()
    """
    if resume is not None and fork is not None:
        raise BadValue("resume goes on with a run and fork begins another one; give one of the two")
    if step is not None and resume is None and fork is None:
        raise BadValue("step says where a run is resumed or forked; give resume or fork as well")
    if resume is None and fork is None and is_rank() and (theirs := joined()):
        theirs.params.update(params or {})
        return theirs
    if seed is not None:
        facts["environment"] = {**facts.get("environment", {}), "seeds": dict(set_seed(seed))}
    if unknown := facts.keys() - _FACTS:
        raise BadValue(_no_argument(min(unknown)))
    now = now_us()
    run_id, rank = joining.named() or (new_id(), rank_here() if resume is not None else 0)
    record = RunRecord(
        id=run_id,
        name=check_name(name, "run") if name else time.strftime("run %Y-%m-%d %H:%M:%S", time.localtime(now / 1e6)),
        status="running",
        project=project_of(project),
        created_us=now,
        started_us=now,
        group=group,
        user=_user(),
        host=platform.node(),
        tags=as_tags(tags),
        notes=(notes,) if notes else (),
        params=as_params(params or {}),
    )
    store, before = store or Store(locate()), None
    record = replace(record, parent=_parent(store))
    if resume is not None and rank:
        record = replace(record, id=onward.referred(resume, step, store)[0].id)
    elif resume is not None:
        record, before = onward.resume(record, resume, step, store, name)
        facts["executions"] = (*record.executions, *facts.get("executions", ()))
        facts["environment"] = {**record.environment, **facts.get("environment", {})}
    elif fork is not None and not rank:
        record, before = onward.fork(record, fork, step, store, name)
    run = Run(store, changed(record, **facts), rank, joins=rank > 0, before=before)
    run.at_end(keeper.add(run), enter(run))
    _finish_with_worker()
    tell(Started(run))
    if run.writer.owns:
        present.announce(present.Told(run.store.root, run.id))
    return run


def log(values: Mapping[str, Any] | None = None, step: int | None = None, **more: Any) -> None:
    """Record numbers in the current run, as `Run.log` does; in a worker process without one, only warn.

    Args:
        values: metric name -> number, such as ``{"train/loss": 0.3}``.
        step: any whole number; counted when left out.
        more: axes, or metrics whose names are Python words: ``ct.log(loss=0.3, epoch=0.5)``.

    Raises:
        CelltrailError: no run is active.
        BadValue: a value is not a number; the others of the call are recorded all the same.

    >>> with start("demo") as run:
    ...     log({"train/loss": 0.3}, step=10)
    >>> run.step
    10
    """
    run = current()
    if run is None and joining.named():
        run = start()
    if run is None and is_worker():
        _tell_of_no_run()
        return
    (run or _active()).log(values, step, **more)


def _active() -> Run:
    run = current()
    if run is None:
        raise CelltrailError("no run is active: put %%track on the cell, or begin one with ct.start()")
    return run


def knob(name: str, value: float, low: float | None = None, high: float | None = None) -> float:
    """A number that people can change in the chart while the current run trains; outside a run, just the value.

    Args:
        name: what the slider is called.
        value: the value until somebody changes it; an integer stays one.
        low: the least it can be set to.
        high: the most.

    Raises:
        BadValue: the value is not a finite number, or not between low and high.

    >>> knob("lr", 1e-3, 1e-5, 1e-1)
    0.001
    """
    run = current()
    return value if run is None else run.knob(name, value, low, high)


def watch(model: Any, every: int = 50) -> None:
    """Record the layers of a PyTorch model while the current run trains it, as `Run.watch` does.

    Args:
        model: a ``torch.nn.Module``.
        every: look at weights and gradients every so many steps of the optimizer.

    Raises:
        CelltrailError: no run is active.
        BadValue: it is not a model of a known library.

    >>> watch("resnet")
    Traceback (most recent call last):
    celltrail.errors.CelltrailError: no run is active: put %%track on the cell, or begin one with ct.start()
    """
    _active().watch(model, every)


def _no_argument(name: str) -> str:
    """What to say of an argument of `start` that there is not: other trackers have other words for some."""
    own = [name for name, each in inspect.signature(start).parameters.items() if each.kind is not each.VAR_KEYWORD]
    meant = _ELSEWHERE.get(name)
    tail = f"; did you mean {meant!r}?" if meant else nearest(name, own)
    return f"ct.start() takes no {name!r}{tail or ';'} it takes {', '.join(own)}"


def _parent(store: Store) -> str | None:
    """The run around this one: of the block it begins in, or of the process that made this one."""
    run = current_block()
    if run is not None:
        return run.id
    told = present.outer()
    return told.run if told is not None and told.root == store.root else None


def _user() -> str:
    return _user_of(*map(os.environ.get, ("LOGNAME", "USER", "LNAME", "USERNAME")))


@lru_cache(maxsize=8)  # without these variables a file of the system is read
def _user_of(*_: str | None) -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's numeric user has no entry
        return ""


@lru_cache(maxsize=1)  # once in each worker
def _tell_of_no_run() -> None:
    warnings.warn(
        "celltrail: nothing is recorded, for the process that made this worker is in no run; put %%track on the cell, "
        "or begin one with ct.start() before the workers are at work",
        RuntimeWarning,
        stacklevel=3,
    )


def _finish_with_worker() -> None:
    """A process of multiprocessing leaves without running atexit, but runs what is registered there."""
    util = sys.modules.get("multiprocessing.util")
    if util and is_worker():
        util.Finalize(None, _finish_all, exitpriority=0)


@atexit.register
def _finish_all() -> None:
    """End what the program left open: a script that ran through has finished, a kernel was interrupted."""
    let_go()
    in_kernel = "ipykernel" in sys.modules or hasattr(sys, "ps1")
    error: BaseException | None = getattr(sys, "last_value", None)
    for run in open_runs.copy():  # finishing takes it out
        if in_kernel:
            run.finish("interrupted")
        else:
            run.finish(error=error)
    copier.wait(PATIENCE_S)

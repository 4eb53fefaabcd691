"""A run executed again in a fresh kernel, and judged."""

from __future__ import annotations

import getpass
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

from celltrail.capture.files.own import own_folder
from celltrail.errors import BadValue
from celltrail.model import RunRecord, new_id, now_us
from celltrail.query import find
from celltrail.query.runs import open_store
from celltrail.query.stored import StoredRun
from celltrail.replay.attempt import attempt, trail
from celltrail.replay.building import build, uv_here
from celltrail.replay.folder import copied
from celltrail.replay.foreseen import Foreseen, Reason, foresee
from celltrail.replay.how import How, Progress, Tell, Where
from celltrail.replay.judgement import judge
from celltrail.replay.slices import Mode, Slice, slice_of
from celltrail.replay.verdict import Replay
from celltrail.store import Store

RTOL = 1e-6  # of what a processor computed
RTOL_GPU = 1e-3
_MOST_CAUSES = 20


def replay(
    run: str | StoredRun | RunRecord,
    mode: Literal["auto", "minimal", "full"] = "auto",
    *,
    rtol: float | None = None,
    cwd: Where | None = None,
    isolated: bool = False,
    timeout: float | None = None,
    trust: bool = False,
    store: Store | Path | str | None = None,
    tell: Tell = lambda progress: None,
) -> Replay:
    """Execute a run again from its record alone, in a fresh kernel, and say whether it gives the same.

    Before each cell the random generators get the states they had then. Your kernel is not touched; cells that may
    write files work in a copy of the folder. Of a run that was resumed or forked, the last process is executed again,
    from the recorded points that came before.

    Args:
        run: a run, its name or its id.
        mode: "minimal" runs the cells that the run depends on, "full" all that ran before it; "auto" tries the first
            and, if that fails or drifts, the second.
        rtol: the largest relative difference that counts as within tolerance; None is 1e-6, on a GPU 1e-3.
        cwd: "same" works in the run's own folder, "copy" in a copy of it; None copies if something may be written.
        isolated: first build the environment that the run had, Python and packages in their versions, and run in
            that; needs uv (``pip install uv``), and is kept for the next time.
        timeout: the most seconds that one cell may take; None is no limit.
        trust: also run code that another person recorded.
        store: another trail; that of the working folder unless given.
        tell: called with the progress, as a `Progress`, which prints as a few words.

    Returns:
        The replay: ``.verdict`` is "reproduced", "within-tolerance", "drifted" or "cannot-run"; ``.first`` is the first
        difference, ``.causes`` what may explain it, ``.reason`` why it cannot run.

    Raises:
        NoRun: there is no such run, or no cell recorded it.
        BadValue: the run was recorded by somebody else, and ``trust`` was not given.
        CelltrailError: ``isolated`` was asked for, and there is no uv.

    >>> replay("baseline").verdict  # doctest: +SKIP
    'reproduced'
    """
    if mode not in ("auto", "minimal", "full"):
        raise BadValue(f"mode is auto, minimal or full, not {mode!r}")
    how = How(rtol, cwd, isolated, timeout, tell)
    found = find(run, open_store(store))
    if found.status == "running":
        raise BadValue(f"run {found.name!r} is still running; replay it when it has ended")
    if not trust and found.user and found.user != _user():
        raise BadValue(
            f"run {found.name!r} was recorded by {found.user!r}, and a replay runs its code; look at it with "
            "ct.slice() and pass trust=True"
        )
    if isolated:
        uv_here()
    began = time.monotonic()
    told = _tried(found, ["minimal", "full"] if mode == "auto" else [mode], how)
    told.seconds = time.monotonic() - began
    found.store.edit_all({found.id: {f"replay:{new_id()}": told.kept(now_us())}})
    return told


def _tried(run: StoredRun, modes: list[Mode], how: How) -> Replay:
    """The replay in the first of these modes that stands or is explained."""
    project = own_folder(run, Path.cwd())
    told: Replay | None = None
    for mode in modes:
        part = slice_of(run, mode)
        if told is not None and len(part) == len(told.plan):
            break
        ahead = foresee(part, project, isolated=how.isolated)
        wider = _judged(part, ahead, project, how, _widened(told))
        if told is not None and wider.verdict == "cannot-run":
            told.notes.append(f"all that ran before it could not be run either: {wider.causes[0]}")
            break
        told = wider
        if told or ahead.explains or told.reason not in (None, "failed"):
            break
    assert told is not None
    return told


def _widened(before: Replay | None) -> list[str]:
    """What the narrower attempt had to say."""
    if before is None:
        return []
    what = "drifted" if before.verdict == "drifted" else "could not be run"
    return [f"the {len(before.plan)} cells it depends on alone {what}, so all that ran before it were run too"]


def _judged(part: Slice, ahead: Foreseen, project: Path, how: How, notes: list[str]) -> Replay:
    """Run a slice, if it can be, and judge it."""
    told = Replay(run=part.run.id, name=part.run.name, mode=part.mode, plan=part, isolated=how.isolated, notes=notes)
    told.causes = [*ahead.causes, *(f"chance: {what}" for what in ahead.chance)][:_MOST_CAUSES]
    told.notes += [f"not held back from writing outside the folder: {what}" for what in ahead.unguarded]
    told.notes += _taken(part.run)
    stops: list[tuple[Reason, str]] = [*ahead.stops]
    built = None
    if how.isolated and not stops:
        built = build(part.run, lambda text: how.tell(Progress(text)))
        told.notes += built.notes
        stops.extend(("environment-differs", text) for text in built.stops)
    if stops:
        told.verdict, told.reason = "cannot-run", stops[0][0]
        told.causes = [*(text for _, text in stops), *told.causes]
        return told
    copies = how.cwd == "copy" or (how.cwd is None and ahead.writes)
    with trail() as place, copied(project) if copies else nullcontext(project) as folder:
        made = attempt(part, place, folder, how, built)
        judge(told, made, how.rtol if how.rtol is not None else RTOL_GPU if _is_gpu(part) else RTOL)
    return told


def _taken(run: StoredRun) -> list[str]:
    """What of a run is not replayed, but taken as it was recorded."""
    record = run.record
    if record.resumes:
        step = record.resumes[-1].step
        upto = "what came before" if step is None else f"its points up to step {step:,}"
        return [f"it was resumed: {upto} are taken as recorded, and its last process is replayed"]
    if record.fork_step is not None:
        return [f"it is a fork: its points up to step {record.fork_step:,} are those of its parent"]
    return []


def _is_gpu(part: Slice) -> bool:
    return any(name.startswith("torch.cuda.") for step in part for name in step.rng)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's numeric user has no entry
        return ""

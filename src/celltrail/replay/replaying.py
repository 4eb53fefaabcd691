"""A run executed again in a fresh kernel, and judged."""

from __future__ import annotations

import getpass
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal

from celltrail.capture.files.own import own_folder
from celltrail.capture.transform import read
from celltrail.errors import BadValue
from celltrail.model import RunRecord, new_id, now_us
from celltrail.query import find
from celltrail.query.runs import open_store
from celltrail.query.stored import StoredRun
from celltrail.replay.folder import copied
from celltrail.replay.foreseen import VARIABLES, Foreseen, Reason, foresee
from celltrail.replay.inside import WouldWrite
from celltrail.replay.judging import (
    SeriesVerdict,
    Verdict,
    compare_series,
    differing_values,
    measured,
    same_text,
    worst,
)
from celltrail.replay.kernel import Answer, Fresh, fresh
from celltrail.replay.slices import Mode, Slice, Step, slice_of
from celltrail.replay.verdict import First, Replay
from celltrail.store import Store

RTOL = 1e-6  # of what a processor computed
RTOL_GPU = 1e-3
_MOST_CAUSES = 20
Tell = Callable[[str], object]


@dataclass(slots=True)
class _Attempt:
    """One execution of a slice, and what came of it."""

    part: Slice
    answers: list[Answer] = field(default_factory=list)
    failed: tuple[Step, Answer] | None = None
    pairs: list[tuple[StoredRun, StoredRun]] = field(default_factory=list)  # recorded and replayed, in order
    seconds: float = 0.0


def replay(
    run: str | StoredRun | RunRecord,
    mode: Literal["auto", "minimal", "full"] = "auto",
    *,
    rtol: float | None = None,
    cwd: Literal["copy", "same"] | None = None,
    timeout: float | None = None,
    trust: bool = False,
    store: Store | Path | str | None = None,
    tell: Tell = lambda text: None,
) -> Replay:
    """Execute a run again from its record alone, in a fresh kernel, and say whether it gives the same.

    Before each execution the generators of random numbers get the states they had then. Nothing of the user's kernel
    is touched; where the cells may write files, they work in a copy of the folder.

    Args:
        run: a run, its name or its id.
        mode: "minimal" runs what the run depends on, "full" all that ran before it; "auto" tries the first and, where
            that fails or drifts, the second.
        rtol: the relative difference up to which a point is within tolerance; None is 1e-6, on a GPU 1e-3.
        cwd: "same" works in the run's own folder, "copy" in a copy of it; None copies where something may be written.
        timeout: seconds that one cell may take; None is no limit.
        trust: whether to run code that another person recorded.
        store: the trail; None is the one of the working folder.
        tell: is told how far it is, in a few words.

    Raises:
        NoRun: there is no such run, or no cell recorded it.
        BadValue: the run was recorded by somebody else, and ``trust`` was not given.
    """
    _check(mode, rtol, cwd, timeout)
    found = find(run, open_store(store))
    if found.status == "running":
        raise BadValue(f"run {found.name!r} is still running; replay it when it has ended")
    if not trust and found.user and found.user != _user():
        raise BadValue(
            f"run {found.name!r} was recorded by {found.user!r}, and a replay runs its code; look at it with "
            "ct.slice() and pass trust=True"
        )
    began = time.monotonic()
    project = own_folder(found, Path.cwd())
    modes: list[Mode] = ["minimal", "full"] if mode == "auto" else [mode]
    told: Replay | None = None
    for each in modes:
        part = slice_of(found, each)
        if told is not None and len(part) == len(told.plan):
            break
        ahead = foresee(part, project)
        wider = _judged(part, ahead, project, rtol, cwd, timeout, tell, _widened(told))
        if told is not None and wider.verdict == "cannot-run":
            told.notes.append(f"all that ran before it could not be run either: {wider.causes[0]}")
            break
        told = wider
        if told or ahead.explains or told.reason not in (None, "failed"):
            break
    assert told is not None
    told.seconds = time.monotonic() - began
    _keep(found, told)
    return told


def _check(mode: str, rtol: float | None, cwd: str | None, timeout: float | None) -> None:
    if mode not in ("auto", "minimal", "full"):
        raise BadValue(f"mode is auto, minimal or full, not {mode!r}")
    if cwd not in (None, "copy", "same"):
        raise BadValue(f"cwd is copy or same, not {cwd!r}")
    if rtol is not None and not 0 <= rtol < 1:
        raise BadValue(f"rtol is a relative difference from 0 to 1, not {rtol!r}")
    if timeout is not None and not timeout > 0:
        raise BadValue(f"timeout is a number of seconds above 0, not {timeout!r}")


def _widened(before: Replay | None) -> list[str]:
    """What the narrower attempt had to say."""
    if before is None:
        return []
    what = "drifted" if before.verdict == "drifted" else "could not be run"
    return [f"the {len(before.plan)} cells it depends on alone {what}, so all that ran before it were run too"]


def _judged(
    part: Slice, ahead: Foreseen, project: Path, rtol: float | None, cwd: str | None, timeout: float | None,
    tell: Tell, notes: list[str],
) -> Replay:  # fmt: skip
    """Run a slice, if it can be, and judge it."""
    told = Replay(run=part.run.id, name=part.run.name, mode=part.mode, plan=part, notes=notes)
    told.causes = [*ahead.causes, *(f"chance: {what}" for what in ahead.chance)][:_MOST_CAUSES]
    told.notes += [f"not held back from writing outside the folder: {what}" for what in ahead.unguarded]
    if ahead.stops:
        told.verdict, told.reason = "cannot-run", ahead.stops[0][0]
        told.causes = [*(text for _, text in ahead.stops), *told.causes]
        return told
    copies = cwd == "copy" or (cwd is None and ahead.writes)
    with _trail() as trail, copied(project) if copies else nullcontext(project) as folder:
        attempt = _run(part, trail, folder, timeout, tell)
        _judge(told, attempt, RTOL_GPU if rtol is None and _is_gpu(part) else RTOL if rtol is None else rtol)
    return told


@contextmanager
def _trail() -> Generator[Path]:
    """A trail of the replay's own, gone afterwards."""
    folder = mkdtemp(prefix="celltrail-replay-")
    try:
        yield Path(folder) / ".celltrail"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(part: Slice, trail: Path, folder: Path, timeout: float | None, tell: Tell) -> _Attempt:
    attempt = _Attempt(part)
    began = time.monotonic()
    store = Store(trail)
    states = trail.parent / "states"
    states.mkdir()
    with fresh(_working_folder(part.run, folder), _environment(part.run, trail)) as kernel:
        kernel.run("%load_ext celltrail", silent=True)
        kernel.run(_inside("guard", [str(folder), str(trail.parent)]), silent=True)
        known: set[str] = set()
        replayed: list[tuple[str, str]] = []
        for number, step in enumerate(part.steps, 1):
            tell(f"replaying {part.run.name}: cell {number} of {len(part)}")
            _restore(kernel, part, step, states)
            answer = kernel.run(_marked(step), timeout)
            attempt.answers.append(answer)
            new = sorted({record.id for record in store.records()} - known)
            known.update(new)
            if step.run is not None and new:
                replayed.append((step.run, new[0]))
            if not _ended_as_recorded(step, answer):
                attempt.failed = step, answer
                break
    for then, now in replayed:
        attempt.pairs.append((find(then, part.run.store), find(now, store)))
    attempt.seconds = time.monotonic() - began
    return attempt


def _working_folder(run: StoredRun, folder: Path) -> Path:
    """Where the notebook is, which is where its kernel worked."""
    place = folder / Path(run.notebook or "").parent
    return place if run.notebook and place.is_dir() else folder


def _environment(run: StoredRun, trail: Path) -> dict[str, str | None]:
    recorded = run.environment
    found: dict[str, str | None] = {name: recorded.get(name) for name in VARIABLES}
    return found | {
        "CELLTRAIL_STORE": str(trail),
        "CELLTRAIL_QUIET": "1",
        "CELLTRAIL_OFF": None,
        "JPY_SESSION_NAME": None,
    }


def _restore(kernel: Fresh, part: Slice, step: Step, states: Path) -> None:
    """The generators as they were when the execution began."""
    places: list[str] = []
    for digest in step.rng.values():
        place = states / digest
        if digest and not place.exists():
            place.write_bytes(part.run.store.blobs.get(digest))
        places.append(str(place))
    if places:
        kernel.run(_inside("restore", places, "globals()"), silent=True)


def _inside(verb: str, told: list[str], more: str = "") -> str:
    """Code that calls a verb of `inside` and binds no name."""
    return f'__import__("celltrail.replay.inside", fromlist=[""]).{verb}({told!r}, {more})'


def _marked(step: Step) -> str:
    """The code of an execution, marked where it became a run without a mark of its own."""
    return f"%%track --no-chart\n{step.code}" if step.run is not None and read(step.code) is None else step.code


def _ended_as_recorded(step: Step, answer: Answer) -> bool:
    if answer.status == "ok":
        return True  # one that failed then and does not now is told by its values
    return answer.status == "error" and answer.ename == step.error


def _judge(told: Replay, attempt: _Attempt, rtol: float) -> None:
    told.cells_s = sum(answer.seconds for answer in attempt.answers)
    if attempt.failed is not None:
        _judge_failed(told, *attempt.failed)
        return
    for then, now in attempt.pairs:
        before, after = differing_values(then.needs.get("values", {}), now.needs.get("values", {}))
        series = compare_series(then, now, rtol)
        is_target = then.id == told.run
        if is_target:
            told.series, told.measured = series, measured(then)
        bad = _first_bad(series)
        if told.first is None and (before or bad or after):
            told.first = _first(then, before, bad, after)
        if is_target:
            told.outputs_same = same_text(then, now)
            told.verdict = _verdict(series, after, told.outputs_same)
    if told.verdict == "":
        told.verdict, told.reason = "cannot-run", "failed"
        told.causes.insert(0, "the cell ran, but nothing recorded it as a run")
    elif told.verdict == "drifted" and not told.causes:
        told.causes.append("nothing that was recorded explains it: hidden state, threads or the library itself")


def _judge_failed(told: Replay, step: Step, answer: Answer) -> None:
    told.verdict, told.reason = "cannot-run", "not-replayable" if answer.ename == WouldWrite.__name__ else "failed"
    place = "the run's own cell" if step.is_target else f"cell [{step.count}]"
    what = {
        "timeout": f"took longer than it was given, {answer.seconds:.0f} s",
        "died": "ended the kernel",
        "error": answer.evalue if answer.ename == WouldWrite.__name__ else f"raised {answer.ename}: {answer.evalue}",
    }.get(answer.status, answer.status)
    told.first = First(step.execution, None, None, f"{place} {what}")
    told.causes.insert(0, f"{place} {what}" + (f"; it raised {step.error} when it was recorded" if step.error else ""))


def _first_bad(series: list[SeriesVerdict]) -> SeriesVerdict | None:
    bad = [each for each in series if each.verdict == "drifted"]
    return min(bad, key=lambda each: (each.first_step is None, each.first_step or 0), default=None)


def _first(then: StoredRun, before: list[str], bad: SeriesVerdict | None, after: list[str]) -> First:
    execution = then.record.executions[-1].id
    if before:
        origin = then.lineage.parents.get(before[0], execution)
        return First(origin, None, None, f"`{before[0]}` was another already when run {then.name!r} began")
    if bad is not None:
        text = f"{bad.name} at step {bad.first_step}: {_number(bad.recorded)} then, {_number(bad.replayed)} now"
        return First(execution, bad.name, bad.first_step, text)
    return First(execution, None, None, f"`{after[0]}` is another at the end of run {then.name!r}")


def _verdict(series: list[SeriesVerdict], after: list[str], is_same_text: bool) -> Verdict:
    """By the series; where there are none, by the values left behind and by what was printed."""
    if series:
        return worst(each.verdict for each in series)
    return "drifted" if after or not is_same_text else "reproduced"


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def _is_gpu(part: Slice) -> bool:
    return any(name.startswith("torch.cuda.") for step in part for name in step.rng)


def _keep(run: StoredRun, told: Replay) -> None:
    """The verdict, on the run."""
    run.store.edit_all({run.id: {f"replay:{new_id()}": told.kept(now_us())}})


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's numeric user has no entry
        return ""


__all__ = ["RTOL", "RTOL_GPU", "Reason", "replay"]

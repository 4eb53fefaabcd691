"""`Slice`: the cells behind a run, in the versions that really ran and in the order they ran, as a notebook again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.model import Execution, Json, RunRecord
from celltrail.query import find
from celltrail.query.lineage import SliceStep
from celltrail.query.runs import open_store
from celltrail.query.stored import StoredRun
from celltrail.replay.written import notebook_of, script_of
from celltrail.store import Store
from celltrail.store.files.telling import counted
from celltrail.store.kernels import KernelExecution, folders, session

Mode = Literal["minimal", "full"]
_LOADS = ("%load_ext celltrail", "%reload_ext celltrail")


@dataclass(frozen=True, slots=True)
class Step:
    """One execution of a slice."""

    execution: str
    code: str
    count: int | None = None  # the number in the brackets
    cell: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)  # name -> bound, changed or deleted
    error: str = ""  # the kind of exception it ended with; "" of one that ran to its end
    rng: Mapping[str, str] = field(default_factory=dict)  # library -> digest of its generator's state at the start
    run: str | None = None  # the run it was
    is_target: bool = False

    @property
    def reason(self) -> str:
        """Why it is in the slice, in words."""
        if self.is_target:
            return "the run itself"
        how = [f"{name} ({what})" for name, what in self.why.items()]
        return f"for {', '.join(how)}" if how else "ran before the run"


@dataclass(frozen=True, slots=True)
class Slice:
    """The cells that a run depends on, oldest first, and the run's own.

    `write` writes them as a notebook or a script.
    """

    run: StoredRun
    mode: Mode
    steps: tuple[Step, ...]
    holes: tuple[str, ...] = ()  # what the minimal slice cannot see: it is then the least that is needed

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def write(self, path: Path | str) -> Path:
        """Write these cells to a new file, a notebook or a script by its suffix; returns its path.

        Args:
            path: ends in ``.ipynb`` or ``.py``; a script keeps magics as ``get_ipython()`` calls.

        Raises:
            BadValue: another suffix, or the file already exists.
        """
        place = Path(path)
        make = {".ipynb": notebook_of, ".py": script_of}.get(place.suffix)
        if make is None:
            raise BadValue(f"a slice is written as .ipynb or .py, not {place.name!r}")
        try:
            with place.open("x", encoding="utf-8") as file:
                file.write(make(self.title, [(step.code, step.reason, step.count) for step in self.steps]))
        except FileExistsError:
            raise BadValue(
                f"there is a file {place.name} already, and nothing is overwritten; give another name"
            ) from None
        except OSError as error:
            raise BadValue(f"{place.name} cannot be written: {error.strerror}; give another place") from None
        return place

    @property
    def title(self) -> str:
        """Where it comes from, in lines of text."""
        run = self.run
        packages = run.environment
        known = [f"{name} {packages[name]}" for name in ("python", "numpy", "pandas", "scikit-learn", "torch")
                 if name in packages]  # fmt: skip
        files = [f"{each.path} ({each.hash[:12] or each.how})" for each in run.files if each.mode != "write"]
        lines = [
            f"Run {run.name!r}, {run.id}, of {run.started:%Y-%m-%d %H:%M} UTC, {run.status}.",
            f"{len(self.steps)} executions in the order they ran, {self.mode}"
            + (f"; the least that is needed, because of {', '.join(self.holes)}." if self.holes else "."),
            f"Ran with {', '.join(known)}." if known else "",
            f"Read {', '.join(files[:8])}." if files else "",
            "Random numbers: the states of the generators are in the trail; celltrail replay restores them.",
        ]
        return "\n".join(line for line in lines if line)

    def payload(self) -> dict[str, Json]:
        """As JSON: the run, and each execution with its code and why it is there."""
        steps = [
            {"execution": step.execution, "count": step.count, "cell": step.cell, "code": step.code,
             "why": step.reason, "is_run": step.is_target}
            for step in self.steps
        ]  # fmt: skip
        return {"run": self.run.id, "mode": self.mode, "lower_bound": list(self.holes), "steps": steps}

    def __repr__(self) -> str:
        lines = [f"{self.mode} slice of run {self.run.name!r}: {len(self.steps)} executions"]
        for step in self.steps:
            first = next((line for line in step.code.splitlines() if line.strip()), "(no code kept)")
            lines.append(f"  [{' ' if step.count is None else step.count}] {first[:60]}  {step.reason}")
        return "\n".join(lines)


def slice_of(
    run: str | StoredRun | RunRecord, mode: Mode = "minimal", *, store: Store | Path | str | None = None
) -> Slice:
    """The cells that a run needs, in the order they ran and the versions that ran, its own cell last.

    Args:
        run: a run, its name or its id.
        mode: "minimal" for the cells it depends on, "full" for all that ran in its kernel before it.
        store: another trail; that of the working folder unless given.

    Raises:
        NoRun: there is no such run, or no cell recorded it.

    >>> slice_of("baseline").write("again.ipynb")  # doctest: +SKIP
    PosixPath('again.ipynb')
    """
    if mode not in ("minimal", "full"):
        raise BadValue(f"a slice is minimal or full, not {mode!r}")
    found = find(run, open_store(store))
    own = found.record.executions
    if found.record.resumes:
        own = own[-1:]  # what came before is in the points that it goes on from
    if not own:
        raise NoRun(_no_cell(found))
    told = _told(found)
    lineage = found.lineage
    before = lineage.slice if mode == "minimal" else lineage.full
    mine = {each.id for each in own}
    steps = [_earlier(each, told.get(each.execution)) for each in before if each.execution not in mine]
    steps = [step for step in steps if step.code.strip() not in _LOADS and step.error != "SyntaxError"]
    targets = [_target(each, found, told.get(each.id)) for each in own]
    ordered = sorted([*steps, *targets], key=lambda step: step.execution)
    return Slice(found, mode, tuple(ordered), tuple(lineage.lower_bound))


def _no_cell(run: StoredRun) -> str:
    """Why there is no slice of a run, and of which of the runs below it there is one."""
    below = [child for child in run.children if child.record.executions and child.fork_step is None]
    if not below:
        return (
            f"run {run.name!r} was begun by ct.start(), and no cell recorded what it needed; mark a cell with %%track"
        )
    first, count = below[-1], len(below)
    what = f"a sweep of {counted(count, 'trial')}" if "sweep" in run.tags else f"the parent of {counted(count, 'run')}"
    return (
        f"run {run.name!r} is {what}, and it is those that cells recorded: replay one of them, such as "
        f'{first.name!r}, by ct.replay("{first.id}") or celltrail replay {first.id}; '
        f"ct.run({run.name!r}).children lists them"
    )


def _told(run: StoredRun) -> dict[str, KernelExecution]:
    """What the record of the kernel session tells of the executions around the run."""
    wanted = {each.id for each in run.record.executions}
    for folder in folders(run.store.root):
        found = {each.id: each for each in session(folder).executions}
        if wanted & found.keys():
            return found
    return {}


def _earlier(step: SliceStep, told: KernelExecution | None) -> Step:
    return Step(
        step.execution, step.code, step.count, step.cell, step.why,
        error=told.error if told is not None and told.status != "ok" else "",
        rng=told.rng if told is not None else {},
        run=told.run if told is not None else None,
    )  # fmt: skip


def _target(execution: Execution, run: StoredRun, told: KernelExecution | None) -> Step:
    try:
        code = run.store.blobs.text(execution.code) if execution.code else ""
    except (StoreError, NoRun):
        code = ""
    states = dict(told.rng) if told is not None else {}
    if execution.id == run.record.executions[-1].id:
        states |= run.record.environment.get("rng", {})
    return Step(
        execution.id, code, execution.count, execution.cell_id,
        error=execution.error.ename if execution.error is not None else "",
        rng=states, run=run.id, is_target=True,
    )  # fmt: skip

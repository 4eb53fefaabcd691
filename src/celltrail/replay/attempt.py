"""A slice executed in a fresh kernel, and the runs that came of it beside the recorded ones."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from celltrail.capture.transform import read
from celltrail.query import find
from celltrail.query.stored import StoredRun
from celltrail.replay.building import Built
from celltrail.replay.foreseen import VARIABLES
from celltrail.replay.how import How, Progress
from celltrail.replay.kernel import Answer, Fresh, fresh
from celltrail.replay.onward import Before
from celltrail.replay.slices import Slice, Step
from celltrail.store import Store


@dataclass(slots=True)
class Attempt:
    """One execution of a slice, and what came of it."""

    part: Slice
    answers: list[Answer] = field(default_factory=list)
    failed: tuple[Step, Answer] | None = None
    pairs: list[tuple[StoredRun, StoredRun]] = field(default_factory=list)  # recorded and replayed, in order


@contextmanager
def trail() -> Generator[Path]:
    """A trail of the replay's own, gone afterwards."""
    folder = mkdtemp(prefix="celltrail-replay-")
    try:
        yield Path(folder) / ".celltrail"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def attempt(part: Slice, place: Path, folder: Path, how: How, built: Built | None) -> Attempt:
    """Run a slice.

    Args:
        part: what runs.
        place: the trail that it writes to, in a folder of the replay's own.
        folder: that of the project, or a copy of it.
        how: as it was asked for.
        built: the environment to run in; None is this one.
    """
    found, store, states = Attempt(part), Store(place), place.parent / "states"
    states.mkdir()
    before = Before.of(part.run, store)
    variables = _environment(part.run, place)
    if built is not None:
        variables |= built.variables(place.parent)
    with fresh(_working_folder(part.run, folder), variables, built and built.python) as kernel:
        kernel.run("%load_ext celltrail", silent=True)
        kernel.run(_inside("guard", [str(folder), str(place.parent)]), silent=True)
        known = {record.id for record in store.records()}
        replayed: list[tuple[str, str]] = []
        for done, step in enumerate(part.steps):
            how.tell(Progress(f"replaying {part.run.name}", done, len(part), _first_line(step.code)))
            restore(kernel, part, step, states)
            answer = kernel.run(_marked(before.code(step), step), how.timeout)
            found.answers.append(answer)
            new = sorted({record.id for record in store.records()} - known)
            known.update(new)
            if step.run is not None:
                replayed += before.pairs(step, new)
            if not _ended_as_recorded(step, answer):
                found.failed = step, answer
                break
    found.pairs = [(find(then, part.run.store), find(now, store)) for then, now in replayed]
    return found


def _working_folder(run: StoredRun, folder: Path) -> Path:
    """Where the notebook is, which is where its kernel worked."""
    place = folder / Path(run.notebook or "").parent
    return place if run.notebook and place.is_dir() else folder


def _environment(run: StoredRun, place: Path) -> dict[str, str | None]:
    recorded = run.environment
    found: dict[str, str | None] = {name: recorded.get(name) for name in VARIABLES}
    return found | {
        "CELLTRAIL_STORE": str(place),
        "CELLTRAIL_QUIET": "1",
        "CELLTRAIL_OFF": None,
        "JPY_SESSION_NAME": None,
    }


def restore(kernel: Fresh, part: Slice, step: Step, states: Path) -> None:
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


def _marked(code: str, step: Step) -> str:
    """The code of an execution, marked where it became a run without a mark of its own."""
    return f"%%track --no-chart\n{code}" if step.run is not None and read(code) is None else code


def _first_line(code: str) -> str:
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith(("%%", "#"))), lines[0] if lines else "")[:80]


def _ended_as_recorded(step: Step, answer: Answer) -> bool:
    if answer.status == "ok":
        return True  # one that failed then and does not now is told by its values
    return answer.status == "error" and answer.ename == step.error

"""What a resumed or forked run went on from: put beside its replay, so that its own line finds it there.

Of such a run its last process is replayed. What came before is taken as it was recorded: the points of earlier
processes, or those it shares with the run it was forked from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from celltrail.capture.transform import read
from celltrail.errors import NoRun
from celltrail.query.stored import StoredRun
from celltrail.replay.slices import Step
from celltrail.store import Store
from celltrail.store.upkeep.merge import merge

_OPTION = re.compile(r"""(--(?:resume|fork))(?:=|\s+)("[^"]*"|'[^']*'|\S+)""")


@dataclass(slots=True)
class Before:
    """What a run went on from, and how the line of its cell names that in the trail of a replay."""

    run: str = ""
    refer: str = ""  # behind --resume or --fork
    is_resumed: bool = False
    _parents: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, run: StoredRun, store: Store) -> Before:
        """Bring into the replay's trail what the run needs of others to go on; nothing for most runs.

        Args:
            run: what is replayed.
            store: the replay's trail.
        """
        record = run.record
        if not record.resumes and record.fork_step is None:
            return cls(run.id)
        wanted = list(_ancestors(run)) if not record.resumes else [run.id, *_ancestors(run)]
        merge(run.store.root, store.root, wanted)
        if record.resumes:
            step = record.resumes[-1].step
            return cls(run.id, run.id if step is None else f"{run.id}@{step}", True)
        return cls(run.id, f"{record.parent}@{record.fork_step}")

    def code(self, step: Step) -> str:
        """The code of an execution, its line naming the run that is here in place of the one it was given."""
        mark = read(step.code)
        if step.run != self.run or not self.refer or mark is None:
            return step.code
        lines = step.code.splitlines(keepends=True)
        lines[mark.index] = _OPTION.sub(rf"\1 {self.refer}", lines[mark.index])
        return "".join(lines)

    def pairs(self, step: Step, new: Sequence[str]) -> list[tuple[str, str]]:
        """The recorded run of an execution and the one that came of it."""
        if step.run is None:
            return []
        if step.run == self.run and self.is_resumed:
            return [(self.run, self.run)] if step.is_target else []
        return [(step.run, new[0])] if new else []


def _ancestors(run: StoredRun) -> list[str]:
    """The runs whose points it shares, the nearest first."""
    found: list[str] = []
    record = run.record
    while record.fork_step is not None and record.parent is not None and record.parent not in found:
        found.append(record.parent)
        try:
            record = run.store.record(record.parent)
        except NoRun:
            break
    return found

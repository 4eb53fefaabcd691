"""`Past`: what a session knows of one execution, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, cast

from celltrail.capture.analyze import Names

Status = Literal["running", "ok", "error", "interrupted", "killed", "skipped"]


@dataclass(slots=True, eq=False)
class Past:
    """One execution of this session.

    ``names``, ``code`` and ``rng`` are found in the background: `Session.settle` waits for the names.
    """

    id: str  # of a tracked one also that of its `Execution`
    count: int | None
    cell_id: str | None
    started_us: int
    source: str | None = None  # as it was typed; a `%%scratch` keeps none
    kind: Literal["cell", "nested"] = "cell"
    is_scratch: bool = False
    status: Status = "running"
    ended_us: int | None = None
    code: str = ""  # digest of the text without secrets
    names: Names | None = None
    run: str | None = None
    rng: dict[str, str] = field(default_factory=dict)  # library -> digest of its generator's state at the start
    arrived: dict[str, str] = field(default_factory=dict)  # the same of generators that came into being during it
    error: str = ""  # the kind of exception it ended with
    is_kept: bool = True  # in the trail, once the session has one
    at: int = 0  # how many executions of the session began before it
    facts: dict[str, Any] = field(default_factory=dict)  # what others find out about it


def number(shell: Any, info: Any) -> int:
    """The number of the cell that is about to run: IPython counts it before its hooks, until 9.7 after the body."""
    from IPython import version_info

    release = cast("tuple[int, ...]", version_info)
    return shell.execution_count - (1 if info.store_history and release >= (9, 8) else 0)

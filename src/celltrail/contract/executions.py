"""What ran in a kernel for one run, and in which order."""

from typing import Literal, TypedDict


class Handed(TypedDict):
    """What an execution got from an earlier one."""

    execution: str  # the earlier one
    names: list[str]


class ExecutionShown(TypedDict):
    """One execution of the kernel session of a run."""

    id: str
    count: int | None  # the number in the brackets
    cell: str | None
    nth: int  # of its cell in this session, from 1
    of: int  # executions of that cell up to the run
    status: Literal["running", "ok", "error", "interrupted", "killed", "skipped"]
    error: str  # the kind of exception it ended with
    code: str
    is_whole: bool  # a long one is cut
    run: str  # the id of the run it was, or ""
    name: str  # of that run
    role: Literal["run", "needed", "other"]  # to the run that is looked at
    what: str  # what of it was needed, in words
    got: list[Handed]  # from those that are needed too
    stale: str  # what has become of its cell since, in words, or ""


class ExecutionMap(TypedDict):
    """What ran in the kernel up to a run, oldest first."""

    executions: list[ExecutionShown]
    more: int  # older ones left out
    lower_bound: list[str]  # why more may have been needed

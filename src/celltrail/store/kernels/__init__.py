"""Light records: what ran in a kernel besides its runs, one folder per kernel session.

``kernels/<session>/m/<writer>.<nnnn>.ctl``: a log of events like that of a run, by the same writer and reader. Of
each execution one event tells how it began and one how it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from celltrail.model import RUN_ID, Json
from celltrail.store.files.written import is_written
from celltrail.store.log import logs, reader

FOLDER = "kernels"
BEGAN, ENDED = "execution", "executed"  # the kinds of event


@dataclass(frozen=True, slots=True)
class KernelExecution:
    """One execution of a kernel session, tracked or not, as the trail has it."""

    id: str
    session: str
    count: int | None
    cell_id: str | None
    notebook: str | None
    kind: Literal["cell", "nested"]
    status: Literal["running", "ok", "error", "interrupted", "killed", "skipped"]
    started_us: int
    ended_us: int | None = None
    code: str = ""  # blob digest, "" where the text was not kept
    run: str | None = None
    error: str = ""  # the kind of exception it ended with
    names: dict[str, list[str]] = field(default_factory=dict)  # reads, writes, mutates, deletes
    rng: dict[str, str] = field(default_factory=dict)  # library -> blob digest of its generator's state at the start,
    # or as the generator came into being during it


@dataclass(frozen=True, slots=True)
class KernelSession:
    """The executions of one kernel, from one loading of the extension on, in the order they began."""

    id: str
    started_us: int
    host: str
    is_open: bool  # its kernel may still write
    executions: tuple[KernelExecution, ...]


def folders(trail: Path) -> list[Path]:
    """The folders of the sessions in a trail, newest first."""
    return sorted((each for each in (trail / FOLDER).glob("*") if RUN_ID.fullmatch(each.name)), reverse=True)


def sessions(trail: Path) -> Iterator[KernelSession]:
    """All kernel sessions, newest first; each is read when it is asked for."""
    for folder in folders(trail):
        yield session(folder)


def session(folder: Path) -> KernelSession:
    """The session in this folder, as far as its logs can be read."""
    head: dict[str, Json] = {}
    found: dict[str, KernelExecution] = {}
    for path in logs.paths(folder):
        contents = reader.read(path)
        head = head or contents.head or {}
        for event in contents.events:
            _take(folder.name, event, found)
    is_open = any(map(is_written, logs.paths(folder)))
    executions = [each if is_open or each.status != "running" else replace(each, status="killed")
                  for each in found.values()]  # fmt: skip
    executions.sort(key=lambda each: each.id)
    started = head.get("started", executions[0].started_us if executions else 0)
    return KernelSession(folder.name, started, str(head.get("host", "")), is_open, tuple(executions))


def _take(session: str, event: dict[str, Json], found: dict[str, KernelExecution]) -> None:
    # what a damaged or later trail says otherwise is passed over, like events of kinds nobody knows
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        if event.get("kind") == BEGAN and event["id"] not in found and RUN_ID.fullmatch(event["id"]):
            found[event["id"]] = KernelExecution(
                id=event["id"],
                session=session,
                count=event["n"],
                cell_id=event["cell"],
                notebook=event["notebook"],
                kind="nested" if event["nested"] else "cell",
                status="running",
                started_us=int(event["started"]),
                code=event["code"],
                run=event["run"],
                rng=dict(event["rng"]),
            )
        elif event.get("kind") == ENDED and found[event["id"]].status == "running":
            found[event["id"]] = replace(
                found[event["id"]],
                status=event["status"],
                ended_us=int(event["ended"]),
                error=event["error"],
                names={name: list(names) for name, names in event["names"].items()},
                rng={**found[event["id"]].rng, **event.get("rng", {})},
            )

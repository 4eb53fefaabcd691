"""The cells a run depends on, as they ran and as they stand in its notebook now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from celltrail.capture.session.document import Document
from celltrail.capture.stale import differs
from celltrail.errors import StoreError
from celltrail.query import StoredRun
from celltrail.query.standing import Reason
from celltrail.store import kernels
from celltrail.store.blobs import Blobs
from celltrail.store.kernels import KernelExecution, KernelSession

_MOST_SESSIONS = 50  # that began before the run and are looked into


def upstream(run: StoredRun, document: Document) -> Iterator[Reason]:
    """Which of the cells that the run depends on were edited, deleted, or run again as something else.

    Args:
        run: the run.
        document: its notebook as it stands.
    """
    execution = run.record.executions[-1].id if run.record.executions else ""
    session = session_of(run, execution)
    if session is None:
        return
    blobs = run.store.blobs
    for each in _behind(session.executions, execution, run.needs):
        if each.cell_id is None or not each.code or each.cell_id == run.cell:
            continue
        if became := fate(each, document, blobs):
            place = f"[{each.count}]" if each.count is not None else "a cell"
            yield Reason("upstream", f"{place}, which it depends on, was {became}")


def fate(execution: KernelExecution, document: Document, blobs: Blobs) -> str:
    """What has become of the cell of an execution in its notebook: "edited since", "deleted since", or ""."""
    if execution.cell_id is None or not execution.code or document.is_before(execution.started_us):
        return ""
    source = document.sources.get(execution.cell_id)
    if source is None:
        return "deleted since"
    ran = _text(blobs, execution.code)
    return "edited since" if ran and differs(ran, source) else ""


def session_of(run: StoredRun, execution: str) -> KernelSession | None:
    """The record of the kernel session in which a run's execution was; None where it is gone."""
    # ids begin with their time: a session that began later cannot hold it
    folders = [folder for folder in kernels.folders(run.store.root) if folder.name < execution]
    for folder in folders[:_MOST_SESSIONS]:
        session = kernels.session(folder)
        if any(each.id == execution for each in session.executions):
            return session
    return None


def _behind(executions: Sequence[KernelExecution], execution: str, needs: Mapping[str, Any]) -> list[KernelExecution]:
    """The executions that this one depends on: its slice where it has one, else those that its names lead to."""
    found = needs.get("slice")
    chosen = found.get("minimal") if isinstance(found, Mapping) else None
    if isinstance(chosen, list):
        ids = {step["id"] for step in chosen}
        return [each for each in executions if each.id in ids and each.id != execution]
    at = next(place for place, each in enumerate(executions) if each.id == execution)
    wanted = set(needs.get("names", {}).get("reads", ()))
    kept: list[KernelExecution] = []
    for each in reversed(executions[:at]):
        made = set(each.names.get("writes", ())) | set(each.names.get("mutates", ()))
        if made & wanted:
            kept.append(each)
            # what it made anew is needed no further back
            wanted -= set(each.names.get("writes", ())) - set(each.names.get("reads", ()))
            wanted |= set(each.names.get("reads", ()))
    return kept[::-1]


def _text(blobs: Blobs, digest: str) -> str:
    try:
        return blobs.text(digest)
    except StoreError:
        return ""

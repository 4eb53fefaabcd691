"""The notebook as it was at a run: the cells that had run in its kernel by then, each as it ran last."""

from __future__ import annotations

from collections.abc import Mapping

from celltrail.capture.lineage.upstream import session_of
from celltrail.errors import NoRun, StoreError
from celltrail.query.plain import moment
from celltrail.query.stored import StoredRun
from celltrail.replay.written import notebook_of
from celltrail.store.files.telling import counted
from celltrail.store.kernels import KernelExecution


def as_it_was(run: StoredRun, order: Mapping[str, int]) -> str:
    """A notebook of these cells, the run's own among them, as the trail has them: without secrets.

    Args:
        run: the run.
        order: the places of cells in the notebook as it stands, by their ids; one that it lacks follows the cell that
            ran before it.

    Raises:
        NoRun: no cell recorded the run, or what ran in its kernel is not in the trail any more.
    """
    own = [each.id for each in run.record.executions]
    session = session_of(run, own[-1]) if own else None
    if session is None:
        raise NoRun(f"what ran in the kernel of run {run.name!r} is not in the trail; its own cell is: --as cell")
    last: dict[str, KernelExecution] = {}
    for each in session.executions:
        if each.id <= own[-1] and each.kind == "cell" and each.code:
            last[each.cell_id or each.id] = each
    places: dict[str, int] = {}
    at = -1
    for cell in last:
        at = places[cell] = order.get(cell, at)
    found = [last[cell] for cell in sorted(last, key=places.__getitem__)]
    title = f"The notebook of run {run.name!r} as it was at {moment(run.started.timestamp())}\n" + (
        f"{counted(len(found), 'cell')} that had run in its kernel by then, each as it ran last."
    )
    return notebook_of(title, [(_text(run, each), "", each.count) for each in found])


def _text(run: StoredRun, each: KernelExecution) -> str:
    try:
        return run.store.blobs.text(each.code)
    except (StoreError, NoRun):
        return f"# the text of [{each.count}] is not in the trail any more"

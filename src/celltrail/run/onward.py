"""How a run goes on that is in the trail already: itself after its process is gone, or as a fork of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import Param, RunRecord
from celltrail.store import Store

if TYPE_CHECKING:
    from celltrail.store.onward import Onward

_PLACE = re.compile(r"(.+)@(-?\d+)")


def resume(record: RunRecord, ref: str, step: int | None, store: Store, name: str | None) -> tuple[RunRecord, Onward]:
    """The run that is referred to, as a process goes on with it that would begin ``record``.

    Raises:
        NoRun: there is none.
        BadValue: it has not ended, or it has no such step.
    """
    found, at = referred(ref, step, store)
    if found.is_running:
        raise BadValue(
            f"run {found.name!r} is still running on {found.host or 'some machine'}; "
            "it can be resumed once its process has ended, and forked now"
        )
    onward = store.resumed(found.id, at)
    was = onward.record
    return replace(
        was,
        name=name or was.name,
        group=record.group or was.group,
        user=record.user,
        host=record.host,
        tags=tuple(dict.fromkeys((*found.tags, *record.tags))),
        notes=(*was.notes, *record.notes),
        params=was.params | record.params,
        carried=onward.carried.put(store.blobs),
    ), onward


def fork(record: RunRecord, ref: str, step: int | None, store: Store, name: str | None) -> tuple[RunRecord, Onward]:
    """``record`` as a fork of the run that is referred to: with its params, and its points up to the step.

    Raises:
        NoRun: there is none.
        BadValue: it has no such step.
    """
    found, at = referred(ref, step, store)
    onward = store.forked(found.id, at)
    return replace(
        record,
        name=name or f"{found.name} from {onward.step}",
        project=found.project if record.project == "default" else record.project,
        group=record.group or found.group,
        params={key: _inherited(param) for key, param in found.params.items()} | record.params,
        parent=found.id,
        fork_step=onward.step,
        carried=onward.carried.put(store.blobs),
    ), onward


def referred(ref: Any, step: int | None, store: Store) -> tuple[RunRecord, int | None]:
    """The run that ``ref`` names, and the step behind its ``@`` unless it is given apart."""
    ref = getattr(ref, "id", ref)  # a run that was read back
    if not isinstance(ref, str) or not ref:
        raise BadValue(f"{ref!r} is no run; give its name, its id, or one of them with a step, as in 'baseline@500'")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
        raise BadValue(f"step {step!r} is not a whole number")
    place = _PLACE.fullmatch(ref)
    if step is None and place is not None:
        return store.find(place[1]), int(place[2])
    return store.find(ref), step


def _inherited(param: Param) -> Param:
    return replace(param, rule="api", line=None, origin=None)

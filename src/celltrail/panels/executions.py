"""The execution map of a run: what ran in its kernel, in which order, and what of it the run was made from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from celltrail.capture.files.own import own_folder
from celltrail.capture.lineage.upstream import fate, session_of
from celltrail.capture.session.document import Document
from celltrail.contract import ExecutionMap, ExecutionShown, Handed
from celltrail.errors import NoRun, StoreError
from celltrail.query import StoredRun
from celltrail.query.lineage import SliceStep
from celltrail.store.kernels import KernelExecution

MOST = 200  # executions; the newest of those that were not needed
MOST_CODE = 6000  # characters of one
_WAYS = {"bound": "made", "changed": "changed", "maybe": "may have changed", "deleted": "deleted"}


def executed(run: StoredRun) -> ExecutionMap:
    """What ran in the kernel of a run before it and for it.

    Raises:
        NoRun: no cell recorded it.
    """
    own = [execution.id for execution in run.record.executions]
    if not own:
        raise NoRun(f"run {run.name!r} was begun by ct.start(), and no cell recorded what ran before it")
    lineage = run.lineage
    needed = {step.execution: step for step in lineage.slice}
    ran = _ran(run, own, lineage.slice)
    shown = _some(ran, {*needed, *own})
    given = _given([each for each in shown if each.id in needed or each.id in own], needed)
    document = _document(run)
    nth, of = Counter[str](), Counter(each.cell_id for each in ran if each.cell_id)
    places: dict[str, int] = {}
    for each in ran:
        if each.cell_id:
            nth[each.cell_id] += 1
            places[each.id] = nth[each.cell_id]
    names = {run.id: run.name}
    found: list[ExecutionShown] = []
    for each in shown:
        step, text = needed.get(each.id), _code(run, each)
        is_ours = step is not None or each.id in own
        found.append(
            {
                "id": each.id,
                "count": each.count,
                "cell": each.cell_id,
                "nth": places.get(each.id, 1),
                "of": of[each.cell_id] if each.cell_id else 1,
                "status": each.status,
                "error": each.error,
                "code": text
                if len(text) <= MOST_CODE
                else f"{text[:MOST_CODE]}\n⋯ {len(text) - MOST_CODE:,} characters",
                "is_whole": len(text) <= MOST_CODE,
                "run": each.run or "",
                "name": _name(run, each.run, names),
                "role": "run" if each.id in own else "needed" if step is not None else "other",
                "what": _what(step),
                "got": given.get(each.id, []),
                "stale": fate(each, document, run.store.blobs) if is_ours and document is not None else "",
            }
        )
    return {"executions": found, "more": len(ran) - len(shown), "lower_bound": lineage.lower_bound}


def _ran(run: StoredRun, own: Sequence[str], slice_of: Iterable[SliceStep]) -> list[KernelExecution]:
    """What the record of the session has, and what the run itself keeps: the session began after `%load_ext` did."""
    digests = {step["id"]: step.get("code", "") for step in run.needs.get("slice", {}).get("minimal", ())}
    kept = [
        KernelExecution(
            step.execution, "", step.count, step.cell, None, "cell", "ok", 0, code=digests.get(step.execution, "")
        )
        for step in slice_of
    ]
    mine = [
        KernelExecution(each.id, "", each.count, each.cell_id, None, "cell", each.status, 0, code=each.code, run=run.id)
        for each in run.record.executions
    ]
    session = session_of(run, own[-1])
    told = session.executions if session is not None else ()
    found = {each.id: each for each in (*kept, *mine, *told) if each.id <= own[-1]}
    return [found[each] for each in sorted(found)]


def _some(ran: Sequence[KernelExecution], wanted: set[str]) -> list[KernelExecution]:
    """All that are wanted, and the newest of the others."""
    room = max(0, MOST - sum(each.id in wanted for each in ran))
    others = [each.id for each in ran if each.id not in wanted][-room:] if room else []
    return [each for each in ran if each.id in wanted or each.id in others]


def _given(chosen: Sequence[KernelExecution], needed: Mapping[str, SliceStep]) -> dict[str, list[Handed]]:
    """From which of these each one got what it read; what one only may have changed counts as read alone."""
    maker: dict[str, str] = {}
    found: dict[str, list[Handed]] = {}
    for each in chosen:
        by: dict[str, list[str]] = {}
        for name in _read(each.names):
            if name in maker:
                by.setdefault(maker[name], []).append(name)
        found[each.id] = [{"execution": source, "names": sorted(names)} for source, names in sorted(by.items())]
        made = needed[each.id].why if each.id in needed else each.names.get("writes", ())
        maker.update(dict.fromkeys(made, each.id))
    return found


def _read(names: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield from dict.fromkeys([*names.get("reads", ()), *names.get("mutates", ())])


def _document(run: StoredRun) -> Document | None:
    return Document.of_file(Path(own_folder(run, os.getcwd())) / run.notebook) if run.notebook else None


def _code(run: StoredRun, each: KernelExecution) -> str:
    try:
        return run.store.blobs.text(each.code) if each.code else ""
    except (StoreError, NoRun):
        return ""


def _name(run: StoredRun, of: str | None, known: dict[str, str]) -> str:
    if not of:
        return ""
    if of not in known:
        try:
            known[of] = run.store.record(of).name
        except (StoreError, NoRun):
            known[of] = "a run that is gone"
    return known[of]


def _what(step: SliceStep | None) -> str:
    ways: dict[str, list[str]] = {}
    for name, how in step.why.items() if step is not None else ():
        ways.setdefault(_WAYS.get(how, how), []).append(name)
    return "; ".join(f"{way} {', '.join(names)}" for way, names in ways.items())

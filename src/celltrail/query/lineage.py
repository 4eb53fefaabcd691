"""`Lineage`: where the state that a run began with came from, as its record tells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from celltrail.errors import NoRun, StoreError
from celltrail.model import Json
from celltrail.store import kernels
from celltrail.store.files.encoding import decode

if TYPE_CHECKING:
    from celltrail.store import Store

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class SliceStep:
    """One execution that a run depends on."""

    execution: str
    cell: str | None
    count: int | None  # the number in the brackets
    code: str
    why: dict[str, str]  # name -> bound, changed, maybe (changed) or deleted; empty in the full list


class Lineage:
    """The executions, objects and other runs behind a run; false when nothing was recorded.

    Args:
        needs: what the run's execution needed.
        store: holds the code and the records of sessions.
        execution: the id of that execution.
    """

    def __init__(self, needs: dict[str, Json], store: Store, execution: str = "") -> None:
        self._needs, self._store, self._execution = needs, store, execution

    def __bool__(self) -> bool:
        return "slice" in self._needs

    @property
    def parents(self) -> dict[str, str]:
        """For each name that was read, the execution that bound or changed its object last."""
        return dict(self._needs.get("parents", {}))

    @property
    def flags(self) -> list[dict[str, Json]]:
        """The reasons why the notebook's text alone does not give this state: ``kind``, ``text``, ``cell`` and more."""
        return list(self._needs.get("flags", ()))

    @property
    def edges(self) -> list[dict[str, Json]]:
        """The objects that other runs made (``uses``) or changed (``continues``): ``run``, ``name``, ``kind``."""
        return list(self._needs.get("edges", ()))

    @property
    def is_clean(self) -> bool:
        """Whether there is no flag."""
        return bool(self) and not self.flags

    @cached_property
    def slice(self) -> list[SliceStep]:
        """The earlier executions that the run depends on, oldest first."""
        return [self._step(each) for each in self._needs.get("slice", {}).get("minimal", ())]

    @cached_property
    def full(self) -> list[SliceStep]:
        """Every execution of the kernel session before the run."""
        told = self._needs.get("slice", {}).get("full", {})
        if "session" in told:
            return self._of_session(told)
        chunks = [decode(self._store.blobs.get(digest), "slice") for digest in told.get("chunks", ())]
        return [self._step(each) for part in [*chunks, told.get("rest", ())] for each in part]

    def _of_session(self, told: dict[str, Any]) -> list[SliceStep]:
        # where the record of the session is gone, what the run itself keeps is left
        found = {step.execution: replace(step, why={}) for step in self.slice}
        found |= {each["id"]: self._step(each) for each in told.get("also", ())}
        others = {*told.get("without", ()), *found}
        for each in kernels.session(self._store.root / kernels.FOLDER / told["session"]).executions:
            if each.id < self._execution and each.id not in others:
                found[each.id] = self._step(
                    {"id": each.id, "cell": each.cell_id, "count": each.count, "code": each.code}
                )
        return [found[each] for each in sorted(found)]

    @property
    def lower_bound(self) -> list[str]:
        """What `slice` cannot see, such as a star import: with any of it, `slice` is only the least that is needed."""
        return list(self._needs.get("slice", {}).get("lower_bound", ()))

    def _step(self, told: dict[str, Any]) -> SliceStep:
        try:
            code = self._store.blobs.text(told["code"]) if told.get("code") else ""
        except (StoreError, NoRun, KeyError):  # the rest of the slice is still worth having
            code = ""
        return SliceStep(told["id"], told.get("cell"), told.get("count"), code, dict(told.get("why", {})))

    @property
    def state(self) -> str:
        """One line: ``clean``, or what is to be known of the state; "" when nothing was recorded."""
        if not self:
            return ""
        told = list(dict.fromkeys(str(flag["text"]) for flag in self.flags))
        return ", ".join(told) if told else "clean"

    def __repr__(self) -> str:
        if not self:
            return "<no lineage: no cell recorded this run>"
        lines = [f"state: {self.state}"]
        if self.slice:
            bound = f"; a lower bound, because of {', '.join(self.lower_bound)}" if self.lower_bound else ""
            lines.append(f"depends on {len(self.slice)} of {len(self.full)} earlier executions{bound}")
        for step in self.slice[:_MOST_SHOWN]:
            ways = ((name, "may have changed" if how == "maybe" else how) for name, how in step.why.items())
            names = ", ".join(f"{name} ({how})" for name, how in ways)
            first = next((line for line in step.code.splitlines() if line.strip()), "(no code kept)")
            number = " " if step.count is None else step.count
            lines.append(f"  [{number}] {first[:60]}  for {names}")
        if len(self.slice) > _MOST_SHOWN:
            lines.append(f"  ... and {len(self.slice) - _MOST_SHOWN} more in .slice")
        lines += [f"{edge['kind']} `{edge['name']}` of run {edge['run']}" for edge in self.edges]
        return "\n".join(lines)

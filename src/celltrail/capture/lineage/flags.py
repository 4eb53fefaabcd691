"""Hidden state: what a reader of the notebook could not know of the state that a run began with.

A run without flags gives the same again when its notebook is run from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from celltrail.capture.lineage import History, Slice, Step
from celltrail.capture.lineage.edges import Edge
from celltrail.capture.session.document import Document, source_hash
from celltrail.model import Json

Kind = Literal["edited", "deleted", "order", "redefined", "failed", "unknown", "scratch", "run"]


@dataclass(frozen=True, slots=True)
class Flag:
    """One reason not to trust the notebook's text alone."""

    kind: Kind
    text: str
    cell: str | None = None
    count: int | None = None
    execution: str = ""
    name: str = ""

    def told(self) -> dict[str, Json]:
        """The form that is kept."""
        facts = {key: getattr(self, key) for key in ("kind", "text", "cell", "count", "execution", "name")}
        return {key: value for key, value in facts.items() if value not in (None, "")}


@dataclass(slots=True)
class Version:
    """What a cell was when it ran."""

    source: str | None
    key: str = ""  # of its code without comments
    ended_us: int = 0


def flags(
    history: History,
    found: Slice,
    at: int,
    versions: Sequence[Version],
    document: Document | None,
    edges: Iterable[Edge] = (),
    strange: Iterable[str] = (),
    cell: str | None = None,
) -> list[Flag]:
    """The flags of an execution, in the order of the reasons above.

    Args:
        history: of the session.
        found: the slice of the execution.
        at: its index.
        versions: of the executions, by index.
        document: the notebook.
        edges: to other runs.
        strange: names that were there before anything was recorded, or came from elsewhere than a cell.
        cell: the execution's own.
    """
    kept = {each.index: each for each in found.kept}
    all_flags = [
        *_edited(history, list(kept), at, versions, document),
        *_order(history, list(kept), document, cell),
        *_redefined(history, found, at),
    ]
    for index in kept:
        step = history.steps[index]
        name = min(kept[index].why, default="")
        if step.is_scratch:
            all_flags.append(_flag(step, "scratch", f"`{name}` comes from a %%scratch cell", name))
        elif step.status in ("error", "interrupted", "killed"):
            end = "failed" if step.status == "error" else "was interrupted"
            all_flags.append(_flag(step, "failed", f"depends on {_cell(step.count)}, which {end}", name))
    all_flags += [Flag("unknown", f"no recorded cell made `{name}`", name=name) for name in sorted(strange)]
    for edge in edges:
        if edge.kind == "continues":
            text = f"starts from `{edge.name}` as another run left it"
            all_flags.append(Flag("run", text, execution=edge.execution, name=edge.name))
    return all_flags


def _flag(step: Step, kind: Kind, text: str, name: str = "") -> Flag:
    return Flag(kind, text, step.cell_id, step.count, step.id, name)


def _cell(count: int | None) -> str:
    return f"cell [{count}]" if count is not None else "a cell without number"


def _edited(
    history: History, kept: list[int], at: int, versions: Sequence[Version], document: Document | None
) -> Iterable[Flag]:
    for index in kept:
        step, version = history.steps[index], versions[index]
        if step.cell_id is None or step.is_scratch:
            continue
        later = history.newest(step.cell_id, at + 1)
        if later is not None and later > index and versions[later].key != version.key:
            text = f"{_cell(step.count)} has been edited and rerun; what it made before is still in use"
            yield _flag(step, "edited", text)
        elif document is not None and document.as_of_us >= version.ended_us:
            if step.cell_id not in document.hashes:
                yield _flag(step, "deleted", f"{_cell(step.count)} is no longer in the notebook")
            elif version.source is not None and document.hashes[step.cell_id] != source_hash(version.source):
                yield _flag(step, "edited", f"{_cell(step.count)} was edited after it ran")


def _order(history: History, kept: list[int], document: Document | None, cell: str | None) -> Iterable[Flag]:
    """Kept executions whose cell stands below one that ran after them, and cells that ran more than once."""
    own = document.order.get(cell or "") if document is not None else None
    ceiling = float("inf") if own is None else own
    seen: set[str] = {cell} if cell else set()
    for index in reversed(kept):
        step = history.steps[index]
        if step.cell_id is None:
            continue
        place = document.order.get(step.cell_id) if document is not None else None
        if step.cell_id in seen:
            yield _flag(step, "order", f"{_cell(step.count)} is an earlier execution of a cell that ran again")
        elif place is not None and place > ceiling:
            yield _flag(step, "order", f"{_cell(step.count)} stands below a cell that ran after it")
        seen.add(step.cell_id)
        ceiling = min(ceiling, place) if place is not None else ceiling


def _redefined(history: History, found: Slice, at: int) -> Iterable[Flag]:
    """Names that the slice read, and that an execution outside of the slice set again before the run."""
    kept = {each.index for each in found.kept}
    for each in found.kept:
        step = history.steps[each.index]
        for name in sorted(name for name, why in each.why.items() if why == "bound"):
            later = history.last(name, at, "bound")
            if later is None or later in kept or later <= each.index or name in history.steps[later].touched.reads:
                continue
            text = (
                f"`{name}` of {_cell(step.count)} was set again by {_cell(history.steps[later].count)} before this run"
            )
            yield _flag(step, "redefined", text, name)

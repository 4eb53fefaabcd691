"""What `run.fairness` kept, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltrail.errors import NoRun, nearest
from celltrail.query.items import Item
from celltrail.query.media import EVALUATION
from celltrail.stats.evaluation import Score
from celltrail.stats.fairness import Fairness

if TYPE_CHECKING:
    from celltrail.query.stored import StoredRun

GROUPS, SLICES = "/groups", "/slices"


def fairness_of(run: StoredRun, split: str | None = None) -> Fairness:
    """The newest on a split, or the newest of all.

    Raises:
        NoRun: it was not asked of this run; the sentence names the splits there are.
    """
    tables = [item for item in run.items(kind="table") if item.name.startswith(EVALUATION)]
    heads = [item for item in tables if "gaps" in item.facts]
    found = [item for item in heads if split in (None, _split(item))]
    if not found:
        known = list(dict.fromkeys(map(_split, heads)))
        has = f"it has {', '.join(known)}" if known else "run.fairness(y_true, y_pred, groups=...) does that"
        on = "" if split is None else f" on {split!r}{nearest(split, known) if known else ''}"
        raise NoRun(f"run {run.name!r} was not held against groups{on}; {has}")
    head = found[-1]
    slices = [item for item in tables if item.name == head.name.removesuffix(GROUPS) + SLICES][-1]
    facts = head.facts
    return Fairness(
        _split(head), facts["positive"], [Score(*each) for each in facts["gaps"]], head.value, slices.value,
        list(facts["warnings"]),
    )  # fmt: skip


def _split(item: Item) -> str:
    return item.name.removeprefix(EVALUATION).removesuffix(GROUPS)

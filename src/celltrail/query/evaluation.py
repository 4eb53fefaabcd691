"""What `run.evaluate` kept, read back: of one run, or of several beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from celltrail.errors import BadValue, Damaged, NoRun, nearest
from celltrail.query.items import Item
from celltrail.query.media import EVALUATION as NAME
from celltrail.stats.evaluation import Evaluation, Score

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.query.stored import StoredRun

ROWS = "/rows"
MOST_RUNS = 12


@dataclass(frozen=True, eq=False, repr=False)
class Evaluated(Evaluation):
    """The evaluation of a run; in a notebook, the evaluation panel.

    Attributes:
        run: the run.
    """

    run: StoredRun = field(kw_only=True)


@dataclass(frozen=True)
class Evaluations:
    """The evaluations of several runs on one split; in a notebook, the evaluation panel.

    Attributes:
        split: such as "val".
        each: the evaluations, one for each run that has one.
    """

    split: str
    each: Sequence[Evaluated]

    def df(self) -> pd.DataFrame:
        """A row per run and metric: ``run``, ``metric``, ``value``, ``ci_low``, ``ci_high``, ``ci_method``, ``n``."""
        import pandas as pd

        frames = [one.metrics.reset_index().assign(run=one.run.name) for one in self.each]
        columns = ["run", "metric", "value", "ci_low", "ci_high", "ci_method", "n"]
        return pd.concat(frames, ignore_index=True).loc[:, columns]

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, index: int) -> Evaluated:
        return self.each[index]

    def __repr__(self) -> str:
        return "\n".join(f"{one.run.name}: {one!r}" for one in self.each)


def splits_of(run: StoredRun) -> list[str]:
    """The splits that a run was evaluated on, in the order of the first time."""
    return list(dict.fromkeys(item.name.removeprefix(NAME) for item in run.items(kind="table") if _is_head(item)))


def evaluation_of(run: StoredRun, split: str | None = None) -> Evaluated:
    """The newest evaluation on a split, or the newest of all.

    Raises:
        NoRun: the run was not evaluated on it; the sentence names the splits there are.
    """
    tables = run.items(kind="table")
    heads = [(at, item) for at, item in enumerate(tables) if _is_head(item)]
    found = [(at, item) for at, item in heads if split in (None, item.name.removeprefix(NAME))]
    if not found:
        known = list(dict.fromkeys(item.name.removeprefix(NAME) for _, item in heads))
        has = f"it has {', '.join(known)}" if known else "run.evaluate(y_true, y_pred) does that"
        on = "" if split is None else f" on {split!r}"
        near = nearest(split or "", known) if known and split else ""
        raise NoRun(f"run {run.name!r} was not evaluated{on}{near}; {has}")
    at, head = found[-1]
    rows = [item for item in tables[:at] if item.name == head.name + ROWS]
    if not rows:
        raise Damaged(f"the rows of {head.name!r} of run {run.name!r} are missing")
    columns = ["metric", "value", "ci_low", "ci_high", "ci_method", "n"]
    scores = [Score(*line) for line in head.value[columns].itertuples(index=False, name=None)]
    return Evaluated(
        split=head.name.removeprefix(NAME),
        task=str(head.facts["task"]),
        labels=list(head.facts["labels"]),
        scores=scores,
        table=rows[-1].value,
        signatures=dict(head.facts.get("signatures", {})),
        run=run,
    )


def evaluations_of(runs: Sequence[StoredRun], split: str | None = None) -> Evaluations:
    """Those of the runs that were evaluated on a split; of the newest of the first one where none is named.

    Raises:
        NoRun: none of them was.
        BadValue: they are of different tasks, which cannot stand side by side.
    """
    for run in runs:
        if split is None:
            split = next(iter(reversed(splits_of(run))), None)
    having = [run for run in runs if split in splits_of(run)][:MOST_RUNS]
    if not having:
        known = list(dict.fromkeys(name for run in runs for name in splits_of(run)))
        has = f"; there is {', '.join(known)}" if known else "; run.evaluate(y_true, y_pred) does that"
        on = "" if split is None else f" on {split!r}{nearest(split, known) if known else ''}"
        raise NoRun(f"none of {len(runs)} runs was evaluated{on}{has}")
    found = [evaluation_of(run, split) for run in having]
    tasks = list(dict.fromkeys(one.task for one in found))
    if len(tasks) > 1:
        raise BadValue(f"these runs were evaluated as {' and '.join(tasks)}: ask for those of one task")
    return Evaluations(str(split), found)


def _is_head(item: Item) -> bool:
    return item.name.startswith(NAME) and "task" in item.facts

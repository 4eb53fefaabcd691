"""What `run.explain` kept, read back: of one run, or of several beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celltrail.errors import NoRun, nearest
from celltrail.query.items import Item
from celltrail.stats.explanation import Explanation

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.query.stored import StoredRun

EXPLANATION = "explanation/"
_SHOWN = 12


@dataclass(frozen=True)
class Explanations:
    """One method over several runs, the first of which the others are held against.

    Attributes:
        method: permutation, shap or captum.
        runs: the runs.
        each: the explanation of each.
    """

    method: str
    runs: Sequence[StoredRun]
    each: Sequence[Explanation]

    def df(self) -> pd.DataFrame:
        """A row for each feature and run: ``run``, ``name``, ``feature``, ``mean``, ``sd``, ``rank``."""
        import pandas as pd

        frames = [one.table.assign(run=run.id, name=run.name) for run, one in zip(self.runs, self.each, strict=True)]
        return pd.concat(frames, ignore_index=True).loc[:, ["run", "name", "feature", "mean", "sd", "rank"]]

    @property
    def ranks(self) -> pd.DataFrame:
        """The rank of each feature (down) in each run (across, by name where these differ), by the first."""
        wide: Any = self.df().pivot(index="feature", columns="run", values="rank")[[run.id for run in self.runs]]
        wide = wide.sort_values(self.runs[0].id)
        names = [run.name for run in self.runs]
        return wide if len(set(names)) < len(names) else wide.set_axis(names, axis=1)

    @property
    def changes(self) -> pd.DataFrame:
        """Features whose rank in the last run is another than in the first: ``before``, ``after``, most first."""
        ranks = self.ranks
        found = ranks.iloc[:, [0, -1]].set_axis(["before", "after"], axis=1)
        moved = found[found["before"] != found["after"]]
        return moved.loc[(moved["after"] - moved["before"]).abs().sort_values(ascending=False, kind="stable").index]

    def __repr__(self) -> str:
        names = ", ".join(run.name for run in self.runs)
        lines: Any = self.changes.head(_SHOWN).itertuples()
        moved = [f"  {line.Index}: rank {line.before:g} → {line.after:g}" for line in lines]
        said = moved or ["  no feature has another rank"]
        return "\n".join([f"{self.method} of {names}", *(map(repr, self.each[:1])), *said])


def explanation_of(run: StoredRun, method: str | None = None, split: str | None = None) -> Explanation:
    """The newest of a method on a split, or the newest of all.

    Raises:
        NoRun: there is none; the sentence names those there are.
    """
    heads = [item for item in run.items(kind="table") if item.name.startswith(EXPLANATION) and "method" in item.facts]
    found = [item for item in heads if method in (None, _parts(item)[1]) and split in (None, _parts(item)[0])]
    if not found:
        known = list(dict.fromkeys(_parts(item)[1] for item in heads))
        has = f"it has {', '.join(known)}" if known else "run.explain(model, x, y) does that"
        by = "" if method is None else f" by {method!r}{nearest(method, known) if known else ''}"
        raise NoRun(f"run {run.name!r} was not explained{by}; {has}")
    head = found[-1]
    return Explanation(str(head.facts["method"]), _parts(head)[0], head.value, int(head.facts["of"]))


def explanations_of(runs: Sequence[StoredRun], method: str | None = None) -> Explanations:
    """Those of the runs that were explained by a method; by the newest one of the first run where none is named.

    Raises:
        NoRun: none of them was.
    """
    having: list[tuple[StoredRun, Explanation]] = []
    for run in runs:
        try:
            one = explanation_of(run, method)
        except NoRun:
            continue
        method = one.kind
        having.append((run, one))
    if not having:
        raise NoRun(f"none of {len(runs)} runs was explained; run.explain(model, x, y) does that")
    return Explanations(str(method), [run for run, _ in having], [one for _, one in having])


def _parts(item: Item) -> tuple[str, str]:
    split, _, method = item.name.removeprefix(EXPLANATION).rpartition("/")
    return split, method

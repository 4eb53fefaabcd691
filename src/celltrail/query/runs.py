"""A set of runs: asked for by an expression, sorted, sliced, and shown in five ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, overload

from celltrail.errors import BadValue, NoRun, QueryError
from celltrail.model import Json, RunRecord
from celltrail.query.asking import Cut, InProject, Sorted, Step, Where, answer, goals_of, points_of
from celltrail.query.columns import (
    FACTS,
    Column,
    chosen_columns,
    every_column,
    keys_for,
    read_key,
)
from celltrail.query.drawing import Drawing
from celltrail.query.editing import Edits
from celltrail.query.evaluate import Question
from celltrail.query.forms import Forms
from celltrail.query.language import parse, parse_column
from celltrail.query.media import MOST_RUNS, Media, media_of
from celltrail.query.needs import resolved
from celltrail.query.opening import open_store
from celltrail.query.stored import StoredRun
from celltrail.store.catalogue.facts import Named, fact_of
from celltrail.store.docs.views import View

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from celltrail.contract import RunRow
    from celltrail.query.evaluation import Evaluations
    from celltrail.query.explanation import Explanations
    from celltrail.store import Store

_SHOWN = 20
_AT_ONCE = 256  # records read at once


class RunSet(Forms, Edits[int], Drawing):
    """Runs of a trail, newest first unless sorted; read lazily, and once.

    `where`, `sort` and slices make new sets; ``refresh()`` asks the same question again. The verbs that edit runs
    (`tag`, `archive`, `delete` ...) edit all of them, and return how many.
    """

    def __init__(
        self,
        store: Store,
        steps: tuple[Step, ...] = (),
        columns: Sequence[str] | None = None,
        look: Mapping[str, Json] | None = None,
    ) -> None:
        self.store = store
        self.look: Mapping[str, Json] = look or {}  # how a table shows it, of a saved view
        self._steps = steps
        self._columns = columns  # what is shown unless columns are asked for
        self._ids: list[str] | None = None
        self._hints: list[str] = []
        self._records: dict[str, RunRecord] = {}

    # asking

    def where(self, expression: str) -> RunSet:
        """The runs among these that match an expression.

        Raises:
            QueryError: the expression cannot be read; the error points at the place.

        >>> import celltrail as ct
        >>> with ct.start("a", {"lr": 0.1}): pass
        >>> len(ct.runs().where("params.lr < 1"))
        1
        """
        if not expression.strip():
            return self
        return self._then(Where(expression, parse(expression)))

    def sort(self, *keys: str) -> RunSet:
        """The runs in another order: by one or more expressions or column names, "-" in front for high to low.

        Runs that lack the value, or have NaN, come last in both directions.

        >>> import celltrail as ct
        >>> for lr in (0.1, 0.3):
        ...     with ct.start("a", {"lr": lr}): pass
        >>> [run.params["lr"] for run in ct.runs().sort("-params.lr")]
        [0.3, 0.1]
        """
        return self._then(Sorted(tuple((key, *read_key(key)) for key in keys))) if keys else self

    def stale(self) -> RunSet:
        """The runs among these that are stale, see `StoredRun.stale`; every run is checked, so take few.

        >>> import celltrail as ct
        >>> len(ct.runs()[:50].stale())
        0
        """
        found = json.dumps([run.id for run in self if run.stale])
        return self.where(f"id in {found}")

    def refresh(self) -> RunSet:
        """The same question, asked again."""
        return RunSet(self.store, self._steps, self._columns, self.look)

    def pick(self, run_ids: Iterable[str]) -> RunSet:
        """Those of the runs that have these ids, in this order, to be read; asked further, the whole set answers."""
        made = self._then()
        known = set(self._resolve())
        made._ids = [run_id for run_id in run_ids if run_id in known]
        made._records = self._records
        return made

    @property
    def records(self) -> list[RunRecord]:
        """The records of the runs: all of them are read."""
        return self._fetch(self._resolve())

    @property
    def hints(self) -> list[str]:
        """What looks wrong with the question: names that no run of the trail has, with the nearest one."""
        self._resolve()
        return list(self._hints)

    @property
    def columns(self) -> list[str] | None:
        """The columns shown by default; None for those that tell the runs apart."""
        return None if self._columns is None else list(self._columns)

    @property
    def is_newest_first(self) -> bool:
        """Whether nobody asked for another order."""
        return not any(isinstance(step, Sorted) for step in self._steps)

    @property
    def question(self) -> str:
        """The expressions asked, joined; "" for all runs."""
        asked = [step.text for step in self._steps if isinstance(step, Where)]
        return asked[0] if len(asked) == 1 else " and ".join(f"({text})" for text in asked)

    def __len__(self) -> int:
        return len(self._resolve())

    def __iter__(self) -> Iterator[StoredRun]:
        ids = self._resolve()
        for start in range(0, len(ids), _AT_ONCE):
            for record in self._fetch(ids[start : start + _AT_ONCE]):
                yield StoredRun(record, self.store)

    @overload
    def __getitem__(self, index: int) -> StoredRun: ...
    @overload
    def __getitem__(self, index: slice) -> RunSet: ...

    def __getitem__(self, index: int | slice) -> StoredRun | RunSet:
        if isinstance(index, slice):
            return self._part(index)
        ids = self._resolve()
        if not -len(ids) <= index < len(ids):
            raise IndexError(f"run {index} of {len(ids)}")
        place = index % len(ids)
        if ids[place] not in self._records:  # who asks for one in a loop asks for its neighbours next
            self._fetch(ids[place - place % _AT_ONCE : place - place % _AT_ONCE + _AT_ONCE])
        if ids[place] not in self._records:
            raise NoRun(f"run {ids[place]!r} was removed from {self.store.root.name} since; ask again by refresh()")
        return StoredRun(self._records[ids[place]], self.store)

    # showing

    def rows(self, *, sparks: bool = True) -> list[RunRow]:
        """The runs as the front end gets them; without sparks no log is read."""
        from celltrail.query.row import rows

        return rows(self.records, self.store, sparks=sparks)

    def df(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A pandas frame, one row per run.

        Args:
            columns: names such as ``"name"``, ``"params.lr"``, ``"metrics.val/acc"`` (last), ``"best.val/acc"``,
                or any expression, such as ``"last('loss') / first('loss')"``; all columns unless given, except
                ``"stale"`` (why a run no longer holds, see `StoredRun.stale`) and ``"complete"`` (see
                `StoredRun.complete`). Those two check every run, so ask them of a few:
                ``ct.runs()[:50].df(["name", "stale"])``.

        >>> import celltrail as ct
        >>> with ct.start("a", {"lr": 0.1}) as run:
        ...     run.log({"val/acc": 0.9})
        >>> print(ct.runs().df(["name", "params.lr", "metrics.val/acc"]).to_string(index=False))
        name  params.lr  metrics.val/acc
           a        0.1              0.9
        """
        from celltrail.query.frame import table_of

        ids = self._resolve()
        names = self._columns if columns is None else columns
        if all(run_id in self._records for run_id in ids):
            records = self._fetch(ids)
            chosen = self._chosen(names, Named.of(records))
            facts = {key: [fact_of(record, key) for record in records] for each in chosen for key in each.keys}
            return table_of(facts, chosen)
        found = self.store.gathered(ids, keys_for(FACTS if names is None else names), every=names is None)
        facts = found.columns
        return table_of(facts, self._chosen(names, found.named))

    def metric(self, name: str, points: int | None = None, x: str = "step") -> pd.DataFrame:
        """The points of one metric of all runs that have it, as one long frame.

        Columns are ``run`` (its id) and ``name``, both categories, the axis, and ``value``.

        Args:
            name: the metric.
            points: at most so many of each run, as in `StoredRun.series`.
            x: the axis, as in `StoredRun.series`; the column has its name.

        >>> import celltrail as ct
        >>> with ct.start("a") as run:
        ...     run.log({"loss": 0.5}, step=3)
        >>> print(ct.runs().metric("loss")[["name", "step", "value"]].to_string(index=False))
        name  step  value
           a     3    0.5
        """
        from celltrail.query.across import metric_frame

        is_new = self._ids is None  # else a run that went on meanwhile may have the metric only now
        return metric_frame(self.store, self._resolve(), name, points, x, known=is_new)

    def history(self, keys: Sequence[str] | None = None, x: str | None = None) -> pd.DataFrame:
        """The ``log()`` calls of all runs as one long frame, with ``run`` (its id) and ``name`` in front.

        Args:
            keys: only these metrics, and only runs that have one of them; NaN where a run lacks another.
            x: one more column, as in `StoredRun.history`.
        """
        from celltrail.query.across import history_frame

        return history_frame(list(self), keys, x)

    def media(self, key: str | None = None) -> Media:
        """Pictures, text, tables and other media of the runs, side by side; in a notebook, the media panel.

        Args:
            key: only what was logged under this key, as in ``run.log_image(key, ...)``.
        """
        return media_of(list(self[:MOST_RUNS]), key)

    def evaluation(self, split: str | None = None) -> Evaluations:
        """How good the predictions of the runs were, side by side; in a notebook, the evaluation panel.

        Args:
            split: such as "val"; the one on which the newest run was last evaluated unless given.
        """
        from celltrail.query.evaluation import evaluations_of

        return evaluations_of(list(self), split)

    def explanation(self, method: str | None = None) -> Explanations:
        """How much each feature matters to the models of the runs, side by side: ``.ranks``, ``.changes``.

        Args:
            method: permutation, shap or captum; the newest one of the first run unless given.
        """
        from celltrail.query.explanation import explanations_of

        return explanations_of(list(self), method)

    def __repr__(self) -> str:
        count = len(self)
        asked = f" where {self.question}" if self.question else ""
        if not count:
            return "\n".join([f"no runs in {self.store.root.name}{asked}", *self.hints])
        lines = [f"{count} run{'s' * (count > 1)}{asked}", self.to_text(most=_SHOWN), *self.hints]
        if count > _SHOWN:
            lines.insert(2, f"… and {count - _SHOWN} more")
        return "\n".join(lines)

    # changing

    def save(self, name: str, columns: Sequence[str] | None = None, look: Mapping[str, Json] | None = None) -> View:
        """Save this question as a view, for all users of the trail: ``ct.runs(view=name)`` asks it again.

        Args:
            name: the name of the view; one of this name is replaced.
            columns: the columns of its table and frame; those of this set unless given.
            look: how the run table shows it: groups, pinned columns, widths; as this set is shown unless given.
        """
        where, sort, limit = [], [], None
        for step in self._steps:
            if limit is not None:
                raise BadValue("a view takes the first runs after sorting: cut as the last step, as in [:20]")
            match step:
                case Where(text, _):
                    where.append(text)
                case InProject(project):
                    where.append(f"project == {json.dumps(project, ensure_ascii=False)}")
                case Sorted(keys):
                    sort = [*(text for text, _, _ in keys), *sort]
                case Cut(part):
                    if part.start or part.step not in (None, 1) or part.stop is None or part.stop < 1:
                        raise BadValue("a view can keep the first runs, as in [:20], and no other part of a set")
                    limit = part.stop
        asked = where[0] if len(where) == 1 else " and ".join(f"({text})" for text in where)
        return self.store.views.save(
            name, asked, sort, self._columns if columns is None else columns, limit, look or self.look
        )

    def _edit(self, changes: Mapping[str, Json]) -> int:
        ids = self._resolve()  # the same runs afterwards, also where they no longer match
        self.store.edit_all(dict.fromkeys(ids, changes))
        self._records = self.store.look((), lambda look: look.records(ids))
        return len(ids)

    # finding

    def _then(self, *steps: Step) -> RunSet:
        return RunSet(self.store, (*self._steps, *steps), self._columns, self.look)

    def _part(self, part: slice) -> RunSet:
        """A part; of runs that were found already, of these."""
        made = self._then(Cut(part))
        if self._ids is not None:
            made._ids, made._hints, made._records = self._ids[part], self._hints, self._records
        return made

    def _resolve(self) -> list[str]:
        """The ids of the runs; asked for once."""
        if self._ids is None:
            shown = {"archived"} if self.store.settings["archived.shown"] else set[str]()
            self._ids, self._hints = answer(self.store, self._steps, shown) if self.store.id else ([], [])
        return self._ids

    def _fetch(self, ids: Sequence[str]) -> list[RunRecord]:
        """The records of these runs, each read once; one that was removed since is left out."""
        missing = [run_id for run_id in ids if run_id not in self._records]
        if missing:
            self._records |= self.store.fetch(missing)
        return [self._records[run_id] for run_id in ids if run_id in self._records]

    def _read(self, most: int | None) -> list[RunRecord]:
        return self._fetch(self._resolve()[:most])

    def _named(self, names: Sequence[str] | None, records: Sequence[RunRecord]) -> list[Column] | None:
        chosen = self._columns if names is None else names
        return None if chosen is None else chosen_columns(chosen, Named.of(records), self._ask, self._asked)

    def _ask(self, text: str) -> Question:
        try:
            node = parse(text)
        except QueryError as problem:
            column = parse_column(text)
            if column is None:
                raise problem
            node = column
        node, hints = resolved(node, self.store)
        self._hints += hints
        goals = self.store.look((), lambda look: goals_of(look, [node]))
        return Question(node, text, points_of(self.store), goals)

    @property
    def _asked(self) -> dict[str, Callable[[str], str | None]]:
        return {"stale": self._stale, "complete": self._complete}

    def _stale(self, run_id: str) -> str | None:
        (record,) = self._fetch([run_id]) or [None]
        found = None if record is None else StoredRun(record, self.store).stale
        return None if found is None or found.state == "unknown" else found.text

    def _complete(self, run_id: str) -> str | None:
        (record,) = self._fetch([run_id]) or [None]
        found = None if record is None else StoredRun(record, self.store).complete
        return None if found is None else found.text

    def _chosen(self, names: Sequence[str] | None, named: Named) -> list[Column]:
        return every_column(named) if names is None else chosen_columns(names, named, self._ask, self._asked)


def runs(
    where: str = "",
    *,
    project: str | None = None,
    sort: str | Iterable[str] = (),
    limit: int | None = None,
    store: Store | Path | str | None = None,
    view: str | None = None,
) -> RunSet:
    """The runs that match an expression, newest first; as the last line of a cell, the run table.

    Args:
        where: for example ``params.lr < 1e-2 and best("val/loss") < 0.3 and "mlp" in tags``; "" means all runs.
        project: only runs of this project.
        sort: one or more keys, as in `RunSet.sort`.
        limit: at most so many runs, after sorting.
        store: another trail, or its folder; that of the working folder unless given.
        view: the name of a saved view: its question, narrowed by ``where``, in its order and limit unless given here.

    Raises:
        QueryError: the expression cannot be read; the error points at the place.

    >>> import celltrail as ct
    >>> with ct.start("baseline", {"lr": 0.1}, tags=["mlp"]) as run:
    ...     run.log({"val/acc": 0.9})
    >>> [run.name for run in ct.runs("'mlp' in tags and best('val/acc') > 0.8")]
    ['baseline']
    """
    if not isinstance(where, str):
        raise BadValue(
            f"runs are asked for by an expression, and not by {where!r}; by their names it is "
            "ct.runs(\"name in ['baseline', 'sweep-1']\")"
        )
    store = open_store(store)
    saved = View("") if view is None else store.views.find(view)
    found = RunSet(store, (InProject(project),) if project is not None else (), saved.columns, saved.look)
    found = found.where(saved.where).where(where).sort(*([sort] if isinstance(sort, str) else sort or saved.sort))
    limit = saved.limit if limit is None else limit
    return found if limit is None else found[:limit]

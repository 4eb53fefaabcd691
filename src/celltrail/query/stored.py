"""A run read back from the trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, NoRun, nearest
from celltrail.model import Json, RunRecord, is_of_machine
from celltrail.query.axis import PLAIN, Bound, bounds, place
from celltrail.query.editing import Edits
from celltrail.query.filed import Filed
from celltrail.query.media import Media, media_of
from celltrail.query.opening import open_store
from celltrail.query.reporting import report
from celltrail.query.standing import Staleness, standing
from celltrail.query.thin import FEWEST, keep

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from celltrail.dataset import DataVersion
    from celltrail.formats import ModelVersion
    from celltrail.query.evaluation import Evaluated
    from celltrail.stats.explanation import Explanation
    from celltrail.stats.fairness import Fairness
    from celltrail.store import Store
    from celltrail.store.index import Look


class StoredRun(Filed, Edits["StoredRun"]):
    """A run as the trail has it, at the moment it was asked for; as the last line of a cell, its panel.

    A run in progress moves on without this object; `refresh` asks again. Series are always read fresh. The verbs
    `rename`, `tag`, `note`, `archive` and so on edit it; each returns the run as it then is.
    """

    def __init__(self, record: RunRecord, store: Store) -> None:
        self.record = record
        self.store = store

    @property
    def data(self) -> list[DataVersion]:
        """The data it used, each with its digest: versions logged by `log_data`, then what its cell read.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     version = run.log_data({"x": [1, 2, 3]}, "toy")
        >>> ct.run("script").data[0].digest == version.digest
        True
        """
        from celltrail.query.data import data_of

        return data_of(self)

    @property
    def models(self) -> list[ModelVersion]:
        """The versions of models that it made, loaded or timed.

        >>> import celltrail as ct
        >>> from sklearn.linear_model import LinearRegression
        >>> with ct.start("script") as run:
        ...     version = run.log_model(LinearRegression().fit([[0], [1]], [0, 1]), "line")
        >>> [version.name for version in ct.run("script").models]
        ['line']
        """
        from celltrail.query.models import models_of

        return models_of(self)

    @property
    def stale(self) -> Staleness:
        """Why it no longer holds, reason by reason; false while it does.

        Its cell, the cells it depends on, the files and local modules it read, Python and the packages it used are
        compared with what they are now; comments and formatting of code do not count.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> ct.run(run.id).stale
        <unknown>
        """
        return standing(self)

    @property
    def parent(self) -> StoredRun | None:
        """The run this one was started inside or forked from.

        >>> import celltrail as ct
        >>> with ct.start("sweep"):
        ...     with ct.start("trial"): pass
        >>> ct.run("trial").parent.name
        'sweep'
        """
        return StoredRun(self.store.record(self.record.parent), self.store) if self.record.parent else None

    @property
    def children(self) -> list[StoredRun]:
        """The runs started inside this one or forked from it, newest first.

        >>> import celltrail as ct
        >>> with ct.start("sweep"):
        ...     with ct.start("trial"): pass
        >>> [run.name for run in ct.run("sweep").children]
        ['trial']
        """
        column = ("parent",)

        def inside(look: Look) -> list[RunRecord]:
            ask = f"select id from hot where {look.columns[column].sql} = ? order by created desc, id desc"
            ids = [run_id for (run_id,) in look.select(ask, (self.id,))]
            found = look.records(ids)
            return [found[run_id] for run_id in ids]

        return [StoredRun(record, self.store) for record in self.store.look([column], inside)]

    def edit_note(self, number: int, text: str) -> StoredRun:
        """Change one of `notes`, by its place in the list; a text without words deletes it.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> ct.run("script").note("as god").edit_note(0, "as good").notes
        ['as good']
        """
        fields = list(self.store.notes(self.id))
        if not -len(fields) <= number < len(fields):
            raise BadValue(f"run {self.name!r} has no note {number}; it has {len(fields)}, counted from 0")
        return self._edit({fields[number]: text if text.strip() else ""})

    def delete_note(self, number: int) -> StoredRun:
        """Delete one of `notes`, by its place in the list.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> ct.run("script").note("typo").delete_note(0).notes
        []
        """
        return self.edit_note(number, "")

    def delete_comment(self, number: int) -> StoredRun:
        """Delete one of `comments`, by its place in the list; the audit says who did.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> ct.run("script").comment("which seed?").delete_comment(0).comments
        []
        """
        found = self.record.comments
        if not -len(found) <= number < len(found):
            raise BadValue(f"run {self.name!r} has no comment {number}; it has {len(found)}, counted from 0")
        return self._edit({f"comment:{found[number].id}": {"by": found[number].by, "text": ""}})

    def _edit(self, changes: Mapping[str, Json]) -> StoredRun:
        self.store.edit_all({self.id: changes})
        self.record = self.store.record(self.id)
        return self

    def refresh(self) -> StoredRun:
        """The same run as it is now.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     found = ct.run(run.id)
        >>> found.status, found.refresh().status
        ('running', 'finished')
        """
        return StoredRun(self.store.record(self.id), self.store)

    def series(
        self,
        name: str,
        points: int | None = None,
        window: tuple[Bound, Bound] | None = None,
        x: str = "step",
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """The points of a metric, in the order logged: two arrays of shape (n,), the axis and the values.

        Args:
            name: the metric.
            points: at most so many, chosen so that a line looks the same: extremes and both ends stay.
            window: ``(first, last)`` on the axis, both included; None is open. Together with ``points`` this zooms
                in: the same number of points for less of the series.
            x: "step" (int64), "time" (datetime64, UTC), "relative" (seconds since the run started), any
                other metric, such as "epoch", or "axis": the metric declared as its axis, if there is one.

        Raises:
            NoRun: it has no such metric; the error names the nearest.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     for step in range(1000):
        ...         run.log({"loss": 1 / (step + 1)}, step)
        >>> steps, values = ct.run(run.id).series("loss", points=100)
        >>> int(steps[-1]), len(values) <= 100
        (999, True)
        """
        found = self.store.series(self.id)
        if name not in found:
            own = sorted(each for each in found if not is_of_machine(each))
            tail = nearest(name, found) or f"; it has {', '.join(own[:8]) or 'no metrics of its own'}"
            raise NoRun(f"no metric {name!r} in run {self.name!r}{tail}")
        if points is not None and points < FEWEST:
            raise BadValue(f"points={points} cannot show a series: ask for {FEWEST} or more")
        if x == "axis":
            x = (self.record.metrics[name].axis if name in self.record.metrics else None) or "step"
        limits = None if window is None else bounds(window, x)
        if limits is not None and x == "step":
            series = found.window(name, *limits)
            where, values = series.step, series.value
        else:
            where, values = place(found, name, x, self.record)
            if limits is not None:
                inside = (where >= limits[0]) & (where <= limits[1])
                where, values = where[inside], values[inside]
        if points is None:  # the caller may write into them
            where, values = where.copy(), values.copy()
        return thinned(where, values, points, x)

    def history(self, keys: Sequence[str] | None = None, x: str | None = None) -> pd.DataFrame:
        """A pandas frame: one row per ``log()`` call, by time, and a column per metric, NaN where it was not logged.

        Columns are ``step`` (int64), ``time`` (datetime64[us, UTC]), ``rank`` (int64, only where processes
        of several ranks logged), ``superseded`` (bool, only where the run was rewound: true for calls beyond the
        step it was rewound to, which `series` leaves out), and the metrics (float64; where whole numbers beyond
        2**53 were logged Python integers, in a column of objects).

        Args:
            keys: only these metrics; calls that logged none of them have no row. By default all, except those of the
                machine, ``sys/...``, which have calls of their own.
            x: one more column of this name: "relative", the seconds since the run started, or a metric that is not
                among the keys, with the last value it had.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     run.log({"loss": 0.5}, step=3)
        >>> print(ct.run(run.id).history()[["step", "loss"]].to_string(index=False))
         step  loss
            3   0.5
        """
        from celltrail.query.history import history

        found = self.store.series(self.id)
        names = (
            [each for each in found if not is_of_machine(each)]
            if keys is None
            else list(dict.fromkeys([keys] if isinstance(keys, str) else keys))
        )
        missing = [name for name in (*names, *([x] if x and x not in PLAIN else [])) if name not in found]
        if missing:
            raise NoRun(f"no metric {missing[0]!r} in run {self.name!r}{nearest(missing[0], found)}")
        if x in {"step", "time"}:
            x = None  # there anyway
        return history(found, names, lambda: self.store.events(self.id), self.record.started_us, x)

    def media(self, key: str | None = None) -> Media:
        """What it logged besides numbers, shown as a panel with a slider over the steps.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     run.log_text("sample", "once upon a time")
        >>> print(ct.run("script").media("sample"))
        1 item of 1 run
        script: <text 'sample' · step 0 · text/plain · 16 B · characters=16 · lines=1>
        """
        return media_of([self], key)

    def evaluation(self, split: str | None = None) -> Evaluated:
        """How good its predictions were, from `run.evaluate`; in a notebook, the evaluation panel.

        Args:
            split: such as "val"; the one evaluated last unless given.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     found = run.evaluate([0, 1, 1, 0], [0, 1, 0, 0], split="test")
        >>> float(ct.run("script").evaluation("test").metrics.value["accuracy"])
        0.75
        """
        from celltrail.query.evaluation import evaluation_of

        return evaluation_of(self, split)

    def explanation(self, method: str | None = None, split: str | None = None) -> Explanation:
        """How much each feature matters to its model, from `Run.explain`.

        Args:
            method: permutation, shap or captum; the newest of all unless given.
            split: such as "val".

        >>> import celltrail as ct
        >>> from sklearn.linear_model import LinearRegression
        >>> x, y = [[0, 5], [1, 3], [2, 4], [3, 1]], [0, 1, 2, 3]
        >>> with ct.start("script") as run:
        ...     found = run.explain(LinearRegression().fit(x, y), x, y, names=["signal", "noise"])
        >>> ct.run("script").explanation("permutation").table.feature[0]
        'signal'
        """
        from celltrail.query.explanation import explanation_of

        return explanation_of(self, method, split)

    def fairness(self, split: str | None = None) -> Fairness:
        """How its predictions treat groups, from `Run.fairness`: ``.gaps``, ``.by_group``, ``.slices``.

        Args:
            split: such as "val"; the newest of all unless given.

        >>> import celltrail as ct
        >>> with ct.start("script") as run:
        ...     found = run.fairness([0, 1, 1, 0] * 10, [0, 1, 0, 0] * 10, {"sex": ["f", "m"] * 20})
        >>> sorted(ct.run("script").fairness().by_group.index.get_level_values(-1))
        ['f', 'm']
        """
        from celltrail.query.fairness import fairness_of

        return fairness_of(self, split)

    def report(self, kind: str = "model-card") -> Any:
        """What is known of it as a document: a model card, an audit, a technical file; in a notebook it shows itself.

        Args:
            kind: ``model-card``, ``audit``, ``annex-iv`` or ``nist-rmf``, as `celltrail.report` takes it.

        Returns:
            A document with ``.markdown``, ``.html``, ``.json``, ``.missing`` and ``.write(path)``.

        >>> import celltrail as ct
        >>> with ct.start("script") as run: pass
        >>> "Intended use" in ct.run(run.id).report("model-card").missing
        True
        """
        return report(self, kind)


def thinned(
    where: NDArray[Any], values: NDArray[np.float64], points: int | None, x: str
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """At most so many of the points, and times as pandas knows them."""
    if points is not None:
        chosen = keep(values, points, where)
        where, values = where[chosen], values[chosen]
    return where.view("datetime64[us]") if x == "time" else where, values


def find(ref: str | StoredRun | RunRecord, store: Store | None = None) -> StoredRun:
    """One run, by its id, by its name (the newest that is not deleted), or by the beginning of its id.

    Args:
        ref: the id, name or beginning of the id.
        store: another trail; that of the working folder unless given.

    Raises:
        NoRun: there is none, or several ids begin like this; the error names the nearest.

    >>> import celltrail as ct
    >>> with ct.start("baseline", {"lr": 0.1}): pass
    >>> run = ct.run("baseline")
    >>> run.status, run.params["lr"]
    ('finished', 0.1)
    """
    if isinstance(ref, StoredRun):
        return ref
    store = open_store(store)
    if isinstance(ref, RunRecord):
        return StoredRun(ref, store)
    if not isinstance(ref, str):
        ref = _named(ref)
    return StoredRun(store.find(ref), store)


def _named(ref: Any) -> str:
    """The id of what is a run in another form: one that goes on, a row of a table."""
    found = getattr(ref, "id", None)
    if isinstance(found, str):
        return found
    raise BadValue(
        f"a run is meant by its name, its id or the beginning of its id, and not by {ref!r}; ct.runs() lists them"
    )

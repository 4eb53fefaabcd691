"""The one `RunRow`: a run as the table, the side bar, the terminal and a report show it."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from celltrail import contract
from celltrail.contract import MetricSummary, ParamValue, Real, RunRow, Scalar
from celltrail.model import Json, Metric, Param, RunRecord, trained
from celltrail.query.evaluate import aggregate_of, duration_of
from celltrail.query.resources import COLUMNS
from celltrail.query.template import Completeness, Needed
from celltrail.query.thin import spark

if TYPE_CHECKING:
    from celltrail.store import Store

_SAFE_INTEGER = 2**53  # beyond it a number changes its value in JavaScript
_LONGEST = 200
_KEPT = 4_000


def rows(
    records: Sequence[RunRecord], store: Store, *, sparks: bool = True, columns: Iterable[str] | None = None
) -> list[RunRow]:
    """The rows of runs, with the names of their parents, which are read together.

    Args:
        records: the runs.
        store: their trail.
        sparks: whether to draw their metrics.
        columns: as ``params.lr`` and ``best.val/loss``: of the params and metrics only these; all unless given.
    """
    names = {record.id: record.name for record in records}
    missing = {record.parent for record in records if record.parent is not None} - names.keys()
    names |= {each: parent.name for each, parent in store.fetch(sorted(missing)).items()} if missing else {}
    needed = Needed(store)
    chosen = None if columns is None else {tuple(column.split(".", 1)) for column in columns}
    return [row(record, store, sparks=sparks, names=names, needed=needed, chosen=chosen) for record in records]


def row(
    record: RunRecord,
    store: Store | None,
    *,
    sparks: bool = True,
    names: Mapping[str, str] | None = None,
    needed: Needed | None = None,
    chosen: Container[tuple[str, ...]] | None = None,
) -> RunRow:
    """The row of a run; without a store, or with ``sparks=False``, nothing is read from its log.

    Args:
        record: the run.
        store: its trail.
        sparks: whether to draw its metrics.
        names: of other runs, its parent among them.
        needed: what its trail asks of runs; read from the store unless given.
        chosen: of its params and metrics only these, by family and name; all unless given.
    """
    if needed is None and store is not None:
        needed = Needed(store)
    drawn = _sparks.of(record, store) if sparks and store is not None and record.metrics else {}
    first = record.executions[0] if record.executions else None

    def is_told(family: str, name: str) -> bool:
        return chosen is None or (family, name) in chosen

    return RunRow(
        id=record.id,
        name=record.name,
        status=record.status,
        project=record.project,
        created=record.created_us / 1e6,
        duration=duration_of(record),
        cell=record.cell_id,
        execution_count=first.count if first else None,
        notebook=record.notebook,
        tags=list(record.tags),
        note="\n".join(record.notes),
        error=None if record.error is None else shortened(str(record.error)),
        params={name: param_value(param) for name, param in record.params.items() if is_told("params", name)},
        metrics={
            name: metric_summary(metric, drawn.get(name, []))
            for name, metric in trained(record).items()
            if is_told("metrics", name) or is_told("best", name)
        },
        totals={name: value for name in COLUMNS if isinstance(value := record.summary.get(name), int | float)},
        parent=record.parent,
        came_of=_came_of(record, names or {}),
        resumed=len(record.resumes),
        group=record.group,
        complete=None if needed is None else completeness(needed.of(record)),
        starred=record.starred,
        archived=record.archived,
        deleted=record.deleted,
    )


def completeness(found: Completeness | None) -> contract.Completeness | None:
    """How complete a run is, in a row."""
    return None if found is None else {"met": found.met, "of": len(found.needs), "text": found.text}


def _came_of(record: RunRecord, names: Mapping[str, str]) -> str | None:
    if record.parent is None:
        return None
    name = names.get(record.parent, f"…{record.parent[-6:].lower()}")
    return name if record.fork_step is None else f"{name} @ {record.fork_step:,}"


def real(value: float | int | None) -> Real:
    """A number as the contract spells it.

    >>> real(0.5), real(float("-inf")), real(None)
    (0.5, '-inf', None)
    """
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def scalar(value: Json) -> Scalar:
    """A parameter or a fact as one scalar; what has parts becomes its JSON, in short.

    >>> scalar([64, 64]), scalar(float("nan")), scalar(2**60)
    ('[64, 64]', 'nan', '1152921504606846976')
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return real(value)
    if isinstance(value, str):
        return shortened(value)
    return shortened(json.dumps(value, ensure_ascii=False, default=str))


def shortened(text: str, longest: int = _LONGEST) -> str:
    """The text, cut with an ellipsis where it is too long to show."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def param_value(param: Param) -> ParamValue:
    """A parameter in a row."""
    return ParamValue(value=scalar(param.value), rule=param.rule, line=param.line)


def metric_summary(metric: Metric, drawn: list[float | None]) -> MetricSummary:
    """A metric in a row."""
    step = metric.best_step
    return MetricSummary(
        goal=metric.goal,
        last=real(aggregate_of(metric, "last")),
        best=real(aggregate_of(metric, "best")),
        best_step=None if step is None else float(step),
        min=real(aggregate_of(metric, "min")),
        max=real(aggregate_of(metric, "max")),
        count=metric.count,
        nan_count=metric.nan_count,
        spark=drawn,
    )


class _Sparks:
    """The sparks of the runs seen lately, by trail, run and revision.

    A finished run never changes its points, so its log is decoded once per process. A running one is
    decoded again when its document moved on, but not more than a twentieth of the time.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: OrderedDict[tuple[str, str], _Drawn] = OrderedDict()

    def of(self, record: RunRecord, store: Store) -> dict[str, list[float | None]]:
        key = (str(store.root), record.id)
        points = sum(metric.count for metric in trained(record).values())
        with self.lock:
            drawn = self.kept.get(key)
            if drawn is not None:
                self.kept.move_to_end(key)
        if drawn is not None and drawn.serves(points, record.is_running):
            return drawn.sparks
        drawn = _Drawn(record, store, points)
        with self.lock:
            self.kept[key] = drawn
            while len(self.kept) > _KEPT:
                self.kept.popitem(last=False)
        return drawn.sparks


class _Drawn:
    """The sparks of one run as of some number of points."""

    def __init__(self, record: RunRecord, store: Store, points: int) -> None:
        started = time.monotonic()
        series = store.series(record.id)
        self.sparks = {name: spark(series[name].value) for name in trained(record) if name in series}
        self.points = points
        self.rest_until = time.monotonic() + 20 * (time.monotonic() - started)

    def serves(self, points: int, running: bool) -> bool:
        """Whether it still shows the run. Points and not the revision: an edited note draws nothing new."""
        return points == self.points or (running and time.monotonic() < self.rest_until)


_sparks = _Sparks()

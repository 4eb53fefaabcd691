"""The runs below a run: the trials of a sweep, and what was forked from it."""

from __future__ import annotations

from collections.abc import Sequence

from celltrail.model import Json
from celltrail.query.columns import telling_metrics
from celltrail.query.evaluate import aggregate_of
from celltrail.query.plain import length
from celltrail.query.row import real
from celltrail.query.stored import StoredRun
from celltrail.query.tabled import Table

_ONE = {"best": "best", "metrics": "last"}  # by the column, the number of a metric that stands in it


def below(run: StoredRun) -> Table:
    """How each of them stands and what it came to, oldest first."""
    children = run.children[::-1]
    columns = [column.partition(".") for column in telling_metrics([child.record for child in children])]
    wanted = [(name, _ONE[kind]) for kind, _, name in columns]
    heads = ["name", "status", "took", *(f"{which} {name}" for name, which in wanted)]
    return Table("summary", "runs below it", heads, [_row(child, wanted) for child in children])


def _row(run: StoredRun, wanted: Sequence[tuple[str, str]]) -> list[Json]:
    metrics = run.record.metrics
    came_to = [real(aggregate_of(metrics[name], which)) if name in metrics else None for name, which in wanted]
    return [run.name, run.status, length(run.duration), *came_to]

"""A fact of a run by its name in the query language: from its record, or from the tables of its document.

The index fills its columns by these functions and the evaluator of expressions reads records by them, so
that both mean the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from celltrail.model import Metric, RunRecord
from celltrail.store import edits, records

# ("status",), ("params", "lr"), ("metric", "last", "val/acc"): what a column of the index holds
Key = tuple[str, ...]
_TIMES = {"created": "created_us", "started": "started_us", "ended": "ended_us"}
_RENAMED = {"cell": "cell_id"}
_ENVIRONMENTS = {"env", "git", "hardware", "seeds"}


def fact_of(record: RunRecord, key: Key) -> Any:
    """The fact with this key, or None where the run has none.

    >>> fact_of(RunRecord("01", "a", "failed", "p", 0, 0), ("status",))
    'failed'
    """
    if key[0] != "metric":
        return field_of(record, key[0], key[1:])
    metric = record.metrics.get(key[2])
    return None if metric is None else metric.goal if key[1] == "goal" else aggregate_of(metric, key[1])


def field_of(record: RunRecord, name: str, path: tuple[str, ...] = ()) -> Any:
    """A fact of the run by its name in the language, or None where the run has none."""
    if name == "params":
        return dig({key: record.params[key].value for key in prefixes(path) if key in record.params}, path)
    if name == "summary":
        return dig(record.summary, path)
    if name in _ENVIRONMENTS:
        return dig(record.environment.get(name, {}), path)
    if name in _TIMES:
        moment = getattr(record, _TIMES[name])
        return None if moment is None else moment / 1e6
    if name == "duration":
        return duration_of(record)
    if name == "error":
        return None if record.error is None else str(record.error)
    if name == "notes":
        return "\n".join(record.notes)
    if name == "tags":
        return list(record.tags)
    return getattr(record, _RENAMED.get(name, name))


def duration_of(record: RunRecord) -> float | None:
    """Seconds from start to end; None while there is no end."""
    if record.duration_s is not None:
        return record.duration_s
    return None if record.ended_us is None else (record.ended_us - record.started_us) / 1e6


def aggregate_of(metric: Metric, aggregate: str) -> float | int | None:
    """A number from a metric's summary; None where nothing was logged under it."""
    if aggregate in {"count", "nan_count"}:
        return getattr(metric, aggregate)
    if not metric.count:
        return None
    if aggregate == "mean":
        numbers = metric.count - metric.nan_count
        return metric.sum / numbers if numbers else math.nan
    return getattr(metric, aggregate)


def prefixes(path: tuple[str, ...]) -> list[str]:
    """The names that ``a.b.c`` may begin with, longest first.

    >>> prefixes(("a", "b"))
    ['a.b', 'a']
    """
    return [".".join(path[:taken]) for taken in range(len(path), 0, -1)]


def dig(found: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """``a.b`` is the name "a.b" where there is one, else "b" inside the value of "a"."""
    for skipped, key in enumerate(prefixes(path)):
        if key in found:
            rest, value = path[len(path) - skipped :], found[key]
            if not rest:
                return value
            if isinstance(value, Mapping):
                return dig(value, rest)
    return None


def fact_in(tables: Any, key: Key, said: Mapping[str, Any]) -> Any:
    """The same from the tables of a document and what people said of the run, reading no more than it needs.

    Measured: a third of the time of making the whole record, which counts when a field is first asked for.
    """
    family, path = key[0], key[1:]
    if family == "metric":
        fields = tables.get("metrics", {}).get(path[1])
        if fields is None:
            return None
        metric = records.metrics_of({path[1]: fields})[path[1]]
        return metric.goal if path[0] == "goal" else aggregate_of(metric, path[0])
    if family == "params" and not said:
        entries = tables.get("params", {})
        return dig({name: entries[name].get("value") for name in prefixes(path) if name in entries}, path)
    if family == "summary":
        entries = tables.get("summary", {})
        return dig({name: entries[name].get("value") for name in prefixes(path) if name in entries}, path)
    if family in _ENVIRONMENTS:
        return dig(tables.get("environment", {}).get(family, {}), path)
    needed = ("run", "params") if family == "params" else ("run",)
    record = records.record_of({table: tables[table] for table in needed if table in tables})
    return field_of(edits.applied(record, said), family, path)


def table_of(key: Key) -> str:
    """The table of the document that holds the fact."""
    family = key[0]
    if family == "metric":
        return "metrics"
    return family if family in {"params", "summary"} else "environment" if family in _ENVIRONMENTS else "run"

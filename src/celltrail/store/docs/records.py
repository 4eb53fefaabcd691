"""Records as tables of ``run.json``, and back."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from celltrail.model import Execution, Failure, Json, Metric, Output, Param, Resumption, RunRecord

if TYPE_CHECKING:
    from celltrail.store.docs.run_document import Tables

_T = TypeVar("_T")
# kept in tables of their own
_APART = {
    "comments",
    "params",
    "metrics",
    "summary",
    "executions",
    "environment",
    "problems",
    "resumes",
    "data",
    "models",
}
# what the run itself never says
EDITED = ("folder", "rating", "starred", "archived", "deleted")
_NOT_OF_RUN = (*_APART, *EDITED, "rev")
_OF_DICTS = ("metrics", "summary", "problems")
_names: dict[type, tuple[str, ...]] = {}


def tables_of(record: RunRecord) -> Tables:
    """The tables a run's own process writes."""
    run = _told(record)
    for name in _NOT_OF_RUN:
        run.pop(name, None)
    run["error"] = dataclasses.asdict(record.error) if record.error else None
    resumes = {str(n): dataclasses.asdict(each) for n, each in enumerate(record.resumes, 2)}
    # most runs have none of these
    rare = {"resumes": resumes, "data": _copied(record.data), "models": _copied(record.models)}
    return {
        **{name: entries for name, entries in rare.items() if entries},
        "run": {record.id: {**run, "format": 1}},
        "params": {name: _fields(param, "name") for name, param in record.params.items()},
        "metrics": metric_fields(record.metrics),
        "summary": {name: {"value": value} for name, value in record.summary.items()},
        "executions": {execution.id: _execution_fields(execution) for execution in record.executions},
        "environment": _copied(record.environment),
        "problems": {str(n): {"text": text} for n, text in enumerate(record.problems, 1)},
    }


def _copied(entries: Mapping[str, Mapping[str, Json]]) -> dict[str, dict[str, Json]]:
    return {name: dict(fields) for name, fields in entries.items()}


def metric_fields(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Json]]:
    """The table ``metrics``."""
    return {name: _fields(metric, "name") for name, metric in metrics.items()}


def metrics_of(table: Mapping[str, Mapping[str, Json]]) -> dict[str, Metric]:
    """The metrics in that table."""
    return {name: _made(Metric, fields, name=name) for name, fields in table.items()}


def record_of(tables: Tables) -> RunRecord:
    """The record in these tables. Fields of a later format are passed over."""
    ((run_id, run),) = tables["run"].items()
    return _made(
        RunRecord,
        run,
        id=run_id,
        error=_failure(run.get("error")),
        tags=tuple(run.get("tags") or ()),
        notes=tuple(run.get("notes") or ()),
        params={name: _made(Param, fields, name=name) for name, fields in tables.get("params", {}).items()},
        metrics=metrics_of(tables.get("metrics", {})),
        summary={name: fields.get("value") for name, fields in tables.get("summary", {}).items()},
        executions=tuple(_execution(id_, fields) for id_, fields in tables.get("executions", {}).items()),
        environment=dict(tables.get("environment", {})),
        data=dict(tables.get("data", {})),
        models=dict(tables.get("models", {})),
        resumes=tuple(_made(Resumption, fields) for fields in tables.get("resumes", {}).values()),
        problems=_texts(tables.get("problems", {}).values()),
    )


def is_record(tables: Tables) -> bool:
    """Whether `record_of` makes a record of these tables: a fifth of the work of making it.

    False also where that is not certain, as of what another hand than celltrail's wrote.
    """
    ((_, run),) = tables["run"].items()
    if not (_tells(RunRecord, run, "id") and _is_failure(run) and _are_lists(run, "tags", "notes")):
        return False
    if any(type(table) is not dict for table in tables.values()):
        return False
    entries = (fields for name in _OF_DICTS for fields in tables.get(name, {}).values())
    return (
        all(type(fields) is dict for fields in entries)
        and all(_tells(Param, fields, "name") for fields in tables.get("params", {}).values())
        and all(_tells(Resumption, fields) for fields in tables.get("resumes", {}).values())
        and all(_is_execution(fields) for fields in tables.get("executions", {}).values())
    )


def _is_execution(fields: Any) -> bool:
    if not (_tells(Execution, fields, "id") and _is_failure(fields) and _are_lists(fields, "outputs")):
        return False
    return all(_tells(Output, output) and _are_lists(output, "earlier") for output in fields.get("outputs") or ())


def _is_failure(fields: Mapping[str, Json]) -> bool:
    return not fields.get("error") or _tells(Failure, fields["error"])


def _are_lists(fields: Mapping[str, Json], *names: str) -> bool:
    return all(not fields.get(name) or type(fields[name]) is list for name in names)


def _tells(kind: type, fields: Any, key: str = "") -> bool:
    """Whether a record of this kind can be made of the fields, and the key they stand under."""
    return type(fields) is dict and fields.keys() >= _needed(kind, key)


@lru_cache
def _needed(kind: type, key: str) -> frozenset[str]:
    needed = (each for each in dataclasses.fields(kind) if each.default is each.default_factory is dataclasses.MISSING)
    return frozenset(each.name for each in needed if each.name != key)


def _execution_fields(execution: Execution) -> dict[str, Json]:
    fields = _fields(execution, "id")
    fields["error"] = dataclasses.asdict(execution.error) if execution.error else None
    fields["outputs"] = tuple(map(dataclasses.asdict, execution.outputs))
    return fields


def _execution(id_: str, fields: Mapping[str, Json]) -> Execution:
    outputs = tuple(_output(output) for output in fields.get("outputs") or ())
    return _made(Execution, fields, id=id_, error=_failure(fields.get("error")), outputs=outputs)


def _output(fields: Mapping[str, Json]) -> Output:
    known = {name: value for name, value in fields.items() if name != "earlier"}
    return _made(Output, known, earlier=tuple(fields.get("earlier") or ()))


def _failure(fields: Mapping[str, Json] | None) -> Failure | None:
    return _made(Failure, fields) if fields else None


def _texts(entries: Iterable[Mapping[str, Json]]) -> tuple[str, ...]:
    return tuple(str(entry.get("text", "")) for entry in entries)


def _fields(record: Any, key: str) -> dict[str, Json]:
    fields = _told(record)
    del fields[key]
    return fields


def _told(record: Any) -> dict[str, Json]:
    names, read = _reading(type(record))
    return dict(zip(names, read(record), strict=True))


@lru_cache
def _reading(kind: type) -> tuple[tuple[str, ...], Any]:
    names = _names_of(kind)
    return names, operator.attrgetter(*names)


def _names_of(kind: type) -> tuple[str, ...]:
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return names


def _made(kind: type[_T], fields: Mapping[str, Json], **known: Json) -> _T:
    # merged first: a name given twice is a TypeError, but a KeyError while another exception is handled (Python 3.11)
    facts = {**fields, **known}
    try:
        return kind(**facts)
    except TypeError:  # fields of a later format
        return kind(**{name: facts[name] for name in _names_of(kind) if name in facts})

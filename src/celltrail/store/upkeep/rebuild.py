"""A run's document written again from its log, when it was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from celltrail.errors import NoRun
from celltrail.model import Json
from celltrail.store.blobs import Blobs
from celltrail.store.docs import generations, records
from celltrail.store.docs.carried import carried
from celltrail.store.docs.run_document import Tables, beyond, shortened
from celltrail.store.files import disk
from celltrail.store.files.encoding import encode
from celltrail.store.log import reader, writer_of
from celltrail.store.log.reader import Contents
from celltrail.store.log.summary import Said, Summaries


def rebuild(folder: Path, blobs: Blobs) -> None:
    """Write the document of a run from its logs; `NoRun` where they hold nothing of it."""
    tables = tables_from_logs(folder, blobs)
    generation = tables["run"][folder.name].get("generation", 1)
    disk.replace_whole(folder / generations.name_of(generation), encode(tables))


def tables_from_logs(folder: Path, blobs: Blobs) -> Tables:
    """The tables of ``run.json`` as the run's own process had them when it last wrote to its log.

    Each fact is an event before it is in the document: what the run was when it began, then every change.
    """
    logs = {path: reader.read(path) for path in sorted((folder / "m").glob("*.ctl"))}
    begun, writer = _begun(logs)
    tables: Any = begun["tables"] if begun else {}
    own = [contents for path, contents in logs.items() if path.name.startswith(f"{writer}.")]
    if not own:
        raise NoRun(f"run {folder.name} has no log that could tell what it was")
    changes = begun["n"] if begun else 0
    tables.setdefault("run", {}).setdefault(folder.name, _unknown(folder.name, own))
    for fact in sorted(_facts(own), key=lambda fact: fact["n"]):
        entries = tables.setdefault(fact["table"], {})
        entries[fact["key"]] = {**entries.get(fact["key"], {}), **fact["fields"]}
        changes = max(changes, fact["n"])
    run = tables["run"][folder.name]
    end = next((contents.end for contents in own if contents.end), None)
    if end and run.get("status") == "running":
        run |= {"status": end.get("status", "finished"), "ended_us": end.get("t")}
    # one change is one write at most, so no copy of the old document had a higher number
    run |= {"rev": changes, "changes": changes, "writer": writer}
    for name in ("params", "metrics", "summary", "executions", "environment", "problems"):
        tables.setdefault(name, {})
    before = carried(run.get("carried", ""), blobs)
    later = [contents for path, contents in logs.items() if path.name not in before.logs]
    metrics = _metrics(Summaries(before.metrics), later, tables.get("declared", {}))
    if end and end.get("metrics", {}).keys() == metrics.keys() and _counts(end["metrics"]) == _counts(metrics):
        metrics = end["metrics"]  # the same sums, added up in the same order
    tables["metrics"] = metrics
    if rest := beyond(metrics):
        run["more_metrics"] = blobs.put(encode(rest))
    return shortened(tables, folder.name)


def _begun(logs: Mapping[Path, Contents]) -> tuple[dict[str, Json] | None, str]:
    """The event its last owner began with, and the writer of its log; the first log's where that event is lost."""
    found = [
        (event["t"], writer_of(path.name), event)
        for path, contents in logs.items()
        for event in contents.events
        if event.get("kind") == "begun" and "tables" in event
    ]
    if found:
        _, writer, event = max(found, key=lambda each: each[:2])
        return event, writer
    heads = sorted((contents.head["wall_us"], writer_of(path.name)) for path, contents in logs.items() if contents.head)
    return None, heads[0][1] if heads else ""


def _unknown(run_id: str, logs: list[Contents]) -> dict[str, Json]:
    began = next((contents.head["wall_us"] for contents in logs if contents.head), 0)
    run = {"id": run_id, "name": run_id[-6:].lower(), "status": "running", "project": "default", "format": 1}
    return {**run, "created_us": began, "started_us": began}


def _facts(logs: list[Contents]) -> list[dict[str, Json]]:
    return [event for contents in logs for event in contents.events if event.get("kind") == "fact"]


def _metrics(
    summaries: Summaries, logs: Iterable[Contents], declared: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Json]]:
    for contents in logs:
        for rows in contents.rows:
            summaries.fold(rows.names, rows.step, rows.values)
    for name, said in declared.items():
        summaries.declare(name, Said(said.get("goal"), said.get("unit"), said.get("axis")))
    return records.metric_fields(summaries.metrics())


def _counts(metrics: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    return {name: fields.get("count") for name, fields in metrics.items()}

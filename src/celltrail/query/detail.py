"""Everything that is known of one run, section by section: what a panel, a terminal and a report show of it."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from celltrail.contract import CommentShown, Detail, Piece, Scalar, Section
from celltrail.errors import NoRun, StoreError
from celltrail.model import Json, Metric, Param, RunRecord, trained
from celltrail.query import models
from celltrail.query.alerts import Alert, alerts, interventions
from celltrail.query.below import below
from celltrail.query.changes import Change
from celltrail.query.datasets import named_data
from celltrail.query.evaluate import aggregate_of
from celltrail.query.files import File
from celltrail.query.items import counts, size
from celltrail.query.lineage import Lineage, SliceStep
from celltrail.query.plain import length, moment, number, shown
from celltrail.query.ranks import Rank
from celltrail.query.replays import is_replayable, last_replay
from celltrail.query.resources import TOTALS, cells, is_resource, lines, spelled
from celltrail.query.row import completeness, real, row, scalar
from celltrail.query.shown import Piece as Output
from celltrail.query.stored import StoredRun
from celltrail.query.tabled import Table
from celltrail.store.artifacts import Artifact

MOST_ROWS = 400  # of one section; a table of a thousand packages helps nobody
MOST_TEXT = 20_000  # characters of one output: the first and the last half of them
_MOST_CHILDREN = 12
MOST_PICTURES = 4 << 20  # bytes of all pictures together: a panel carries them as its state
_EDGES = {"uses": "uses", "continues": "starts from"}
_WAYS = {"bound": "made", "changed": "changed", "maybe": "may have changed", "deleted": "deleted"}
_PICTURES = ("image/png", "image/jpeg", "image/gif")


def detail(run: StoredRun) -> Detail:
    """All of a run; what cannot be read any more is said in its place."""
    return {
        "run": {**row(run.record, None), "params": {}, "metrics": {}, "complete": completeness(run.complete)},
        "sections": [found for table in tables(run) if table.tab != "comments" and (found := section(table))["rows"]],
        "code": _text(run, run.record.code),
        "outputs": pieces(run),
        "comments": comments(run.record),
        "traceback": _text(run, run.record.error.traceback if run.record.error else ""),
        "replay": last_replay(run),
        "replayable": is_replayable(run),
    }


def comments(record: RunRecord) -> list[CommentShown]:
    """What people said about a run, for a panel."""
    return [{"by": each.by, "time": each.time.timestamp(), "text": each.text} for each in record.comments]


def section(table: Table) -> Section:
    """A table for a panel, cut where it would be too long.

    >>> section(Table("summary", "params", ["name", "value"], [["lr", 0.1]]))["rows"]
    [['lr', 0.1]]
    """
    every = [[scalar(value) for value in line] for line in table.rows]
    more = len(every[MOST_ROWS:]) + table.beyond
    return {"tab": table.tab, "title": table.title, "heads": [*table.heads], "rows": every[:MOST_ROWS], "more": more}


def tables(run: StoredRun) -> Iterator[Table]:
    """All that is known of a run but its code and outputs, for whatever shows it: what it has none of is empty."""
    record = run.record
    yield Table("summary", "metrics", *_metrics(trained(record).values()))
    yield Table("summary", "params", *_params(record.params.values()))
    yield below(run)
    said = [(name, value) for name, value in record.summary.items() if not is_resource(name)]
    yield Table("summary", "summary", ["name", "value"], said)
    yield Table("summary", "resources", ["what", "how much"], list(lines(record)))
    yield Table("summary", "resources by cell", *_by_cell(record))
    yield Table("summary", "run", ["name", "value"], facts(run))
    yield Table(
        "summary",
        "ranks",
        ["rank", "last step", "a step takes", *(TOTALS[name] for name in _BY_RANK), "to look at"],
        _ranks(run.ranks),
    )
    yield Table("comments", "comments", ["when", "who", "comment"], _comments(record))
    events = run.store.events(run.id)
    kept = counts(events)
    yield Table("summary", "items", ["kind", "kept"], list(kept.items()))
    needs, problem = _needs(run)
    yield from named_data(run)
    yield Table(
        "data", "kept files", ["name", "kind", "step", "size", "metrics", "content"], map(_artifact, run.artifacts)
    )
    yield from _data(needs, problem)
    yield from models.tables(run)
    yield from _lineage(Lineage(needs, run.store))
    for title, known in _surroundings(record.environment):
        yield Table("environment", title, ["name", "value"], known)
    yield Table("environment", "packages", ["name", "version"], _packages(run))
    alerted = [_alert(each) for each in alerts(events)]
    yield Table("history", "alerts", ["alert", "level", "metric", "value", "step", ""], alerted)
    steered = [[str(deed), deed.step] for deed in interventions(events)]
    yield Table("history", "resumed", ["what", "step"], [[str(each), each.step] for each in record.resumes])
    yield Table("history", "by hand", ["what", "step"], steered)
    yield Table("history", "notes", ["note", "metric", "step"], _notes(run))
    heads = ["when", "verdict", "first difference", "may explain it"]
    yield Table("history", "replays", heads, list(map(_replay, run.replays)))
    yield Table("history", "changes by people", ["when", "who", "what"], list(map(_change, reversed(run.audit))))
    yield Table("history", "problems while recording", ["problem"], [[text] for text in record.problems])


def _data(needs: Mapping[str, Json], problem: str) -> Iterator[Table]:
    heads = ["name", "type", "shape", "dtype", "size", "fingerprint"]
    bound = needs.get("names", {}).get("writes", ())
    values: dict[str, Any] = {
        name: told for name, told in needs.get("values", {}).items() if told.get("type") != "module"
    }  # modules are part of the environment
    changed = {name: told["after"] for name, told in values.items() if told.get("after")}
    for title, found, chosen in (
        ("objects it read", values, [name for name in values if name not in bound]),
        ("objects it changed", changed, changed),
        ("objects it made", values, bound),
    ):
        yield Table("data", title, heads, [_value(name, found[name]) for name in chosen if name in found])
    randomness = needs.get("randomness", {})
    unseeded = randomness.get("unseeded") or ()
    moved = [[name, "none" if name in unseeded else "set"] for name in randomness.get("moved") or ()]
    yield Table("data", "random numbers", ["generator", "seed"], moved)
    files = [_file(File.of(told)) for told in needs.get("files", ())]
    if problem:
        files = [[f"({problem})", None, None, None, None]]
    yield Table("data", "files", ["path", "mode", "bytes", "blake3", ""], files, needs.get("files_beyond", 0))


def _lineage(lineage: Lineage) -> Iterator[Table]:
    yield Table("lineage", "state it began with", ["what is to be known", "cell"], list(_state(lineage)))
    steps = list(map(_step, lineage.slice))
    yield Table("lineage", "cells it depends on", ["cell", "first line", "what for"], steps)
    edges = [[_EDGES.get(edge["kind"], edge["kind"]), edge["name"], edge["run"]] for edge in lineage.edges]
    yield Table("lineage", "other runs", ["it", "object", "of run"], edges)


def _metrics(metrics: Iterable[Metric]) -> tuple[list[str], list[list[Scalar]]]:
    heads = ["name", "last", "best", "at step", "min", "max", "points", "NaN"]
    return heads, [_metric(metric) for metric in metrics]


def _metric(metric: Metric) -> list[Scalar]:
    last, low, high, best = (real(aggregate_of(metric, kind)) for kind in ("last", "min", "max", "best"))
    directed = metric.goal != "none"
    return [
        metric.name,
        last,
        best if directed else None,
        metric.best_step if directed else None,
        low,
        high,
        metric.count,
        metric.nan_count or None,
    ]


def _ranks(found: Sequence[Rank]) -> list[list[Json]]:
    """Of a run of several ranks, or of one that died."""
    if len(found) < 2:
        return []
    return [
        [each.rank, each.step, length(each.step_s), *(_spelled(name, each.resources) for name in _BY_RANK), each.told]
        for each in found
    ]


def _spelled(name: str, known: Mapping[str, Json]) -> str | None:
    return None if known.get(name) is None else spelled(name, known[name])


_BY_RANK = ("sys/cpu_s", "sys/rss_peak")
_BY_CELL = ("sys/seconds", "sys/cpu_s", "sys/rss_peak", "sys/rss_growth", "sys/disk_write", "energy/kwh")


def _by_cell(record: RunRecord) -> tuple[list[str], list[list[Json]]]:
    """Of a run over several cells; that of one cell says nothing more than the totals."""
    known = cells(record)
    heads = ["cell", *(TOTALS[name] for name in _BY_CELL)]
    rows = [[_cell(cell), *(_spelled(name, cell) for name in _BY_CELL)] for cell in known]
    return heads, rows if len(rows) > 1 else []


def _cell(cell: Mapping[str, Json]) -> str:
    return f"[{cell['count']}]" if cell.get("count") is not None else str(cell.get("cell") or "")


def _params(params: Iterable[Param]) -> tuple[list[str], list[list[Json]]]:
    heads = ["name", "value", "known by", "line"]
    return heads, [[param.name, param.value, param.rule, param.line] for param in params]


def facts(run: StoredRun) -> list[tuple[str, Scalar]]:
    """What the run is; neither account nor machine, since a panel is published with its notebook."""
    record = run.record
    known: dict[str, Json] = {
        "id": record.id,
        "created": moment(record.created_us / 1e6),
        "duration": length(run.duration),
        "complete": _complete(run),
        "ran before": again(run),
        "stale": _stale(run),
        "recording": cost(run),
        "left out": "; ".join(run.overhead.get("degraded") or ()),
        "project": record.project,
        "group": record.group,
        "folder": record.folder,
        "rating": record.rating,
        "marked": ", ".join(word for word in ("starred", "archived", "deleted") if getattr(record, word)),
        "notebook": record.notebook,
        "cell": record.cell_id,
        "tags": ", ".join(record.tags),
        "parent" if record.fork_step is None else "forked from": _parent(run),
        "children": ", ".join(child.name for child in run.children[:_MOST_CHILDREN]),
        "error": None if record.error is None else str(record.error),
    }
    return [(name, scalar(value)) for name, value in known.items() if value not in (None, "", ())]


def _parent(run: StoredRun) -> str:
    record = run.record
    if record.parent is None:
        return ""
    try:
        name = run.store.record(record.parent).name
    except NoRun:
        name = f"{record.parent}, which is gone" + ("" if record.fork_step is None else ", and its points with it")
    return name if record.fork_step is None else f"{name}, step {record.fork_step:,}"


def again(run: StoredRun) -> str:
    """Which earlier run it is once more, and in which sense, in words; "" where it is the first of its kind."""
    told = run.record.environment.get("already", {})
    if not told.get("run"):
        return ""
    sense = {"duplicate": "the same as", "repeat": "a repeat of", "environment": "in another environment than"}
    probably = "" if told.get("is_exact", True) else "probably "
    differs = f" ({', '.join(map(str, told['differs']))})" if told.get("differs") else ""
    return f"{probably}{sense.get(told['kind'], told['kind'])} run {told['run']}{differs}"


def _complete(run: StoredRun) -> str:
    found = run.complete
    return found.text if found is not None else ""


def _stale(run: StoredRun) -> str:
    found = run.stale
    return f"{found.text} (as of {moment(time.time())})" if found else ""


def cost(run: StoredRun) -> str:
    """What recording cost, in words; "" for a run that no cell recorded."""
    spent = run.overhead.get("main_ns")
    if not isinstance(spent, int | float):
        return ""
    # most of it comes before and after the body, whose time alone is the duration
    percent = spent / run.duration / 1e7 if run.duration else 0.0
    share = f", {percent:.2g} % of the duration" if 0 < percent < 10 else ""
    return f"{length(spent / 1e9)} before, during and after the cell{share}; {run.overhead['bytes']:,} bytes"


def _surroundings(environment: Mapping[str, Mapping[str, Json]]) -> Iterable[tuple[str, list[tuple[str, Json]]]]:
    for part, facts in environment.items():
        if part in ("rng", "overhead", "already", "resources", "state"):
            continue  # digests of generator states; the others stand among the facts and with the lineage
        known = [
            (name, value)
            for name, value in facts.items()
            if name != "packages" and value is not None and not isinstance(value, dict | list)
        ]
        yield ("software" if part == "env" else part), known


def _packages(run: StoredRun) -> list[tuple[str, Json]]:
    digest = run.environment.get("packages")
    if not isinstance(digest, str):
        return []
    try:
        listing = orjson.loads(run.store.blobs.get(digest))
    except (StoreError, NoRun, ValueError):  # the rest of the run is still worth showing
        return []
    return sorted(listing.items()) if isinstance(listing, dict) else []


def _needs(run: StoredRun) -> tuple[dict[str, Json], str]:
    """What its cell needed; or nothing, and why it cannot be read."""
    try:
        return run.needs, ""
    except (StoreError, NoRun) as problem:
        return {}, str(problem)


def _value(name: str, told: Mapping[str, Json]) -> list[Json]:
    if told.get("set"):
        return [name, "(a secret)", None, None, None, None]
    shape = told.get("shape")
    by = str(told.get("fp") or "")[:12]
    certain = told.get("quality", "full") == "full"
    return [
        name,
        told.get("type"),
        " x ".join(map(str, shape)) if isinstance(shape, list) else None,
        " ".join(str(told[key]) for key in ("dtype", "device") if told.get(key) not in (None, "cpu")) or None,
        told.get("len"),
        by if certain or not by else f"{by} ({told['quality']})",
    ]


def _state(lineage: Lineage) -> list[list[Json]]:
    flags = [[flag["text"], flag.get("cell")] for flag in lineage.flags]
    if not lineage or flags:
        return flags
    return [["clean: running the cells below in this order gives the same start", None]]


def _step(step: SliceStep) -> list[Json]:
    first = next((line for line in step.code.splitlines() if line.strip()), "(no code kept)")
    ways: dict[str, list[str]] = {}
    for name, how in step.why.items():
        ways.setdefault(_WAYS.get(how, how), []).append(name)
    what = "; ".join(f"{way} {', '.join(names)}" for way, names in ways.items())
    return [None if step.count is None else f"[{step.count}]", first, what]


def _artifact(artifact: Artifact) -> list[Json]:
    metrics = ", ".join(f"{name} {number(value)}" for name, value in artifact.metrics.items())
    content = artifact.why or f"{', '.join(file.digest[:12] for file in artifact.files[:3])}"
    return [artifact.name, artifact.kind, artifact.step, size(artifact.size), metrics, content]


def _file(file: File) -> list[Json]:
    return [file.path, file.mode, file.size, file.hash[:12], file.about]


def _alert(alert: Alert) -> list[Scalar]:
    value = None if alert.value is None else number(alert.value)
    return [alert.title, alert.level, alert.metric, value, alert.step, alert.text]


def _notes(run: StoredRun) -> list[list[Json]]:
    return [
        *([note, None, None] for note in run.notes),
        *([mark["text"], mark.get("metric"), mark.get("step")] for mark in run.marks),
    ]


def _comments(record: RunRecord) -> list[list[Json]]:
    return [[moment(each.time.timestamp()), each.by or "somebody", each.text] for each in record.comments]


def _replay(told: Mapping[str, Json]) -> list[Json]:
    verdict = told.get("verdict")
    causes = "; ".join(map(str, told.get("causes", ())))
    where = f"{verdict}, in its own environment" if told.get("isolated") else verdict
    return [moment(told.get("at", 0) / 1e6), where, told.get("first"), "" if verdict == "reproduced" else causes]


def _change(change: Change) -> list[Any]:
    when = moment(change.when.timestamp())
    return [when, change.who, str(change).removeprefix(f"{when} {change.who or 'somebody'} ")]


def pieces(run: StoredRun) -> list[Piece]:
    """What the cell of a run showed, in order; pictures as far as there is room for them."""
    room, found = MOST_PICTURES, list[Piece]()
    for output in run.shown():
        try:
            piece = _piece(output, room)
        except (StoreError, NoRun) as problem:
            piece = _textual(output, "", str(problem))
        room -= len(piece["data"]) if piece["media"] in _PICTURES else 0
        found.append(piece)
    return found


def _piece(output: Output, room: int) -> Piece:
    picture = next((media for media in _PICTURES if media in output.media), "")
    if picture:
        data = output.bytes(picture)
        if len(data) * 4 // 3 <= room:
            said = "" if not output.truncated else "not all of it was kept"
            return {"kind": output.output.kind, "media": picture, "data": base64.b64encode(data).decode(), "said": said}
        return _textual(output, output.text, f"{picture} of {size(len(data))}: too large to be shown here")
    said = f"not all was kept: it had {size(output.output.size)}" if output.truncated else ""
    forms = output.forms() if output.kind in ("display", "result") else ""
    return _textual(output, output.text, "; ".join(filter(None, (said, f"also {forms}" if forms else ""))))


def _textual(output: Output, text: str, said: str) -> Piece:
    if len(text) > MOST_TEXT:
        half = MOST_TEXT // 2
        text = f"{text[:half]}\n⋯ {len(text) - MOST_TEXT:,} characters ⋯\n{text[-half:]}"
    return {"kind": output.output.kind, "media": "text/plain", "data": text, "said": said}


def _text(run: StoredRun, digest: str) -> str:
    if not digest:
        return ""
    try:
        return run.store.blobs.text(digest)
    except (StoreError, NoRun) as problem:
        return f"({shown(str(problem))})"

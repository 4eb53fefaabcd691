"""``celltrail show``: all about one run."""

from __future__ import annotations

import argparse
from typing import Any

from celltrail.cli import inputs, terminal
from celltrail.cli.outputs import told
from celltrail.errors import NoRun, StoreError
from celltrail.model import Json, Metric
from celltrail.query import StoredRun, find, open_store, row
from celltrail.query.changes import latest
from celltrail.query.detail import again, cost
from celltrail.query.evaluate import aggregate_of
from celltrail.query.items import counts
from celltrail.query.plain import MARKS, clipped, length, moment, number, shown, table

_WIDE = 60
_CHANGES = 10
_FILES = 40


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "show",
        help="all about one run",
        description="Show a run. Exit status 1 when there is none of this name or id.",
    )
    command.add_argument("run", metavar="RUN", help="name (newest), id or the beginning of an id")
    command.add_argument(
        "--outputs", choices=["some", "all", "none"], default="some", help="how much of what it showed (default: some)"
    )
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the run."""
    found = find(asked.run, open_store(asked.store))
    if asked.json:
        terminal.print_json({**row(found.record, found.store), "stale": [str(reason) for reason in found.stale]})
    else:
        print("\n\n".join(block for block in _blocks(found, asked.outputs) if block))
    return 0


def _blocks(found: StoredRun, outputs: str) -> list[str]:
    return [
        _head(found),
        _params(found),
        _metrics(found),
        _items(found),
        _titled("data", inputs.told(found)),
        _files(found),
        _titled("alerts", "\n".join(f"- {shown(str(alert))}" for alert in found.alerts)),
        _titled("notes", "\n".join(f"- {shown(note)}" for note in [*found.notes, *map(_mark, found.marks)])),
        _titled("changes by people", "\n".join(latest(found.audit, _CHANGES))),
        _environment(found),
        _titled("problems while recording", "\n".join(f"- {shown(each)}" for each in found.record.problems)),
        _titled("code", _code(found)),
        "" if outputs == "none" else _titled("outputs", told(found.shown(), whole=outputs == "all")),
    ]


def _head(found: StoredRun) -> str:
    record = found.record
    mark = terminal.status(f"{MARKS[record.status]} {record.status}", record.status)
    facts = {
        "id": record.id,
        "created": moment(record.created_us / 1e6),
        "duration": length(found.duration),
        "ran before": again(found),
        "stale": found.stale.text,
        "recording": cost(found),
        "left out": "; ".join(found.overhead.get("degraded") or ()),
        "state": _state(found),
        "project": record.project,
        "group": record.group,
        "folder": record.folder,
        "rating": record.rating,
        "marked": ", ".join(word for word in ("starred", "archived", "deleted") if getattr(record, word)),
        "user": f"{record.user}@{record.host}" if record.user and record.host else record.user or record.host,
        "notebook": record.notebook,
        "cell": record.cell_id,
        "tags": ", ".join(record.tags),
        "parent": record.parent,
        "error": None if record.error is None else str(record.error),
    }
    rows = [[name, shown(value)] for name, value in facts.items() if value not in (None, "", ())]
    lines = table(["", ""], rows, [False, False]).splitlines()[1:]
    return "\n".join([f"{terminal.bold(shown(record.name))}  {mark}", *lines])


def _state(found: StoredRun) -> str:
    try:
        return found.lineage.state
    except (StoreError, NoRun):  # the rest of the run is still worth showing
        return ""


def _params(found: StoredRun) -> str:
    rows = [
        [name, clipped(shown(param.value), _WIDE), _known_by(param.rule, param.line)]
        for name, param in found.record.params.items()
    ]
    return _titled("params", table(["name", "value", "known by"], rows, [False, False, False]) if rows else "")


def _mark(mark: Json) -> str:
    place = ", ".join(f"{name} {mark[name]}" for name in ("metric", "step") if mark.get(name) is not None)
    return f"{mark['text']} ({place})"


def _known_by(rule: str, line: int | None) -> str:
    return rule if line is None else f"{rule}, line {line}"


def _metrics(found: StoredRun) -> str:
    rows = [_metric(metric) for metric in found.record.metrics.values()]
    headers = ["name", "last", "best", "at step", "min", "max", "points", "NaN"]
    return _titled("metrics", table(headers, rows, [False, *[True] * 7]) if rows else "")


def _items(found: StoredRun) -> str:
    kept = counts(found.store.events(found.id))
    return _titled("items", ", ".join(f"{count:,} {kind}" for kind, count in kept.items()))


def _files(found: StoredRun) -> str:
    try:
        files, beyond = found.files, found.needs.get("files_beyond", 0)
    except (StoreError, NoRun) as problem:
        return _titled("files", f"({problem})")
    rows = [
        [clipped(shown(each.path), _WIDE), each.mode, _bytes(each.size), each.hash[:12], each.about]
        for each in files[:_FILES]
    ]
    more = len(files) - _FILES + beyond if len(files) > _FILES else beyond
    text = table(["path", "mode", "size", "hash", ""], rows, [False, False, True, False, False]) if rows else ""
    return _titled("files", f"{text}\nand {more:,} more" if more else text)


def _bytes(size: int | None) -> str:
    return "" if size is None else f"{size:,}"


def _metric(metric: Metric) -> list[str]:
    directed = metric.goal != "none"
    last, low, high, best = (_number(aggregate_of(metric, name)) for name in ("last", "min", "max", "best"))
    step = metric.best_step
    return [
        metric.name,
        last,
        best if directed else "",
        f"{step}" if directed and step is not None else "",
        low,
        high,
        f"{metric.count:,}",
        f"{metric.nan_count:,}" if metric.nan_count else "",
    ]


def _environment(found: StoredRun) -> str:
    rows: list[list[str]] = []
    for part, facts in found.record.environment.items():
        if part in ("rng", "overhead", "state", "already"):
            continue  # digests of generator states; the others stand in the head
        # the packages are for `compare`: two hundred lines tell nobody anything
        rows += [
            [name if part == "env" else f"{part}.{name}", clipped(shown(value), _WIDE)]
            for name, value in facts.items()
            if not isinstance(value, dict | list) and value is not None
        ]
    return _titled("environment", "\n".join(table(["", ""], rows, [False, False]).splitlines()[1:]) if rows else "")


def _number(value: float | None) -> str:
    return "" if value is None else number(value)


def _titled(title: str, text: str) -> str:
    return f"{terminal.bold(title)}\n{text}" if text else ""


def _code(found: StoredRun) -> str:
    try:
        code = found.code
    except (StoreError, NoRun) as problem:  # the rest of the run is still worth showing
        return f"({problem})"
    return "\n".join(map(terminal.harmless, code.splitlines()))

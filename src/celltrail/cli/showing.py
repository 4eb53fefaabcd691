"""``celltrail show``: all about one run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from celltrail.cli import inputs, terminal
from celltrail.cli.outputs import told
from celltrail.errors import NoRun, StoreError
from celltrail.model import Json
from celltrail.query import StoredRun, find, open_store
from celltrail.query.detail import tables
from celltrail.query.plain import MARKS, clipped, shown, table
from celltrail.query.row import row
from celltrail.query.tabled import Table

_WIDE = 60
_MOST = {
    "changes by people": 10,
    "files": 40,
    "cells it depends on": 20,
    "other runs": 20,
    "replays": 10,
    "runs below it": 20,
}
_MOST_LAYERS = 20
_COUNTED = ("points", "NaN", "bytes", "rows", "columns", "parameters", "numbers")
_MEASURED = ("last", "best", "at step", "min", "max", "in")


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "show",
        help="show everything about one run",
        description="Show everything about one run. Exit status 1 when none has this name or id.",
        epilog="example: celltrail show baseline --outputs all",
    )
    command.add_argument("run", metavar="RUN", help="name (newest), id or the beginning of an id")
    command.add_argument(
        "--outputs",
        choices=["some", "all", "none"],
        default="some",
        help="how much of its outputs to print (default: some)",
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
    by_tab: dict[str, list[Table]] = {}
    for each in tables(found):
        by_tab.setdefault(each.tab, []).append(each._replace(rows=list(each.rows)))
    summary = {each.title: each for each in by_tab["summary"]}
    data = {each.title: each for each in by_tab["data"]}
    # the data are told in a line each; the flags of the state stand in the head
    shown_whole = [summary["params"], summary["metrics"], summary["summary"], summary["runs below it"]]
    return [
        _head(found, summary["run"]),
        *map(_table, shown_whole),
        _titled("items", ", ".join(f"{count:,} {kind}" for kind, count in summary["items"].rows)),
        _titled("data", inputs.told(found)),
        _table(data["data versions"]),
        _table(data["files"]),
        *map(_table, by_tab.get("models", ())),
        *(_table(each) for each in by_tab["lineage"] if each.title != "state it began with"),
        _titled("alerts", "\n".join(f"- {shown(str(alert))}" for alert in found.alerts)),
        *(_table(each) if each.title in _MOST else _list(each) for each in by_tab["history"] if each.title != "alerts"),
        _environment(by_tab["environment"]),
        _titled("code", _code(found)),
        "" if outputs == "none" else _titled("outputs", told(found.shown(), whole=outputs == "all")),
    ]


def _head(found: StoredRun, known: Table) -> str:
    record = found.record
    mark = terminal.status(f"{MARKS[record.status]} {record.status}", record.status)
    facts = {
        **{str(name): value for name, value in known.rows},
        "state": _state(found),
        "user": f"{record.user}@{record.host}" if record.user and record.host else record.user or record.host,
    }
    rows = [[name, shown(value)] for name, value in facts.items() if value not in (None, "")]
    lines = table(["", ""], rows, [False, False]).splitlines()[1:]
    return "\n".join([f"{terminal.bold(shown(record.name))}  {mark}", *lines])


def _state(found: StoredRun) -> str:
    try:
        return found.lineage.state
    except (StoreError, NoRun):  # the rest of the run is still worth showing
        return ""


def _table(each: Table) -> str:
    """A table of facts, cut where a terminal has enough of it."""
    rows = list(each.rows)
    cells = [[_cell(head, value) for head, value in zip(each.heads, line, strict=True)] for line in rows]
    right = [head in _COUNTED or head in _MEASURED for head in each.heads]
    most = _MOST_LAYERS if each.tab == "models" else _MOST.get(each.title, len(rows))
    more = len(rows[most:]) + each.beyond
    text = table(each.heads, cells[:most], right) if rows else ""
    return _titled(each.title, f"{text}\nand {more:,} more" if more else text)


def _cell(head: str, value: Json) -> str:
    if head in _COUNTED and isinstance(value, int):
        return f"{value:,}"
    return clipped(shown(value), _WIDE)


def _list(each: Table) -> str:
    """Sentences, each with the place in the run that it is about."""
    lines: list[str] = []
    for text, *where in each.rows:
        place = [f"{head} {value}" for head, value in zip(each.heads[1:], where, strict=True) if value is not None]
        lines.append(f"- {shown(text)}" + (f" ({', '.join(place)})" if place else ""))
    return _titled(each.title, "\n".join(lines))


def _environment(parts: Sequence[Table]) -> str:
    rows = [
        [name if part.title == "software" else f"{part.title}.{name}", clipped(shown(value), _WIDE)]
        for part in parts
        if part.title not in ("packages", "state")  # two hundred lines tell nobody anything; it stands in the head
        for name, value in part.rows
    ]
    return _titled("environment", "\n".join(table(["", ""], rows, [False, False]).splitlines()[1:]) if rows else "")


def _titled(title: str, text: str) -> str:
    return f"{terminal.bold(title)}\n{text}" if text else ""


def _code(found: StoredRun) -> str:
    try:
        code = found.code
    except (StoreError, NoRun) as problem:  # the rest of the run is still worth showing
        return f"({problem})"
    return "\n".join(map(terminal.harmless, code.splitlines()))

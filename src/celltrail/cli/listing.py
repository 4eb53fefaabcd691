"""``celltrail ls``: the runs that match an expression, as a table."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from typing import Any

from celltrail.cli import terminal
from celltrail.contract import RowsPage
from celltrail.query import RunSet, open_store, plain, runs
from celltrail.query.columns import short_columns
from celltrail.query.plain import MARKS, shown, table

_LIMIT = 50


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "ls",
        help="list runs",
        description="List runs, newest first. Exit status 1 when an expression matches none.",
        epilog="example: celltrail ls 'params.lr < 0.01 and \"mlp\" in tags' --sort='-best(\"val/acc\")'",
    )
    command.add_argument("expression", nargs="?", default="", metavar="EXPR", help="which runs (default: all)")
    command.add_argument(
        "--sort", action="append", default=[], metavar="KEY", help="sort by an expression; -KEY: high to low"
    )
    command.add_argument(
        "--limit", type=_count, metavar="N", help=f"show at most N runs (default: {_LIMIT}; --json: all)"
    )
    command.add_argument("--project", metavar="NAME", help="only runs of this project")
    command.add_argument("--view", metavar="NAME", help="the runs of a saved view, narrowed by EXPR")
    command.add_argument("--save", metavar="NAME", help="keep this question as a view of this name")
    command.add_argument("--views", action="store_true", help="list the saved views instead of runs")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the runs; 1 when an expression matches none."""
    if asked.views:
        return _list_views(asked)
    found = runs(asked.expression, project=asked.project, sort=asked.sort, store=asked.store, view=asked.view)
    if asked.save:
        view = (found if asked.limit is None else found[: asked.limit]).save(asked.save)
        print(f"saved as the view {view.name!r}: celltrail ls --view {shlex.quote(view.name)}", file=sys.stderr)
    limit = asked.limit if asked.limit is not None or asked.json else _LIMIT
    for hint in found.hints:
        print(hint, file=sys.stderr)
    if asked.json:
        terminal.print_json(RowsPage(rows=found[:limit].rows(), total=len(found), hints=found.hints))
    else:
        print(_told(found, limit))
    return 1 if asked.expression and not len(found) else 0


def _list_views(asked: argparse.Namespace) -> int:
    views = open_store(asked.store).views.list()
    if asked.json:
        terminal.print_json([dataclasses.asdict(view) for view in views])
    elif views:
        rows = [[view.name, view.where or "all runs", " ".join(view.sort), str(view.limit or "")] for view in views]
        print(table(["view", "where", "sort", "limit"], [list(map(shown, row)) for row in rows], [False] * 3 + [True]))
    else:
        print("no saved views yet: celltrail ls EXPR --save NAME keeps one")
    return 0


def _told(found: RunSet, limit: int | None) -> str:
    count = len(found)
    if not count:
        if found.question:
            return f"no runs in {found.store.root.name} where {found.question}"
        return f"no runs in {found.store.root.name} yet: put %%track on a notebook cell, or call ct.start()"
    text, left_out = _fitting(found, limit)
    lines = text.splitlines()
    lines[0] = terminal.bold(lines[0])
    records = found[:limit].records
    for i, record in enumerate(records, 1):
        told = f"{MARKS[record.status]} {record.status}"
        lines[i] = lines[i].replace(told, terminal.status(told, record.status), 1)
    if len(records) < count:
        lines.append(terminal.dim(f"… and {count - len(records)} more: --limit {count}"))
    if left_out:
        lines.append(
            terminal.dim(f"left out for lack of room: {', '.join(left_out)}; a wider terminal or --json shows them")
        )
    return "\n".join(lines)


def _fitting(found: RunSet, limit: int | None) -> tuple[str, list[str]]:
    """The table as wide as the terminal, and the columns it has no room for: all of it where it is read by a program.

    Params beyond the second go first, then when and how long; how the runs are called, stand and score best stays.
    """
    text = found.to_text(most=limit)
    room = terminal.columns()
    if room is None or found.columns is not None:
        return text, []
    names = [column.name for column in short_columns(found[:limit].records)]
    left_out: list[str] = []
    params = [name for name in names if name.startswith("params.")]
    metrics = [name for name in names if name.startswith(("best.", "metrics."))]
    spare = [*params[:1:-1], "created", "tags", "duration", *metrics[:1:-1], *params[1::-1], *metrics[1:2]]
    for name in spare:
        if plain.width(text.splitlines()[0]) <= room:
            break
        if name in names:
            names.remove(name)
            left_out.append(name.partition(".")[2] or name)
            text = found.to_text(names, most=limit)
    return text, left_out


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} runs cannot be listed: give 1 or more")
    return number

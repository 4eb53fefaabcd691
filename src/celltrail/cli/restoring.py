"""``celltrail restore``: what ran in the kernels of a trail, and the text of one execution."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from celltrail.cli import terminal
from celltrail.errors import BadValue
from celltrail.model import Json
from celltrail.query import open_store
from celltrail.query.executions import StoredExecution, execution, executions
from celltrail.query.plain import clipped, table


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "restore",
        help="print a cell as it ran, whether or not it was a run",
        description="List what ran in kernels that have a run in the trail, or print the code of one execution as it "
        "ran, without secrets. Exit status 1 when there is none.",
        epilog="example: celltrail restore 4c9k2f > cell.py",
    )
    command.add_argument("execution", nargs="?", metavar="EXECUTION", help="the end or the beginning of its id")
    command.add_argument("--cell", metavar="ID", help="list only executions of the cell with this id")
    command.add_argument("--limit", type=int, default=40, metavar="N", help="list the newest N (default: 40)")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the list, or the text."""
    store = open_store(asked.store)
    if asked.execution is None:
        found = executions(asked.cell, store=store)[-max(1, asked.limit) :]
        if asked.json:
            terminal.print_json([_told(each) for each in found])
        else:
            print(_listed(found) if found else "no kernel has executions in this trail")
        return 0 if found else 1
    one = execution(asked.execution, store=store)
    if asked.json:
        terminal.print_json({**_told(one), "source": one.source})
    elif not one.record.code:
        raise BadValue(f"the text of execution {one.id} was not kept")
    else:
        sys.stdout.write(one.source)  # as it was: a pipe gets the very bytes
        if sys.stdout.isatty():
            print()
    return 0


def _told(each: StoredExecution) -> dict[str, Json]:
    record = each.record
    facts = {"id": each.id, "session": record.session, "n": record.count, "cell": each.cell, "kind": record.kind}
    about = {"notebook": record.notebook, "status": each.status, "run": each.run, "error": record.error}
    return {**facts, **about, "started": record.started_us, "ended": record.ended_us, "names": record.names}


def _listed(found: list[StoredExecution]) -> str:
    rows = [
        [each.id, f"[{each.record.count}]", _local(each.record.started_us), each.status,
          "run" if each.run else "", clipped(terminal.harmless(_first_line(each.source)), 60)]
        for each in found
    ]  # fmt: skip
    return table(["execution", "in", "ran", "was", "", "begins"], rows, [False] * 6)


def _local(time_us: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(time_us / 1e6))


def _first_line(source: str) -> str:
    return next((line.strip() for line in source.splitlines() if line.strip()), "")

"""``celltrail compare``: what differs between runs."""

from __future__ import annotations

import argparse
from typing import Any

from celltrail.cli import terminal
from celltrail.compare import compare
from celltrail.query import open_store


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="show what differs between runs",
        description="Show what differs between two or more runs: facts, params, data, metrics, environment, code.",
        epilog="example: celltrail compare baseline sweep-1",
    )
    command.add_argument("first", metavar="RUN", help="name (newest), id or the beginning of an id")
    command.add_argument("others", metavar="RUN", nargs="+", help="the runs to compare with it")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the comparison."""
    found = compare(asked.first, *asked.others, store=open_store(asked.store))
    if asked.json:
        terminal.print_json(found.payload())
        return 0
    for line in repr(found).splitlines():
        is_removed = line.startswith("-") and not line.startswith("---")
        is_added = line.startswith("+") and not line.startswith("+++")
        print(terminal.status(line, "failed" if is_removed else "finished") if is_removed or is_added else line)
    return 0

"""``celltrail search``: where words stand in the code, names, notes, params, errors and outputs of runs."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from celltrail.cli import terminal
from celltrail.query.plain import clipped, shown
from celltrail.query.search import Hit, search


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "search",
        help="find words in runs",
        description="Find words in the code, names, notes, params, errors and outputs of runs. Exit status 1 when "
        "nothing is found.",
        epilog="example: celltrail search '\"learning rate\" sched*' --kind code",
    )
    command.add_argument(
        "words", nargs="+", metavar="WORDS", help='all of them, in one text; "two words" as a phrase; word* as a prefix'
    )
    command.add_argument("--kind", metavar="KIND", help="only name, note, code, params, error or output")
    command.add_argument("--limit", type=int, default=50, metavar="N", help="show at most N texts (default: 50)")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the texts; 1 when there are none. All runs are read first: a shell has no next moment."""
    found = search(" ".join(asked.words), asked.kind, limit=max(1, asked.limit), wait=True, store=asked.store)
    for hint in found.hints:
        print(hint, file=sys.stderr)
    if asked.json:
        fields = [{"run": hit.run.id, "name": hit.run.name, "kind": hit.kind, "snippet": hit.snippet} for hit in found]
        terminal.print_json(fields)
    elif not len(found):
        print(f"nothing found for {found.words!r}")
    for hit in () if asked.json else found:
        print(_told(hit))
    return 0 if len(found) else 1


def _told(hit: Hit) -> str:
    name = clipped(shown(hit.run.name), 30)
    text = "".join(terminal.bold(piece) if marked else piece for piece, marked in hit.pieces)
    return f"{name}  {terminal.dim(hit.kind)}  {text.strip()}"

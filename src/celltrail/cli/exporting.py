"""``celltrail export``: runs in formats that any program reads, or as a trail of their own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from celltrail.cli import terminal
from celltrail.errors import BadValue
from celltrail.query import open_store
from celltrail.query.export import Format, write, write_csv, write_jsonl
from celltrail.query.stored import find


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "export",
        help="write runs as JSON lines, CSV, Parquet or a small trail",
        description="Write runs to a file: every point, event and parameter as lines of JSON (the default), the points "
        "as CSV or Parquet, or everything as a small trail that celltrail import takes.",
        epilog="example: celltrail export baseline --csv --out baseline.csv",
    )
    command.add_argument("runs", metavar="RUN", nargs="+", help="name, id or the beginning of an id")
    kinds = command.add_mutually_exclusive_group()
    for kind, what in (
        ("jsonl", "everything, as lines of JSON"),
        ("csv", "only the points"),
        ("parquet", "only the points"),
    ):
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=what)
    kinds.add_argument("--trail", type=Path, metavar="FOLDER", help="a trail of these runs and all they refer to")
    command.add_argument("--out", type=Path, metavar="FILE", help="the file to write (default: standard output)")
    command.set_defaults(command=run, kind="jsonl")
    return command


def run(asked: argparse.Namespace) -> int:
    """Write the runs, each once."""
    store = open_store(asked.store)
    chosen = list({found.id: found for found in (find(name, store) for name in asked.runs)}.values())
    kind: Format = asked.kind
    if asked.trail is not None:
        if asked.out is not None:
            raise BadValue("--trail names its folder itself: leave out --out")
        report = store.export([found.id for found in chosen], asked.trail)
        if asked.json:
            terminal.print_json(report.payload())
        else:
            print(report)
    elif asked.out is not None:
        write(chosen, asked.out, kind)
        if asked.json:
            terminal.print_json({"runs": [found.id for found in chosen], "format": kind, "file": asked.out.name})
        else:
            print(f"{asked.out.name}: {', '.join(found.name for found in chosen)}")
    elif kind == "parquet":
        raise BadValue("Parquet is no text for a terminal: name a file with --out")
    else:
        (write_jsonl if kind == "jsonl" else write_csv)(chosen, sys.stdout)
    return 0

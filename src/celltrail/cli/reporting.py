"""``celltrail report``: a run as a document that others ask for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from celltrail.cli import terminal
from celltrail.query import open_store
from celltrail.report import report
from celltrail.report.kinds import KINDS


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "report",
        help="write a model card, an audit or a technical file",
        description="Write what is known of a run as a document. Each field is evidence with its source, a note, or "
        "MISSING with how to supply it. Exit status 0: nothing is missing; 1: something is; 2: it cannot be told.",
        epilog="example: celltrail report baseline --kind audit -o audit.md",
    )
    command.add_argument("run", metavar="RUN", help="name, id or the beginning of an id")
    command.add_argument(
        "--kind", choices=list(KINDS), default="model-card", help="which document (default: %(default)s)"
    )
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="the file to write: .md, .html or .json")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the document or write it; 1 where something is missing."""
    told = report(asked.run, asked.kind, store=open_store(asked.store))
    if asked.output is not None:
        told.write(asked.output)
    if asked.json:
        print(told.json)
    elif asked.output is None:
        print(terminal.harmless(told.markdown))
    else:
        print(f"{asked.output.name}: {terminal.harmless(repr(told)[1:-1])}")
    return 1 if told.missing else 0

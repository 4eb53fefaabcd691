"""``celltrail import``: another trail's runs into this one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from celltrail.cli import terminal
from celltrail.store import Store


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "import",
        help="bring the runs of another trail into this one",
        description="Bring everything of another trail into this one: a copied folder, a colleague's, one that "
        "celltrail export --trail made. Runs keep their ids; of two copies of one the newer counts, and what cannot "
        "be decided is kept twice. The other trail is only read; doing it twice changes nothing more.",
    )
    command.add_argument("source", type=Path, metavar="FOLDER", help="the other trail, or the folder it is in")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Merge, and print what came."""
    report = Store(asked.store).merge(asked.source)
    if asked.json:
        terminal.print_json(report.payload())
    else:
        print(report)
    return 0

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
        epilog="example: celltrail import ../colleague/.celltrail",
    )
    wanted = command.add_mutually_exclusive_group(required=True)
    wanted.add_argument(
        "source", type=Path, nargs="?", metavar="FOLDER", help="the other trail, or the folder it is in"
    )
    wanted.add_argument(
        "--fallback",
        action="store_true",
        help="bring back what runs wrote elsewhere after this trail was deleted, moved or locked during them",
    )
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Merge, and print what came."""
    store = Store(asked.store)
    reports = store.bring_back() if asked.fallback else [store.merge(asked.source)]
    if asked.json:
        payloads = [report.payload() for report in reports]
        terminal.print_json(payloads if asked.fallback else payloads[0])
    else:
        print("\n".join(map(str, reports)))
    return 0

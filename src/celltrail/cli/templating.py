"""``celltrail template``: what every run of a project must have, and which runs lack something."""

from __future__ import annotations

import argparse
from typing import Any

from celltrail.cli import terminal
from celltrail.query import open_store
from celltrail.query.needs import WORDS
from celltrail.query.template import template

_SHOWN = 20


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "template",
        help="say what every run of a project must have",
        description="Say what every run of a project must have, or list which of its runs lack something. A need is "
        f"one of the words {', '.join(WORDS)} and 'val metric' (or train, test, eval), or an expression. Exit status "
        "0: no run lacks anything; 1: some do.",
        epilog="example: celltrail template seed data 'val metric' note 'has(params.owner)' --project churn",
    )
    command.add_argument("needs", metavar="NEED", nargs="*", help="require exactly these from now on")
    command.add_argument("--project", metavar="NAME", help="the project (default: as in CELLTRAIL_PROJECT)")
    command.add_argument("--remove", action="store_true", help="require nothing any more")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Say it, keep it or take it back; 1 where a run lacks something."""
    store = open_store(asked.store)
    found = template(*asked.needs, project=asked.project, store=store)
    if asked.remove:
        store.templates.delete(found.project)
        found = template(project=asked.project, store=store)
    lacking = found.incomplete
    if asked.json:
        told = {run.id: list(complete.missing) for run in lacking if (complete := run.complete) is not None}
        terminal.print_json({"project": found.project, "needs": list(found.needs), "incomplete": told})
    else:
        print(*map(terminal.harmless, repr(found).splitlines()), sep="\n")
        for each in lacking[:_SHOWN]:
            print(terminal.harmless(f"  {each.name}  {each.complete}"))
        if len(lacking) > _SHOWN:
            print(terminal.dim(f"… and {len(lacking) - _SHOWN} more"))
    return 1 if len(lacking) else 0

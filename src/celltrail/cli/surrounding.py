"""``celltrail env``: what has become of the environment of a run, and a file that builds it again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from celltrail.cli import terminal
from celltrail.errors import BadValue, NoRun
from celltrail.query import find, open_store
from celltrail.query.plain import table
from celltrail.replay.surroundings import Difference, surroundings

_MOST_SHOWN = 40


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare ``env``."""
    command: argparse.ArgumentParser = commands.add_parser(
        "env",
        help="compare the environment of a run with this one",
        description="Say how the Python and packages of this environment differ from those a run had, or write its "
        "packages as a requirements file. Exit status 0: the same; 1: something differs; 2: it cannot be told.",
        epilog="example: celltrail env baseline -o requirements.txt",
    )
    command.add_argument("run", metavar="RUN", help="name, id or the beginning of an id")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="the requirements file to write")
    command.add_argument("--all", action="store_true", help="name every package that differs")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the differences; 1 where there are some."""
    try:
        found = find(asked.run, open_store(asked.store))
        told = surroundings(found)
    except NoRun as problem:
        raise BadValue(str(problem)) from None  # the answer is not no: there is nothing to compare
    if asked.output is not None:
        _write(asked.output, told.requirements(found.name))
        print(f"{len(told.packages)} packages in {asked.output.name}", file=sys.stderr if asked.json else sys.stdout)
    if asked.json:
        terminal.print_json(told.payload())
    elif not told.differences:
        print(f"run {found.name!r}: Python {told.python} and {len(told.packages)} packages, all the same now")
    else:
        print(_told(told.differences, every=asked.all))
    return 1 if told.differences else 0


def _told(differences: list[Difference], *, every: bool) -> str:
    shown = differences if every else differences[:_MOST_SHOWN]
    rows = [["✓" if each.is_used else "", each.name, each.then or "-", each.now or "-"] for each in shown]
    first, *rest = table(["used", "package", "then", "now"], rows, [False] * 4).splitlines()
    more = len(differences) - len(shown)
    tail = [terminal.dim(f"and {more} more; --all names them")] if more else []
    return "\n".join([terminal.bold(first), *map(terminal.harmless, rest), *tail])


def _write(place: Path, text: str) -> None:
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise BadValue(f"{place.name} is there already; give the name of a new file") from None
    except OSError as error:
        raise BadValue(f"{place} cannot be written: {error.strerror}") from None

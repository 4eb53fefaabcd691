"""``celltrail settings``: what all who use a trail agree on."""

from __future__ import annotations

import argparse
from typing import Any

from celltrail.cli import terminal
from celltrail.errors import BadValue
from celltrail.query import open_store
from celltrail.query.plain import shown, table
from celltrail.store.docs.settings import KNOWN


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "settings",
        help="show or change the settings of the trail",
        description="List the settings that all users of a trail share, show one, or set it.",
        epilog="example: celltrail settings archived.shown on",
    )
    command.add_argument("name", nargs="?", metavar="NAME", help="a setting (default: list all)")
    command.add_argument("value", nargs="?", metavar="VALUE", help="its new value")
    command.add_argument("--reset", action="store_true", help="return to its default")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the settings, after the change that was asked for."""
    settings = open_store(asked.store).settings
    if asked.reset and (asked.name is None or asked.value is not None):
        raise BadValue("--reset takes the name of one setting, and no value")
    if asked.reset:
        del settings[asked.name]
    elif asked.value is not None:
        settings[asked.name] = asked.value
    chosen = {name: settings[name] for name in ([asked.name] if asked.name is not None else settings)}
    if asked.json:
        terminal.print_json(chosen)
    else:
        rows = [[name, shown(value), KNOWN[name].allowed, KNOWN[name].meaning] for name, value in chosen.items()]
        print(table(["setting", "is", "takes", "meaning"], rows, [False] * 4))
    return 0

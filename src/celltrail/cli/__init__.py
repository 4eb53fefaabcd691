"""The command line: the same verbs as in Python, for a terminal and for scripts.

Exit status: 0, or 1 where the answer is no (nothing matches, no such run), or 2 where the question could
not be asked (an expression that cannot be read, a trail that cannot be opened).
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from celltrail.capture.stale.holding import holds
from celltrail.cli import (
    agreeing,
    alerting,
    checking,
    cleaning,
    comparing,
    editing,
    examining,
    exporting,
    importing,
    listing,
    replaying,
    reporting,
    restoring,
    searching,
    showing,
    surrounding,
    templating,
    verifying,
    viewing,
)
from celltrail.errors import CelltrailError, NoRun
from celltrail.query.standing import told_by

ANSWER_IS_NO, NOT_ASKED, STOPPED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    >>> main(["ls", "params.lr <"])  # the sentence goes to stderr
    2
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a mark the terminal lacks is no reason to fail
    told_by(holds)
    try:
        words = _with_sort_keys(sys.argv[1:] if argv is None else argv)
        if not words:  # who types the bare name wants to know what there is
            parser().print_help(sys.stderr)
            return NOT_ASKED
        asked = parser().parse_args(words)
        status = asked.command(asked)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # argparse has said why
        return stop.code if isinstance(stop.code, int) else NOT_ASKED
    except CelltrailError as problem:
        print(problem, file=sys.stderr)
        return ANSWER_IS_NO if isinstance(problem, NoRun) else NOT_ASKED
    except BrokenPipeError:
        # the reader (head, less) has seen enough; nothing may be flushed into the closed pipe at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return STOPPED


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(
        prog="celltrail",
        description="List, show, compare, check and keep the runs of a trail (the folder .celltrail).",
        epilog="celltrail COMMAND --help explains a command and has an example of it.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version of celltrail and exit")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        listing.add,
        viewing.add,
        searching.add,
        restoring.add,
        showing.add,
        comparing.add,
        checking.add,
        alerting.add,
        replaying.add_slice,
        replaying.add,
        surrounding.add,
        reporting.add,
        editing.add,
        templating.add,
        verifying.add,
        examining.add,
        agreeing.add,
        cleaning.add,
        importing.add,
        exporting.add,
    ):
        command = add(commands)
        command.add_argument("--json", action="store_true", help="print the answer as JSON")
        command.add_argument(
            "--store", type=Path, metavar="FOLDER", help="the trail (default: the one of the working folder)"
        )
    return top


class _Version(argparse.Action):
    """Asked for only when somebody wants it: reading it takes longer than most commands."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"celltrail {version('celltrail')}")
        parser.exit()


def _with_sort_keys(argv: Sequence[str]) -> list[str]:
    """``--sort -key`` as ``--sort=-key``: the parser would take the key for an option.

    >>> _with_sort_keys(["ls", "--sort", "-created"])
    ['ls', '--sort=-created']
    """
    words = list(argv)
    for place in range(len(words) - 2, -1, -1):
        if words[place] == "--sort":
            words[place : place + 2] = [f"--sort={words[place + 1]}"]
    return words

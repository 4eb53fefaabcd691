"""``celltrail replay``: a run executed again and judged; ``celltrail slice``: the cells it needs, as a file."""

from __future__ import annotations

import _thread
import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celltrail.cli import terminal
from celltrail.query import open_store
from celltrail.replay import Progress, replay, slice_of

_COLOURS = {"reproduced": "finished", "within-tolerance": "finished", "drifted": "failed", "cannot-run": "interrupted"}
_COULD_NOT = 2
_MODES = "minimal: the cells it depends on; full: all that ran before it; auto: the first, then if need be the second"


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare ``replay``."""
    command: argparse.ArgumentParser = commands.add_parser(
        "replay",
        help="execute a run again and judge it",
        description="Execute a run again in a fresh kernel, from its record alone, and say whether it gives the same. "
        "Exit status 0: reproduced, or within tolerance; 1: it drifted; 2: it cannot be run.",
        epilog="example: celltrail replay baseline --isolated",
    )
    command.add_argument("run", metavar="RUN", help="name, id or the beginning of an id")
    command.add_argument("--mode", choices=("auto", "minimal", "full"), default="auto", help=_MODES)
    command.add_argument("--rtol", type=float, help="largest relative difference within tolerance (default 1e-6)")
    command.add_argument("--cwd", choices=("copy", "same"), help="run in a copy of its folder, or in the folder itself")
    command.add_argument("--timeout", type=float, metavar="SECONDS", help="how long one cell may take")
    command.add_argument(
        "--isolated", action="store_true", help="first build the environment it had, with uv, and run in that"
    )
    command.add_argument("--progress", action="store_true", help="report progress on stderr, as lines of JSON")
    command.add_argument(
        "--attached", action="store_true", help="stop when standard input is closed, for programs that start a replay"
    )
    command.add_argument("--trust", action="store_true", help="also run code that another person recorded")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Replay and print the verdict."""
    if asked.attached:
        _end_with_standard_input()
    told = replay(
        asked.run, asked.mode, rtol=asked.rtol, cwd=asked.cwd, isolated=asked.isolated, timeout=asked.timeout,
        trust=asked.trust, store=open_store(asked.store),
        tell=_teller(asked),
    )  # fmt: skip
    if asked.json:
        terminal.print_json(told.payload())
    else:
        first, *rest = str(told).splitlines()
        print(terminal.status(terminal.harmless(first), _COLOURS[told.verdict]))
        print(*map(terminal.harmless, rest), sep="\n")
    return 0 if told else _COULD_NOT if told.verdict == "cannot-run" else 1


def _end_with_standard_input() -> None:
    """Be interrupted once a byte or its end comes from standard input."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever began this may ignore interrupts
    here = threading.get_ident()

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)
        if hasattr(signal, "pthread_kill"):  # wakes it from what it waits for
            signal.pthread_kill(here, signal.SIGINT)
        else:
            _thread.interrupt_main()

    threading.Thread(target=wait, name="celltrail-attached", daemon=True).start()


def _teller(asked: argparse.Namespace) -> Callable[[Progress], None]:
    """Says how far it is: to a program as it asked, to a person who looks on."""

    def tell(progress: Progress) -> None:
        text = json.dumps(progress.payload()) if asked.progress else terminal.harmless(str(progress))
        print(text, file=sys.stderr, flush=True)

    return tell if asked.progress or sys.stderr.isatty() else lambda progress: None


def add_slice(commands: Any) -> argparse.ArgumentParser:
    """Declare ``slice``."""
    command: argparse.ArgumentParser = commands.add_parser(
        "slice",
        help="list or write the cells that a run needs",
        description="List the cells that a run depends on, in the versions that ran, or write them as a notebook or a "
        "script.",
        epilog="example: celltrail slice baseline -o again.ipynb",
    )
    command.add_argument("run", metavar="RUN", help="name, id or the beginning of an id")
    command.add_argument(
        "--mode", choices=("minimal", "full"), default="minimal", help="the cells it needs, or all that ran before it"
    )
    command.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the file to write, .ipynb or .py; none is overwritten"
    )
    command.set_defaults(command=write)
    return command


def write(asked: argparse.Namespace) -> int:
    """Print the slice, or write it."""
    part = slice_of(asked.run, asked.mode, store=open_store(asked.store))
    if asked.output is not None:
        place = part.write(asked.output)
        print(f"{len(part)} executions in {place.name}", file=sys.stderr if asked.json else sys.stdout)
    if asked.json:
        terminal.print_json(part.payload())
    elif asked.output is None:
        print(*map(terminal.harmless, repr(part).splitlines()), sep="\n")
    return 0

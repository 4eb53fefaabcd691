"""``celltrail view``: the runs in a browser."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from celltrail.errors import MissingExtra, NoRun
from celltrail.store import root


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "view",
        help="look at the runs in a browser",
        description="Serve the run browser of JupyterLab's side bar as a page of its own, by a Jupyter Server with its "
        "login and settings but without kernels. It listens on this machine alone unless --jupyter says otherwise, "
        "and ends with Ctrl-C. Where Jupyter already runs, the same page is at celltrail/view below its address.",
        epilog="example: celltrail view --no-browser",
    )
    command.add_argument(
        "trail", nargs="?", type=Path, metavar="TRAIL", help="a trail or the folder it is in (default: all in reach)"
    )
    command.add_argument("--port", type=int, help="the port to listen on (default: the first free one from 8888)")
    command.add_argument("--no-browser", action="store_true", help="only print the address")
    command.add_argument(
        "--jupyter",
        action="append",
        default=[],
        metavar="OPTION",
        help="an option of Jupyter Server, such as --jupyter=--ip=0.0.0.0 or --jupyter=--ServerApp.base_url=/runs/",
    )
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Become the server, which is a program of its own, until that is ended."""
    if find_spec("jupyter_server") is None:
        raise MissingExtra("celltrail view", "lab")
    named = asked.trail or asked.store
    words = [f"--ServerApp.root_dir={Path.cwd()}", "--log-level=WARN", "-y"]  # Ctrl-C is no question
    if named is not None:
        words.append(f"--View.trail={_trail_in(named)}")
    if asked.port is not None:
        words.append(f"--port={asked.port}")
    if asked.no_browser:
        words.append("--no-browser")
    if asked.json:
        words.append("--View.as_json=True")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        words.append("--allow-root")  # Jupyter's reason against it is that its kernels run as root: there are none
    command = [sys.executable, "-m", "celltrail.server", *words, *asked.jupyter]
    if os.name == "posix":
        os.execv(sys.executable, command)
    return subprocess.call(command)  # elsewhere a program that was replaced is waited for by nobody


def _trail_in(place: Path) -> Path:
    for folder in (place, place / root.FOLDER):
        if root.trail_id(folder):
            return folder.resolve()
    raise NoRun(f"there is no trail in {place.name or str(place)!r}; celltrail view without it shows all in reach")

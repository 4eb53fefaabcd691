"""``celltrail gc``: what can go from a trail, and its removal."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from celltrail.cli import terminal
from celltrail.store import Store
from celltrail.store.files.telling import counted, sized
from celltrail.store.upkeep.gc import Item, Plan

_MOST_SHOWN = 20


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "gc",
        help="remove what nothing needs, within a budget",
        description="List what is no longer needed, ask, and remove it: blobs that nothing refers to, runs deleted "
        "more than a week ago, and what has been in the trash for 30 days. What a run refers to stays, unless you "
        "deleted the run. Exit status 1 when a budget cannot be met, or when you say no.",
        epilog="example: celltrail gc --budget 2GB --dry-run",
    )
    command.add_argument("--budget", metavar="SIZE", help="how large the trail may be, trash included: 2GB, 500MB")
    command.add_argument("--dry-run", action="store_true", help="only say what would go")
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the plan, ask, carry it out; 1 when the budget cannot be met or the answer is no."""
    store = Store(asked.store)
    plan = store.gc(asked.budget, dry_run=True)
    if asked.dry_run or (plan.items and not asked.json):
        _show(plan, asked.json)
    if asked.dry_run:
        return 0 if plan.is_met else 1
    if plan.items and not asked.yes and not _agreed(asked.json):
        return 1
    done = store.gc(asked.budget)
    if asked.json:
        terminal.print_json(done.payload())
    else:
        print(done)
    return 0 if done.is_met else 1


def _show(plan: Plan, as_json: bool) -> None:
    if as_json:
        terminal.print_json(plan.payload())
        return
    if plan.items:
        print(_table(plan.items))
    print(plan)


def _table(items: Sequence[Item]) -> str:
    rows = [("what", "size", "goes", "last used", "why")]
    for item in items[:_MOST_SHOWN]:
        what = item.what if len(item.what) <= 48 else f"{item.what[:47]}…"
        used = time.strftime("%Y-%m-%d", time.localtime(item.used))
        rows.append((what, sized(item.size), "for good" if item.for_good else "to the trash", used, item.why))
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True)), row[4]]) for row in rows
    ]
    lines[0] = terminal.bold(lines[0])
    if rest := items[_MOST_SHOWN:]:
        size = sized(sum(item.size for item in rest))
        lines.append(terminal.dim(f"… and {counted(len(rest), 'more thing')}, {size}: --json lists all"))
    return "\n".join(lines)


def _agreed(as_json: bool) -> bool:
    if as_json or not sys.stdin.isatty():
        print("nothing was removed: say --yes to do it, or --dry-run to only look", file=sys.stderr)
        return False
    return input("remove these? [y/N] ").strip().lower() in ("y", "yes")

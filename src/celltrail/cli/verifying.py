"""``celltrail verify``: whether the record of changes is whole."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from celltrail.cli import terminal
from celltrail.errors import StoreError
from celltrail.query import open_store
from celltrail.store.audit import Report


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "verify",
        help="check that nobody altered the record of changes",
        description="Check the record of what people and maintenance changed: that no entry was altered, removed or "
        "added since. Exit status 1 when one was; the first broken entry of each chain is named. Whoever can rewrite "
        "the trail can rewrite the whole record: keep the hash that --head prints where they cannot (a git commit, a "
        "signature, a time stamp), and check it later with --expect.",
        epilog="example: celltrail verify --head",
    )
    command.add_argument("--head", action="store_true", help="print only the hash that stands for all entries")
    command.add_argument("--expect", metavar="HASH", help="also check that this hash, kept elsewhere, is in the record")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print what was found; 1 when the record is broken."""
    store = open_store(asked.store)
    if not store.id:
        raise StoreError(f"there is no trail {store.root.name!r} to verify; give its folder with --store")
    expect = asked.expect.strip().lower() if asked.expect else None
    report = store.audit.verify(expect)
    if asked.head and report.is_whole:
        head = store.audit.head()
        if asked.json:
            terminal.print_json({"head": head})
        else:
            print(head)
        return 0
    if asked.json:
        told = {name: value for name, value in dataclasses.asdict(report).items() if value is not None}
        terminal.print_json({"whole": report.is_whole, **told})
    else:
        print(_told(report, asked.head))
    return 0 if report.is_whole else 1


def _told(report: Report, head_asked: bool) -> str:
    lines = [str(report)]
    if report.erased:
        lines.append(f"{report.erased:,} of them had their payload erased; that they were made still stands")
    if report.expected is not None:
        lines.append(f"the expected hash {'stands' if report.expected else 'does not stand'} in the record")
    if report.is_whole:
        lines.append(terminal.status("the record is whole: no entry was altered, removed or added since", "finished"))
    else:
        lines.append(terminal.status("the record is broken", "failed"))
        if head_asked:
            lines.append("a broken record has no head: restore the trail from a copy first")
    return "\n".join(lines)

"""``celltrail doctor``: what is wrong with a trail or with saved notebooks, and its repair."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.cli import notebooks, terminal
from celltrail.store import Store
from celltrail.store.files.telling import counted

if TYPE_CHECKING:
    from celltrail.store.doctor import Report
    from celltrail.store.doctor.finding import Finding

_MOST_OF_A_KIND = 5


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="check the trail or saved notebooks, and repair them",
        description="Say what is wrong with the trail, where, what it costs and what to do. For notebooks: say which "
        "saved panels lack a trail or run, and which still show a run in progress. Nothing is destroyed: what "
        "a repair replaces goes to the trash first. Exit status 1 when anything was wrong, even if it was repaired.",
        epilog="example: celltrail doctor analysis.ipynb --repair",
    )
    command.add_argument(
        "notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="check these files instead of the trail"
    )
    command.add_argument("--repair", action="store_true", help="repair what can be repaired")
    command.add_argument(
        "--rebuild",
        action="append",
        default=[],
        metavar="RUN",
        help="rebuild this run's document from its log; RUN is an id",
    )
    command.add_argument("--all", action="store_true", help="read every byte of every blob")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print what was found; 1 when anything is or was wrong."""
    if asked.notebooks:
        return notebooks.run(asked.notebooks, asked.store, is_repair=asked.repair, as_json=asked.json)
    store = Store(asked.store)
    report = store.examine(repair=asked.repair, rebuild=asked.rebuild, reads_all=asked.all)
    if asked.json:
        terminal.print_json(report.payload())
    else:
        print(_told(report, asked.repair))
    return 0 if report.is_healthy else 1


def _told(report: Report, is_repair: bool) -> str:
    lines: list[str] = []
    for finding in report.wrong:
        lines += _told_of(finding)
    seen: dict[str, int] = {}
    for note in report.notes:
        seen[note.kind] = seen.get(note.kind, 0) + 1
        if note.done or seen[note.kind] <= _MOST_OF_A_KIND:
            lines.append(terminal.dim(f"note: {note}") + (f"\n    done: {note.done}" if note.done else ""))
    lines += [
        terminal.dim(
            f"note: and {counted(count - _MOST_OF_A_KIND, 'more note')} of the kind {kind!r}: --json lists all"
        )
        for kind, count in seen.items()
        if count > _MOST_OF_A_KIND
    ]
    examined = f"{counted(report.runs, 'run')} and {counted(report.blobs, 'kept file')} were examined"
    if report.is_healthy:
        return "\n".join([*lines, terminal.status(f"✓ nothing is wrong: {examined}", "finished")])
    left = [finding for finding in report.wrong if not (finding.mend and finding.done)]
    told = f"✗ {counted(len(report.wrong), 'thing')} wrong"
    if is_repair:
        told += f", {len(report.wrong) - len(left):,} repaired, {len(left):,} left"
    elif len(left) < len(report.wrong) or any(finding.mend for finding in report.wrong):
        told += f", {sum(finding.mend is not None for finding in report.wrong):,} can be repaired with --repair"
    return "\n".join([*lines, terminal.status(f"{told}; {examined}", "failed")])


def _told_of(finding: Finding) -> list[str]:
    lines = [terminal.bold(str(finding)), f"    effect: {finding.cost}"]
    lines.append(f"    done: {finding.done}" if finding.done else f"    fix: {finding.remedy}")
    return lines

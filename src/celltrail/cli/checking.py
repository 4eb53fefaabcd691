"""``celltrail check``: a run held against a baseline, for a job that must fail when it got worse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from celltrail.cli import terminal
from celltrail.errors import BadValue, NoRun
from celltrail.query import find, open_store, runs
from celltrail.query.gate import Checked, check, rule_of
from celltrail.query.plain import number, table
from celltrail.query.stored import StoredRun
from celltrail.store import Store

_ENDED = {"failed": "failed", "interrupted": "was interrupted", "killed": "was killed"}


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="compare a run with a baseline, for CI",
        description="Say whether a run meets every condition, compared with the newest finished run that has a tag. "
        "Exit status 0: it does; 1: it does not, or did not finish; 2: this could not be asked.",
        epilog="example: celltrail check --baseline release --expr 'val/acc >= base - 0.01' "
        "--expr 'last(val/loss) <= base + 2%'",
    )
    command.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="name or id (default: the newest other that is not below another run, as trials are)",
    )
    command.add_argument("--baseline", metavar="TAG", help="tag of the run to beat")
    command.add_argument(
        "--expr", action="append", required=True, metavar="EXPR",
        help="a condition such as METRIC >= base - 0.01; METRIC is its best value; last(METRIC), min(METRIC) ...",
    )  # fmt: skip
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Print the conditions and what was found; 1 when one is not met."""
    rules = [rule_of(text) for text in asked.expr]
    store = open_store(asked.store)
    named = _named(asked.run, store) if asked.run is not None else None
    baseline = _baseline(asked.baseline, store, named and named.id) if asked.baseline is not None else None
    candidate = named or _newest(store, baseline and baseline.id)
    if candidate.status == "running":
        raise BadValue(f"run {candidate.name!r} is still running; check it when it has ended")
    told = [check(rule, candidate, baseline) for rule in rules] if candidate.status == "finished" else []
    is_met = bool(told) and all(each.is_met for each in told)
    if asked.json:
        terminal.print_json(
            {
                "run": {"id": candidate.id, "name": candidate.name, "status": candidate.status},
                "baseline": None if baseline is None else {"id": baseline.id, "name": baseline.name},
                "is_met": is_met,
                "checks": [each.payload() for each in told],
            }
        )
    else:
        print(_told(candidate, baseline, told, is_met))
    return 0 if is_met else 1


def _baseline(tag: str, store: Store, but: str | None) -> StoredRun:
    tagged = (each for each in runs(sort="-created", store=store) if tag in each.tags and each.status == "finished")
    found = next((each for each in tagged if each.id != but), None)
    if found is None:
        raise BadValue(f"no other finished run has the tag {tag!r}, to be the baseline: celltrail edit RUN --tag {tag}")
    return found


def _named(name: str, store: Store) -> StoredRun:
    try:
        return find(name, store)
    except NoRun as problem:
        raise BadValue(str(problem)) from None  # the answer is not no: there is nothing to check


def _newest(store: Store, but: str | None) -> StoredRun:
    found = next((each for each in runs(sort="-created", store=store) if each.id != but and not _is_trial(each)), None)
    if found is None:
        raise BadValue(f"there is no run in {store.root.name} to check" + (", but for the baseline" if but else ""))
    return found


def _is_trial(run: StoredRun) -> bool:
    """Whether it is one of many that another run began; a fork is a run of its own."""
    return run.record.parent is not None and run.fork_step is None


def _told(run: StoredRun, baseline: StoredRun | None, told: Sequence[Checked], is_met: bool) -> str:
    beside = f" beside {baseline.name!r}" if baseline is not None else ""
    if not told:
        why = f": {run.error}" if run.error is not None else ""
        return terminal.status(
            terminal.harmless(f"✗ run {run.name!r} did not finish, it {_ENDED[run.status]}{why}"), "failed"
        )
    rows = [
        ["✓" if each.is_met else "✗", each.rule.text, number(each.value), _number(each.base), number(each.limit)]
        for each in told
    ]
    lines = table(["", "condition", "run", "base", "limit"], rows, [False, False, True, True, True]).splitlines()
    lines = [terminal.bold(lines[0]), *(terminal.harmless(line) for line in lines[1:])]
    bad = sum(not each.is_met for each in told)
    end = f"✓ run {run.name!r}{beside} holds" if is_met else f"✗ run {run.name!r}{beside}: {bad} of {len(told)} not met"
    return "\n".join([*lines, terminal.status(terminal.harmless(end), "finished" if is_met else "failed")])


def _number(value: float | None) -> str:
    return "" if value is None else number(value)

"""``celltrail alerts``: the rules that a trail keeps, and what they would have said of its runs."""

from __future__ import annotations

import argparse
from typing import Any

from celltrail.alerts.rule import Rule, of_document, rule
from celltrail.cli import terminal
from celltrail.errors import BadValue
from celltrail.model import LEVELS
from celltrail.query import open_store, runs
from celltrail.query.plain import table
from celltrail.store import Store

_HEADS = ["name", "rule", "does", "of runs where"]


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "alerts",
        help="list, add, remove and try alert rules",
        description="List the alert rules that a trail keeps for its runs, add or remove one, or say when one would "
        "have fired over finished runs. Exit status of replay 0: it would have fired; 1: it would not.",
        epilog="example: celltrail alerts add diverged 'diverged(train/loss) or nan()' --stop",
    )
    command.add_argument(
        "do", nargs="?", choices=("list", "add", "remove", "replay"), default="list", help="what to do"
    )
    command.add_argument("what", nargs="*", metavar="NAME|RULE", help="add NAME RULE; remove NAME; replay RULE [EXPR]")
    command.add_argument("--title", default="", help="what its alerts say")
    command.add_argument("--stop", action="store_true", help="end the run when it fires")
    command.add_argument("--level", choices=LEVELS, help="how urgent it is (default: depends on the rule)")
    command.add_argument("--times", type=int, default=1, metavar="N", help="fire after N points in a row")
    command.add_argument("--until", default="", metavar="RULE", help="what must come true before it fires again")
    command.add_argument("--webhook", default="", metavar="NAME", help="also tell this address of yours")
    command.add_argument("--where", default="", metavar="EXPR", help="only for runs that match")
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Do what was asked, and print it."""
    store = open_store(asked.store)
    return {"list": _list, "add": _add, "remove": _remove, "replay": _replay}[asked.do](asked, store)


def _list(asked: argparse.Namespace, store: Store) -> int:
    kept = store.rules.list()
    if asked.json:
        fields = ("name", "rule", "title", "stop", "where", "level", "times", "until", "webhook")
        terminal.print_json([{name: getattr(each, name) for name in fields} for each in kept])
    elif not kept:
        print("no rules yet: celltrail alerts add NAME RULE")
    else:
        rows = [[each.name, each.rule, _does(each.stop, each.webhook), each.where or "all"] for each in kept]
        print(*map(terminal.harmless, table(_HEADS, rows, [False] * 4).splitlines()), sep="\n")
    return 0 if kept else 1


def _add(asked: argparse.Namespace, store: Store) -> int:
    if len(asked.what) != 2:
        raise BadValue("add takes a name and a rule: celltrail alerts add high 'val/loss > 3'")
    name, text = asked.what
    made = rule(
        text, asked.title or None, stop=asked.stop, level=asked.level, times=asked.times, until=asked.until or None,
        webhook=asked.webhook or None,
    ).keep(name, store, asked.where)  # fmt: skip
    if asked.json:
        terminal.print_json({"name": made.name, "rule": made.text, "level": made.level, "stop": made.stop})
    else:
        print(terminal.harmless(f"runs that begin from now on are watched: {made.name}: {made.text}"))
    return 0


def _remove(asked: argparse.Namespace, store: Store) -> int:
    if len(asked.what) != 1:
        raise BadValue("remove takes the name of one rule: celltrail alerts remove high")
    store.rules.delete(asked.what[0])
    if asked.json:
        terminal.print_json({"removed": asked.what[0]})
    return 0


def _replay(asked: argparse.Namespace, store: Store) -> int:
    if not 1 <= len(asked.what) <= 2:
        raise BadValue(
            "replay takes a rule, and perhaps of which runs: celltrail alerts replay 'nan()' 'params.lr > 1'"
        )
    told = _found(asked, store).replay(runs(asked.what[1] if len(asked.what) > 1 else asked.where, store=store))
    if asked.json:
        terminal.print_json(told.payload())
    else:
        print(*map(terminal.harmless, repr(told).splitlines()), sep="\n")
        if told.cost:
            print(terminal.dim(f"it costs {told.cost}"))
    return 0 if told else 1


def _found(asked: argparse.Namespace, store: Store) -> Rule:
    """A rule by its name, or as it is written."""
    text = asked.what[0]
    if text in store.rules:
        return of_document(store.rules[text])
    return rule(text, times=asked.times, until=asked.until or None)


def _does(stop: bool, webhook: str) -> str:
    return ", ".join(filter(None, ["stops the run" if stop else "tells", f"webhook {webhook}" if webhook else ""]))

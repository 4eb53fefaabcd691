"""``celltrail edit``: change what is said of runs."""

from __future__ import annotations

import argparse
import ast
import math
from typing import Any

from celltrail.cli import terminal
from celltrail.errors import BadValue
from celltrail.model import Json, new_id
from celltrail.query import StoredRun, find, open_store, runs
from celltrail.query.editing import commented
from celltrail.query.row import row

_FLAGS = {
    "star": ("starred", True, "mark as worth coming back to"),
    "unstar": ("starred", False, "take the star away"),
    "archive": ("archived", True, "put out of sight"),
    "unarchive": ("archived", False, "bring back into sight"),
    "delete": ("deleted", True, "hide, and move to the trash at the next `celltrail gc`"),
    "undelete": ("deleted", False, "bring back a deleted run"),
}


def add(commands: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    command: argparse.ArgumentParser = commands.add_parser(
        "edit",
        help="rename, tag, note, archive or delete runs",
        description="Change what people say about runs. What a run recorded stays as it is, every edit can be undone, "
        "and `celltrail show` lists who changed what. Exit status 1 when there is no such run.",
        epilog="example: celltrail edit baseline --name best-so-far --tag paper --note 'the one in the draft'",
    )
    command.add_argument("runs", metavar="RUN", nargs="*", help="name (newest), id or the beginning of an id")
    command.add_argument("--where", metavar="EXPR", help="also every run that matches an expression")
    command.add_argument("--name", metavar="NAME", help="give it this name")
    command.add_argument("--tag", action="append", default=[], metavar="TAG", help="add a tag; may be repeated")
    command.add_argument("--untag", action="append", default=[], metavar="TAG", help="take a tag away")
    command.add_argument("--note", action="append", default=[], metavar="TEXT", help="add a note")
    command.add_argument("--comment", action="append", default=[], metavar="TEXT", help="add a comment for its readers")
    command.add_argument("--group", metavar="NAME", help="put it into a group; '' for the one it was started in")
    command.add_argument("--folder", metavar="PATH", help="put it into a folder, such as vision/resnet; '' for none")
    command.add_argument("--rate", type=_rating, metavar="X", help="rate it with a number; 'none' removes it")
    command.add_argument(
        "--correct",
        action="append",
        default=[],
        type=_correction,
        metavar="PARAM=VALUE",
        help="say what a param really was; the recorded value stays in the run",
    )
    for name, (_, _, meaning) in _FLAGS.items():
        command.add_argument(f"--{name}", action="store_true", help=meaning)
    command.set_defaults(command=run)
    return command


def run(asked: argparse.Namespace) -> int:
    """Make the changes; 1 when there is nothing they are about."""
    changes = _changes(asked)
    if not changes:
        raise BadValue("nothing to change: say what, as in --name NEW or --tag TAG; celltrail edit --help lists all")
    if not asked.runs and asked.where is None:
        raise BadValue("no run to change: name runs, or give --where EXPR")
    store = open_store(asked.store)
    chosen = {each.id: each for each in (find(ref, store) for ref in asked.runs)}
    if asked.where is not None:
        chosen |= {each.id: each for each in runs(asked.where, store=store)}
    store.edit_all(dict.fromkeys(chosen, changes))
    changed = [each.refresh() for each in chosen.values()]
    if asked.json:
        terminal.print_json([row(each.record, store, sparks=False) for each in changed])
    else:
        _tell(changed, asked.where)
    return 0 if changed else 1


def _changes(asked: argparse.Namespace) -> dict[str, Json]:
    changes: dict[str, Json] = {f"tag:{tag}": True for tag in asked.tag}
    changes |= {f"tag:{tag}": False for tag in asked.untag}
    changes |= {f"note:{new_id()}": text for text in asked.note if text.strip()}
    for text in asked.comment:
        changes |= commented(text)
    changes |= {f"param:{name}": value for name, value in asked.correct}
    if asked.name is not None:
        changes["name"] = asked.name
    for field in ("group", "folder"):
        if (value := getattr(asked, field)) is not None:
            changes[field] = value or None
    if asked.rate is not None:
        changes["rating"] = None if math.isnan(asked.rate) else asked.rate
    for name, (field, value, _) in _FLAGS.items():
        if getattr(asked, name):
            changes[field] = value
    return changes


def _tell(changed: list[StoredRun], where: str | None) -> None:
    for each in changed[:20]:
        print(repr(each))
    if len(changed) > 20:
        print(terminal.dim(f"… and {len(changed) - 20} more"))
    if not changed:
        print(f"no runs where {where}: nothing was changed")


def _rating(text: str) -> float:
    """The rating; NaN for none, which is no rating."""
    if text.lower() in {"none", ""}:
        return math.nan
    try:
        rating = float(text)
    except ValueError:
        rating = math.nan
    if not math.isfinite(rating):
        raise argparse.ArgumentTypeError(f"{text!r} is no rating: give a number, or 'none' to take it back")
    return int(rating) if rating.is_integer() else rating


def _correction(text: str) -> tuple[str, Json]:
    """``name=value``; the value as Python writes it, or text."""
    name, sign, written = text.partition("=")
    if not sign or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no correction: write PARAM=VALUE, as in lr=0.01")
    try:
        value = ast.literal_eval(written.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = written.strip()
    return name.strip(), list(value) if isinstance(value, tuple) else value

"""The tables of the index."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time

VERSION = 5
FOREVER = 2**62
_TABLES = {
    # what was read of a run; `turn` changes with every change of the row, `watch` is 1 while the run may change
    "run": "run (rid integer primary key, id text not null unique, turn integer not null, stamp text not null,"
    " watch integer not null, more blob not null)",
    # the run's document in three parts: most questions are about one of them
    "rest": "rest (rid integer primary key, body blob not null)",
    "params": "params (rid integer primary key, body blob not null)",
    "metrics": "metrics (rid integer primary key, body blob not null)",
    # what questions are asked over: a column for every field in use, without a type, so that values stay as they are
    "hot": "hot (rid integer primary key, id, project, name, status, created, ended, archived, starred, deleted,"
    " duration, tags, recipe)",
    # a column of hot: its key, its kinds of cells, when it was last asked for, and up to which rid it is filled
    "field": "field (col text primary key, key text not null unique, has integer not null, used integer not null,"
    " filled integer not null)",
    "tag": "tag (tag, rid integer, primary key (tag, rid)) without rowid",
    "name": "name (kind text, name text, goal text, runs integer not null, primary key (kind, name, goal))"
    " without rowid",
    # folders and files of the trail by which changes are noticed, and in which state they were seen
    "file": "file (path text primary key, seen text not null) without rowid",
}
_INDEXES = {
    "run_group": "run (substr(id, -2))",
    "run_watch": "run (rid) where watch",
    "hot_created": "hot (created, id, archived, deleted)",  # a list of runs is read from it alone
    "hot_recipe": "hot (recipe, created) where recipe is not null",  # asked for before each tracked cell
    "tag_rid": "tag (rid)",
}
BORN = "born"  # the row of `file` that tells an index from one that was begun anew
SWEPT = "swept"  # and when each run was looked at last: what is read into a new index is
FIXED = (
    "id",
    "project",
    "name",
    "status",
    "created",
    "ended",
    "archived",
    "starred",
    "deleted",
    "duration",
    "tags",
    "recipe",
)


def create(db: sqlite3.Connection) -> None:
    """Make what is missing; any number of processes may do this at once."""
    if is_there(db):
        return
    db.execute("begin immediate")
    try:
        for table in _TABLES.values():
            db.execute(f"create table if not exists {table}")
        for name, index in _INDEXES.items():
            db.execute(f"create index if not exists {name} on {index}")
        rows = [(name, json.dumps([name])) for name in FIXED]
        db.executemany(f"insert or ignore into field values (?, ?, 0, {FOREVER}, {FOREVER})", rows)
        db.executemany("insert or ignore into file values (?, ?)", _birth())
        db.execute(f"pragma user_version = {VERSION}")
        db.execute("commit")
    except BaseException:
        db.execute("rollback")
        raise


def is_there(db: sqlite3.Connection) -> bool:
    """Whether these tables are there, in this version."""
    if db.execute("pragma user_version").fetchone()[0] != VERSION:
        return False
    present = {name for (name,) in db.execute("select name from sqlite_master where type in ('table', 'index')")}
    return present >= _TABLES.keys() | _INDEXES.keys()


def is_empty(db: sqlite3.Connection) -> bool:
    """Whether there is nothing at all, as in a new file."""
    return (
        db.execute("pragma user_version").fetchone()[0] == 0
        and not db.execute("select 1 from sqlite_master").fetchone()
    )


def empty(db: sqlite3.Connection) -> None:
    """Forget every run, within a transaction; the columns stay."""
    for table in _TABLES.keys() - {"field"}:
        db.execute(f"delete from {table}")
    db.executemany("insert into file values (?, ?)", _birth())


def _birth() -> list[tuple[str, str]]:
    return [(BORN, secrets.token_hex(8)), (SWEPT, str(time.time()))]

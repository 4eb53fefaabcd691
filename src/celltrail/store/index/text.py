"""The words of every run, as an FTS5 table over the lines that `fulltext` makes.

Made by the first search, filled bit by bit with the newest runs first, and gone with the index.
Source: https://sqlite.org/fts5.html, section 4.4.3, for the triggers of an external content table.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
from collections.abc import Generator
from typing import NamedTuple

from celltrail.model import RunRecord
from celltrail.store.blobs import Blobs
from celltrail.store.index.database import Session
from celltrail.store.index.fulltext import KINDS, Asked, Line, Text, line_of, texts_of
from celltrail.store.index.look import Look

_TABLES = (
    "create table if not exists text (place integer primary key, id text not null, kind integer not null,"
    " ref text not null, words text not null, parts text not null)",
    "create index if not exists text_id on text (id)",
    "create virtual table if not exists ft using fts5 (words, parts, content = 'text', content_rowid = 'place',"
    " tokenize = \"unicode61 tokenchars '_'\")",
    # an external content table forgets a text only when it is told the old words
    "create trigger if not exists text_in after insert on text begin"
    " insert into ft (rowid, words, parts) values (new.place, new.words, new.parts); end",
    "create trigger if not exists text_out after delete on text begin"
    " insert into ft (ft, rowid, words, parts) values ('delete', old.place, old.words, old.parts); end",
    # what texts a run has here, and which runs changed since
    "create table if not exists told (id text primary key, facts text not null) without rowid",
    "create table if not exists due (id text primary key) without rowid",
    "create trigger if not exists run_in after insert on run begin insert or ignore into due values (new.id); end",
    "create trigger if not exists run_turned after update of turn on run begin"
    " insert or ignore into due values (new.id); end",
    "create trigger if not exists run_out after delete on run begin delete from text where id = old.id;"
    " delete from told where id = old.id; delete from due where id = old.id; end",
    "insert or ignore into due select id from run",
)
_LAST = "run_out"
_AT_ONCE = 64  # runs between two looks at the clock
_FOUND = "from ft join text on text.place = ft.rowid where ft match ?"


class Hit(NamedTuple):
    """A text that holds what was looked for: of which run, of what kind, and which of that kind."""

    run: str
    kind: str
    ref: str


class Covered(NamedTuple):
    """How many runs a search looked at, of how many there are."""

    runs: int
    total: int


def is_ready(session: Session) -> bool:
    """Whether the tables are there, made if need be; False where this SQLite has no FTS5."""
    if session.db.execute("select 1 from sqlite_master where name = ?", (_LAST,)).fetchone():
        return True
    try:
        with _writing(session.db):
            for statement in _TABLES:
                session.db.execute(statement)
    except sqlite3.OperationalError as error:
        if "fts5" not in str(error):
            raise
        return False
    return True


def fill(session: Session, blobs: Blobs, patience: float) -> Covered:
    """Take in runs that changed, the newest first, for about so many seconds."""
    db, deadline = session.db, time.monotonic() + patience
    while waiting := _due(db):
        look = Look(db, {}, session.kept)
        read: list[_Read] = []
        for run_id, turn in waiting:
            record = look.records([run_id]).get(run_id)
            if record is not None:
                known = db.execute("select facts from told where id = ?", (run_id,)).fetchone()
                read.append(_read(record, turn, blobs, known[0] if known else ""))
            if time.monotonic() > deadline:
                break
        with _writing(db):
            for each in read:
                _take(db, each)
            for run_id, _ in waiting if not read else ():  # rows whose document cannot be read have no texts
                db.execute("delete from due where id = ?", (run_id,))
        if time.monotonic() > deadline:
            break
    ((total,),) = db.execute("select count(*) from run")
    ((due,),) = db.execute("select count(*) from due")
    return Covered(total - due, total)


def hits(db: sqlite3.Connection, wanted: Asked, most: int) -> list[Hit]:
    """The first of the texts that hold it: by kind, then the newest runs first."""
    ask, values = _asking(wanted)
    ask = f"select text.id, kind, ref {ask} order by kind, text.id desc, place limit ?"
    return [Hit(run_id, KINDS[kind], ref) for run_id, kind, ref in db.execute(ask, [*values, most])]


def runs_with(db: sqlite3.Connection, wanted: Asked) -> frozenset[str]:
    """The runs that have a text that holds it."""
    ask, values = _asking(wanted)
    return frozenset(run_id for (run_id,) in db.execute(f"select distinct text.id {ask}", values))


class _Read(NamedTuple):
    """What was read of a run, as of a turn of its row; lines are None when they are in here already."""

    id: str
    turn: int
    facts: str
    lines: list[tuple[Text, Line]] | None


def _asking(wanted: Asked) -> tuple[str, list[str | int]]:
    if wanted.kind is None:
        return _FOUND, [wanted.match]
    return f"{_FOUND} and kind = ?", [wanted.match, KINDS.index(wanted.kind)]


def _due(db: sqlite3.Connection) -> list[tuple[str, int]]:
    ask = "select due.id, turn from due left join run on run.id = due.id order by due.id desc limit ?"
    return db.execute(ask, (_AT_ONCE,)).fetchall()


def _read(record: RunRecord, turn: int, blobs: Blobs, known: str) -> _Read:
    facts = _facts_of(record)
    if facts == known:
        return _Read(record.id, turn, facts, None)
    return _Read(record.id, turn, facts, [(text, line_of(text.body)) for text in texts_of(record, blobs)])


def _take(db: sqlite3.Connection, read: _Read) -> None:
    if read.lines is not None:
        db.execute("delete from text where id = ?", (read.id,))
        rows = [(read.id, KINDS.index(text.kind), text.ref, *line) for text, line in read.lines]
        db.executemany("insert into text (id, kind, ref, words, parts) values (?, ?, ?, ?, ?)", rows)
        db.execute("insert or replace into told values (?, ?)", (read.id, read.facts))
    # a run that changed meanwhile stays due
    db.execute(
        "delete from due where id = ? and (select turn from run where run.id = due.id) is ?", (read.id, read.turn)
    )


def _facts_of(record: RunRecord) -> str:
    """Changes with every text of a run, and costs no look into its blobs."""
    shown = [(each.code, [output.data.get("text/plain") for output in each.outputs]) for each in record.executions]
    params = [(name, param.value) for name, param in record.params.items()]
    facts = (record.name, record.notes, record.comments, record.code, shown, params, record.error)
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@contextlib.contextmanager
def _writing(db: sqlite3.Connection) -> Generator[None]:
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise

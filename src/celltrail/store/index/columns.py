"""The columns of ``hot``: a fact becomes one the first time a question needs it, and goes when long unused."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from celltrail.store.catalogue import parts
from celltrail.store.catalogue.facts import Key, reader
from celltrail.store.index import reading
from celltrail.store.index.cells import Column, to_cell
from celltrail.store.index.schema import FOREVER

if TYPE_CHECKING:
    from celltrail.store.index.database import Session

MOST = 600  # beyond it the longest unused go: a scan reads past every column
UNUSED_S = 30 * 86_400
_DAY_S = 86_400
_AT_ONCE = 1_000  # runs in one transaction: other processes wait no longer than that


def present(db: sqlite3.Connection) -> list[Column]:
    """The columns there are, also those not filled yet."""
    return [Column(tuple(json.loads(key)), col, has) for col, key, has in db.execute("select col, key, has from field")]


def ready(db: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, Column] | None:
    """The columns of these facts, or None when one of them is not there or not filled."""
    filled = f"select col, key, has from field where filled = {FOREVER}"
    found = {key: (col, has) for col, key, has in db.execute(filled)}
    chosen: dict[Key, Column] = {}
    for key in keys:
        if (text := json.dumps(key)) not in found:
            return None
        chosen[key] = Column(key, *found[text])
    return chosen


def promote(session: Session, keys: Iterable[Key]) -> None:
    """Make these facts columns, filled for every run; in short transactions, so that nobody waits long."""
    texts = {json.dumps(key): key for key in keys}
    now = int(time.time())
    with session.writing():
        known = {key for (key,) in session.db.execute("select key from field")}
        for text in texts.keys() - known:
            (number,) = session.db.execute("select coalesce(max(substr(col, 2) + 0), 0) + 1 from field").fetchone()
            session.db.execute(f"alter table hot add column c{number}")
            session.db.execute("insert into field values (?, ?, 0, ?, 0)", (f"c{number}", text, now))
    while _fill(session):
        pass


def use(session: Session, keys: Iterable[Key]) -> None:
    """Remember that these were asked for, once a day, and drop what nobody asked for in a month."""
    texts = {json.dumps(key) for key in keys}
    now = int(time.time())
    rows = session.db.execute("select col, key, used from field order by used desc").fetchall()
    stale = [
        col
        for place, (col, key, used) in enumerate(rows)
        if key not in texts and used < FOREVER and (used < now - UNUSED_S or place >= MOST)
    ]
    used = [(now, col) for col, key, used in rows if key in texts and used < now - _DAY_S]
    if not used and not stale:
        return
    with session.writing():
        session.db.executemany("update field set used = ? where col = ?", used)
        for col in stale:
            if session.db.execute("delete from field where col = ?", (col,)).rowcount:
                session.db.execute(f"alter table hot drop column {col}")


def _fill(session: Session) -> bool:
    """Fill the next thousand runs; whether any are left."""
    db = session.db
    with session.writing():
        rows = db.execute("select col, key, filled from field where filled < ?", (FOREVER,)).fetchall()
        if not rows:
            return False
        # one that another process is filling is helped along: all go on from where the one farthest back is
        done = min(filled for _, _, filled in rows)
        keys = [tuple(json.loads(key)) for _, key, _ in rows]
        chosen = "where run.rid > ? order by run.rid limit ?"
        has = [0] * len(keys)
        cells: list[list[Any]] = []
        places = list(enumerate(map(reader, keys)))
        for rid, _, document in reading.documents(db, chosen, (done, _AT_ONCE), parts.needed(keys)):
            line: list[Any] = []
            for place, read in places:
                cell, kind = to_cell(read(document))
                line.append(cell)
                has[place] |= kind
            line.append(rid)
            cells.append(line)
        setting = ", ".join(f"{col} = ?" for col, _, _ in rows)
        db.executemany(f"update hot set {setting} where rid = ?", cells)
        filled = cells[-1][-1] if len(cells) == _AT_ONCE else FOREVER
        db.executemany(
            "update field set has = has | ?, filled = ? where col = ?",
            [(kinds, filled, col) for kinds, (col, _, _) in zip(has, rows, strict=True)],
        )
    return filled != FOREVER

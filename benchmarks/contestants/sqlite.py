"""The baseline for questions about many runs: a JSON document per run in SQLite, asked with json_extract."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

ASKED = """
    select json_extract(doc, '$.name') from run
    where json_extract(doc, '$.status') = 'finished' and json_extract(doc, '$.params.lr') < 0.01
      and json_extract(doc, '$.metrics."val/loss".min') < 0.5
      and exists (select 1 from json_each(doc, '$.tags') where value = 'mlp')
    order by json_extract(doc, '$.metrics."val/acc".max') desc limit 50"""
OTHER = """
    select json_extract(doc, '$.name') from run where json_extract(doc, '$.params.dropout') < 0.3
    order by json_extract(doc, '$.metrics."train/acc".max') desc limit 50"""


def load() -> None:
    pass


def fill_trail(folder: Path, runs: int, points: int) -> None:
    """The same runs that celltrail's trail has."""
    from dataclasses import asdict

    from trails import record_of

    folder.mkdir(parents=True, exist_ok=True)
    with _open(folder) as db:
        db.execute("create table run (rid integer primary key, doc text)")
        docs = ((json.dumps(_document(asdict(record_of(number)))),) for number in range(runs))
        db.executemany("insert into run (doc) values (?)", docs)


def _document(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "params": {name: param["value"] for name, param in record["params"].items()}}


def _open(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "runs.db")


def top(folder: Path) -> list[str]:
    return [name for (name,) in _open(folder).execute(ASKED)]


def other(folder: Path) -> list[str]:
    return [name for (name,) in _open(folder).execute(OTHER)]


def change(folder: Path) -> None:
    with _open(folder) as db:
        db.execute("update run set doc = json_set(doc, '$.tags[#]', 'seen') where rid = 1")

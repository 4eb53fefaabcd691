"""Reading rows of the index no further than a question needs."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import orjson

from celltrail.errors import Damaged
from celltrail.store.catalogue.facts import Document
from celltrail.store.catalogue.seen import said_in
from celltrail.store.files.encoding import unmarked


def opened(document: bytes, more: bytes, tables: Collection[str]) -> Document:
    """The document of a row, of which these tables are to be read: no record is made of it."""
    try:
        found = orjson.loads(document)
        if b'{"$' in document:
            for table in tables:
                if table in found:
                    found[table] = unmarked(found[table])
        return Document(found, said_in(more))
    except (ValueError, TypeError, AttributeError, KeyError, Damaged) as error:
        raise sqlite3.DatabaseError("a row does not verify") from error

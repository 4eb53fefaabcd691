"""Runs that the index does not know yet, read as fast as their files allow.

Of a run that is over the document tells everything, and of the document the index wants its bytes and a few facts: no
record is made of it. Whatever is not so plain is left to `RunFiles`, with the same result.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from celltrail.errors import Damaged
from celltrail.store.catalogue.entries import Entry
from celltrail.store.catalogue.facts import Document
from celltrail.store.catalogue.parts import Parts, cut
from celltrail.store.docs.records import is_record
from celltrail.store.files.encoding import decode
from celltrail.store.runs import stamp_of

# what says in a document that there is more to read than the document
_MORE = {"more_metrics", "shared", "open"}
_APART = ("params", "metrics")


class Fresh(NamedTuple):
    """A run that is over, for an index that does not know it."""

    run: str
    stamp: str  # of its files, as `RunFiles.stamp`
    more: bytes  # as `Seen.encode` gives it
    parts: Parts
    tags: Sequence[str]
    names: Sequence[tuple[str, str, str]]  # kind, name and goal of its params, metrics and summary entries
    entry: Entry | None = None  # what the catalogue tells, without looking into the parts
    document: Document | None = None  # the parts, where they are parsed already

    @classmethod
    def of(cls, entry: Entry, stamp: str) -> Fresh:
        """A run of the catalogue whose files have this stamp; raises `Damaged` where it holds nonsense."""
        return cls(entry.run, stamp, entry.more(stamp), entry.parts, entry.all_tags, entry.all_names, entry)


def read(folder: str) -> Fresh | None:
    """The run in this folder; None where it goes on, or its document does not tell all of it."""
    # looked for before the document is read: what comes later changes the stamp
    if os.access(f"{folder}/edits", os.F_OK) or os.access(f"{folder}/run.2.json", os.F_OK):
        return None
    try:
        fd = os.open(f"{folder}/run.json", os.O_RDONLY | os.O_CLOEXEC)
        try:
            about = os.fstat(fd)
            data = os.read(fd, about.st_size + 1)
        finally:
            os.close(fd)
    except OSError:
        return None
    if len(data) != about.st_size:
        return None
    try:
        return _opened(os.path.basename(folder), data, stamp_of(about))
    except (Damaged, KeyError, TypeError, ValueError, AttributeError):
        return None  # another hand than celltrail's: looked at more closely


def _opened(run_id: str, data: bytes, stamp: str) -> Fresh | None:
    tables: Any = decode(data)
    run = tables["run"][run_id]
    if run["status"] == "running" or not _MORE.isdisjoint(run) or not is_record(tables):
        return None
    params, metrics, summary = (tables.get(name, {}) for name in (*_APART, "summary"))
    names = [("param", name, "") for name in params]
    names += [("metric", name, str(fields.get("goal", "none"))) for name, fields in metrics.items()]
    names += [("summary", name, "") for name in summary]
    if b'{"$' in data:  # NaN and the like, which no JSON says
        bodies = cut(data)
    else:
        rest = {name: table for name, table in tables.items() if name not in _APART}
        bodies = Parts(*map(orjson.dumps, (rest, params, metrics)))
    tags = [tag for tag in run.get("tags") or () if type(tag) is str]
    more = b'{"stamp":"%b","ended":true,"said":{}}' % stamp.encode()
    return Fresh(run_id, stamp, more, bodies, tags, names, document=Document(tables, {}))

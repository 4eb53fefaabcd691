"""What the catalogue keeps of a run that is over: all that the index needs, so that its files need not be read.

An entry holds for one state of the run's files; for another state it is as if it were not there.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from celltrail.errors import Damaged
from celltrail.model import Json, RunRecord
from celltrail.store.catalogue import parts
from celltrail.store.catalogue.facts import field_of
from celltrail.store.catalogue.parts import Parts
from celltrail.store.catalogue.seen import Seen
from celltrail.store.files.encoding import encode
from celltrail.store.runs import RunFiles
from celltrail.store.seal import packs

# those of its facts that a listing shows, or that are asked for all the time
FACTS = ("project", "name", "status", "created", "ended", "duration", "archived", "starred", "deleted", "recipe")
_RACY_NS = 2_000_000_000  # a document replaced once more so soon may have the same time stamp


@dataclass(frozen=True, slots=True)
class Entry:
    """One run; the fields are the columns of a segment, in this order."""

    run: str
    state: str  # of its files: `state_of`
    project: str
    name: str
    status: str
    created: float  # seconds
    ended: float | None
    duration: float | None
    archived: bool
    starred: bool
    deleted: bool
    recipe: str | None
    tags: str  # JSON: texts
    names: str  # JSON: [kind, name, goal] of every param, metric and summary entry
    rest: bytes  # the document in the parts in which the index keeps it
    params: bytes
    metrics: bytes
    said: bytes | None  # what people said, as JSON; None: the document has it

    @property
    def is_of_its_run(self) -> bool:
        """Whether the document is that of the run, written as celltrail writes it."""
        return self.rest.startswith(b'{"run":{"%b":{' % self.run.encode())

    @property
    def parts(self) -> Parts:
        """The document as the index keeps it."""
        return Parts(self.rest, self.params, self.metrics)

    def more(self, stamp: str) -> bytes:
        """What `Seen.encode` gives besides the document, for files with this stamp."""
        said = b"" if self.said is None else b',"said":' + self.said
        return b'{"stamp":"%b","ended":true%b}' % (stamp.encode(), said)

    @property
    def all_tags(self) -> tuple[str, ...]:
        """The tags; raises `Damaged`, as `all_names`."""
        return _tags_in(self.tags)

    @property
    def all_names(self) -> tuple[tuple[str, str, str], ...]:
        """Kind, name and goal of what it has."""
        return _names_in(self.names)


# runs of one kind have the same tags and names, written the same
@lru_cache(maxsize=1024)
def _tags_in(text: str) -> tuple[str, ...]:
    try:
        return tuple(_text(tag) for tag in orjson.loads(text))
    except (ValueError, TypeError) as error:
        raise Damaged("an entry of the catalogue has no readable tags") from error


@lru_cache(maxsize=1024)
def _names_in(text: str) -> tuple[tuple[str, str, str], ...]:
    try:
        return tuple((_text(kind), _text(name), _text(goal)) for kind, name, goal in orjson.loads(text))
    except (ValueError, TypeError) as error:
        raise Damaged("an entry of the catalogue has no readable names") from error


def _text(value: Json) -> str:
    if type(value) is not str:
        raise TypeError(value)
    return value


def state_of(trail: Path, run_id: str, stamp: str, is_told: bool) -> str:
    """The state of a run's files whose `RunFiles.stamp` this is; "" where that tells none.

    It is the same in a faithful copy of the trail. ``is_told``: document and edits tell everything of the run,
    else its logs and seals count too.
    """
    words = stamp.split(" ")
    if len(words) != 4:
        return ""
    written, size, _, edited = words  # the third is the inode, which a copy has anew
    rest = "" if is_told else " " + json.dumps(packs.state_of(trail, run_id), sort_keys=True)
    return f"{written} {size} {edited}{rest}"


def holds(entry_state: str, trail: Path, run_id: str, stamp: str) -> bool:
    """Whether an entry of this state says what the files with this stamp say now."""
    return bool(entry_state) and state_of(trail, run_id, stamp, "{" not in entry_state) == entry_state


def read(trail: Path, files: RunFiles) -> Entry | None:
    """The entry of a run as its files are now; None where it is not over or cannot be kept so.

    Raises FileNotFoundError when there is no such run (yet).
    """
    seen = files.refresh(None)
    is_told = bool(seen.document)
    state = state_of(trail, files.id, seen.stamp, is_told)
    if state and not is_told:
        seen = files.refresh(None)  # as it was when its other files were looked at, or later
        if state_of(trail, files.id, seen.stamp, False) != state:
            return None
    if not state or not seen.ended or seen.waiting:
        return None
    if time.time_ns() - int(state.split(" ")[0]) < _RACY_NS:
        return None
    return _of(seen, state)


def names_of(record: RunRecord) -> list[tuple[str, str, str]]:
    """Kind, name and goal of every param, metric and summary entry."""
    found = [("param", name, "") for name in record.params]
    found += [("metric", name, str(metric.goal)) for name, metric in record.metrics.items()]
    return found + [("summary", name, "") for name in record.summary]


def _of(seen: Seen, state: str) -> Entry | None:
    record = seen.record
    facts = {name: field_of(record, name) for name in FACTS}
    # what another hand than celltrail's wrote otherwise is read from its own files
    if not all(_is_plain(name, fact) for name, fact in facts.items()) or any(
        type(tag) is not str for tag in record.tags
    ):
        return None
    document, _ = seen.encode()
    tags, names = orjson.dumps(record.tags).decode(), orjson.dumps(names_of(record)).decode()
    said = encode(dict(seen.said)) if seen.document else None
    cut = parts.cut(document)._asdict()
    entry = Entry(record.id, state, **facts, tags=tags, names=names, **cut, said=said)
    return entry if entry.is_of_its_run else None


def _is_plain(name: str, fact: Any) -> bool:
    match name:
        case "created":
            return type(fact) is float and math.isfinite(fact)
        case "ended" | "duration":
            return fact is None or (type(fact) is float and math.isfinite(fact))
        case "archived" | "starred" | "deleted":
            return type(fact) is bool
        case "recipe":
            return fact is None or type(fact) is str
        case _:
            return type(fact) is str

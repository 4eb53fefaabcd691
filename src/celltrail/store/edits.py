"""What people say about a run, each actor in a file of their own; merging is reading.

An actor is one person in one process. Each keeps the newest edit of a field; among actors the highest
``(at, actor)`` wins. ``at`` is a hybrid logical clock, so an edit made after seeing another wins even
from a slow clock.
"""

from __future__ import annotations

import dataclasses
import getpass
import os
import threading
import time
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from celltrail.errors import BadValue, Damaged, nearest
from celltrail.model import Json, Param, RunRecord
from celltrail.store import alive
from celltrail.store.encoding import decode, encode
from celltrail.store.records import EDITED

_KINDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "group": str,
    "folder": str,
    "archived": bool,
    "deleted": bool,
    "starred": bool,
    "rating": (int, float),
    "tag:": bool,
    "note:": str,
    "mark:": dict,
    "param:": (str, int, float, bool, list, dict),
}
_FACTS = {"name", "group", *EDITED}
_lock = threading.Lock()
_latest = 0


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One change of one field by one actor."""

    field: str
    at: int  # milliseconds << 16 | counter
    actor: str
    value: Json = dataclasses.field(compare=False)
    by: str = dataclasses.field(default="", compare=False)
    base: str = dataclasses.field(default="", compare=False)  # digest of the value the actor saw


def join(*edits: Iterable[Edit]) -> list[Edit]:
    """The newest edit of each actor to each field: commutative, associative, idempotent."""
    newest: dict[tuple[str, str], Edit] = {}
    for edit in (edit for some in edits for edit in some):
        key = edit.field, edit.actor
        if key not in newest or newest[key].at < edit.at:
            newest[key] = edit
    return sorted(newest.values())


def winners(edits: Iterable[Edit]) -> dict[str, Edit]:
    """The edit of each field that counts."""
    return {edit.field: edit for edit in join(edits)}


def view(edits: Iterable[Edit]) -> dict[str, Json]:
    """The value of each edited field; of two changes to one text of a note both, the later first."""
    edits = join(edits)
    best = winners(edits)
    values = {field: edit.value for field, edit in best.items()}
    for edit in reversed(edits):
        won = best[edit.field]
        if edit.field.startswith("note:") and edit is not won and edit.base == won.base and edit.base:
            texts = [text for text in (values[edit.field], edit.value) if text]
            values[edit.field] = "\n\n".join(texts) or None
    return values


def read(folder: Path) -> list[Edit]:
    """Every edit in a run's ``edits/``; a file that cannot be read is left out."""
    found: list[Edit] = []
    try:
        paths = sorted(folder.glob("*.json"))
    except FileNotFoundError:
        return found
    for path in paths:
        try:
            entries = decode(path.read_bytes(), path.name)["set"]
            found += [
                Edit(field, fields["at"], path.stem, fields["value"], fields.get("by", ""), fields.get("base", ""))
                for field, fields in entries.items()
            ]
        except (FileNotFoundError, Damaged, KeyError, TypeError, AttributeError):
            continue
    return found


def write(folder: Path, field: str, value: Json) -> None:
    """Record this person's wish for a field in this process's own file."""
    from tinydb.table import Document

    from celltrail.store.docs import Documents

    global _latest
    _check(field, value)
    with _lock:
        seen = read(folder)
        _latest = max(time.time_ns() // 1_000_000 << 16, _latest + 1, *(edit.at + 1 for edit in seen))
        won = winners(seen).get(field)
        entry = {
            "field": field,
            "value": value,
            "at": _latest,
            "by": _person_name(),
            "base": _digest(won.value) if won and won.value is not None else "",
        }
        with Documents(folder / f"{_actor(os.getpid())}.json") as documents:
            documents.table("set").upsert(Document(entry, doc_id=cast(int, field)))


def applied(record: RunRecord, values: Mapping[str, Json]) -> RunRecord:
    """The record as people say it is."""
    if not values:
        return record
    tags = dict.fromkeys(record.tags, True)
    notes = list(record.notes)
    params = dict(record.params)
    changes: dict[str, Json] = {}
    for field, value in values.items():
        kind, _, name = field.partition(":")
        if kind == "tag":
            tags[name] = bool(value)
        elif kind == "note" and value and value not in notes:
            notes.append(value)
        elif kind == "param" and value is not None:
            params[name] = Param(name, value, "declared")
        elif field in _FACTS and value is not None:
            changes[field] = value
    kept = tuple(tag for tag, is_on in tags.items() if is_on)
    return dataclasses.replace(record, tags=kept, notes=tuple(notes), params=params, **changes)


def _check(field: str, value: Json) -> None:
    kind, colon, name = field.partition(":")
    allowed = _KINDS.get(kind + colon)
    if allowed is None or (colon and not name):
        known = ", ".join(f"{kind}..." if kind.endswith(":") else kind for kind in _KINDS)
        raise BadValue(f"no field {field!r} to edit{nearest(field, _KINDS)}; fields are {known}")
    if colon:
        check_name(name)
    elif kind == "name" and isinstance(value, str):
        check_name(value)
    if value is not None and (not isinstance(value, allowed) or (isinstance(value, bool) and allowed is not bool)):
        wanted = allowed if isinstance(allowed, tuple) else (allowed,)
        if not (isinstance(value, bool) and bool in wanted):
            words = " or ".join(each.__name__ for each in wanted)
            raise BadValue(f"{field} takes {words} or None to take it back, not {value!r}")


def check_name(name: str) -> None:
    """Raise `BadValue` unless this can name a run, a tag or a parameter."""
    if not 0 < len(name) <= 256 or name != name.strip():
        raise BadValue(f"the name {name[:40]!r} must have 1 to 256 characters and no spaces around it")
    if name.startswith("$") or any(unicodedata.category(letter) == "Cc" for letter in name):
        raise BadValue(f"the name {name[:40]!r} must not start with $ or hold control characters")


@lru_cache(maxsize=1)
def _actor(pid: int) -> str:
    # a fork is another process and so another actor: hence the argument
    from blake3 import blake3

    return f"{blake3(f'{_person_name()} {Path.home()}'.encode()).hexdigest()[:8]}-{alive.writer_name()}"


def _person_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no entry and no environment
        return ""


def _digest(value: Json) -> str:
    from blake3 import blake3

    return blake3(encode(value)).hexdigest()[:16]

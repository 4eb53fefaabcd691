"""What people say about a run, each actor in a file of their own; merging is reading.

An actor is one person in one process. Each keeps the newest edit of a field; among actors the highest
``(at, actor)`` wins. ``at`` is a hybrid logical clock, so an edit made after seeing another wins even
from a slow clock.
"""

from __future__ import annotations

import dataclasses
import threading
import time
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from celltrail.errors import BadValue, Damaged, nearest
from celltrail.model import Json, Param, RunRecord
from celltrail.store import forks
from celltrail.store.actors import actor, person_name
from celltrail.store.encoding import decode, encode
from celltrail.store.records import EDITED

if TYPE_CHECKING:
    from celltrail.store.audit import Deed

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


class _Clock:
    """The hybrid logical clock of this process, and the lock under which its edits are made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._latest = 0
        forks.in_child(self._become_child)

    def after(self, seen: Iterable[int]) -> int:
        """A time later than all of these and any given before; the wall clock's where that is later still."""
        self._latest = max(time.time_ns() // 1_000_000 << 16, self._latest + 1, *(at + 1 for at in seen))
        return self._latest

    def _become_child(self) -> None:
        self.lock = threading.Lock()


clock = _Clock()


def prepared(folder: Path, changes: Mapping[str, Json]) -> list[dict[str, Json]]:
    """This person's wishes for these fields as entries, later than every edit there is. Under ``clock.lock``."""
    seen = read(folder)
    won = winners(seen)
    entries: list[dict[str, Json]] = []
    for field, value in changes.items():
        before = won[field].value if field in won else None
        entries.append(
            {
                "field": field,
                "value": value,
                "at": clock.after(edit.at for edit in seen),
                "by": person_name(),
                "base": "" if before is None else digest(before),
            }
        )
    return entries


def deeds(entries: Mapping[str, Iterable[Mapping[str, Json]]]) -> list[tuple[Deed, str, Json]]:
    """What the audit has to say of entries, run id -> entries."""
    found: list[tuple[Deed, str, Json]] = []
    for run_id, made in entries.items():
        for entry in made:
            payload = {name: entry[name] for name in ("field", "value", "base")}
            do: Deed = "edit" if entry["field"] != "deleted" else "delete" if entry["value"] else "restore"
            found.append((do, run_id, payload))
    return found


def save(folder: Path, entries: Iterable[Mapping[str, Json]]) -> None:
    """Write these entries into this process's own file. Under ``clock.lock``."""
    from celltrail.store.docs import Documents

    with Documents(folder / f"{actor()}.json") as documents:
        documents.change("set", lambda known: known.update((entry["field"], entry) for entry in entries))


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


def check(field: str, value: Json) -> None:
    """Raise `BadValue` unless people can say this of a run."""
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


def digest(value: Json) -> str:
    """What an edit keeps of the value it saw."""
    from blake3 import blake3

    return blake3(encode(value)).hexdigest()[:16]

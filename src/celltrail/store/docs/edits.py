"""What people say about a run, each actor in a file of their own; merging is reading.

An actor is one person in one process. Each keeps the newest edit of a field; among actors the highest
``(at, actor)`` wins. ``at`` is a hybrid logical clock, so an edit made after seeing another wins even
from a slow clock.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, Damaged
from celltrail.model import Comment, Json, Param, RunRecord
from celltrail.store.docs import fields
from celltrail.store.docs.actors import actor, person_name
from celltrail.store.docs.records import EDITED
from celltrail.store.files import forks
from celltrail.store.files.encoding import decode, encode
from celltrail.store.files.network import retried

if TYPE_CHECKING:
    from celltrail.store.audit import Deed

_FACTS = {"name", "group", *EDITED}
_TEXTS = ("note:", "mark:", "comment:")  # of which no version that nobody answered is dropped
_RELISTED = 5


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """One change of one field by one actor."""

    field: str
    at: int  # milliseconds << 16 | counter
    actor: str
    value: Json = dataclasses.field(compare=False)
    by: str = dataclasses.field(default="", compare=False)
    base: str = dataclasses.field(default="", compare=False)  # digest of the value the actor saw
    # the times of the edits of others that the actor saw, of a text; None where the file does not say
    saw: Mapping[str, int] | None = dataclasses.field(default=None, compare=False)

    def entry(self) -> dict[str, Json]:
        """As it stands in the file of its actor."""
        entry = {name: getattr(self, name) for name in ("field", "value", "at", "by", "base")}
        return entry if self.saw is None else {**entry, "saw": self.saw}


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


def standing(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that a later one does not make void: of a text also those that nobody saw who wrote another."""
    edits = join(edits)
    best = winners(edits)
    texts: dict[str, list[Edit]] = {}
    for edit in edits:
        if edit.field.startswith(_TEXTS):
            texts.setdefault(edit.field, []).append(edit)

    def stands(edit: Edit) -> bool:
        rivals = texts.get(edit.field)
        if rivals is None:
            return edit is best[edit.field]
        return not any(_replaces(other, edit) for other in rivals if other > edit)

    return [edit for edit in edits if stands(edit)]


def seen_of(edits: Iterable[Edit]) -> dict[str, int]:
    """What somebody has seen who sees these edits of a text: them, and what their writers had seen."""
    saw: dict[str, int] = {}
    for edit in edits:
        for name, at in ((edit.actor, edit.at), *(edit.saw or {}).items()):
            saw[name] = max(at, saw.get(name, -1))
    return saw


def _replaces(later: Edit, edit: Edit) -> bool:
    if later.saw is None:
        return not edit.base or edit.base != later.base
    return later.saw.get(edit.actor, -1) >= edit.at


def view(edits: Iterable[Edit]) -> dict[str, Json]:
    """The value of each edited field, by time; of two changes to one text of a note both, the later first."""
    values: dict[str, Json] = {}
    for edit in sorted(standing(edits), key=lambda edit: (edit.at, edit.actor)):
        text = values.pop(edit.field, None)
        values[edit.field] = edit.value
        if text and text != edit.value and edit.field.startswith("note:"):
            values[edit.field] = f"{edit.value}\n\n{text}" if edit.value else text
    return values


@retried
def read(folder: Path) -> list[Edit]:
    """Every edit in a run's ``edits/``; what cannot be read, or says what nobody can say, is left out."""
    for attempt in range(_RELISTED):
        found: list[Edit] = []
        try:
            for path in sorted(folder.glob("*.json")):
                with contextlib.suppress(PermissionError, IsADirectoryError):
                    found += edits_in(path.name, path.read_bytes())
        except FileNotFoundError:
            # folded into another file while we read: that one may be new since the folder was listed
            if attempt < _RELISTED - 1:
                continue
        return found
    return []


def edits_in(name: str, data: bytes) -> list[Edit]:
    """The edits in an actor's file of this name; none when it cannot be read."""
    try:
        tables = decode(data, name)
        entries = [(name.removesuffix(".json"), entry) for entry in tables.get("set", {}).values()]
        entries += [(entry["actor"], entry) for entry in tables.get("folded", {}).values()]
    except (Damaged, KeyError, TypeError, AttributeError):
        return []
    return [edit for actor, entry in entries if (edit := edit_of(actor, entry))]


def edit_of(name: str, entry: Mapping[str, Any]) -> Edit | None:
    """The edit in this entry of an actor's file, or None when it says what nobody can say."""
    try:
        field, value = fields.normal(entry["field"], entry["value"])
        at, saw = entry["at"], entry.get("saw")
        if type(at) is not int or at < 0 or not isinstance(name, str):
            return None
        if saw is not None:
            saw = {str(other): int(seen) for other, seen in saw.items()}
        return Edit(field, at, name, value, str(entry.get("by", "")), str(entry.get("base", "")), saw)
    except (BadValue, KeyError, TypeError, ValueError, AttributeError):
        return None


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


def prepared(folder: Path, changes: Mapping[str, Json]) -> list[Edit]:
    """This person's wishes for these fields, later than every edit there is. Under ``clock.lock``."""
    seen = read(folder)
    won = winners(seen)
    me, by = actor(), person_name()
    made: list[Edit] = []
    for field, value in changes.items():
        before = won[field].value if field in won else None
        saw = None
        if field.startswith(_TEXTS):
            saw = seen_of(edit for edit in seen if edit.field == field and edit.actor != me)
        at = clock.after(edit.at for edit in seen)
        made.append(Edit(field, at, me, value, by, "" if before is None else digest(before), saw))
    return made


def save(folder: Path, made: Iterable[Edit]) -> None:
    """Write these edits into this process's own file. Under ``clock.lock``."""
    from celltrail.store.docs.documents import Documents

    entries = {edit.field: edit.entry() for edit in made}
    with Documents(folder / f"{actor()}.json") as documents:
        documents.change("set", lambda known: known.update(entries))


def deeds(made: Mapping[str, Iterable[Edit]]) -> list[tuple[Deed, str, Json]]:
    """What the audit has to say of edits, run id -> edits."""
    found: list[tuple[Deed, str, Json]] = []
    for run_id, edits in made.items():
        for edit in edits:
            do: Deed = "edit" if edit.field != "deleted" else "delete" if edit.value else "restore"
            found.append((do, run_id, {"field": edit.field, "value": edit.value, "base": edit.base}))
    return found


def applied(record: RunRecord, values: Mapping[str, Json]) -> RunRecord:
    """The record as people say it is."""
    if not values:
        return record
    tags = dict.fromkeys(record.tags, True)
    params = dict(record.params)
    summary, data, models = dict(record.summary), dict(record.data), dict(record.models)
    changes: dict[str, Json] = {}
    for field, value in values.items():
        kind, _, name = field.partition(":")
        if value is None:
            continue
        if kind == "tag":
            tags[name] = value
        elif kind == "param":
            params[name] = Param(name, value, "declared")
        elif kind in ("summary", "data", "model"):
            {"summary": summary, "data": data, "model": models}[kind][name] = value
        elif field in _FACTS:
            changes[field] = value
    kept = tuple(tag for tag, is_on in tags.items() if is_on)
    notes = tuple(notes_of(record.notes, values).values())
    told = {"params": params, "summary": summary, "data": data, "models": models, **changes}
    return dataclasses.replace(record, tags=kept, notes=notes, comments=_comments(values), **told)


def notes_of(own: Sequence[str], values: Mapping[str, Json]) -> dict[str, str]:
    """The notes as they are shown, by the field that changes each; ``own`` are those of the run's document."""
    notes = {f"note:{number}": note for number, note in enumerate(own)}
    # the ids of later notes are their times
    notes |= {
        field: value for field, value in sorted(values.items()) if field.startswith("note:") and value is not None
    }
    shown: dict[str, str] = {}
    for field, note in notes.items():
        if note and note not in shown.values():
            shown[field] = note
    return shown


def _comments(values: Mapping[str, Json]) -> tuple[Comment, ...]:
    """Oldest first; their ids are their times."""
    found = [(field.partition(":")[2], value) for field, value in sorted(values.items()) if _is_comment(field)]
    return tuple(Comment(name, value["by"], value["text"]) for name, value in found if value and value["text"])


def _is_comment(field: str) -> bool:
    return field.startswith("comment:")


def digest(value: Json) -> str:
    """What an edit keeps of the value it saw."""
    from blake3 import blake3

    return blake3(encode(value)).hexdigest()[:16]

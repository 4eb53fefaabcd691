"""What people want of the whole trail: named entries in ``actors/<actor>.json``, merged like the edits of a run.

Each process writes its own document; of one name the entry made last counts, by the same clock as edits, so a
choice made after seeing another wins even from a slow clock.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import Damaged, StoreError
from celltrail.model import Json
from celltrail.store import root
from celltrail.store.docs import actors, edits
from celltrail.store.docs.edits import Edit
from celltrail.store.files.encoding import decode

if TYPE_CHECKING:
    from celltrail.store.audit import Deed

TABLES = ("settings", "views", "rules", "templates")
_RELISTED = 5


class Choices:
    """The entries of one table, such as ``settings``."""

    def __init__(self, trail: Path, table: str) -> None:
        self._trail = trail
        self._table = table
        self._kept: dict[str, tuple[str, list[Edit]]] = {}  # by file: what was read, and for which state of it

    def values(self) -> dict[str, Json]:
        """The value of each name, without those that were taken back; by name."""
        won = edits.winners(self._read())
        return {name: won[name].value for name in sorted(won) if won[name].value is not None}

    def put(self, name: str, value: Json) -> None:
        """Choose this value; None takes the name back."""
        from celltrail.store.audit import Audit
        from celltrail.store.docs.documents import Documents

        with root.told(self._trail), edits.clock.lock:
            root.establish(self._trail)
            path = actors.document_path(self._trail)
            seen = self._read()
            won = edits.winners(seen).get(name)
            at = edits.clock.after(edit.at for edit in seen)
            base = "" if won is None or won.value is None else edits.digest(won.value)
            made = Edit(name, at, actors.actor(), value, actors.person_name(), base)
            do: Deed = "edit"
            Audit(self._trail).record(do, self._table, {"field": name, "value": value, "base": base})
            with Documents(path) as documents:
                documents.change(self._table, lambda known: known.update({name: made.entry()}))

    def _read(self) -> list[Edit]:
        for _ in range(_RELISTED):
            found: list[Edit] = []
            kept: dict[str, tuple[str, list[Edit]]] = {}
            try:
                for entry in _documents(self._trail):
                    stamp = actors.stamp_of(entry)
                    known = self._kept.get(entry.name)
                    if known is None or not stamp or known[0] != stamp:
                        known = (stamp, choices_in(entry.name, _bytes(entry.path), self._table))
                    kept[entry.name] = known
                    found += known[1]
            except FileNotFoundError:
                continue  # folded into another file while we read
            self._kept = kept
            return found
        raise StoreError(f"{self._trail.name}/actors keeps changing while it is read; ask again")


def choices_in(name: str, data: bytes, table: str) -> list[Edit]:
    """The entries of a table in an actor's document; none where it cannot be read."""
    try:
        tables = decode(data, name)
        entries = [(name.removesuffix(".json"), entry) for entry in tables.get(table, {}).values()]
        folded = [entry for entry in tables.get("folded", {}).values() if entry["table"] == table]
        entries += [(entry["actor"], entry) for entry in folded]
        return [edit for actor, entry in entries if (edit := _choice(actor, entry))]
    except (Damaged, KeyError, TypeError, AttributeError):
        return []


def _bytes(path: str) -> bytes:
    with contextlib.suppress(PermissionError, IsADirectoryError), Path(path).open("rb") as file:
        return file.read()
    return b""


def _choice(actor: Any, entry: Any) -> Edit | None:
    try:
        name, at = entry["field"], entry["at"]
        if not isinstance(name, str) or not isinstance(actor, str) or type(at) is not int or at < 0:
            return None
        return Edit(name, at, actor, entry["value"], str(entry.get("by", "")), str(entry.get("base", "")))
    except (KeyError, TypeError, AttributeError):
        return None


def _documents(trail: Path) -> Iterable[os.DirEntry[str]]:
    try:
        found = [entry for entry in os.scandir(trail / "actors") if entry.name.endswith(".json")]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda entry: entry.name)

"""What a table changes of its runs: edit documents like those of ``run.tag()``, each of which can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celltrail import contract
from celltrail.errors import BadValue
from celltrail.model import Json, new_id

if TYPE_CHECKING:
    from celltrail.store import Store

Changes = dict[str, dict[str, Json]]  # run id -> field -> value


class Changing:
    """The changes made through one panel, and what was said before each."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._before: dict[str, Changes] = {}

    def make(self, edit: contract.Edit) -> str:
        """Make a change; what was done, in words."""
        if not edit["runs"]:
            raise BadValue("there is no run to change; select one")
        text = edit["text"].strip()
        changes: Changes = {run: self._fields(run, edit["do"], text) for run in edit["runs"]}
        before = {run: self._said(run, fields) for run, fields in changes.items()}
        self.store.edit_all(changes)
        self._before[edit["id"]] = before
        return _told(edit["do"], text, len(changes))

    def undo(self, edit_id: str) -> str:
        """Take a change back; what was done, in words."""
        before = self._before.pop(edit_id, None)
        if before is None:
            raise BadValue("this change cannot be taken back here: it was already, or another kernel made it")
        self.store.edit_all(before)
        return f"took it back for {_runs(len(before))}"

    def _fields(self, run: str, do: str, text: str) -> dict[str, Json]:
        match do:
            case "rename":
                return {"name": text}
            case "tag" | "untag":
                return {f"tag:{text}": do == "tag"}
            case "star" | "unstar":
                return {"starred": do == "star"}
            case "archive" | "unarchive":
                return {"archived": do == "archive"}
            case "delete" | "undelete":
                return {"deleted": do == "delete"}
            case _:
                return self._notes(run, text, adds=do == "note")

    def _notes(self, run: str, text: str, *, adds: bool) -> dict[str, Json]:
        """A note more, or the notes there are as one text: the first becomes it, the others are emptied."""
        if adds and not text:
            raise BadValue("a note has some text")
        known = [] if adds else list(self.store.notes(run))
        if not known:
            return {f"note:{new_id()}": text}
        return {known[0]: text, **dict.fromkeys(known[1:], "")}

    def _said(self, run: str, fields: dict[str, Json]) -> dict[str, Json]:
        """What people said of these fields so far; None where only the run itself did."""
        said = self.store.edits(run)
        return {field: said.get(field) for field in fields}


def _told(do: str, text: str, n: int) -> str:
    runs = _runs(n)
    match do:
        case "rename":
            return f"renamed {runs} to {text}"
        case "tag":
            return f"tagged {runs} {text}"
        case "untag":
            return f"took the tag {text} off {runs}"
        case "archive":
            return f"archived {runs}"
        case "unarchive":
            return f"brought {runs} back from the archive"
        case "undelete":
            return f"brought {runs} back"
        case "star":
            return f"starred {runs}"
        case "unstar":
            return f"took the star off {runs}"
        case "delete":
            return f"deleted {runs}; the next celltrail gc moves them to the trash"
        case _:
            return f"noted on {runs}" if text else f"removed the note of {runs}"


def _runs(n: int) -> str:
    return f"{n} run{'s' * (n != 1)}"

"""What people changed of a run, from the audit: when, who, what, and from what to what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celltrail.model import Json, RunRecord
from celltrail.query.plain import clipped, moment, shown

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store import Store

ERASED = "(erased)"
_WIDE = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``str()`` is a sentence."""

    when: datetime  # UTC
    who: str
    what: str  # the field, such as "name" or "tag:mlp", or what maintenance did
    before: Json = None
    after: Json = None

    def __str__(self) -> str:
        return f"{moment(self.when.timestamp())} {self.who or 'somebody'} {self._deed()}"

    def _deed(self) -> str:
        kind, _, name = self.what.partition(":")
        if self.after == ERASED:
            return f"{kind} {name} {ERASED}".replace("  ", " ")
        match kind:
            case "tag":
                return f"{'added' if self.after else 'removed'} the tag {shown(name)!r}"
            case "note" | "mark" if self.before is None or self.before == "":
                return f"noted {_told(self.after)}{_place(self.after)}"
            case "note" | "mark" if not self.after:
                return f"deleted the note {_told(self.before)}"
            case "note" | "mark":
                return f"changed a note: {_told(self.before)} -> {_told(self.after)}"
            case "comment":
                deleted = isinstance(self.after, dict) and not self.after.get("text")
                return f"deleted the comment {_told(self.before)}" if deleted else f"commented {_told(self.after)}"
            case "param":
                return f"corrected params.{shown(name)}: {_told(self.before)} -> {_told(self.after)}"
            case "replay":
                return f"replayed it: {_verdict(self.after)}"
            case "archived" | "starred":
                return f"{'' if self.after else 'un'}{kind}"
            case "deleted":
                return "deleted it" if self.after else "undeleted it"
            case "name" | "group" | "folder" | "rating":
                return f"{kind}: {_told(self.before)} -> {_told(self.after)}"
            case _:
                return self.what

    def __repr__(self) -> str:
        return f"<{self}>"


class Changes(list[Change]):
    """Changes, oldest first; a notebook shows a line for each."""

    def __repr__(self) -> str:
        return "\n".join(str(change) for change in self) or "nobody has changed anything"

    def df(self) -> pd.DataFrame:
        """A pandas frame: when, who, what, before, after."""
        import pandas as pd

        names = ("when", "who", "what", "before", "after")
        return pd.DataFrame([[getattr(change, name) for name in names] for change in self], columns=list(names))


def changes_of(run_id: str, store: Store) -> Changes:
    """The changes of a run, oldest first."""
    from celltrail.store.docs.edits import digest

    own = store.document(run_id)
    values: dict[tuple[str, str], Json] = {}
    found = Changes()
    for entry in store.audit.entries(run_id):
        when = datetime.fromtimestamp(entry.at / 1e6, tz=UTC)
        payload = store.audit.payload(entry)
        if entry.do not in ("edit", "delete", "restore"):
            found.append(Change(when, entry.by, entry.do, None, payload))
            continue
        if not isinstance(payload, dict) or "field" not in payload:
            found.append(Change(when, entry.by, entry.do, None, ERASED))
            continue
        field, value, base = payload["field"], payload.get("value"), payload.get("base", "")
        before = values.get((field, base), ERASED) if base else _own(own, field)
        values[field, digest(value)] = value
        found.append(Change(when, entry.by, field, before, _own(own, field) if value is None else value))
    return found


def _own(record: RunRecord, field: str) -> Json:
    """What the run itself says of a field."""
    kind, _, name = field.partition(":")
    match kind:
        case "name" | "group":
            return getattr(record, kind)
        case "param":
            return record.params[name].value if name in record.params else None
        case "tag":
            return name in record.tags
        case "note" if name.isdigit() and int(name) < len(record.notes):
            return record.notes[int(name)]
        case _:
            return None


def _verdict(value: Json) -> str:
    return str(value.get("verdict", "")) if isinstance(value, dict) else ""


def _told(value: Any) -> str:
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    if value is None:
        return "none"
    return clipped(repr(shown(value)) if isinstance(value, str) else shown(value), _WIDE)


def _place(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    place = [
        f"at {value['metric']}" if value.get("metric") else "",
        f"step {value['step']}" if value.get("step") is not None else "",
    ]
    told = " ".join(part for part in place if part)
    return f" {shown(told)}" if told else ""

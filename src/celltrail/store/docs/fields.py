"""What people can say of a run: the fields of an edit, and what each takes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import Any

from celltrail.errors import BadValue, nearest
from celltrail.model import Json
from celltrail.store.files.encoding import encode

MOST_CHARACTERS = 65_536  # a document is rewritten with every edit: what is longer belongs in a file
MOST_NAME = 256
_CONTROL = {"Cc", "Cs"}  # control characters, and halves of characters that no text has


def normal(field: str, value: Json) -> tuple[str, Json]:
    """The field and its value as they are kept; None takes back what was said.

    >>> normal("folder", "vision/resnet/"), normal("starred", True)
    (('folder', 'vision/resnet'), ('starred', True))

    Raises:
        BadValue: there is no such field, or it does not take this; the sentence says what is allowed.
    """
    kind, colon, name = field.partition(":")
    take = _FIELDS.get(kind + colon)
    if take is None or (colon and not name):
        known = ", ".join(f"{each}..." if each.endswith(":") else each for each in _FIELDS)
        raise BadValue(f"no field {field!r} to edit{nearest(field, _FIELDS) or ';'} fields are {known}")
    if colon:
        field = kind + colon + normal_name(name, kind)
    return field, None if value is None else take(field, value)


def normal_name(name: Json, what: str = "name") -> str:
    """A name of a run, a tag, a parameter or a view, normalised to NFC; `BadValue` on what none can be."""
    if not isinstance(name, str):
        raise BadValue(f"a {what} is text, not {_brief(name)}")
    clean = unicodedata.normalize("NFC", name)
    if not 0 < len(clean) <= MOST_NAME or clean != clean.strip():
        found = f"{len(clean)} characters" if clean and clean == clean.strip() else "none, or spaces around it"
        raise BadValue(f"the {what} {_brief(clean)} has {found}; 1 to {MOST_NAME} characters, no spaces around it")
    if clean.startswith("$") or any(unicodedata.category(letter) in _CONTROL for letter in clean):
        raise BadValue(f"the {what} {_brief(clean)} must not start with $ or hold control characters")
    return clean


def _name(field: str, value: Json) -> str:
    return normal_name(value, field)


def _folder(field: str, value: Json) -> str:
    parts = normal_name(value, field).strip("/").split("/")
    if not all(parts) or any(part != part.strip() for part in parts):
        raise BadValue(
            f"the folder {_brief(value)} has an empty part; write names between slashes, as in 'vision/resnet'"
        )
    return "/".join(parts)


def _flag(field: str, value: Json) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"{field} takes True, False, or None to take it back, not {_brief(value)}")
    return value


def _number(field: str, value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadValue(f"{field} takes a finite number, or None to take it back, not {_brief(value)}")
    return value


def _text(field: str, value: Json) -> str:
    if not isinstance(value, str):
        raise BadValue(f"{field} takes text, or None to take it back, not {_brief(value)}")
    return _fitting(field, value, len(value))


def _mark(field: str, value: Json) -> dict[str, Json]:
    allowed = {"text": str, "metric": str | None, "step": int | None}
    if not isinstance(value, dict) or not all(isinstance(value.get(name), kind) for name, kind in allowed.items()):
        raise BadValue(f"{field} takes text, metric and step, not {_brief(value)}")
    return _fitting(field, {name: value.get(name) for name in allowed}, len(value["text"]))


def _comment(field: str, value: Json) -> dict[str, Json]:
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in ("by", "text")):
        raise BadValue(f"{field} takes text and by, not {_brief(value)}")
    return _fitting(field, {name: value[name] for name in ("by", "text")}, len(value["text"]))


def _object(field: str, value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise BadValue(f"{field} takes an object, not {_brief(value)}")
    return _fitting(field, value, len(encode(value)))


def _json(field: str, value: Json) -> Json:
    if not isinstance(value, str | int | float | bool | list | dict):
        raise BadValue(f"{field} takes a number, text, True, False, a list or a dict, not {_brief(value)}")
    return _fitting(field, value, len(encode(value)))


def _fitting(field: str, value: Any, size: int) -> Any:
    if size > MOST_CHARACTERS:
        raise BadValue(
            f"{field.partition(':')[0]} of {size:,} characters is too long to be kept beside a run, "
            f"{MOST_CHARACTERS:,} are allowed; put it into a file and name the file"
        )
    return value


def _brief(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}...{text[-1]}"


_FIELDS: dict[str, Callable[[str, Json], Json]] = {
    "name": _name,
    "group": _name,
    "folder": _folder,
    "archived": _flag,
    "deleted": _flag,
    "starred": _flag,
    "rating": _number,
    "tag:": _flag,
    "note:": _text,
    "mark:": _mark,
    "comment:": _comment,
    "replay:": _object,
    "param:": _json,
    "summary:": _json,
    "data:": _object,
    "model:": _object,
}

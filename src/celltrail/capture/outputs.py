"""What one execution showed: messages of a kernel become records, in the order the client got them.

Streams are cut in the middle beyond their cap, and what lies there is never parsed. Everything is
redacted before it is kept.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import orjson

from celltrail.contract import MIME
from celltrail.model import Output

Put = Callable[[bytes | str], str]
Clean = Callable[[str], str]
Kind = Literal["stdout", "stderr", "display", "result", "error"]

SAYING = "celltrail"  # in the metadata of an output: celltrail's own word
_MAX_ITEM = 10_000_000
_MAX_ITEMS = 1000
_WIDGET = "application/vnd.jupyter.widget-view+json"
_TORN = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")


class _Stream:
    """Consecutive text of one stream: its head parsed, its tail as the raw messages until it is asked for."""

    def __init__(self, kind: Kind, cap: int) -> None:
        self.kind: Kind = kind
        self.head: list[str] = []
        self.tail: deque[bytes | str] = deque()
        self.size = 0
        self._room = self._keep = cap // 2
        self._tail_size = 0

    def add(self, content: bytes | str) -> None:
        """One message's text, or its content frame as JSON."""
        self.size += len(content) if isinstance(content, str) else _length(content)
        if self._room > 0 and len(content) <= self._room:
            self._room -= len(content)
            self.head.append(_text(content))
            return
        if self._room > 0:
            # this one message crosses the cap: its first part belongs to the head
            text = _text(content[: self._room + 64])
            self.head.append(text)
            self._room = 0
        self.tail.append(content)
        self._tail_size += len(content)
        while self._tail_size - len(self.tail[0]) >= self._keep:
            self._tail_size -= len(self.tail.popleft())

    def text(self) -> tuple[str, bool]:
        """All that is kept, with a marker where something is missing, and whether something is."""
        head = "".join(self.head)
        if not self.tail:
            return head, False
        tail = "".join(map(_text, self.tail))[-self._keep :]
        missing = self.size - len(head.encode()) - len(tail.encode())
        if missing <= 0:
            return head + tail, False
        return f"{head}\n[... {missing:,} of {self.size:,} bytes not kept ...]\n{tail}", True


def _length(content: bytes) -> int:
    """The bytes of text in a content frame, without parsing it: escapes counted, not undone."""
    escapes = content.count(b"\\") - content.count(b"\\\\") + 4 * content.count(b"\\u00")
    return len(content) - len('{"name":"stdout","text":""}') - escapes


def _text(content: bytes | str) -> str:
    """The text of a stream message; of one cut anywhere, what can be read."""
    if isinstance(content, str):
        return content
    try:
        return orjson.loads(content)["text"]
    except orjson.JSONDecodeError:
        raw = content.decode("utf-8", "ignore")
        _, _, text = raw.partition('"text":')
        text = _TORN.sub("", text.strip().removeprefix('"'))
        try:
            return orjson.loads(f'"{text}"')
        except orjson.JSONDecodeError:
            return text


class Outputs:
    """The outputs of one execution, from its first message to `records`."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._items: list[_Stream | dict[str, Any]] = []
        self._clear_next = False
        self._dropped = 0

    def stream(self, kind: Kind, content: bytes | str) -> None:
        """Text on stdout or stderr: a str, or the content frame of its message."""
        self._clear_if_due()
        last = self._items[-1] if self._items else None
        if not isinstance(last, _Stream) or last.kind != kind:
            last = _Stream(kind, self._cap)
            self._append(last)
        last.add(content)

    def message(self, kind: str, content: bytes) -> None:
        """Any other message of the output channel, by its type."""
        if kind == "clear_output":
            if orjson.loads(content).get("wait"):
                self._clear_next = True
            else:
                self._items.clear()
        elif kind == "update_display_data":
            self._update(orjson.loads(content), len(content))
        elif kind in ("display_data", "execute_result"):
            self._clear_if_due()
            self.display("result" if kind == "execute_result" else "display", orjson.loads(content), len(content))
        elif kind == "error":
            self._clear_if_due()
            self._append({"kind": "error", "size": len(content), "content": orjson.loads(content)})

    def display(self, kind: Kind, content: dict[str, Any], size: int) -> None:
        """A bundle of one thing in several forms; what celltrail itself says of a cell is not the cell's."""
        if SAYING in (content.get("metadata") or {}):
            return
        self._append(
            {
                "kind": kind,
                "size": size,
                "data": content.get("data", {}),
                "display_id": (content.get("transient") or {}).get("display_id"),
            }
        )

    def records(self, put: Put, clean: Clean) -> tuple[Output, ...]:
        """The records, their contents put away as blobs."""
        found: list[Output] = []
        for item in self._items:
            if isinstance(item, _Stream):
                text, truncated = item.text()
                if text:
                    blob = {"text/plain": put(clean(text))}
                    found.append(Output(len(found), item.kind, item.size, truncated, None, blob))
            else:
                found.append(_record(len(found), item, put, clean))
        return tuple(found)

    def _append(self, item: _Stream | dict[str, Any]) -> None:
        if len(self._items) >= _MAX_ITEMS:
            # the first half and the newest half stay
            del self._items[_MAX_ITEMS // 2]
            self._dropped += 1
        self._items.append(item)

    def _update(self, content: dict[str, Any], size: int) -> None:
        display_id = (content.get("transient") or {}).get("display_id")
        for item in self._items:
            if isinstance(item, dict) and item.get("display_id") == display_id:
                item.update(data=content.get("data", {}), size=size)

    def _clear_if_due(self) -> None:
        if self._clear_next:
            self._items.clear()
            self._clear_next = False


def _record(seq: int, item: dict[str, Any], put: Put, clean: Clean) -> Output:
    if item["kind"] == "error":
        text = "\n".join(item["content"].get("traceback") or [])
        return Output(seq, "error", item["size"], False, None, {"text/plain": put(clean(text))})
    bundle: dict[str, Any] = item["data"]
    if MIME in bundle or _WIDGET in bundle:
        # celltrail's own panels and live widgets: what they show is in the trail, or lives only in the kernel
        bundle = {mime: value for mime, value in bundle.items() if mime == "text/plain"}
    blobs: dict[str, str] = {}
    truncated = False
    for mime, value in bundle.items():
        data = _bytes(mime, value, clean)
        if len(data) > _MAX_ITEM:
            truncated = True
            continue
        blobs[mime] = put(data)
    return Output(seq, item["kind"], item["size"], truncated, item["display_id"], blobs)


def _bytes(mime: str, value: Any, clean: Clean) -> bytes:
    if not isinstance(value, str):
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            value = "".join(value)
        else:
            return clean(orjson.dumps(value).decode()).encode()
    if not mime.startswith("text/") and "+xml" not in mime and not mime.endswith(("json", "javascript")):
        try:
            return b64decode(value, validate=False)
        except (Base64Error, ValueError):
            pass
    return clean(value).encode("utf-8", "backslashreplace")

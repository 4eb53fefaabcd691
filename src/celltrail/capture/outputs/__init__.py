"""What one execution showed: messages of a kernel become records, in the order the client got them.

Streams are cut in the middle beyond their cap (`streams`), of many displays the first and the newest stay, and
of a display that is updated its first, its last and some states between. What is not kept is counted. Everything
is redacted before it is kept.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from celltrail.capture.outputs.states import States
from celltrail.capture.outputs.streams import Cap, Name, Piece
from celltrail.contract import MIME
from celltrail.model import Output

Put = Callable[[bytes | str], str]
Clean = Callable[[str], str]
Kind = Literal["stdout", "stderr", "display", "result", "error"]

SAYING = "celltrail"  # in the metadata of an output: celltrail's own word
MOST_ITEM = 10_000_000  # bytes of one form of a display
MOST_ITEMS = 1000
MOST_HELD = 200_000_000  # bytes of all displays of a cell; they wait in memory for its end
_WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(slots=True)
class _Item:
    """A display, a result or an error."""

    kind: Kind
    size: int
    data: dict[str, Any]
    display_id: str | None = None
    states: States = field(default_factory=States)  # what a display was before
    is_kept: bool = True


@dataclass(slots=True)
class _Gap:
    """Outputs that are only counted."""

    count: int = 0
    size: int = 0


class Outputs:
    """The outputs of one execution, from its first message to `records`.

    Args:
        cap: bytes of each stream.
    """

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._caps = {"stdout": Cap(cap), "stderr": Cap(cap)}
        self._items: list[Piece | _Item | _Gap] = []
        self._clear_next = False
        self._held = 0
        self.count_only = False  # from now on, keep nothing more

    def stream(self, kind: Name, content: bytes | str) -> None:
        """Text on stdout or stderr: a str, or the content frame of its message."""
        self._clear_if_due()
        last = self._items[-1] if self._items else None
        if not isinstance(last, Piece) or last.kind != kind:
            last = Piece(kind, self._caps[kind])
            self._append(last)
        last.add(content, count_only=self.count_only)

    def message(self, kind: str, content: bytes) -> None:
        """Any other message of the output channel, by its type."""
        if kind == "clear_output":
            if orjson.loads(content).get("wait"):
                self._clear_next = True
            else:
                self._clear()
        elif kind == "update_display_data":
            # no reason to clear: front ends wait for something that is added
            self.update(orjson.loads(content), len(content))
        elif kind in ("display_data", "execute_result"):
            self.display("result" if kind == "execute_result" else "display", orjson.loads(content), len(content))
        elif kind == "error":
            self._clear_if_due()
            text = "\n".join(orjson.loads(content).get("traceback") or [])
            self._append(_Item("error", len(content), {"text/plain": text}))

    def display(self, kind: Kind, content: dict[str, Any], size: int) -> None:
        """A bundle of one thing in several forms; what celltrail itself says of a cell is not the cell's."""
        if SAYING in (content.get("metadata") or {}):
            return
        self._clear_if_due()
        display_id = (content.get("transient") or {}).get("display_id")
        item = _Item(kind, size, content.get("data", {}), display_id)
        self._hold(item)
        self._append(item)

    def publish(self, content: dict[str, Any], size: int, is_update: bool) -> None:
        """What a terminal shell displays."""
        if is_update:
            self.update(content, size)
        else:
            self.display("display", content, size)

    def update(self, content: dict[str, Any], size: int) -> None:
        """Another state of what was displayed under an id, wherever it stands."""
        display_id = (content.get("transient") or {}).get("display_id")
        for item in self._items:
            if isinstance(item, _Item) and display_id is not None and item.display_id == display_id:
                if item.is_kept:
                    before = item.states.size
                    item.states.add(item.data, item.size)
                    self._held += item.states.size - before - item.size
                item.data, item.size = content.get("data", {}), size
                self._hold(item)

    def records(self, put: Put, clean: Clean) -> tuple[Output, ...]:
        """The records, their contents put away as blobs."""
        found: list[Output] = []
        for item in self._items:
            if isinstance(item, Piece):
                text, truncated = item.text()
                if item.size:
                    blob = {"text/plain": put(clean(text))}
                    found.append(Output(len(found), item.kind, item.size, truncated, None, blob))
            elif isinstance(item, _Gap):
                text = f"[... {item.count:,} outputs, {item.size:,} bytes, not kept ...]"
                found.append(Output(len(found), "display", item.size, True, None, {"text/plain": put(text)}))
            else:
                found.append(_record(len(found), item, put, clean))
        return tuple(found)

    def _hold(self, item: _Item) -> None:
        """Make room for what it shows, or let it be only counted."""
        item.is_kept = not self.count_only and self._held + item.size <= MOST_HELD
        if item.is_kept:
            self._held += item.size
        else:
            item.data = {}

    def _append(self, item: Piece | _Item) -> None:
        if len(self._items) >= MOST_ITEMS:
            # the first half and the newest half stay
            gap, at = self._items[MOST_ITEMS // 2], MOST_ITEMS // 2
            if not isinstance(gap, _Gap):
                gap = _Gap()
                self._items.insert(at, gap)
            lost = self._items.pop(at + 1)
            if not isinstance(lost, _Gap):
                gap.count, gap.size = gap.count + 1, gap.size + lost.size
            if isinstance(lost, _Item):
                self._held -= lost.states.size + (lost.size if lost.is_kept else 0)
        self._items.append(item)

    def _clear(self) -> None:
        self._items.clear()
        self._caps = {"stdout": Cap(self._cap), "stderr": Cap(self._cap)}
        self._held = 0

    def _clear_if_due(self) -> None:
        if self._clear_next:
            self._clear()
            self._clear_next = False


def _record(seq: int, item: _Item, put: Put, clean: Clean) -> Output:
    data, truncated = _blobs(item.data, put, clean)
    states = item.states.kept()
    earlier = tuple(_blobs(state, put, clean)[0] for state in states)
    truncated = truncated or not item.is_kept
    return Output(seq, item.kind, item.size, truncated, item.display_id, data, earlier)


def _blobs(bundle: dict[str, Any], put: Put, clean: Clean) -> tuple[dict[str, str], bool]:
    """Digests of the forms of one thing, and whether one was too large to be kept whole."""
    if MIME in bundle or _WIDGET in bundle:
        # celltrail's own panels and live widgets: what they show is in the trail, or lives only in the kernel
        bundle = {mime: value for mime, value in bundle.items() if mime == "text/plain"}
    blobs: dict[str, str] = {}
    truncated = False
    for mime, value in bundle.items():
        data = _bytes(mime, value, clean)
        if len(data) > MOST_ITEM:
            truncated = True
            if mime != "text/plain":  # half a picture is none
                continue
            data = _middle_cut(data)
        blobs[mime] = put(data)
    return blobs, truncated


def _middle_cut(data: bytes) -> bytes:
    head = data[: MOST_ITEM // 20].decode("utf-8", "ignore")
    tail = data[-MOST_ITEM // 20 :].decode("utf-8", "ignore")
    kept = len(head.encode()) + len(tail.encode())
    return f"{head}\n[... {len(data) - kept:,} of {len(data):,} bytes not kept ...]\n{tail}".encode()


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

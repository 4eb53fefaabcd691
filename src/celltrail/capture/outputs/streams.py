"""The text of stdout or stderr of one execution: its first and last part, what lies between is only counted.

What is beyond the cap is never parsed, so that a flood of text costs next to nothing.
"""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Literal

import orjson

Name = Literal["stdout", "stderr"]

_HEAD = 64  # bytes of JSON more than there is room for: an escape may begin in the room and end behind it
_JSON = re.compile(rb'"text":\s*"')
_WHOLE = re.compile(r'(?:[^"\\]|\\[^u]|\\u[0-9a-fA-F]{4})*+')  # the inside of a JSON string, up to where it was cut
_ESCAPED_U = re.compile(rb"(?<!\\)(?:\\\\)*\\u00")
_TORN_END = re.compile(r"\x1b((?:\[[0-?]*[ -/]*)?)$")
_TORN_JSON = re.compile(r'\\u001b((?:\[[0-?]*[ -/]*)?)"\s*\}\s*$')
_TORN_REST = re.compile(r"\[?[0-?]*[ -/]*[@-~]")
_LONGEST_ESCAPE = 32


class Cap:
    """How much of one stream is kept, over all its pieces.

    Args:
        size: bytes, half of them from the start and half from the end.
    """

    def __init__(self, size: int) -> None:
        self.room = self.keep = size // 2
        self._behind: deque[Piece] = deque()  # for each message that may belong to the end, whose it is
        self._size = 0

    def spare(self, piece: Piece, content: bytes | str) -> None:
        """Keep a message for as long as it may belong to the end."""
        piece.tail.append(content)
        self._behind.append(piece)
        self._size += len(content)
        while self._size - len(self._behind[0].tail[0]) >= self.keep:
            owner = self._behind.popleft()
            lost = owner.tail.popleft()
            self._size -= len(lost)
            owner.lost = lost[-2 * _LONGEST_ESCAPE :]


class Piece:
    """Consecutive text of one stream: its head parsed, its tail as the raw messages until it is asked for."""

    def __init__(self, kind: Name, cap: Cap) -> None:
        self.kind: Name = kind
        self.head: list[str] = []
        self.tail: deque[bytes | str] = deque()
        self.size = 0
        self._cap = cap
        self.lost: bytes | str = ""  # the last of what was not kept, to know what the tail begins in
        self._crossing: bytes | str | None = None  # the message that is both in the head and in the tail

    def add(self, content: bytes | str, *, count_only: bool = False) -> None:
        """One message's text, or its content frame as JSON."""
        self.size += _length(content)
        cap = self._cap
        if count_only:
            cap.room = 0
        elif cap.room > 0 and len(content) <= cap.room:
            cap.room -= len(content)
            self.head.append(_text(content))
        else:
            if cap.room > 0:
                # this one message crosses the cap: its first part belongs to the head
                self.head.append(_text(content[: cap.room + _HEAD]))
                self._crossing = content
                cap.room = 0
            cap.spare(self, content)

    def text(self) -> tuple[str, bool]:
        """All that is kept, with a marker where something is missing, and whether something is."""
        head = "".join(self.head)
        texts = list(map(_text, self.tail))
        if self.tail and self.tail[0] is self._crossing:
            texts[0] = texts[0].removeprefix(self.head[-1])
        tail = "".join(texts)
        missing = self.size - _bytes(head) - _bytes(tail)
        if missing <= 0 and len(tail) <= self._cap.keep:
            return head + tail, False
        # where nothing is missing so far, the cut to come is in the head and the tail together
        tail = _end_of((head if missing <= 0 else _begun_in(self.lost)) + tail, self._cap.keep)
        head = _TORN_END.sub("", head)
        missing = self.size - _bytes(head) - _bytes(tail)
        if missing <= 0:
            return head + tail, False
        marker = f"[... {missing:,} of {self.size:,} bytes not kept ...]\n"
        return f"{head}{'' if head.endswith(chr(10)) or not head else chr(10)}{marker}{tail}", True


def _end_of(text: str, size: int) -> str:
    """The last characters of a text, without the rest of an escape sequence that begins before them."""
    at = max(0, len(text) - size)
    if _TORN_END.search(text, max(0, at - _LONGEST_ESCAPE), at) and (rest := _TORN_REST.match(text, at)):
        at = rest.end()
    return text[at:]


def _begun_in(lost: bytes | str) -> str:
    """The escape sequence that the last lost message began, "" when it began none."""
    found = _TORN_END.search(lost) if isinstance(lost, str) else _TORN_JSON.search(lost.decode("utf-8", "ignore"))
    return f"\x1b{found[1]}" if found else ""


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _length(content: bytes | str) -> int:
    """The bytes of text in a message, without parsing it: of JSON, escapes are counted and not undone."""
    if isinstance(content, str):
        return _bytes(content)
    start = _JSON.search(content, 0, 64)
    # text about escapes has backslashes before its own
    long = len(_ESCAPED_U.findall(content)) if b"\\\\u00" in content else content.count(b"\\u00")
    escapes = content.count(b"\\") - content.count(b"\\\\") + 4 * long
    return len(content) - (start.end() if start else len(b'{"name":"stdout","text":"')) - len(b'"}') - escapes


def _text(content: bytes | str) -> str:
    """The text of a stream message; of one cut anywhere, what can be read."""
    if isinstance(content, str):
        return content
    try:
        return orjson.loads(content)["text"]
    except orjson.JSONDecodeError:
        raw = content.decode("utf-8", "ignore")
        _, _, text = raw.partition('"text":')
        found = _WHOLE.match(text, text.find('"') + 1)
        text = json.loads(f'"{found[0]}"', strict=False) if found else ""
        return text[:-1] if text and "\ud800" <= text[-1] <= "\udbff" else text  # half of a character

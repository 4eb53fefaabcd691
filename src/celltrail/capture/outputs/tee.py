"""Taking along what a kernel sends to its client, or a terminal shell prints.

In a kernel the sending of the output channel is wrapped: whatever the client gets, in whatever way it
was printed, passes there. The wrapper only puts the frames away.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

import orjson

Take = Callable[[list[Any]], None]
_DELIMITER = b"<IDS|MSG>"


class KernelTee:
    """Wraps ``kernel.iopub_thread.send_multipart`` while it is on."""

    def __init__(self, kernel: Any, take: Take) -> None:
        self._thread = kernel.iopub_thread
        self._take: Take | None = take
        self._pid = os.getpid()
        self._wrapper: Any = None

    def on(self) -> None:
        """Begin to take frames."""
        send, pid = self._thread.send_multipart, self._pid

        def send_multipart(*args: Any, **kw: Any) -> Any:
            take = self._take
            # a forked child sends through its parent, where the message passes again
            if take is not None and args and os.getpid() == pid:
                take(args[0])
            return send(*args, **kw)

        self._wrapper = send_multipart
        self._thread.send_multipart = send_multipart

    def off(self) -> None:
        """Put back what was found; if somebody wrapped it meanwhile, only let everything pass."""
        self._take = None
        if vars(self._thread).get("send_multipart") is self._wrapper:
            del self._thread.send_multipart


def unframe(frames: list[Any]) -> tuple[str, str, str, bytes] | None:
    """Message type, id of the request it answers, topic, and content not yet parsed."""
    try:
        start = frames.index(_DELIMITER)
        topic = bytes(frames[start - 1]).decode("utf-8", "replace") if start else ""
        header, parent, content = frames[start + 2], frames[start + 3], frames[start + 5]
        return orjson.loads(header)["msg_type"], orjson.loads(parent).get("msg_id", ""), topic, bytes(content)
    except (ValueError, IndexError, KeyError, TypeError, orjson.JSONDecodeError):
        return None


class TerminalTee:
    """Wraps the writing of ``sys.stdout`` and ``sys.stderr`` and the shell's displays, for one execution."""

    def __init__(
        self, shell: Any, write: Callable[[str, str], None], display: Callable[[dict[str, Any], int, bool], None]
    ) -> None:
        self._shell, self._write, self._display = shell, write, display
        self._undo: list[Callable[[], None]] = []

    def on(self) -> None:
        """Begin to take along."""
        for name in ("stdout", "stderr"):
            self._wrap(getattr(sys, name), "write", self._stream_writer(name))
        self._wrap(self._shell.display_pub, "publish", self._publisher)

    def off(self) -> None:
        """Put back what was found."""
        while self._undo:
            self._undo.pop()()

    def _wrap(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        inner = getattr(owner, name)
        wrapper = make(inner)
        try:
            setattr(owner, name, wrapper)
        except AttributeError:  # a stream that takes no attributes is left alone
            return

        def undo() -> None:
            if vars(owner).get(name) is wrapper:
                with contextlib.suppress(AttributeError):
                    delattr(owner, name)

        self._undo.append(undo)

    def _stream_writer(self, name: str) -> Callable[[Any], Any]:
        def make(write: Any) -> Any:
            def writer(text: Any) -> Any:
                if isinstance(text, str):
                    self._write(name, text)
                return write(text)

            return writer

        return make

    def _publisher(self, publish: Any) -> Any:
        def publisher(*args: Any, **kw: Any) -> Any:
            data = kw.get("data", args[0] if args else None)
            if isinstance(data, dict):
                size = sum(len(form) for form in data.values() if isinstance(form, str | bytes))
                content = {"data": data, "metadata": kw.get("metadata"), "transient": kw.get("transient")}
                self._display(content, size, bool(kw.get("update")))
            return publish(*args, **kw)

        return publisher

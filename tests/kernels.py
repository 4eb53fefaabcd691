"""A real IPython kernel for tests: run cells, keep every message the client received."""

from __future__ import annotations

import os
import queue
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

Message = dict[str, Any]

# a recorder waits for itself a second at most, which is not enough on a busy machine
SETTLE = "while not recorder._worker.is_idle(): recorder._settle()"


class Reply:
    """What one cell gave: its reply and all its messages on IOPub, in order."""

    def __init__(self, reply: Message, messages: list[Message], strays: list[Message]) -> None:
        self.status: str = reply["content"]["status"]
        self.content: dict[str, Any] = reply["content"]
        self.messages = messages
        self.strays = strays  # came meanwhile, but from another cell or from no cell

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The contents of the messages of one type."""
        return [message["content"] for message in self.messages if message["msg_type"] == kind]

    def late(self, kind: str) -> list[dict[str, Any]]:
        """The contents of the messages of one type that belong to another cell."""
        return [message["content"] for message in self.strays if message["msg_type"] == kind]

    @property
    def text(self) -> str:
        """What the cell printed."""
        return "".join(content["text"] for content in self.of("stream") if content["name"] == "stdout")

    @property
    def complaints(self) -> str:
        """What came on stderr."""
        return "".join(content["text"] for content in self.of("stream") if content["name"] == "stderr")


class Kernel:
    """A kernel process and a client of it."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = {}, python: str = sys.executable) -> None:
        own = {**os.environ, **environment}
        try:
            self._start(folder, own, python)
        except RuntimeError:  # it died: another process took one of its ports after they had been found free
            self.stop()
            self._start(folder, own, python)

    def _start(self, folder: Path, environment: dict[str, str], python: str) -> None:
        self.manager = KernelManager()
        self.manager.kernel_spec.argv[0] = python
        self.manager.start_kernel(cwd=str(folder), env=environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, timeout: float = 60, **options: Any) -> Reply:
        """Run one cell to its end."""
        sent = self.client.execute(code, **options)
        return self.collect(sent, timeout)

    def collect(self, sent: str, timeout: float = 60) -> Reply:
        """The messages of a request until it is idle, and its reply."""
        deadline = time.monotonic() + timeout
        messages: list[Message] = []
        strays: list[Message] = []
        while time.monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != sent:
                strays.append(message)
                continue
            messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return Reply(self._reply(sent, deadline), messages, strays)
        raise TimeoutError(f"the cell was not done after {timeout} s; so far {[m['msg_type'] for m in messages][-20:]}")

    def _reply(self, sent: str, deadline: float) -> Message:
        while time.monotonic() < deadline:
            reply = self.client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            if reply["parent_header"].get("msg_id") == sent:
                return reply
        raise TimeoutError("the cell's reply did not come")

    @property
    def features(self) -> list[str]:
        """What the kernel says it can do beyond the protocol."""
        sent = self.client.kernel_info()
        return self._reply(sent, time.monotonic() + 60)["content"].get("supported_features", [])

    def stop(self) -> None:
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

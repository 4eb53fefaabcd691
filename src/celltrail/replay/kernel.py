"""`Fresh`: a kernel that nobody has used, for as long as a replay takes."""

from __future__ import annotations

import os
import queue
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

_START_S, _STOP_S = 60.0, 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a cell."""

    status: str  # ok, error, timeout or died
    ename: str = ""
    evalue: str = ""
    seconds: float = 0.0


class Fresh:
    """A kernel and its only client."""

    def __init__(self, manager: Any, client: Any) -> None:
        self._manager, self._client = manager, client

    def run(self, code: str, timeout: float | None = None, *, silent: bool = False) -> Answer:
        """Run code to its end.

        Args:
            code: a cell.
            timeout: seconds after which the kernel is interrupted; None waits for ever.
            silent: whether it leaves no trace, not even a number.
        """
        began = time.monotonic()
        sent = self._client.execute(code, silent=silent, store_history=not silent, allow_stdin=False)
        while True:
            try:
                message = self._client.get_shell_msg(timeout=0.5)
            except queue.Empty:
                if not self._manager.is_alive():
                    return Answer("died", seconds=time.monotonic() - began)
                if timeout is not None and time.monotonic() - began > timeout:
                    self._manager.interrupt_kernel()
                    return Answer("timeout", seconds=time.monotonic() - began)
                continue
            if message["parent_header"].get("msg_id") == sent:
                told = message["content"]
                seconds = time.monotonic() - began
                self._empty()
                return Answer(told["status"], told.get("ename", ""), told.get("evalue", ""), seconds)

    def _empty(self) -> None:
        """Take what was shown off the channel, which would keep it in memory."""
        while True:
            try:
                self._client.get_iopub_msg(timeout=0)
            except queue.Empty:
                return


@contextmanager
def fresh(folder: Path, environment: Mapping[str, str | None], python: str | None = None) -> Generator[Fresh]:
    """A kernel in a folder.

    Args:
        folder: where it works.
        environment: variables that it gets, None for those it must not have.
        python: whose kernel it is; None is this one.
    """
    from jupyter_client.manager import KernelManager

    variables = {**os.environ, **{name: value for name, value in environment.items() if value is not None}}
    for name, value in environment.items():
        if value is None:
            variables.pop(name, None)
    manager = KernelManager()
    assert manager.kernel_spec is not None  # ipykernel brings one of its own
    manager.kernel_spec.argv = [python or sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager.start_kernel(cwd=str(folder), env=variables, stdout=DEVNULL, stderr=DEVNULL)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=_START_S)
        yield Fresh(manager, client)
        client.shutdown()
        _wait(manager)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _wait(manager: Any) -> None:
    """Let the kernel bring to disk what it still has."""
    until = time.monotonic() + _STOP_S
    while manager.is_alive() and time.monotonic() < until:
        time.sleep(0.05)

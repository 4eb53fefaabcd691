"""A replay asked for in a panel: the command of the terminal in a process of its own, so that the kernel is free."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celltrail.capture.shield import shield
from celltrail.contract import Replay, Replaying
from celltrail.errors import CelltrailError
from celltrail.query import StoredRun

_OF_THIS_PROCESS = ("CELLTRAIL_RUN_ID", "CELLTRAIL_OFF", "JPY_PARENT_PID")
_VERDICTS = (0, 1, 2)  # exit statuses of a replay that came to its end


class Replayer:
    """The replays of one run, one at a time.

    Args:
        run: the run.
        send: brings a message to the panel.
        over: is called once there is a new verdict.
    """

    def __init__(self, run: StoredRun, send: Callable[[Replaying], object], over: Callable[[], object]) -> None:
        self._run, self._send, self._over = run, send, over
        self._process: subprocess.Popen[str] | None = None
        self._began = 0.0
        self._is_stopped = False
        self._last: dict[str, Any] = {}

    def ask(self, asked: Replay) -> str:
        """Begin or stop; what is done, as a sentence."""
        process = self._process
        if asked["do"] == "stop":
            if process is None:
                raise CelltrailError(f"no replay of run {self._run.name!r} is going on")
            self._is_stopped = True
            _end(process)
            return "the replay is stopped"
        if process is None:
            self._start()
        else:
            self._tell()
        return f"run {self._run.name!r} is being replayed"

    def _start(self) -> None:
        command = [sys.executable, "-m", "celltrail", "replay", self._run.id, "--progress", "--attached"]
        variables = {name: value for name, value in os.environ.items() if name not in _OF_THIS_PROCESS}
        self._process = subprocess.Popen(
            [*command, "--store", str(self._run.store.root)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", env=variables,
            start_new_session=True,  # an interrupt of the kernel is none of the replay
        )  # fmt: skip
        self._began, self._is_stopped = time.monotonic(), False
        self._last = {"what": "the kernel of the replay starts"}
        self._tell()
        follow = threading.Thread(target=shield, args=(self._follow, self._process), daemon=True)
        follow.name = "celltrail-replay"
        follow.start()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        """Tell the panel what the process says, until it is over."""
        said: list[str] = []
        assert process.stderr is not None
        for line in process.stderr:
            try:
                self._last = json.loads(line)
            except ValueError:
                said.append(line.strip())
            else:
                self._tell()
        status = process.wait()
        self._process = None
        if self._is_stopped:
            self._tell("the replay was stopped", over=True)
        elif status in _VERDICTS and not said:
            self._over()
            self._tell("", over=True)
        else:
            self._tell(said[-1] if said else f"the replay ended with exit status {status}", over=True)

    def _tell(self, text: str | None = None, *, over: bool = False) -> None:
        last = self._last
        self._send(
            Replaying(
                kind="replaying",
                run=self._run.id,
                text=str(last.get("what", "")) if text is None else text,
                code=str(last.get("code", "")),
                done=int(last.get("done", 0)),
                total=int(last.get("total", 0)),
                seconds=time.monotonic() - self._began,
                over=over,
            )
        )


def _end(process: subprocess.Popen[str]) -> None:
    """End a replay, which takes its kernel and its folders with it; it does so too when this process is gone."""
    assert process.stdin is not None
    with suppress(OSError, ValueError):  # it is over, or was told already
        process.stdin.write("\n")  # closing is not enough: a fork of the user's may hold the other end
        process.stdin.close()

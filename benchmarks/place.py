"""Where a contestant does its work: its environment, a scratch folder, and processes of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contestants import Contestant

HERE = Path(__file__).parent
PEERS = HERE.parent / "build" / "peers"
SCRATCH = HERE.parent / "build" / "bench"
MARK = "CELLTRAIL_BENCH"  # in the environment of all that a measurement starts, so that nothing stays behind
LIMIT_S = 600.0


class Trouble(Exception):
    """A contestant could not do what was asked; the text says why."""


def python_of(contestant: Contestant) -> Path | None:
    """The interpreter of its environment, or None where it was not installed."""
    if not contestant.packages:
        return Path(sys.executable)
    python = PEERS / contestant.name / "bin" / "python"
    return python if python.exists() else None


def install(contestant: Contestant) -> str | None:
    """Give a peer an environment of its own; returns why it failed, None if it did not."""
    place = PEERS / contestant.name
    commands = (
        [sys.executable, "-m", "venv", str(place)],
        [str(place / "bin" / "python"), "-m", "pip", "install", "-q", *contestant.packages],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(place, ignore_errors=True)
            return _last_line(done.stderr)
    return None


def version_of(contestant: Contestant) -> str:
    """The version its environment has, "" for a baseline."""
    python = python_of(contestant)
    if not contestant.version_of or python is None:
        return ""
    code = f"from importlib.metadata import version; print(version({contestant.version_of!r}))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True).stdout.strip()


class Place:
    """A contestant with a new scratch folder for one measurement; use it as a context manager."""

    def __init__(self, contestant: Contestant) -> None:
        python = python_of(contestant)
        if python is None:
            raise Trouble("not installed")
        self.contestant = contestant
        self._python = python
        SCRATCH.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{contestant.name}-", dir=SCRATCH))
        self.work = self.folder / "work"
        self.work.mkdir()
        self._count = 0

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes():
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def calls(self, calls: int) -> int:
        """How many of so many calls this contestant makes."""
        return max(20, int(calls * self.contestant.share))

    def call(self, function: Callable[..., Any], *, limit_s: float = LIMIT_S, **arguments: Any) -> Any:
        """Run ``function(tracker, folder, **arguments)`` in its environment; what it returns."""
        return self.start(function, **arguments).wait(limit_s)

    def start(self, function: Callable[..., Any], *, folder: Path | None = None, **arguments: Any) -> Process:
        """The same, without waiting for it."""
        self._count += 1
        folder = folder or self.work
        answer = self.folder / f"answer-{self._count}.json"
        asked = {
            "module": function.__module__,
            "function": function.__name__,
            "contestant": self.contestant.name,
            "folder": str(folder),
            "arguments": arguments,
            "answer": str(answer),
        }
        said = self.folder / f"said-{self._count}.txt"
        with said.open("w") as out:
            command = [str(self._python), str(HERE / "child.py"), json.dumps(asked)]
            started = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env=self._environment(folder),
                start_new_session=True,
            )
        return Process(started, answer, said)

    def _environment(self, folder: Path) -> dict[str, str]:
        """No network, no settings or caches of the user, and the mark by which leftovers are found."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        # PYTHONDONTWRITEBYTECODE would have this checkout compiled anew in every process, installed peers not
        ours = ("CELLTRAIL", "WANDB", "PYTHON")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        given = {name: value.format(folder=folder) for name, value in self.contestant.env.items()}
        quiet = {
            "HF_HUB_OFFLINE": "1",
            "DO_NOT_TRACK": "1",
            "GRADIO_ANALYTICS_ENABLED": "False",
            "CELLTRAIL_QUIET": "1",
        }
        private = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), MARK: self.folder.name}
        return {**clean, **quiet, **private, **given}

    def processes(self) -> list[Any]:
        """What this measurement has started and what is still alive, as psutil sees it."""
        import psutil

        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.folder.name and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found


class Process:
    """A function at work in another process."""

    def __init__(self, started: subprocess.Popen[bytes], answer: Path, said: Path) -> None:
        self.pid = started.pid
        self._started = started
        self._answer = answer
        self._said = said

    def wait(self, limit_s: float = LIMIT_S) -> Any:
        """What the function returned; `Trouble` if it raised or took longer."""
        try:
            code = self._started.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Trouble(f"took longer than {limit_s:.0f} s") from None
        if code or not self._answer.exists():
            raise Trouble(_last_line(self._said.read_text(errors="replace")) or f"exit status {code}")
        return json.loads(self._answer.read_text())

    def kill(self) -> None:
        """kill -9 of this process alone."""
        self._started.send_signal(signal.SIGKILL)
        self._started.wait()


def wait_for(path: Path, limit_s: float, process: Process | None = None) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + limit_s
    while not path.exists():
        if process is not None and process._started.poll() is not None:
            process.wait()
            raise Trouble("ended too early")
        if time.monotonic() > end:
            raise Trouble(f"not ready after {limit_s:.0f} s")
        time.sleep(0.002)


def _last_line(text: str) -> str:
    """The sentence of an error, without the folders of this machine."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Interrupt)\b", line)]
    line = (named or lines)[-1].replace(str(HERE.parent), "...")
    return line if len(line) <= 140 else f"{line[:139]}…"

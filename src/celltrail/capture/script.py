"""Runs begun by ``ct.start()``: the code, environment and commit of the script or cell that began them.

A tracked cell brings all of this itself. Here it is gathered on a thread, and the run's files stay open
until it is in, so that a run of a few milliseconds has it too. The thread lets the run begin first: git, asked at
once, would take the processor from the first points of the run, and from whatever else begins just now.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from celltrail.capture.environment import hardware, notebook, relative, software
from celltrail.capture.environment.repository import git
from celltrail.capture.shield import shield
from celltrail.model import Json
from celltrail.resources import measure_runs
from celltrail.run import Event, Run, Started, listen
from celltrail.store.files.pending import wait_with

_MAX_SOURCE = 1_000_000

_PATIENCE_S = 2.0
_AFTER_S, _STEP_S = 0.05, 0.01  # so long after the begin, or as soon as the run or the program is over

_listening = False
_describing: list[_Describing] = []


class _Describing(threading.Thread):
    """Describes one run, a moment after it has begun."""

    # not a daemon: a script that ends at once waits the few milliseconds for its own description
    def __init__(self, run: Run, *told: Any) -> None:
        super().__init__(name="celltrail-describe", daemon=False)
        self._told = run, *told
        self.is_due = threading.Event()
        run.at_end(self.is_due.set)

    def run(self) -> None:
        """Wait for the moment, then gather."""
        for _ in range(round(_AFTER_S / _STEP_S)):
            if self.is_due.wait(_STEP_S) or not threading.main_thread().is_alive():
                break
        _gather(*self._told)


def describe_runs() -> None:
    """From now on describe and measure the runs of this process; a second call changes nothing."""
    global _listening
    if not _listening:
        _listening = True
        listen(_hear, points=False)
        measure_runs()
        wait_with(_wait)


def _hear(event: Event) -> None:
    if isinstance(event, Started) and not event.run.record().code:
        settle = event.run.owe()
        source, facts = shield(_around) or ("", {})
        told = event.run, source, facts, settle
        if not threading.main_thread().is_alive():
            _gather(*told)  # nobody waits for a thread any more, and since Python 3.12 none can be begun
            return
        thread = _Describing(*told)
        thread.start()
        _describing[:] = [other for other in _describing if other.is_alive()] + [thread]


def _wait() -> None:
    """Whoever reads the trail gets the runs that have finished with their descriptions."""
    for thread in tuple(_describing):
        if thread is not threading.current_thread():
            thread.is_due.set()
            thread.join(_PATIENCE_S)


def _gather(run: Run, source: str, facts: dict[str, Any], settle: Any) -> None:
    try:
        shield(_describe, run, source, facts)
    finally:
        settle()


def _describe(run: Run, source: str, facts: dict[str, Any]) -> None:
    from celltrail.capture.redact import Redactor  # a program that begins a run does not wait for its patterns

    clean, put = Redactor().text, run.store.blobs.put
    environment: dict[str, dict[str, Json]] = {"env": software(put), "hardware": hardware()}
    if commit := git(os.getcwd(), put, clean):
        environment["git"] = commit
    if source:
        facts["code"] = put(clean(source))
    run.learn(environment=environment, **facts)  # written down as it is settled


def _around() -> tuple[str, dict[str, Any]]:
    """The source of the cell or script that is running, and where it is."""
    shell_of = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = shell_of() if shell_of else None
    if shell is not None:
        # as it was typed: the run of the cell itself has it so, and `In` has magics as calls
        cells = shell.history_manager.input_hist_raw or [""]
        return cells[-1], {"notebook": notebook(shell.user_ns, Path.cwd()), "cell_id": _cell_id(shell)}
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    if path is None:
        return "", {}
    script = Path(path).absolute()
    source = script.read_text(errors="replace") if script.stat().st_size <= _MAX_SOURCE else ""
    return source, {"notebook": relative(str(script), Path.cwd())}


def _cell_id(shell: Any) -> str | None:
    kernel = getattr(shell, "kernel", None)
    parent = (kernel.get_parent("shell") if kernel is not None else None) or {}
    return parent.get("metadata", {}).get("cellId")

"""What the client sees, brought to the runs of the cells that show it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from celltrail.capture.outputs.tee import KernelTee, TerminalTee, unframe
from celltrail.capture.worker import Worker

if TYPE_CHECKING:
    from celltrail.capture.tracked import Tracked

_TAKEN_NS = 20_000  # a message that takes longer waits for other threads, as it would without the recorder


class Listening:
    """Takes along what the kernel sends, or a terminal shell prints, while cells are tracked.

    In a kernel a cell is over for its client after its last hook: streams are flushed then, so a run is closed by the
    message that says idle, on the worker's thread.

    Args:
        shell: the IPython shell.
        worker: does what can wait.
        written: is told of each cell that was closed so.
    """

    def __init__(self, shell: Any, worker: Worker, written: Callable[[Tracked], None]) -> None:
        self._shell, self._worker, self._written = shell, worker, written
        self._awaited: dict[str, Tracked] = {}  # by request, until its last output
        self._tee: KernelTee | None = None
        self._terminal: TerminalTee | None = None
        self._taken = self._taking_ns = 0  # messages taken along in this session, and what that cost

    def on(self) -> None:
        """Begin to listen, where there is a kernel."""
        kernel = getattr(self._shell, "kernel", None)
        if kernel is not None and getattr(kernel, "iopub_thread", None) is not None:
            self._tee = KernelTee(kernel, self._take)
            self._tee.on()

    def off(self) -> None:
        """Listen no more; what still waits is closed in its turn: its last output may be in the worker's queue."""
        if self._tee is not None:
            self._tee.off()
        self._worker.put(self._close_all)

    @property
    def is_kernel(self) -> bool:
        """Whether outputs are messages of a kernel."""
        return self._tee is not None

    @property
    def awaited(self) -> tuple[Tracked, ...]:
        """The cells whose last output has not come yet."""
        return tuple(self._awaited.values())

    @property
    def message_ns(self) -> float:
        """What it costs the sender to have one message taken along."""
        return self._taking_ns / self._taken if self._taken else 0.0

    def begin(self, request: str, tracked: Tracked) -> None:
        """From now on what this request shows is the cell's."""
        outputs = tracked.outputs
        if outputs is None:
            return
        if self._tee is not None:
            await_it = partial(self._awaited.__setitem__, request, tracked)
            # what the trial before it showed may still be on its way
            self._worker.put(await_it) if request in self._awaited else await_it()
            return
        self._terminal = TerminalTee(
            self._shell,
            lambda name, text: outputs.stream("stderr" if name == "stderr" else "stdout", text),
            outputs.publish,
        )
        self._terminal.on()

    def body_ends(self) -> None:
        """The code of the cell is done: a terminal has shown everything by then."""
        if self._terminal is not None:
            self._terminal.off()
            self._terminal = None

    def forget(self, request: str) -> None:
        """Nothing of this request is waited for any more."""
        self._worker.put(partial(self._drop, request))

    def _drop(self, request: str) -> None:
        self._awaited.pop(request, None)

    def _close_all(self) -> None:
        for tracked in self.awaited:
            tracked.close(self.message_ns)
        self._awaited.clear()

    def _take(self, frames: list[Any]) -> None:
        """A message is on its way to the client."""
        if self._awaited:
            begun = time.perf_counter_ns()
            self._worker.put(partial(self._receive, frames))
            self._taken += 1
            self._taking_ns += min(time.perf_counter_ns() - begun, _TAKEN_NS)

    def _receive(self, frames: list[Any]) -> None:
        """On the worker's thread: what was taken along goes to its cell."""
        message = unframe(frames)
        if message is None:
            return
        kind, request, topic, content = message
        tracked = self._awaited.get(request)
        if tracked is None or tracked.outputs is None:
            return
        tracked.meter.messages += 1
        if kind == "status":
            if b'"idle"' in content:
                try:
                    tracked.close(self.message_ns)
                finally:
                    self._drop(request)  # only now: what goes wrong while it closes is its problem
                self._written(tracked)
            return
        with tracked.meter.working():
            if kind == "stream":
                tracked.outputs.stream("stderr" if topic.endswith("stderr") else "stdout", content)
            else:
                tracked.outputs.message(kind, content)

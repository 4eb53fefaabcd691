"""The executions of one kernel session in the order they began: tracked or not, nested, failed, of any thread.

The main thread stamps and queues; what the code says, what must not be kept and what it all weighs is found out
on a thread of the session's own.
"""

from __future__ import annotations

import ast
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from celltrail.capture import environment, rng
from celltrail.capture.analyze import Names, analyze
from celltrail.capture.redact import Redactor, is_secret_name
from celltrail.capture.rng.arrival import Arrival
from celltrail.capture.session.keeping import Keeping
from celltrail.capture.session.past import Past, Status, number
from celltrail.capture.shield import shield
from celltrail.capture.tracked import cell_magic, cell_name
from celltrail.capture.transform import PYTHON, Mark, cleanup
from celltrail.capture.worker import NAP_S, Worker
from celltrail.model import new_id, now_us
from celltrail.parsing import parse
from celltrail.run import events
from celltrail.store.files import pending

MOST = 5_000  # executions at hand; older ones are in the trail, if anywhere
MOST_SOURCE = 64 << 20  # characters of their code, the newest
_MOST_STATES = 2_000  # of generators, 2.5 to 5 KB each, that wait for a trail
_MOST_CODE = 1 << 20  # characters of a cell that is looked at
_PATIENCE_S = 1.0  # of whoever reads the trail

Key = tuple[int, str]  # thread and request


class Session:
    """All executions of one shell, while somebody calls `begin` and `end` around each.

    Args:
        shell: the IPython shell.
        redactor: takes secrets out of all that is kept; it learns those that cells bind.
    """

    def __init__(self, shell: Any, redactor: Redactor) -> None:
        self.id = new_id()
        self.started_us = now_us()
        self._shell, self._redactor = shell, redactor
        self._executions: deque[Past] = deque(maxlen=MOST)
        self._begun = 0
        self._open: dict[Key, list[Past]] = {}  # what runs, the innermost last
        self._unread: dict[str, tuple[Past, str]] = {}  # with the code to read
        self._states: dict[str, bytes] = {}  # by digest, until they are in the trail
        self._size = 0  # characters of code at hand
        self._keeping = Keeping(
            self.id, self.started_us, redactor.text, lambda root: environment.notebook(shell.user_ns, root)
        )
        self._worker = Worker(self._tick, "celltrail-session", NAP_S)
        self._arrival = Arrival(partial(shield, self._arrived))
        self._pid = os.getpid()
        self._stops: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[Past]:
        """The executions, oldest first, as they are now."""
        return iter(list(self._executions))

    def __len__(self) -> int:
        return len(self._executions)

    @property
    def namespace(self) -> dict[str, Any]:
        """The user's variables."""
        return self._shell.user_ns

    @property
    def is_in_trail(self) -> bool:
        """Whether executions are written down."""
        return self._keeping.is_attached

    def since(self, count: int) -> list[Past]:
        """The executions but the first so many of the session, oldest first; the oldest may be gone."""
        # one more than there are, where one begins just now on another thread
        newest = list(islice(reversed(self._executions), max(0, self._begun - count) + 1))
        return [past for past in reversed(newest) if past.at >= count]

    def find(self, execution: str) -> Past | None:
        """The execution of this id, while it is at hand."""
        return next((past for past in reversed(list(self._executions)) if past.id == execution), None)

    def start(self) -> None:
        """Let the background begin."""
        self._pid = os.getpid()
        self._arrival.on()
        self._worker.start()
        self._stops = [events.listen(self._hear, points=False), pending.wait_with(self._wait)]

    def stop(self, status: Status = "interrupted") -> None:
        """Do what is left; what runs has this status."""
        self._arrival.off()
        for key, around in list(self._open.items()):
            for _ in list(around):
                self.end(key, status, None)
        while self._stops:
            self._stops.pop()()
        self._worker.put(partial(self._keeping.close, self, self._states))
        self._worker.stop(2.0)

    def _hear(self, event: events.Event) -> None:
        # the first run of a trail, marked or begun by code, is what makes the session worth a place in it
        if isinstance(event, events.Started) and os.getpid() == self._pid:
            self._worker.put(partial(self._attach, event.run.store.root))

    def _arrived(self, library: str, read: Callable[[], Any]) -> None:
        """A generator came into being: in the middle of a cell, as a rule."""
        thread = threading.get_ident()
        around = [past for (where, _), open in self._open.items() if where == thread for past in open]
        if around and os.getpid() == self._pid:
            packed = rng.pack(library, read())
            self._states[digest := _digest(packed)] = packed
            for past in around:
                past.arrived[library] = digest

    def _wait(self) -> None:
        if os.getpid() == self._pid and not self._worker.is_idle():
            self._worker.wait(_PATIENCE_S)

    # around a cell, on its thread

    def begin(self, key: Key, info: Any, mark: Mark | None, *, looks: bool = True) -> Past:
        """An execution begins.

        Args:
            key: whose it is.
            info: what IPython says of it.
            mark: its line of ours.
            looks: whether to read the generators now; of a run `track` brings their states.
        """
        around = self._open.setdefault(key, [])
        is_scratch = (mark is not None and mark.arguments.off) or self.is_scratch(key)
        past = Past(
            new_id(),
            number(self._shell, info),
            cell_name(getattr(info, "cell_id", None)),
            now_us(),
            None if is_scratch else info.raw_cell,
            "nested" if around else "cell",
            is_scratch,
            is_kept=not is_scratch and os.environ.get("CELLTRAIL_OFF") != "1",
            at=self._begun,
        )
        around.append(past)
        self._executions.append(past)
        self._begun += 1
        self._unread[past.id] = past, getattr(info, "transformed_cell", None) or info.raw_cell
        if looks:
            states = None if is_scratch else shield(rng.take)
            self._worker.put(partial(self._describe, past, states or {}))
        return past

    def is_scratch(self, key: Key) -> bool:
        """Whether what runs there just now is a `%%scratch`, or within one."""
        return any(past.is_scratch for past in self._open.get(key, ()))

    def track(self, past: Past, run: str, states: rng.States) -> None:
        """The execution is this run, and its body is about to begin."""
        past.run = run
        self._worker.put(partial(self._describe, past, states))

    @property
    def is_busy(self) -> bool:
        """Whether something runs just now."""
        return bool(self._open)

    def end(self, key: Key, status: Status, error: BaseException | None) -> Past | None:
        """The innermost execution there is over; which it was."""
        around = self._open.get(key)
        if not around:
            return None  # it loaded the extension
        past = around.pop()
        if not around:
            del self._open[key]
        past.ended_us = now_us()
        past.status = status
        past.error = type(error).__name__ if error is not None else ""
        self._worker.put(partial(self._conclude, past))
        return past

    def settle(self, timeout_s: float) -> bool:
        """Make sure that the names of all earlier executions are known; whether they are."""
        limit = time.monotonic() + timeout_s
        # here rather than on the other thread: that one may have the whole of "run all" in front of it
        for past, code in list(self._unread.values()):
            if time.monotonic() > limit:
                return False
            self._read(past, code)
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait until all that can be told of the executions so far is known; whether it is."""
        return self._worker.wait(timeout_s)

    # in the background

    def _describe(self, past: Past, states: rng.States) -> None:
        for library, state in states.items():
            packed = rng.pack(library, state)
            past.rng[library] = digest = _digest(packed)
            self._states.setdefault(digest, packed)
        while len(self._states) > _MOST_STATES:
            self._states.pop(next(iter(self._states)))
        if past.source is not None and not past.code:
            if past.run is None:  # of a run that is done where it begins
                self._learn_environment()
            past.code = _digest(self._redactor.text(past.source))
            self._make_room(len(past.source))
        if unread := self._unread.get(past.id):
            self._read(*unread)
        self._keep(past)

    def _attach(self, trail: Path) -> None:
        self._keeping.attach(trail, self, self._states)
        self._worker.ticking = self._keeping.is_dirty

    def _keep(self, past: Past) -> None:
        self._keeping.keep(self, self._states, past)
        self._worker.ticking = self._keeping.is_dirty

    def _tick(self) -> None:
        self._keeping.sync()
        self._worker.ticking = self._keeping.is_dirty

    def _conclude(self, past: Past) -> None:
        if not past.code:  # a run that could not begin
            self._describe(past, {})
        for name in past.names.writes if past.names else ():
            if is_secret_name(name):
                self._redactor.learn(self._shell.user_ns.get(name))
        self._keep(past)

    def _read(self, past: Past, code: str) -> None:
        if past.names is None:
            past.names = names_of(code)
        self._unread.pop(past.id, None)

    def _learn_environment(self) -> None:
        for _ in range(3):
            with suppress(RuntimeError, KeyError):  # the cell is changing it just now
                self._redactor.learn_environment(dict(os.environ))
                break

    def _make_room(self, size: int) -> None:
        self._size += size
        for past in list(self._executions) if self._size > MOST_SOURCE else ():
            if self._size > MOST_SOURCE and past.source is not None and past.ended_us is not None:
                self._size -= len(past.source)
                past.source = None


def names_of(code: str) -> Names:
    """The names of a cell as it was typed or as IPython transformed it; none of one that is no Python.

    >>> sorted(names_of("%%time\\n!ls\\ny = x").reads)
    ['get_ipython', 'x']
    """
    if len(code) > _MOST_CODE:
        return Names(star=True)
    tree = parsed(code)
    if tree is None:
        return Names()
    found, magic = analyze(tree), cell_magic(tree)
    if magic is not None and magic[0] in PYTHON and (body := parsed(magic[2])) is not None:
        inner = analyze(body)
        inner.reads |= found.reads
        return inner
    return found


def parsed(code: str) -> ast.Module | None:
    """The tree of a cell as it was typed or as IPython transformed it, None for one that is no Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return parse(code)
    except (SyntaxError, ValueError, RecursionError):
        pass  # it has magics, or is wrong
    try:
        return parse(TransformerManager().transform_cell("".join(cleanup(code.splitlines(keepends=True)))))
    except (SyntaxError, ValueError, RecursionError):
        return None


def _digest(data: bytes | str) -> str:
    from blake3 import blake3

    return blake3(data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data).hexdigest()

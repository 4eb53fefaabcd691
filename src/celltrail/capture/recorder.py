"""`Recorder`: the one object with hooks in a shell; makes a run of each cell that is marked."""

from __future__ import annotations

import ast
import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from celltrail.alerts import stand
from celltrail.capture import calls, environment, rng
from celltrail.capture.already import Already
from celltrail.capture.already.again import refusal
from celltrail.capture.arguments import parse
from celltrail.capture.automatic import is_worth
from celltrail.capture.beginning import begin
from celltrail.capture.environment.modules import Modules
from celltrail.capture.files import Files
from celltrail.capture.files.openings import Openings, strip
from celltrail.capture.lacking import Lacking
from celltrail.capture.lineage.state import State
from celltrail.capture.meter import stamp, warm
from celltrail.capture.notice import Notice, placeless
from celltrail.capture.outcome import Endings, status_after, traceback_of
from celltrail.capture.outputs.listening import Listening
from celltrail.capture.params.injected import Injected
from celltrail.capture.redact import Redactor
from celltrail.capture.rng.randomness import Seeded
from celltrail.capture.session.executions import Session
from celltrail.capture.session.past import Past, number
from celltrail.capture.session.past import Status as ExecutionStatus
from celltrail.capture.shield import complain_to, shield
from celltrail.capture.stale.holding import holds
from celltrail.capture.stale.marks import Marks
from celltrail.capture.sweeping import Sweeping
from celltrail.capture.tasks import Tasks
from celltrail.capture.threads import Threads
from celltrail.capture.tracked import Tracked, cell_name
from celltrail.capture.transform import Mark, body_is_empty, cleanup, read
from celltrail.capture.values.variables import Variables
from celltrail.capture.watch import FIELD_HOOK, HOOK, SINKS, Deaf
from celltrail.capture.watch.points import Watcher, pass_through
from celltrail.capture.worker import NAP_S, Worker
from celltrail.errors import CelltrailError, StoreError
from celltrail.query.standing import told_by
from celltrail.resources import cell_begins, cell_ends, measure_runs
from celltrail.run.recording import SYNC_S
from celltrail.store import Store, locate
from celltrail.store.files import disk, pending
from celltrail.store.files.priority import lower_priority

_PATIENCE_S = 1.0  # how long whoever reads the trail waits for the record of the cell before, at most


class Recorder:
    """Records the cells of one shell that are marked ``%%track``, between `on` and `off`.

    Args:
        shell: the IPython shell.
        notify: is told of each run that begins, with ``chart`` True (show it now), False (never) or None (with
            the first point); again when the code was looked at and points will come; and of the first problem
            of the session. Without it, problems are one line on stderr.
    """

    def __init__(self, shell: Any, notify: Callable[[Notice], None] | None = None) -> None:
        self.shell = shell
        self.notify = notify
        self.is_automatic = False  # whether cells that train are runs without being marked
        self._open: dict[tuple[int, str], Tracked] = {}  # by thread and request
        self._sweeps: dict[tuple[int, str], Sweeping] = {}  # cells that run as many trials
        self._refused: dict[tuple[int, str], str] = {}  # cells that cannot go on with the run they name, and why
        self._watcher = Watcher()
        self._worker = Worker(self._tick, nap_s=NAP_S)
        self._outputs = Listening(shell, self._worker, self._written)
        # values come in on a thread of their own: what describes the cell may take long beside a busy loop
        self._values = Worker(self._keep_up, "celltrail-values")
        self._hasher = Worker(lambda: None, "celltrail-hash")
        self._hasher.put(lower_priority)
        self._unsynced = disk.Unsynced(lambda: self._worker.by(self._unsynced.sync, SYNC_S))  # of runs
        self._openings = Openings(shell)
        self._modules, self._variables = Modules(), Variables()
        self._threads = Threads()
        self._redactor = Redactor()  # one for the session: what one cell sets, a later one may show
        self.session = Session(shell, self._redactor)
        self._seeded = Seeded(self.session.since)
        self._already = Already(self.session, shell, self._tell, self._worker.hurry)
        self._marks = Marks(self.session, shell, self._tell)
        self._state = State(self.session.id, shell, self._redactor.text, self._tell)
        self._lacking = Lacking(self._tell)
        self._endings = Endings()
        self._injected = Injected()
        self._pid = os.getpid()
        self._complained = self._is_on = False
        self._unwait = self._unmeasure = self._unstand = lambda: None

    # on and off

    def on(self) -> None:
        """Hook into the shell; a second call changes nothing."""
        if self._is_on:
            return
        self._is_on = True
        self.shell.input_transformer_manager.cleanup_transforms.insert(0, cleanup)
        self.shell.events.register("pre_run_cell", self._pre)
        self.shell.events.register("post_run_cell", self._post)
        self._outputs.on()
        complain_to(self._complain)
        self._threads.on()
        self._unwait = pending.wait_with(self._settle)
        self._unmeasure, self._unstand = measure_runs(), stand()
        self._worker.start()
        self._values.start()
        self._worker.put(warm)
        self.session.start()
        told_by(self._marks.standing)
        shield(self._state.start)
        atexit.register(self._at_exit)

    def off(self) -> None:
        """Put everything back as it was found."""
        if not self._is_on:
            return
        self._is_on = False
        transforms = self.shell.input_transformer_manager.cleanup_transforms
        if cleanup in transforms:
            transforms.remove(cleanup)
        for event, hook in (("pre_run_cell", self._pre), ("post_run_cell", self._post)):
            with contextlib.suppress(ValueError):  # somebody emptied the list of hooks
                self.shell.events.unregister(event, hook)
        for tracked in list(self._open.values()):
            shield(self._end, tracked, KeyboardInterrupt("recording was switched off"))
        self._open.clear()
        self._disarm()
        self._outputs.off()
        for name, thing in ((HOOK, pass_through), (FIELD_HOOK, pass_through), (SINKS, Deaf())):
            if name in self.shell.user_ns:  # functions defined in tracked cells go on calling it
                self.shell.user_ns[name] = thing
        self._unwait()
        self._unmeasure()
        self._unstand()
        self._threads.off()
        self._values.stop()
        self._worker.stop()
        self._hasher.stop()
        self.session.stop("ok")  # the cell that asked for it
        complain_to(None)
        told_by(holds)
        atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        if os.getpid() == self._pid:
            for tracked in (*self._open.values(), *self._outputs.awaited):
                self._worker.put(tracked.close)
            self._values.stop(1.0)
            self._worker.stop(2.0)
            self._hasher.stop(1.0)
            self.session.stop()

    # the hooks

    def _pre(self, *args: Any, **kw: Any) -> None:
        """IPython's ``pre_run_cell``."""
        if os.getpid() == self._pid:
            self._worker.hold()
            shield(self._before_cell, *args, **kw)
            if not self._open:  # else until its code was looked at
                self._worker.release()

    def _post(self, *args: Any, **kw: Any) -> None:
        """IPython's ``post_run_cell``."""
        if os.getpid() == self._pid:
            self._worker.hold()
            shield(self._after_cell, *args, **kw)
            self._worker.hurry()  # what the cell left is looked at before the next one changes it

    def visit(self, tree: Any) -> Any:
        """IPython's protocol of an AST transformer: look at the code of a tracked cell, insert what watches."""
        key = self._key()
        if self._refused and (told := self._refused.get(key)):
            return refusal(tree, told) if isinstance(tree, ast.Module) else tree
        sweep = self._sweeps.get(key) if self._sweeps else None
        if sweep is not None and not sweep.depth and isinstance(tree, ast.Module):
            return shield(sweep.visit, tree) or tree
        tracked = self._open.get(key)
        if tracked is not None and isinstance(tree, ast.Module):
            with tracked.meter.timing("examine"):
                is_body = shield(tracked.examine, tree, self.shell.user_ns)
                shield(self._state.meet, key, tracked)
                if is_body:
                    shield(tracked.insert, tree, self.shell.user_ns, self._watcher, self._place_hooks)
                if self.shell.ast_transformers[-1:] != [self]:
                    tracked.tree = None  # the next one may put something into it
                tree = shield(self._already.meet, tracked, tree) or tree
                if is_body and tracked.found is not None:  # all that asks for values has done so
                    names = tracked.found.reachable() | tracked.found.names.writes
                    shield(self._openings.bind, names, self.shell.user_ns)
            if tracked.watching.names and tracked.mark.arguments.chart is None:
                self._tell_chart(tracked, True)  # points will come, so the chart can stand above what is printed
            self._step_back(tracked, tree)
        self._worker.release()
        return tree

    def _step_back(self, tracked: Tracked, tree: ast.Module) -> None:
        """Leave IPython's transformers once the body is known and stays as it is.

        As long as there is one, IPython walks through the whole tree again to give each node a place.
        """
        if tree is tracked.tree and self.shell.ast_transformers[-1:] == [self]:
            del self.shell.ast_transformers[-1]

    def _tell_chart(self, tracked: Tracked, chart: bool | None) -> None:
        self._tell(Notice("run", "info", data={"run": tracked.run, "chart": chart}))

    def _tell(self, notice: Notice) -> None:
        if self.notify is not None:
            shield(self.notify, notice)
        elif notice.kind == "problem" and sys.stderr is not None:
            sys.stderr.write(f"celltrail: {notice.text}\n")

    # before

    def _before_cell(self, info: Any, *_: Any, **__: Any) -> None:
        begun = stamp()
        key, mark = self._key(), read(info.raw_cell) or self._own_mark(info.raw_cell)
        is_tracked = mark is not None and self._is_run(key, info, mark)
        sweep = self._sweeps.get(key)
        if sweep is not None:
            sweep.depth += 1
        elif mark is not None and is_tracked and mark.arguments.sweep:
            self._begin_sweep(key, info, mark)
            return
        shield(self._endings.begin, key, info.raw_cell)
        past = shield(self.session.begin, key, info, mark, looks=not is_tracked)
        if past is not None:
            shield(self._state.begin, key, past, info)
            shield(self._injected.meet, past.source)
        if key in self._open:
            self._open[key].depth += 1
            self._arm()
            return
        shield(cell_begins, number(self.shell, info), cell_name(getattr(info, "cell_id", None)))
        if mark is not None and is_tracked:
            try:
                with self._unsynced.writing():
                    self._begin(key, info, mark, past)
            except CelltrailError as error:
                if mark.arguments.resume or mark.arguments.fork:
                    self._refused[key] = f"%%track: {error}"
                    self._arm()
                elif isinstance(error, StoreError):  # of every such cell: nothing else shows that it has no run
                    self._tell(Notice("problem", "warning", f"this cell is not recorded: {placeless(str(error))}"))
                else:
                    raise
            else:
                self._open[key].meter.add_since("pre", begun)

    def _begin_sweep(self, key: tuple[int, str], info: Any, mark: Mark) -> None:
        """The cell itself is no execution: its trials are, each with its own text."""
        clean, changed = self._redactor.text, self._state.changed_by
        self._redactor.learn_environment(os.environ)
        self._sweeps[key] = Sweeping(self.shell, info, mark, Store(locate()), clean, changed)
        self._arm()

    def _is_run(self, key: tuple[int, str], info: Any, mark: Mark) -> bool:
        is_off = mark.arguments.off or os.environ.get("CELLTRAIL_OFF") == "1"
        return not (is_off or key in self._open or self.session.is_scratch(key) or body_is_empty(info.raw_cell))

    def _own_mark(self, cell: str) -> Mark | None:
        return Mark("track", 0, parse("")) if self.is_automatic and is_worth(cell, self.shell.user_ns) else None

    def _settle(self) -> None:
        """What a cell asks about the run before it must be there: "run all" is quicker than the recorder."""
        if os.getpid() == self._pid and not self._worker.is_idle():
            self._worker.wait(_PATIENCE_S)

    def _begin(self, key: tuple[int, str], info: Any, mark: Mark, past: Past | None) -> None:
        tracked = begin(self.shell, info, mark, past, self._redactor, self._unsynced)
        run, arguments = tracked.run, mark.arguments
        tracked.conclude = self._state.conclude
        self._open[key] = tracked
        self._outputs.begin(key[1], tracked)
        self._arm()
        self._worker.ticking = self._values.ticking = True
        self._tell_chart(tracked, arguments.chart)
        tracked.imported, tracked.variables = self._modules, self._variables
        keep = run.offer_checkpoint if arguments.checkpoints else None
        tracked.files = Files(run, os.getcwd(), arguments.hash, self._hasher, keep)
        self._openings.begin(run, tracked.files)
        tracked.tasks = shield(Tasks)
        # the last thing before the body, after --seed
        tracked.states = shield(rng.take) or {}
        self._worker.put(partial(tracked.describe_start, tracked.states, os.getcwd(), environment.outset()))
        if past is not None:
            tracked.past, tracked.seeded = past, self._seeded
            tracked.injected = self._injected.names
            self.session.track(past, run.id, tracked.states)
        self._worker.put(partial(self._already.refresh, run.store))

    def _arm(self) -> None:
        if self not in self.shell.ast_transformers:  # a cell of a subshell in the middle of another one
            self.shell.ast_transformers.append(self)

    def _place_hooks(self) -> None:
        namespace = self.shell.user_ns
        for name, thing in {**self._watcher.names, **calls.NAMES}.items():
            if namespace.get(name) is not thing:
                namespace[name] = thing
                self.shell.user_ns_hidden[name] = thing

    # after

    def _after_cell(self, result: Any = None, *_: Any, **__: Any) -> None:
        if result is not None and not (result.info.raw_cell or "").strip():
            return  # nobody was told that it began
        key = self._key()
        sweep = self._sweeps.get(key)
        if sweep is not None and not sweep.depth:
            self._sweeps.pop(key).end(result)
            self._outputs.forget(key[1])
            self._disarm()
            return
        if sweep is not None:
            sweep.depth -= 1
            sweep.tracked = self._open.get(key) or sweep.tracked
            _flush()
        error = self._endings.end(key, result)
        tracked = self._open.get(key)
        status = status_after(error)
        if self._refused.pop(key, None):
            self._disarm()
        try:
            if tracked is not None and not tracked.depth:
                status = self._after_tracked(key, tracked, error)
            elif tracked is not None:
                tracked.depth -= 1
            if key not in self._open:
                shield(cell_ends)
        finally:
            past = shield(self.session.end, key, status, error)
            if past is not None:
                self._worker.put(partial(self._marks.look, past))
            about = (result.info, result.execution_count) if result is not None else ()
            shield(self._state.end, key, status, *about)
            self._worker.put(self._state.follow)

    def _after_tracked(self, key: tuple[int, str], tracked: Tracked, error: BaseException | None) -> ExecutionStatus:
        try:
            with tracked.meter.timing("post"):
                self._end(tracked, error, key)
        finally:
            self._open.pop(key, None)
            self._disarm()
            if key in self._sweeps:  # a trial: the request goes on, and its end is no sign
                self._worker.put(partial(tracked.close, self._outputs.message_ns))
        return tracked.execution.status

    def _end(self, tracked: Tracked, error: BaseException | None, key: tuple[int, str] | None = None) -> None:
        self._openings.end(tracked.run)
        shield(strip, error)
        calls.settle()
        self._outputs.body_ends()
        watching = tracked.watching
        watching.end()
        if missed := shield(tracked.missed):
            tracked.complain(missed)
            self._tell(Notice("problem", "warning", missed))
        if watching.points is not None:
            shield(self._watcher.close, watching.points)
        if cut_short := shield(watching.cut_short):
            self._tell(Notice("problem", "warning", cut_short))
        if tracked.tasks is not None:
            shield(tracked.tasks.outlive, tracked.run)
        try:
            with self._unsynced.writing():
                tracked.end(error, traceback_of(error, self.shell, self._outputs.is_kernel), self.shell.user_ns)
            if key is not None:
                shield(self._state.finish, key, tracked)
            if not self._sweeps:  # whose table says how its trials went
                shield(self._lacking.say, tracked.run)
        finally:
            self._marks.add(tracked)
            if tracked not in self._outputs.awaited:
                self._worker.put(tracked.close)

    def _disarm(self) -> None:
        transformers = self.shell.ast_transformers
        while not (self._open or self._sweeps) and self in transformers:
            transformers.remove(self)
        self._worker.ticking = self._values.ticking = bool(self._open)

    # in the background

    def _tick(self) -> None:
        for tracked in list(self._open.values()):
            if tracked.files is not None:
                tracked.files.tick()

    def _keep_up(self) -> None:
        # what costs too much first: beside a loop that never lets go, to write what it brought takes long
        for tracked in list(self._open.values()):
            shield(tracked.economise, self._outputs.message_ns)
        self._watcher.drain()

    def _written(self, tracked: Tracked) -> None:
        """All of a run is written down."""
        shield(self._lacking.renew, tracked.run)

    # state

    def _key(self) -> tuple[int, str]:
        kernel = getattr(self.shell, "kernel", None)
        parent = kernel.get_parent("shell") if kernel is not None else None
        return threading.get_ident(), ((parent or {}).get("header") or {}).get("msg_id", "")

    def _complain(self, text: str, traceback_text: str) -> None:
        """The shield caught something: keep it with the runs at hand, say it once per session."""
        for tracked in (*self._open.values(), *self._outputs.awaited):
            tracked.complain(placeless(traceback_text))
        if self._complained:
            return
        self._complained = True
        self._tell(Notice("problem", "warning", f"recording had a problem, your cell did not: {placeless(text)}"))


def _flush() -> None:
    """Let all that was printed be on its way to the client."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            shield(stream.flush)

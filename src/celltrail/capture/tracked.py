"""One tracked execution: its run, and what is gathered about it from its first line to its last output."""

from __future__ import annotations

import ast
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from celltrail import resources
from celltrail.capture import environment, rng
from celltrail.capture.allowance import Allowance, Limit, Step
from celltrail.capture.analyze import analyze, by_kind, keys
from celltrail.capture.environment import repository
from celltrail.capture.environment.imported import imported
from celltrail.capture.environment.modules import Modules, joined
from celltrail.capture.files import Files
from celltrail.capture.meter import Meter, watching_ns
from celltrail.capture.outcome import status_after
from celltrail.capture.outputs import Outputs
from celltrail.capture.params import Found, declared, hold, without
from celltrail.capture.redact import Redactor, is_secret_name
from celltrail.capture.rng import randomness
from celltrail.capture.session.past import Past
from celltrail.capture.shield import shield
from celltrail.capture.tasks import Tasks
from celltrail.capture.transform import PYTHON, Mark
from celltrail.capture.values import Values
from celltrail.capture.values.variables import Variables
from celltrail.capture.watch.points import Watcher
from celltrail.capture.watching import Watching
from celltrail.contract import Status
from celltrail.errors import StopTraining
from celltrail.model import Execution, Failure, Json, Param, changed
from celltrail.parsing import parse
from celltrail.run import Run
from celltrail.store.files import disk
from celltrail.store.files.encoding import encode
from celltrail.store.folders import run_folder, size_of

_MAX_PROBLEMS = 5
_PATIENCE_S = 1.0  # how long the digests of files may hold up the rest of the record
_RUN_STATUS: dict[str, Status] = {
    "ok": "finished",
    "error": "failed",
    "interrupted": "interrupted",
    "skip": "finished",
    "stop": "interrupted",
}


@dataclass(slots=True, eq=False)
class Tracked:
    """An execution that is a run."""

    run: Run
    mark: Mark
    source: str
    execution: Execution
    redactor: Redactor
    settle: Callable[[], None]  # the run's files may be closed
    unsynced: disk.Unsynced  # the session's
    outputs: Outputs | None = None
    depth: int = 0  # nested run_cell calls
    files: Files | None = None
    tasks: Tasks | None = None
    imported: Modules = field(default_factory=Modules)  # the session's
    modules: list[dict[str, Json]] = field(default_factory=list)  # as they were when it began
    offset: int = 0  # lines of the cell above the code that is being looked at
    found: Found | None = None
    tree: ast.Module | None = None  # the code as it runs, where nothing was put into it
    key: str = ""  # of the code, without its magic
    values: Values | None = None
    watching: Watching = field(init=False)
    problems: list[str] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)
    allowance: Allowance = field(init=False)
    states: rng.States = field(default_factory=dict)  # of the generators, as its body began
    end_states: rng.States = field(default_factory=dict)
    variables: Variables = field(default_factory=Variables)  # the session's
    seeded: randomness.Seeded = field(default_factory=randomness.Seeded)  # its session's
    injected: tuple[str, ...] = ()  # names that papermill set in an earlier cell
    is_compared: bool = False  # with earlier runs
    again: dict[str, Json] = field(default_factory=dict)  # the earlier run that it is once more, and in which sense
    is_closed: bool = False
    instead: Literal["", "skip", "stop"] = ""  # of running its body, which an earlier run already did
    written: threading.Event = field(default_factory=threading.Event)  # its whole record is in the trail
    past: Past | None = None  # the same execution in its session
    conclude: Callable[[Tracked], dict[str, Json]] | None = None  # says where its names came from
    needs: dict[str, Json] = field(default_factory=dict)  # what the execution needed, section by section

    def __post_init__(self) -> None:
        self.allowance = Allowance(self.mark.arguments.budget or Limit())
        self.watching = Watching(self.run, self.mark.arguments)

    # before the body

    def examine(self, tree: ast.Module, namespace: dict[str, Any]) -> bool:
        """Look at the code about to run: where it stands, its parameters; whether it is the body that comes."""
        magic = cell_magic(tree)
        if magic is not None:  # %%time and the like: the body comes by itself, as a tree of its own
            name, _, body = magic
            self.offset = len(self.source.splitlines()) - len(body.splitlines())
            if (inner := _parsed(name, body)) is not None:
                self._meet(inner, namespace)
            return False
        if self.found is None:
            self._meet(tree, namespace)
        return True

    def insert(
        self, tree: ast.Module, namespace: dict[str, Any], watcher: Watcher, place_hooks: Callable[[], None]
    ) -> None:
        """Put into the body what watches; whoever reads the code as it was written has done so by now."""
        found = self.found
        if found is None:
            return
        # the tree is another one when %%time hands in its body
        kinds = found.kinds if found.tree is tree else by_kind(tree)
        shield(self.watching.begin, tree, kinds, found.names.reads, namespace, watcher, place_hooks)
        if found.tree is tree and self.watching.points is None and not self.watching.is_heard:
            self.tree = tree

    def _meet(self, tree: ast.Module, namespace: dict[str, Any]) -> Found:
        self.key = shield(keys.code_key, tree) or ""  # before anything is inserted into it
        found = self.found = Found(tree, analyze(tree), namespace, self.offset)
        if self.past is not None:
            self.past.names = found.names
        self._learn_secrets(found.names.reads, namespace)
        if self.files is not None:
            shield(self.files.look, found.kinds.get(ast.Constant, ()), found.names.reads, namespace)
        values = self.values = Values(found.names, namespace, self.redactor, self._for_values, self.variables)
        shield(values.before, found.reachable())
        self.meter.move("fingerprint", values.spent_ns, "examine")
        self._note_values(values)
        self.needs["values"] = values.told
        self.states = {**self.states, **(shield(rng.take_named, values.told, namespace) or {})}
        if self.mark.arguments.params:
            shield(found.before)
            shield(found.given, self.injected)
            hold(self.run, found)
        return found

    # in the background

    def economise(self, message_ns: float) -> None:
        """While the body runs: give up what costs more than the budget allows."""
        watching, values = self.watching, self.watching.arrived
        watched_ns, taken_ns = watching_ns(values), round(self.meter.messages * message_ns)
        # names that were asked for are watched wherever they are, unless a budget was asked for as well
        is_ours = self.allowance.limit.is_asked or not self.mark.arguments.watch
        is_kept = self.outputs is not None and not self.outputs.count_only
        # thinning saves room and work in the background, hardly any time of the cell: only where somebody counts it
        is_thinnable = self.allowance.limit.is_asked and watching.is_thinnable
        can_let_go = is_ours and bool(watching.swapped)
        functions = Step("functions of earlier cells no longer watched", watched_ns, can_let_go, True)
        outputs = Step("outputs only counted", taken_ns, is_kept, True)
        points = Step("watched values thinned", watched_ns, is_thinnable, True)
        step = self.allowance.next_step(self.meter.cpu(values, message_ns), [functions, outputs, points])
        if step is functions:
            watching.let_functions_go()
        elif step is outputs and self.outputs is not None:
            self.outputs.count_only = True
        elif step is points and watching.points is not None:
            watching.points.thin()
        if step is not None and self.allowance.limit.is_asked:
            resources.rest(self.run, "what recording cost was over the budget: no more samples from then on")

    def describe_start(self, states: rng.States, folder: str, before: environment.Outset) -> None:
        """What is known before the body has run: parameters first, then where it runs."""
        with self.meter.working(), self.unsynced.writing():
            self._describe_start(states, folder, before)

    def _describe_start(self, states: rng.States, folder: str, before: environment.Outset) -> None:
        put, clean = self.run.store.blobs.put, self.redactor.text
        surroundings: dict[str, dict[str, Json]] = {
            "rng": {library: put(rng.pack(library, state)) for library, state in states.items()},
            "env": environment.software(put, before),
            "hardware": environment.hardware(),
        }
        self._tell(params=self._params(self.found.params if self.found else {}), environment=surroundings)
        if commit := repository.git(folder, put, clean):
            self._tell(environment={"git": commit})
        self.modules = shield(self.imported.told, self.run.store, folder, clean) or []

    def _tell(self, **facts: Any) -> None:
        """Add to the run's document; of a body that is over by then, with all that is written of its end."""
        (self.run.describe if self.run.is_running else self.run.learn)(**facts)

    def close(self, message_ns: float = 0.0) -> None:
        """The last output has come: write the execution down and let the files be closed.

        Args:
            message_ns: what it costs to take one message along.
        """
        if not self.is_closed:
            self.is_closed = True
            with self.unsynced.writing():
                self._close(message_ns)

    def _close(self, message_ns: float) -> None:
        late = False
        try:
            with self.meter.working():
                state = shield(self.conclude, self) if self.conclude is not None else None
            late = self.files is not None and shield(self.files.finish, _PATIENCE_S) is False
            if shield(self._describe_end, message_ns, state or {}) is None and self.problems:
                shield(self.run.learn, problems=tuple(map(self.redactor.text, self.problems)))
        finally:
            if late and self.files is not None:
                shield(self.run.describe)  # what there is by now, which else is written with the end
                self.files.hasher.put(self._close_late)  # after the digests that are still to come
            else:
                self._let_go()

    def _close_late(self) -> None:
        try:
            self.execution = changed(self.execution, needs=self._put_needs())
            self.run.learn(executions=self._executions())
        finally:
            self._let_go()

    def _executions(self) -> tuple[Execution, ...]:
        """Those of the run: this one, and before it those of cells that it goes on from."""
        known = self.run.record().executions
        return (*(each for each in known if each.id != self.execution.id), self.execution)

    def _let_go(self) -> None:
        self.settle()
        self.written.set()

    def _describe_end(self, message_ns: float, state: dict[str, Json]) -> bool:
        with self.meter.working():
            shield(self._describe_randomness)
            outputs = self.outputs.records(self.run.store.blobs.put, self.redactor.text) if self.outputs else ()
        self.execution = changed(self.execution, outputs=outputs, needs=self._put_needs())
        facts: dict[str, Any] = {
            "executions": self._executions(),
            "params": self._params(self.found.params if self.found else {}),
        }
        if self.problems:
            facts["problems"] = (*self.run.record().problems, *map(self.redactor.text, self.problems))
        if watched := self.watching.told():
            self.run.writer.event("watch", **watched)
        values = self.watching.count
        written = size_of(run_folder(self.run.writer.home, self.run.id))
        overhead = self.meter.told(values, message_ns, written, self.allowance.degraded)
        surroundings = {"overhead": overhead, **({"state": state} if state else {})}
        if self.again:
            surroundings["already"] = self.again
        self.run.learn(environment=surroundings, **facts)
        return True

    def _describe_randomness(self) -> None:
        put = self.run.store.blobs.put
        if any(":" in library for library in self.states):
            states = {library: put(rng.pack(library, state)) for library, state in self.states.items()}
            self.run.learn(environment={"rng": states})
        if self.end_states:
            told = self.needs["rng_end"] = randomness.ends(self.states, self.end_states, put)
            seeded = sorted(self.seeded.kinds())
            drawn = self.needs["randomness"] = randomness.randomness(self.states, told, seeded)
            if seeded or drawn["moved"]:
                self.run.learn(environment={"randomness": {"seeded": seeded, "unseeded": drawn["unseeded"]}})

    def _put_needs(self) -> str:
        if self.files is not None:
            self.needs |= shield(self.files.told, self.redactor.text) or {}
            own = shield(self.imported.told, self.run.store, self.files.folder, self.redactor.text) or []
            if own := joined(self.modules, own):
                self.needs["modules"] = own
        if names := shield(imported):
            self.needs["imported"] = self.run.store.blobs.put(encode(names))  # the same for most runs of a session
        if self.found is not None:
            self.needs["names"] = self.found.names.told()
        if self.values is not None and self.values.left_out:
            self.needs["values_left_out"] = self.values.left_out
        return self.run.store.blobs.put(encode(self.needs)) if self.needs else ""

    def _params(self, found: dict[str, Param]) -> dict[str, Param]:
        clean = self.redactor.value
        kept = without(dict(found), self.mark.arguments.no_param)  # a short body may be adding to it just now
        return {name: changed(param, value=clean(name, param.value)) for name, param in kept.items()}

    # after the body

    def end(self, error: BaseException | None, traceback: str, namespace: dict[str, Any]) -> None:
        """The body is over: the run has its status when this returns."""
        status, clean = self._status(error), self.redactor.text
        failure: Failure | None = None
        if self.found is not None:
            self._learn_secrets(self.found.names.writes, namespace)
        if error is not None and not isinstance(error, StopTraining):
            blob = shield(self.run.store.blobs.put, clean(traceback)) if traceback else None
            failure = Failure(type(error).__name__, clean(_text(error))[:2000], blob or "")
        if self.found is not None:
            shield(self._params_after, self.found, namespace)
        stopped = error if isinstance(error, StopTraining) else None
        self.run.finish("finished" if stopped else _RUN_STATUS[self.instead or status], stopped or failure)
        self._values_after()
        self.end_states = shield(randomness.again, self.states, namespace) or {}
        self.execution = changed(self.execution, status=status, ended_us=self.run.ended_us, error=failure)

    def _values_after(self) -> None:
        if self.values is not None:
            before = self.values.spent_ns
            shield(self.values.after)
            self.meter.move("fingerprint", self.values.spent_ns - before, "post")
            self._note_values(self.values)

    def _for_values(self, seconds: float) -> float:
        """Of the time that values want, what is allowed: less than that only where a budget was asked for."""
        allowed = self.allowance.seconds(seconds, self.meter.cpu_ns)
        return allowed if self.allowance.limit.is_asked else seconds

    def _note_values(self, values: Values) -> None:
        if values.is_cut_short:
            self.allowance.give_up("fingerprints cut short")

    def _status(self, error: BaseException | None) -> Literal["ok", "error", "interrupted", "skipped"]:
        return "skipped" if self.instead else status_after(error)

    def _learn_secrets(self, names: set[str], namespace: dict[str, Any]) -> None:
        """What variables with a secret's name hold is not shown either, however the cell came by it."""
        for name in names:
            if is_secret_name(name):
                self.redactor.learn(namespace.get(name))

    def _params_after(self, found: Found, namespace: dict[str, Any]) -> None:
        if self.mark.arguments.params:
            found.after()
        for param in declared(self.mark.arguments.param, namespace):
            found.params[param.name] = param

    def missed(self) -> str:
        """What was to be watched and is bound nowhere, as a sentence; "" when all is well."""
        return "" if self.instead else self.watching.unseen()

    def complain(self, traceback: str) -> None:
        """A fault of celltrail's own while recording this."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(traceback)


def cell_magic(tree: ast.Module) -> tuple[str, str, str] | None:
    """Name, line and body of a cell magic, when the code is nothing but that."""
    statement = tree.body[0] if len(tree.body) == 1 else None
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "run_cell_magic"):
        return None
    texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return (texts[0], texts[1], texts[2]) if len(texts) == len(call.args) == 3 else None


def _parsed(magic: str, body: str) -> ast.Module | None:
    """The body of a magic that runs it as Python, already now: what it shows may not reach the client."""
    try:
        return parse(body) if magic in PYTHON else None
    except (SyntaxError, ValueError, RecursionError):  # as when it holds magics of its own
        return None


def _text(error: BaseException) -> str:
    return shield(str, error) or ""


def cell_name(cell_id: str | None) -> str | None:
    """A cell's id as it may be kept: VS Code's begins with the absolute path of the notebook.

    >>> cell_name("vscode-notebook-cell:/home/ada/a.ipynb#W0sZmlsZQ"), cell_name("3f2a")
    ('W0sZmlsZQ', '3f2a')
    """
    if cell_id is None:
        return None
    tail = cell_id.rsplit("#", 1)[-1]
    return None if os.sep in tail or "/" in tail else tail

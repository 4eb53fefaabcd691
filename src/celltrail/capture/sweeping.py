"""``%%track --sweep``: one cell as many runs, each with other literals in its text.

Each trial is the cell itself, as if somebody had typed the values and run it: a tracked execution of its own, with
parameters, outputs and random states, that is replayed and restored like any other. All begin alike: the notebook's
names stand for what they stood for when the sweep began, and the generators are in the states they were in, so that
trials differ by what the points say and by nothing else. Objects are not copied: a copy of a model whose optimizer is
not copied with it would train something else in silence. Instead a trial that changes in place what an earlier cell
made ends the sweep, with a sentence, unless ``--continues`` says that this is meant. What the last trial bound stays.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any

from celltrail.capture import environment, rng
from celltrail.capture.already.again import instead, refusal
from celltrail.capture.analyze import analyze
from celltrail.capture.arguments import expand
from celltrail.capture.environment.here import digest_of
from celltrail.capture.lineage.edges import is_quiet
from celltrail.capture.params import Found
from celltrail.capture.params.literals import literals, replaced
from celltrail.capture.tracked import Tracked, cell_magic, cell_name
from celltrail.capture.transform import Mark, first_comment, leading_blank_lines
from celltrail.capture.trialline import trial_line
from celltrail.capture.values.fingerprint import Budget, Print, fingerprint
from celltrail.errors import BadValue, CelltrailError, StopTraining, nearest
from celltrail.model import Json
from celltrail.parsing import parse
from celltrail.query import runs
from celltrail.run import Run, start
from celltrail.store import Store
from celltrail.sweep.found import Sweep, holds
from celltrail.sweep.live import live
from celltrail.sweep.space import Point, words

HOOK = "__celltrail_sweep__"
SEED = "seed"
_MOST_TRIALS = 10_000
_SECONDS = 0.2  # for the print of one object


class Sweeping:
    """The sweep of one cell, from its first line to its last trial.

    Args:
        shell: the IPython shell.
        info: what IPython says of the cell.
        mark: its line of ours.
        store: the trail.
        clean: takes secrets out of text.
        changed: the names of the objects that an execution changed in place.
    """

    def __init__(
        self,
        shell: Any,
        info: Any,
        mark: Mark,
        store: Store,
        clean: Callable[[str], str],
        changed: Callable[[str], Iterable[str]],
    ) -> None:
        self._shell, self._info, self._mark, self._store = shell, info, mark, store
        self._clean, self._changed = clean, changed
        self._arguments = expand(mark.arguments, shell.user_ns)
        self._name = self._named()
        self._space: dict[str, tuple[Any, ...]] = dict(self._arguments.sweep)
        self._trials: list[str] = []  # the text of each
        self._reads: set[str] = set()
        self.depth = 0  # cells that run within this one just now
        self.tracked: Tracked | None = None  # the trial that ran last
        self.failure: BaseException | None = None  # what the cell ends with, and has shown already
        self._last: BaseException | None = None  # what the trial that ran last ended with

    def _named(self) -> str:
        cell_id = cell_name(getattr(self._info, "cell_id", None))
        name = self._arguments.name or first_comment(self._info.raw_cell) or (f"cell {cell_id}" if cell_id else "sweep")
        return self._clean(name)

    # before anything runs

    def visit(self, tree: ast.Module) -> ast.Module:
        """The tree of the cell with what goes through the trials in place of its body."""
        try:
            return instead(tree, self._instead(tree))
        except CelltrailError as error:
            return refusal(tree, f"%%track: {error}")

    def _instead(self, tree: ast.Module) -> str:
        """The code that goes through the trials, in place of the cell's.

        Raises:
            BadValue: the cell does not set what is to be varied, or cannot be run this way.
        """
        if cell_magic(tree) is not None:
            raise BadValue("--sweep runs the lines of the cell and goes with no other %% line; take that away")
        if self._arguments.stop:
            runs(self._arguments.stop, store=self._store)  # what cannot be read is said before anything is computed
        count = math.prod(map(len, self._space.values()))
        if count > _MOST_TRIALS:
            raise BadValue(f"--sweep comes to {count:,} trials; a grid has {_MOST_TRIALS:,} at most: give fewer values")
        names = analyze(tree)
        found = {name: (value, place) for name, value, place in literals(tree, names)}
        for name in self._space:
            if name not in found and not (name == SEED and SEED not in names.writes):
                raise BadValue(_unknown(name, {each: value for each, (value, _) in found.items()}))
        self._reads = Found(tree, names, self._shell.user_ns).reachable()
        places = {name: place for name, (_, place) in found.items()}
        self._trials = [self._text(point, places) for point in self._points()]
        self._check(self._trials[0], next(self._points()))
        is_async = self._shell.should_run_async(
            self._info.raw_cell, transformed_cell=getattr(self._info, "transformed_cell", None)
        )
        self._shell.user_ns[HOOK] = self
        self._shell.user_ns_hidden[HOOK] = self
        return f"await {HOOK}.run_async()" if is_async else f"{HOOK}.run()"

    def _points(self) -> Iterator[Point]:
        for values in product(*self._space.values()):
            yield dict(zip(self._space, values, strict=True))

    def _text(self, point: Point, places: Mapping[str, ast.expr]) -> str:
        """The cell with the values of a point, and a line of ours for a trial."""
        raw = self._info.raw_cell
        given = [(places[name], repr(value)) for name, value in point.items() if name in places]
        lines = replaced(raw, given, leading_blank_lines(raw)).splitlines(keepends=True)
        seed = point[SEED] if SEED in point and SEED not in places else None
        line = lines[self._mark.index]
        begin = line[: len(line) - len(line.lstrip())]
        told = trial_line(line.split("%%track", 1)[1], words(point), self._name, seed)
        lines[self._mark.index] = f"{begin}%%track {told}\n"
        return "".join(lines)

    def _check(self, text: str, point: Point) -> None:
        """Whether the text of a trial says what it should: a cell that is indented stands elsewhere in its tree."""
        try:
            tree = parse(self._shell.transform_cell(text))
        except SyntaxError:
            tree = ast.Module([], [])
        said = {name: value for name, value, _ in literals(tree, analyze(tree))}
        wrong = [name for name, value in point.items() if name in said and said[name] != _plain(value)]
        missing = [name for name in point if name not in said and name != SEED]
        if wrong or missing:
            raise BadValue(f"--sweep cannot put another value for {(wrong + missing)[0]} into this cell's text; "
                           "begin its lines at the left, and set each parameter on a line of its own")  # fmt: skip

    # the trials

    def run(self) -> None:
        """Run the trials one after the other."""
        with self._going() as trials:
            for text in trials:
                self._hear(self._shell.run_cell(text, store_history=False))

    async def run_async(self) -> None:
        """The same for a cell that awaits something."""
        with self._going() as trials:
            for text in trials:
                code = self._shell.transform_cell(text)
                result = await self._shell.run_cell_async(text, store_history=False, transformed_cell=code)
                self._shell.events.trigger("post_execute")
                self._shell.events.trigger("post_run_cell", result)
                self._hear(result)

    @contextmanager
    def _going(self) -> Generator[Iterator[str]]:
        params = [name for name in self._space if name != SEED]
        found = Sweep(self._store, self._name, params, self._arguments.metric, is_repeated=SEED in self._space)
        with self._started() as parent, live(found):
            yield self._each(parent)
            if self.failure is not None:
                parent.finish(error=self.failure)
        print(found)  # noqa: T201

    def _started(self) -> Run:
        info, arguments = self._info, self._arguments
        return start(
            self._name,
            {f"space.{name}": ", ".join(map(str, values)) for name, values in self._space.items()},
            tags=["sweep", *map(self._clean, arguments.tags)],
            notes=self._clean(arguments.note),
            project=arguments.project,
            store=self._store,
            cell_id=cell_name(getattr(info, "cell_id", None)),
            notebook=environment.notebook(self._shell.user_ns, self._store.root.parent),
            code=self._store.blobs.put(self._clean(info.raw_cell)),
        )

    def _each(self, parent: Run) -> Iterator[str]:
        """The texts of the trials that have no finished run yet; what comes back ends with the sweep."""
        namespace, states = self._visible(), {**rng.take(), **rng.take_named(self._reads, self._shell.user_ns)}
        read = [name for name in sorted(self._reads & namespace.keys()) if not is_quiet(namespace[name])]
        prints = {name: fingerprint(namespace[name], Budget(_SECONDS)) for name in read}
        done = self._done()
        waiting = [text for text in self._trials if digest_of(self._clean(text)) not in done]
        if kept := len(self._trials) - len(waiting):
            print(f"{kept} of {len(self._trials)} trials of {self._name!r} have run already, and are kept")  # noqa: T201
        ended: list[str] = []
        for left, text in zip(reversed(range(len(waiting))), waiting, strict=True):
            self._set_back(namespace, states)
            self.tracked = None
            yield text
            if self.failure is not None:
                return
            if self.tracked is not None:
                ended.append(self.tracked.run.status)
                if self._arguments.stop and holds(self._arguments.stop, self.tracked.run.id, self._store):
                    return
                if left and not self._arguments.continues:
                    self._refuse_changed(self.tracked, namespace, prints)
            if parent.steering.is_asked:
                parent.steering.obey(parent)
        if ended and not kept and "finished" not in ended:
            self.failure = self._last

    def _hear(self, result: Any) -> None:
        """How a trial ended: an interrupt ends the sweep, an error only the trial."""
        error = KeyboardInterrupt() if result is None else result.error_before_exec or result.error_in_exec
        self._last = error
        is_interrupt = type(error).__name__ in ("KeyboardInterrupt", "CancelledError")
        if is_interrupt and not isinstance(error, StopTraining):
            self.failure = error

    def _done(self) -> set[str]:
        """The codes of the trials that finished, in this attempt or an earlier one."""
        asked = f"group == {json.dumps(self._name)} and has(parent) and status == 'finished'"
        return {run.record.code for run in runs(asked, store=self._store)}

    def _refuse_changed(self, trial: Tracked, before: Mapping[str, Any], prints: Mapping[str, Print]) -> None:
        """End the sweep where the objects of earlier cells are others than when it began."""
        likely: set[str] | None = None
        changed: list[str] = []
        for name, old in prints.items():
            new = fingerprint(before[name], Budget(_SECONDS))
            if "full" not in (old.quality, new.quality):  # too large or too strange to be compared as a whole
                likely = set(self._changed(trial.execution.id)) if likely is None else likely
            if old.digest != new.digest or (old.quality != "full" and name in (likely or ())):
                changed.append(name)
        if changed:
            from IPython.core.error import UsageError

            some = f"`{changed[0]}`" if len(changed) == 1 else f"`{changed[0]}` and {len(changed) - 1} more"
            which = "it" if len(changed) == 1 else "them"
            raise UsageError(
                f"%%track: the trial {trial.run.name} changed {some}, made by an earlier cell, so the next would not "
                f"begin as it did; make {which} in this cell, or say --continues where trials are to go on from each "
                "other"
            )

    # the namespace

    def _visible(self) -> dict[str, Any]:
        hidden = self._shell.user_ns_hidden
        return {name: value for name, value in self._shell.user_ns.items() if name[:1] != "_" and name not in hidden}

    def _set_back(self, names: Mapping[str, Any], states: rng.States) -> None:
        """Names and generators as they were when the sweep began."""
        space = self._shell.user_ns
        for name in self._visible().keys() - names.keys():
            del space[name]
        space.update(names)
        rng.restore(states, space)

    def end(self, result: Any) -> None:
        """The cell is over: it leaves no name of ours, and ends as its trials did, who have shown why.

        Args:
            result: IPython's of the cell; None for an await that was cancelled.
        """
        self._shell.user_ns.pop(HOOK, None)
        self._shell.user_ns_hidden.pop(HOOK, None)
        if self.failure is not None and result is not None and result.error_in_exec is None:
            result.error_in_exec = self.failure


def _unknown(name: str, found: Mapping[str, Json]) -> str:
    sets = ", ".join(f"{each} = {value!r}" for each, value in list(found.items())[:8])
    told = f"it sets {sets}" if found else "it sets none"
    return f"--sweep varies what the cell sets to a literal, and it sets no {name}{nearest(name, found) or ';'} {told}"


def _plain(value: Any) -> Json:
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value

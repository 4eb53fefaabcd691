"""What of one tracked cell is watched: variables of its loops and of functions it reaches, and what became of it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from celltrail.capture import autolog, calls, watch
from celltrail.capture.analyze import Kinds
from celltrail.capture.arguments import Arguments
from celltrail.capture.shield import shield
from celltrail.capture.watch import names as watch_names
from celltrail.capture.watch.points import Points, Watcher
from celltrail.capture.watch.swap import Swapped, swap
from celltrail.errors import nearest
from celltrail.model import Json
from celltrail.run import Run


@dataclass(slots=True, eq=False)
class Watching:
    """The watched variables of one execution."""

    run: Run
    arguments: Arguments
    points: Points | None = None
    names: list[str] = field(default_factory=list)  # that were found
    swapped: list[Swapped] = field(default_factory=list)
    let_go: list[str] = field(default_factory=list)  # functions that were no longer watched: it cost too much
    bound: set[str] = field(default_factory=set)  # names bound anywhere in the code that was looked at
    is_looked_at: bool = False
    is_heard: bool = False  # some of its calls are told to plug-ins

    @property
    def count(self) -> int:
        """How many values were taken."""
        return self.points.count if self.points else 0

    @property
    def arrived(self) -> int:
        """How many there are, also those that wait to be taken."""
        return self.points.arrived if self.points else 0

    @property
    def is_thinnable(self) -> bool:
        """Whether fewer values than now could be written."""
        return self.points is not None and self.points.is_thinnable

    def begin(
        self,
        tree: ast.Module,
        kinds: Kinds,
        reads: set[str],
        namespace: dict[str, Any],
        watcher: Watcher,
        place_hooks: Callable[[], None],
    ) -> None:
        """Put into the body what watches, and into the functions that it reads.

        Args:
            tree: the body; it changes.
            kinds: its nodes.
            reads: the names it reads.
            namespace: the user's variables.
            watcher: the session's.
            place_hooks: makes what the inserted code names known to it.
        """
        arguments = self.arguments
        self.is_looked_at = True
        by_name = not arguments.watch
        is_off = by_name and (arguments.no_watch or watch_names.logs_itself(kinds, namespace))

        def sink(index: int) -> Any:
            if self.points is None:
                place_hooks()
                self.points = watcher.open(self.run, arguments.every)
            return self.points.sink(index)

        before, plan = len(watcher.plan.targets), watcher.plan
        names = () if is_off else watch_names.metric_names(kinds) if by_name else arguments.watch
        if not by_name:
            self.bound |= watch_names.all_bound(kinds)
        own = watch_names.own_names(tree, names)
        if names:
            watch.insert(tree, names, plan, sink, by_name=by_name)
        hears = autolog.is_on()
        if hears and calls.insert(tree, namespace, kinds):
            self.is_heard = True
            place_hooks()
        if hears or not is_off:
            wanted = None if by_name and not is_off else names
            hooks = {**watcher.names, **calls.NAMES}
            self.swapped += shield(swap, kinds, reads, namespace, wanted, own, plan, sink, hooks, hears) or []
        passed = watch.tell_apart(plan, before)
        if self.points is not None:
            for call in passed:
                self.points.pass_over(call)
        if len(plan.targets) > before:
            watch.insert(tree, set(watch_names.axis_names(kinds)).difference(names), plan, sink, by_name=True)
        taken = (plan.targets[call] for call in range(before, len(plan.targets)) if call not in passed)
        self.names += dict.fromkeys(taken)

    def end(self) -> None:
        """Functions that were watched for this cell get their own code back."""
        for swapped in self.swapped:
            shield(swapped.undo)

    def let_functions_go(self) -> None:
        """From now on watch the loops of the cell alone."""
        self.let_go = sorted({swapped.function.__name__ for swapped in self.swapped})
        self.end()
        self.swapped.clear()

    def told(self) -> dict[str, Json] | None:
        """What was watched, why and where, for the log; None where nothing was."""
        if not self.names:
            return None
        asked = self.arguments.watch
        axes = [name for name in self.names if watch_names.is_axis_name(name) and name not in asked]
        return {
            "names": [name for name in self.names if name not in axes],
            "why": "named with --watch" if asked else "loop variables with the name of a metric",
            "axes": axes,
            "functions": [swapped.function.__qualname__ for swapped in self.swapped],
        }

    def unseen(self) -> str:
        """What was asked to be watched and is bound nowhere, as a sentence; "" when all is well.

        Only at the end it is known: a body under ``%%time`` comes as a tree of its own.
        """
        met = {name.rpartition("/")[2] for name in self.names}
        missing = [name for name in self.arguments.watch if name not in met]
        if not missing or not self.is_looked_at:
            return ""
        known = self.bound - set(missing)
        tail = nearest(missing[0], known) or "; --watch takes names that a loop or a function binds"
        verb = "was" if len(missing) == 1 else "were"
        return f"{' and '.join(missing)} {verb} not found in a loop or function that can be looked into{tail}"

    def cut_short(self) -> str:
        """What was watched for a while only, as a sentence; "" when all is well, or a budget was asked for."""
        if not self.let_go or self.arguments.budget is not None:
            return ""
        functions = " and ".join(f"{name}()" for name in self.let_go)
        return (
            f"what {functions} binds was recorded for its first {self.count:,} values only, for recording it took more "
            f"than a quarter of the time; %%track --watch {' '.join(self.names) or 'NAME'} records all of it"
        )

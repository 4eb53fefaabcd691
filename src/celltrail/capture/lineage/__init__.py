"""Which earlier executions a cell depends on: the last to touch each name, and the ordered slice behind it.

The slice is found backwards over the log of what was executed, not over the cells of a document, so deleted
and edited cells are in it as they ran. It holds as far as code and identities can be seen; where they
cannot (`holes`), it is a lower bound.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from celltrail.capture.analyze.effects import Effects
from celltrail.capture.analyze.known import Known, Sure
from celltrail.capture.analyze.touch import Ids, Touched, touched

Why = Literal["bound", "changed", "maybe", "deleted"]
How = Literal["touched", "bound", "shaped"]
Status = Literal["running", "ok", "error", "interrupted", "killed", "skipped"]


@dataclass(slots=True)
class Step:
    """One execution as lineage sees it."""

    id: str
    touched: Touched
    status: Status = "ok"
    count: int | None = None
    cell_id: str | None = None
    run: str | None = None
    is_scratch: bool = False
    is_known: bool = True  # whether its code could be looked at

    @property
    def did_run(self) -> bool:
        """Whether its code ran, as far as it could be looked at."""
        return self.is_known and self.status != "skipped"


@dataclass(slots=True)
class Kept:
    """An execution of a slice, and what for."""

    index: int
    why: dict[str, Why] = field(default_factory=dict)


@dataclass(slots=True)
class Slice:
    """The executions that some names depend on, oldest first."""

    kept: list[Kept] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)  # needed, but no execution of the session made them
    # effects that cannot be seen, by the execution that each of them came with first
    holes: dict[int, set[str]] = field(default_factory=dict)

    @property
    def is_lower_bound(self) -> bool:
        """Whether more than these executions may be needed."""
        return bool(self.holes)


class History:
    """The executions of one kernel session in order, with an index by name.

    >>> import ast
    >>> from celltrail.capture.analyze.walk import effects
    >>> history = History()
    >>> for number, code in enumerate(["a = 1", "b = 2", "a = a + 1", "c = a"]):
    ...     _ = history.add(str(number), effects(ast.parse(code)))
    >>> [kept.index for kept in history.slice(["c"]).kept], history.parents(["a", "b"])
    ([0, 2, 3], {'a': 2, 'b': 1})
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.known = Known()
        self._touching: dict[str, list[int]] = {}
        self._binding: dict[str, list[int]] = {}
        self._shaping: dict[str, list[int]] = {}
        self._holes: dict[int, set[str]] = {}  # by the execution that had them first: all cells may have the same
        self._all_holes: set[str] = set()
        self._ran: list[int] = []
        self._of_cell: dict[str, list[int]] = {}

    def add(
        self,
        id: str,
        effects: Effects | None,
        *,
        status: Status = "ok",
        count: int | None = None,
        cell_id: str | None = None,
        run: str | None = None,
        is_scratch: bool = False,
        before: Ids | None = None,
        after: Ids | None = None,
        proved: Mapping[str, bool] = {},
        immutable: Collection[str] = (),
    ) -> Step:
        """The next execution.

        Args:
            id: of the execution.
            effects: of its code, None when that cannot be parsed or is not known.
            status: how it ended.
            count: the number in the brackets.
            cell_id: of its cell.
            run: the run it is, if it is one.
            is_scratch: whether it left no record.
            before: identities of the notebook's objects when it began.
            after: and when it ended.
            proved: names whose value is known to have changed or not.
            immutable: names of values that share nothing with others.
        """
        did_run = effects is not None and status != "skipped"
        what = Touched() if not did_run or effects is None else touched(
            effects, self.known, is_ok=status == "ok", before=before, after=after, proved=proved
        )  # fmt: skip
        index = len(self.steps)
        step = Step(id, what, status, count, cell_id, run, is_scratch, effects is not None)
        self.steps.append(step)
        if did_run:
            self._ran.append(index)
        if cell_id:
            self._of_cell.setdefault(cell_id, []).append(index)
        for name in what.writes | what.deletes:
            self._binding.setdefault(name, []).append(index)
        for name in what.writes | what.deletes | what.changes.keys():
            self._touching.setdefault(name, []).append(index)
            if what.changes.get(name, Sure.PROVED) > Sure.MAY or name in what.writes or name in what.deletes:
                self._shaping.setdefault(name, []).append(index)
        if new := what.holes - self._all_holes:
            self._holes[index] = new
            self._all_holes |= new
        if did_run and effects is not None:
            self.known.learn(effects, what.writes | what.deletes, set(immutable))
        return step

    def compared(self, name: str, after: int, before: int, is_same: bool) -> None:
        """The value of a name was looked at twice: what calls in between, of which nobody knows, did to it.

        Args:
            name: it stood for one object all the while, or nothing is learned.
            after: the execution that left it as it was the first time.
            before: the index of the first execution that the second look need not have seen.
            is_same: whether it was the same both times.
        """
        bound, shaped = self.last(name, before, "bound"), self.last(name, before, "shaped")
        if max(-1 if bound is None else bound, -1 if shaped is None else shaped) > after:
            return  # two that surely change it may cancel each other, and one alone would not
        touching = self._touching.get(name, [])
        between = slice(bisect_left(touching, after + 1), bisect_left(touching, before))
        doubtful = touching[between]
        if is_same:
            del touching[between]
            for index in doubtful:
                del self.steps[index].touched.changes[name]
        elif len(doubtful) == 1:
            self.steps[doubtful[0]].touched.changes[name] = Sure.PROVED
            insort(self._shaping.setdefault(name, []), doubtful[0])

    def last(self, name: str, before: int | None = None, how: How = "touched") -> int | None:
        """The last execution that touched a name before the one of this index.

        Args:
            name: of the notebook.
            before: an index; None for the end of the session.
            how: "bound" for those only that bound or deleted it, "shaped" for these and those that surely changed
                its object: not by a call of which nobody knows what it does.
        """
        found = {"touched": self._touching, "bound": self._binding, "shaped": self._shaping}[how].get(name, [])
        at = len(found) if before is None else bisect_left(found, before)
        return found[at - 1] if at else None

    def parents(self, names: Iterable[str], before: int | None = None) -> dict[str, int]:
        """For each name the last execution that bound or changed its object."""
        found = {name: self.last(name, before) for name in names}
        return {name: index for name, index in found.items() if index is not None}

    def full(self, before: int | None = None) -> list[int]:
        """Every execution that ran code."""
        return self._ran[: len(self._ran) if before is None else bisect_left(self._ran, before)]

    def newest(self, cell_id: str, before: int) -> int | None:
        """The last execution of a cell before the one of this index."""
        found = self._of_cell.get(cell_id, [])
        at = bisect_left(found, before)
        return found[at - 1] if at else None

    def slice(self, names: Iterable[str], pours: Iterable[str] = (), before: int | None = None) -> Slice:
        """The executions that these names depend on.

        Args:
            names: those whose value matters.
            pours: those that only have to be there.
            before: the index of the execution that needs them.
        """
        found = Slice()
        kept: dict[int, Kept] = {}
        waiting: list[tuple[int, str, bool]] = []
        pending: set[tuple[str, bool]] = set()

        def need(name: str, is_value: bool, limit: int | None) -> None:
            if (name, is_value) in pending:
                return
            at = self.last(name, limit, "touched" if is_value else "bound")
            if at is None:
                if self.last(name, limit) is None:
                    found.unknown.add(name)
                return
            pending.add((name, is_value))
            heapq.heappush(waiting, (-at, name, is_value))

        for name in names:
            need(name, True, before)
        for name in pours:
            need(name, False, before)
        while waiting:
            index = -waiting[0][0]
            what = self.steps[index].touched
            keep = kept.setdefault(index, Kept(index))
            again: list[tuple[str, bool]] = []
            while waiting and -waiting[0][0] == index:
                _, name, is_value = heapq.heappop(waiting)
                pending.discard((name, is_value))
                keep.why[name] = _why(what, name)
                if name not in what.kills:
                    again.append((name, is_value))
            for name, is_value in again:
                need(name, is_value, index)
            for name in what.reads:
                need(name, True, index)
            for name in what.pours:
                need(name, False, index)
        found.kept = [kept[index] for index in sorted(kept)]
        found.holes = {at: holes for at, holes in self._holes.items() if before is None or at < before}
        return found


def _why(what: Touched, name: str) -> Why:
    if name in what.writes:
        return "bound"
    if name in what.deletes:
        return "deleted"
    return "changed" if what.changes.get(name, Sure.PROVED) > Sure.MAY else "maybe"

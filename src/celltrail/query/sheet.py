"""Many runs as one sheet: found, ordered, grouped and summed up by the index, so that no more than a screen is read."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from celltrail.contract import Goal, Head, Listing, RunRow, Scalar, Sums
from celltrail.model import is_of_machine
from celltrail.query.columns import Column, known_column
from celltrail.query.held import Held, alike, is_number, told, told_by
from celltrail.query.resources import COLUMNS
from celltrail.query.row import rows
from celltrail.query.runs import RunSet
from celltrail.query.sifting import Words, said_of
from celltrail.query.template import Needed
from celltrail.store.catalogue.facts import Key, Named

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_SAMPLE = 256  # runs by which it is told which facts of a run there are
_READ = 64  # runs of which everything is read, by which it is told what the columns hold
_MOST_FOUND = 8  # answers
_FACTS = ("parent", "group", "project", "notebook")
_SAID = ("id", "name", "status", "project", "group", "notes", "error", "notebook", "tags")

_Asked = tuple[str, str, tuple[str, ...], tuple[str, ...]]  # expression, words, order, groups


class _Group(NamedTuple):
    values: list[Scalar]
    places: Ints


class _Found(NamedTuple):
    """Runs by their places among all of the sheet."""

    places: Ints
    groups: list[_Group] | None  # the same runs, in this order
    hints: list[str]


class Sheet:
    """The runs of a set as a table that is looked at through a window.

    >>> import celltrail as ct
    >>> sheet = Sheet(ct.runs())
    >>> sheet.first("", "", ["-created"], [], 10)
    []
    """

    def __init__(self, runs: RunSet) -> None:
        self.runs = runs
        self._stamp = secrets.token_hex(8)
        self._heads: list[Head] | None = None
        self._needed = Needed(runs.store)
        self._goals: Mapping[str, str] = {}
        self._words: Words | None = None
        self._found: dict[_Asked, _Found] = {}  # what was asked last

    def listing(
        self,
        where: str,
        words: str,
        sort: Sequence[str],
        group: Sequence[str],
        stamp: str = "",
        shown: Iterable[str] = (),
    ) -> Listing:
        """Which runs there are to see, in which order.

        Args:
            where: an expression; "" is all runs.
            words: each of these is somewhere in a run: its name, a tag, a parameter ...
            sort: columns, "-" in front for high to low.
            group: columns; runs that are alike in all of them stand together, groups in the order of the sort.
            stamp: of the extent that is known where this is asked.
            shown: columns that are looked at: read together with others that nobody asked for before.
        """
        self._held.along = [name for name in shown if self._fills(name)]
        if self._held.renew():
            self._found.clear()
        found = self._find(where, words, sort, group)
        groups = found.groups
        is_known = stamp == self._stamp
        return {
            "extent": None if is_known else {"stamp": self._stamp, "runs": list(self._ids), "heads": self.heads},
            "places": base64.b64encode(found.places.astype("<u4").tobytes()).decode(),
            "groups": None if groups is None else [{"values": values, "size": len(runs)} for values, runs in groups],
            "hints": found.hints,
        }

    def first(self, where: str, words: str, sort: Sequence[str], group: Sequence[str], most: int) -> list[str]:
        """The runs of a listing that come first."""
        return [self._ids[at] for at in self._find(where, words, sort, group).places[:most].tolist()]

    def rows(self, ids: Iterable[str], *, sparks: bool, columns: Iterable[str] | None = None) -> list[RunRow]:
        """These runs as a table shows them; of the params and metrics only these columns where they are given."""
        return rows(self.runs.pick(ids).records, self.runs.store, sparks=sparks, columns=columns)

    def sums(self, where: str, words: str, group: Sequence[str], sort: Sequence[str], columns: Sequence[str]) -> Sums:
        """Columns over the runs of a listing: of each of its groups, and which runs have the best value of all.

        Args:
            where: as in `listing`, like the next three.
            words: as there.
            group: as there.
            sort: as there.
            columns: of which.
        """
        found = self._find(where, words, sort, group)
        columns = list(filter(self._fills, columns))
        self._held.read(columns)
        return {
            "groups": [{name: self._held.summed(name, each.places) for name in columns} for each in found.groups or ()],
            "best": {name: self._best(found.places, name) for name in columns if name.startswith("best.")},
        }

    @property
    def heads(self) -> list[Head]:
        """The columns that the runs fill.

        What they hold is told by a sample spread over all of them; that no two runs differ in a column is asked of
        every run.
        """
        if self._heads is None:
            self._heads = self._read_heads()
        return self._heads

    def _read_heads(self) -> list[Head]:
        ids, store = list(self._ids), self.runs.store
        told = {name: list(dict.fromkeys(values)) for name, values in self._sample(ids).items()}
        found = store.gathered(ids[:: max(1, len(ids) // _READ)], [], every=True)
        facts, named = found.columns, found.named
        self._goals = named.goals
        names = [name for name in ("tags", "notes") if any(told[name])]
        names += ["complete"] if self._needed else []
        names += [name for name in _FACTS if len(told[name]) > 1]
        names += [f"params.{name}" for name in {**dict.fromkeys(named.params), **store.names("param")}]
        for name in {**dict.fromkeys(named.metrics), **store.names("metric")}:
            if is_of_machine(name):
                continue
            names += [f"metrics.{name}", *([f"best.{name}"] if name in named.goals else [])]
        names += [f"summary.{name}" for name in COLUMNS if name in named.summary]
        heads = [_head(name, facts, named) for name in ("name", "status", *names, "duration", "created")]
        doubtful = [head["id"] for head in heads if head["same"]]
        self._held.read(doubtful)
        for head in heads:
            head["same"] = head["same"] and len(self._held.kinds(head["id"]).firsts) == 1
        return heads

    def _fills(self, column: str) -> bool:
        """Whether there is such a column: a saved view may name one that is gone."""
        return any(head["id"] == column for head in self.heads)

    @property
    def _ids(self) -> list[str]:
        """All runs of the sheet; those that come later are of another."""
        return self.runs._resolve()

    @cached_property
    def _places(self) -> dict[str, int]:
        return {run: at for at, run in enumerate(self._ids)}

    @cached_property
    def _held(self) -> Held:
        return Held(self.runs.store, self._ids, self._column)

    def _column(self, name: str) -> Column:
        return self._needed.column if name == "complete" else known_column(name, self._goals)

    def _find(self, where: str, words: str, sort: Sequence[str], group: Sequence[str]) -> _Found:
        """Which runs these are, in which order and groups; the last few answers are kept."""
        sort = tuple(name for name in sort if self._fills(name.removeprefix("-")))
        asked = where.strip(), words.lower().strip(), sort, tuple(filter(self._fills, group))
        if asked not in self._found:
            while len(self._found) > _MOST_FOUND:
                self._found.pop(next(iter(self._found)))
            found = self._ordered(asked)
            self._found[asked] = self._grouped(found, *asked[2:]) if asked[3] else found
        return self._found[asked]

    def _ordered(self, asked: _Asked) -> _Found:
        """Where the runs that were asked for stand among all; what they lack comes last in both directions."""
        import numpy as np

        where, words, sort, _ = asked
        if (where, words, sort, ()) in self._found:
            return self._found[where, words, sort, ()]
        found = self.runs.where(where)
        places = np.arange(len(self._ids))
        if found is not self.runs:
            known = (self._places.get(run) for run in found._resolve())
            places = np.array([at for at in known if at is not None], np.int64)
        if words:
            places = places[self._holding(words.split())[places]]
        if sort == ("-created",) and self.runs.is_newest_first:
            sort = ()  # as they stand
        self._held.read([name.removeprefix("-") for name in sort])
        for name in reversed(sort):
            rank = self._held.ranks(name.removeprefix("-"))[places]
            key = np.where(rank >= 0, -rank if name.startswith("-") else rank, 2 * len(self._ids))
            places = places[np.argsort(key, kind="stable")]
        return _Found(places, None, found.hints)

    def _sample(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """What some of the runs, spread over all, have in columns that are there only where a run fills them."""
        some, names = ids[:: max(1, len(ids) // _SAMPLE)], ("tags", "notes", *_FACTS)
        found = self.runs.store.look((), lambda look: look.facts(some, [(name,) for name in names]))
        return {name: [said_of(line[at]) for line in found.values()] for at, name in enumerate(names)}

    def _holding(self, words: list[str]) -> Bools:
        self.learn()
        assert self._words is not None
        return self._words.holding(words)

    def learn(self) -> None:
        """Read what words are looked for in, so that the first one is found as soon as the next."""
        if self._words is None:
            columns = self._held.values(_SAID)
            params = self.runs.store.look((), lambda look: look.param_texts(self._ids))
            self._words = Words(list(columns.values()), params)

    def _grouped(self, found: _Found, sort: Sequence[str], group: Sequence[str]) -> _Found:
        import numpy as np

        self._held.read([*group, *(name.removeprefix("-") for name in sort)])
        kinds = [self._held.kinds(name) for name in group]
        codes = kinds[0].codes[found.places]
        for each in kinds[1:]:
            codes = np.unique(codes * len(each.firsts) + each.codes[found.places], return_inverse=True)[1]
        order = np.argsort(codes, kind="stable")
        cuts = np.flatnonzero(np.diff(codes[order])) + 1
        runs_of = sorted(np.split(order, cuts) if len(order) else [], key=lambda part: part[0])
        parts = [found.places[part] for part in runs_of]
        for name in reversed(sort):
            parts = self._by_summary(parts, name.removeprefix("-"), falling=name.startswith("-"))
        groups = [_Group([told(each.firsts[each.codes[part[0]]]) for each in kinds], part) for part in parts]
        places = np.concatenate(parts) if parts else found.places
        return _Found(places, groups, found.hints)

    def _by_summary(self, groups: list[Ints], column: str, *, falling: bool) -> list[Ints]:
        """Groups by the mean of a column, or by the one value they share; what has neither comes last."""
        if column == "name":  # a group says in it how many runs it has
            return sorted(groups, key=len, reverse=falling)

        def key(places: Ints) -> tuple[int, Any] | None:
            found = self._held.summed(column, places)
            if found["mean"] is not None:
                return 0, found["mean"]
            word = found["values"][0]
            return None if word is None else (1, str(word)) if found["kinds"] == 1 else (0, found["kinds"])

        keyed = [(key(places), places) for places in groups]
        present = [pair for pair in keyed if pair[0] is not None]
        present.sort(key=lambda pair: pair[0] or (), reverse=falling)
        return [group for _, group in present] + [group for key_of, group in keyed if key_of is None]

    def _best(self, places: Ints, name: str) -> list[str]:
        """The runs with the best value of a column; none where all that have one are alike."""
        ranks = self._held.ranks(name)[places]
        goal = self._goals.get(name.removeprefix("best."), "none")
        known = ranks[ranks >= 0]
        best = 0 if goal == "none" or not known.size else known.max() if goal == "max" else known.min()
        differ = goal != "none" and (known != best).any()
        return [self._ids[at] for at in places[ranks == best].tolist()] if differ else []


def _head(name: str, facts: Mapping[Key, Sequence[Any]], named: Named) -> Head:
    family, _, rest = name.partition(".")
    goal = named.goals.get(rest, "none") if family in {"metrics", "best"} else "none"
    measured = family in {"params", "metrics", "best", "summary"} and bool(rest)
    column = known_column(name, named.goals)
    values = told_by(column, facts) if measured and all(key in facts for key in column.keys) else []
    present = [value for value in values if value is not None]
    return {
        "id": name,
        "numeric": column.numeric or (bool(present) and all(map(is_number, present))),
        "goal": cast("Goal", goal),
        "same": measured and len(set(map(alike, values))) < 2,
    }

"""Many runs as one sheet: found, ordered, grouped and summed up by the index, so that no more than a screen is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any, cast

from celltrail.contract import Goal, GroupOf, Head, Listing, RunRow, Scalar, Summed, Sums
from celltrail.model import is_of_machine
from celltrail.query.columns import Column, known_column
from celltrail.query.resources import COLUMNS
from celltrail.query.row import rows, scalar
from celltrail.query.runs import RunSet
from celltrail.query.sifting import Words, ranks_of, said_of
from celltrail.query.template import Needed
from celltrail.stats.interval import mean_interval
from celltrail.store.catalogue.facts import Key, Named
from celltrail.store.index.cells import to_values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store.index import Look

    Ints = NDArray[np.int64]

_SAMPLE = 256  # runs by which it is told which facts of a run there are
_READ = 64  # runs of which everything is read, by which it is told what the columns hold
_MOST_VALUES = 12
_MOST_PLACED = 3  # lists
_FACTS = ("parent", "group", "project", "notebook")
_SAID = ("id", "name", "status", "project", "group", "notes", "error", "notebook", "tags")


class Sheet:
    """The runs of a set as a table that is looked at through a window.

    >>> import celltrail as ct
    >>> sheet = Sheet(ct.runs())
    >>> sheet.listing("", "", ["-created"], [])["runs"]
    []
    """

    def __init__(self, runs: RunSet) -> None:
        self.runs = runs
        self._heads: list[Head] | None = None
        self._needed = Needed(runs.store)
        self._goals: Mapping[str, str] = {}
        self._words: Words | None = None
        self._ranks: dict[str, Ints] = {}  # of all runs by the columns that they were ordered by
        self._revision: tuple[int, float] | None = None  # of the index, when those were read
        self._found: dict[tuple[str, str, tuple[str, ...]], tuple[list[str], list[str]]] = {}
        self._placed: list[tuple[list[str], Ints]] = []  # where the runs of a few of these lists stand among all

    def listing(self, where: str, words: str, sort: Sequence[str], group: Sequence[str]) -> Listing:
        """Which runs there are to see, in which order.

        Args:
            where: an expression; "" is all runs.
            words: each of these is somewhere in a run: its name, a tag, a parameter ...
            sort: columns, "-" in front for high to low.
            group: columns; runs that are alike in all of them stand together, groups in the order of the sort.
        """
        ids, hints = self._ordered(where, words, sort)
        group = list(filter(self._fills, group))
        groups = self._grouped(ids, group, sort) if group else None
        shown = ids if groups is None else [run for each in groups for run in each["runs"]]
        return {"runs": shown, "groups": groups, "heads": self.heads, "hints": hints}

    def rows(self, ids: Iterable[str], *, sparks: bool) -> list[RunRow]:
        """These runs as a table shows them."""
        return rows(self.runs.pick(ids).records, self.runs.store, sparks=sparks)

    def sums(
        self,
        where: str,
        words: str,
        group: Sequence[str],
        sort: Sequence[str],
        columns: Sequence[str],
        *,
        looks: bool = True,
    ) -> Sums:
        """Columns over the runs of a listing: of each of its groups, and which runs have the best value of all.

        Args:
            where: as in `listing`, like the next three.
            words: as there.
            group: as there.
            sort: as there.
            columns: of which.
            looks: whether to look if runs have changed; no need right after the listing.
        """
        ids, _ = self._ordered(where, words, sort)
        columns = list(filter(self._fills, columns))
        group = list(filter(self._fills, group))
        groups = self._grouped(ids, group, sort) if group else []
        values = self._values(ids, columns) if groups else {}
        place = {run: at for at, run in enumerate(ids)} if groups else {}
        return {
            "groups": [
                {name: summed([values[name][place[run]] for run in each["runs"]]) for name in columns}
                for each in groups
            ],
            "best": self._best(ids, [name for name in columns if name.startswith("best.")], looks=looks),
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
        values = self._values(ids, doubtful)
        for head in heads:
            head["same"] = head["same"] and len({_alike(value) for value in values[head["id"]]}) == 1
        return heads

    def _fills(self, column: str) -> bool:
        """Whether there is such a column: a saved view may name one that is gone."""
        return any(head["id"] == column for head in self.heads)

    @property
    def _ids(self) -> list[str]:
        return self._ordered("", "", [])[0]

    def _ordered(self, where: str, words: str, sort: Sequence[str]) -> tuple[list[str], list[str]]:
        """The ids of the runs and what is odd about the question; the last few answers are kept."""
        key = (where.strip(), words.lower().strip(), tuple(sort))
        if key not in self._found:
            found = self.runs.where(where)
            ids = self._holding(found._resolve(), key[1].split())
            while len(self._found) > 8:
                self._found.pop(next(iter(self._found)))
            self._found[key] = self._sorted(ids, sort), found.hints
        return self._found[key]

    def _sample(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """What some of the runs, spread over all, have in columns that are there only where a run fills them."""
        some, names = ids[:: max(1, len(ids) // _SAMPLE)], ("tags", "notes", *_FACTS)
        found = self.runs.store.look((), lambda look: look.facts(some, [(name,) for name in names]))
        return {name: [said_of(line[at]) for line in found.values()] for at, name in enumerate(names)}

    def _sorted(self, ids: list[str], sort: Sequence[str]) -> list[str]:
        """By columns; what is missing comes last in both directions."""
        sort = [name for name in sort if self._fills(name.removeprefix("-"))]
        if not sort:
            return ids
        import numpy as np

        ranks = self._ranked(ids, [name.removeprefix("-") for name in sort])
        order = np.arange(len(ids))
        for name in reversed(sort):
            rank = ranks[name.removeprefix("-")][order]
            present = rank >= 0
            key = np.where(present, -rank if name.startswith("-") else rank, len(self._ids) + len(ids))
            order = order[np.argsort(key, kind="stable")]
        found = [ids[at] for at in order.tolist()]
        places = self._standing(ids)
        if places is not None:
            self._placed = [(found, places[order]), *self._placed[:_MOST_PLACED]]
        return found

    def _standing(self, ids: list[str]) -> Ints | None:
        """Where these runs stand among all; None where one of them came since."""
        import numpy as np

        for known, places in self._placed:
            if known is ids:
                return places
        if ids is self._ids:
            places = np.arange(len(ids))
        else:
            found = [self._places.get(run, -1) for run in ids]
            if -1 in found:
                return None
            places = np.array(found, np.int64)
        self._placed = [(ids, places), *self._placed[:_MOST_PLACED]]
        return places

    def _ranked(self, ids: list[str], names: Sequence[str], *, looks: bool = True) -> dict[str, Ints]:
        """The rank of each of these runs in these columns; those of all runs are kept while nothing changes."""
        chosen = self._standing(ids)
        if chosen is None:
            return {name: ranks_of(values) for name, values in self._values(ids, names).items()}
        now = self.runs.store.look((), lambda look: look.revision) if looks or not self._ranks else self._revision
        if now != self._revision:
            self._revision = now
            self._ranks.clear()
        missing = [name for name in names if name not in self._ranks]
        self._ranks |= {name: ranks_of(values) for name, values in self._values(self._ids, missing).items()}
        return {name: self._ranks[name][chosen] for name in names}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {run: at for at, run in enumerate(self._ids)}

    def _holding(self, ids: list[str], words: list[str]) -> list[str]:
        if not words:
            return ids
        if self._words is None:
            said = zip(*self._values(self._ids, _SAID).values(), strict=True)
            texts = ["\n".join(map(said_of, values)).lower() for values in said]
            self._words = Words(texts, self.runs.store.look((), lambda look: look.param_texts(self._ids)))
        found = self._words.holding(words)
        if ids is self._ids:
            return list(compress(ids, found))
        return [run for run in ids if (at := self._places.get(run)) is not None and found[at]]

    def _values(self, ids: Sequence[str], names: Sequence[str]) -> dict[str, list[Any]]:
        """These columns of these runs."""
        columns = [self._needed.column if name == "complete" else known_column(name, self._goals) for name in names]
        keys = list(dict.fromkeys(key for column in columns for key in column.keys))
        if not keys:
            return {}

        def read(look: Look) -> dict[Key, list[Any]]:
            has = [look.columns[key].has for key in keys]
            cells = look.cells(ids, [look.columns[key].sql for key in keys])
            turned = zip(*cells, strict=True) if cells else ([] for _ in keys)
            return {key: to_values(column, kinds) for key, kinds, column in zip(keys, has, turned, strict=True)}

        facts = self.runs.store.look(keys, read)
        return {column.name: _of(column, facts) for column in columns}

    def _grouped(self, ids: list[str], group: Sequence[str], sort: Sequence[str]) -> list[GroupOf]:
        sort = [name for name in sort if self._fills(name.removeprefix("-"))]
        by = self._values(ids, group)
        groups: dict[tuple[str, ...], tuple[list[Scalar], list[int]]] = {}
        for at, values in enumerate(zip(*(by[name] for name in group), strict=True)):
            key = tuple(map(_alike, values))
            if key not in groups:
                groups[key] = [_told(value) for value in values], []
            groups[key][1].append(at)
        found = list(groups.values())
        sorted_by = self._values(ids, [name.removeprefix("-") for name in sort if name.removeprefix("-") != "name"])
        for name in reversed(sort):
            column = name.removeprefix("-")
            if column == "name":  # a group says in it how many runs it has
                found.sort(key=lambda each: len(each[1]), reverse=name.startswith("-"))
            else:
                found = _by_summary(found, sorted_by[column], falling=name.startswith("-"))
        return [{"values": values, "runs": [ids[at] for at in places]} for values, places in found]

    def _best(self, ids: list[str], names: Sequence[str], *, looks: bool) -> dict[str, list[str]]:
        """The runs with the best value of each of these columns; none where all that have one are alike."""
        found: dict[str, list[str]] = {}
        for name, ranks in self._ranked(ids, names, looks=looks).items():
            goal = self._goals.get(name.removeprefix("best."), "none")
            known = ranks[ranks >= 0]
            best = 0 if goal == "none" or not known.size else known.max() if goal == "max" else known.min()
            differ = goal != "none" and (known != best).any()
            found[name] = [ids[at] for at in (ranks == best).nonzero()[0].tolist()] if differ else []
        return found


def summed(values: Sequence[Any]) -> Summed:
    """What some runs have in one column.

    >>> found = summed([1.0, 3.0, None, float("nan")])
    >>> found["mean"], found["known"], found["unknown"]
    (2.0, 2, 2)
    """
    known = [float(value) for value in values if _is_number(value) and math.isfinite(value)]
    mean, half = mean_interval(known) if known else (None, None)
    if len(known) == len(values):
        kinds = {value: value for value in values}
    else:
        kinds = {_alike(value): value for value in values}
    return {
        "known": len(known),
        "unknown": len(values) - len(known),
        "mean": mean,
        "half": half,
        "low": min(known, default=None),
        "high": max(known, default=None),
        "values": [_told(value) for value in list(kinds.values())[:_MOST_VALUES]],
        "kinds": len(kinds),
    }


def _head(name: str, facts: Mapping[Key, Sequence[Any]], named: Named) -> Head:
    family, _, rest = name.partition(".")
    goal = named.goals.get(rest, "none") if family in {"metrics", "best"} else "none"
    measured = family in {"params", "metrics", "best", "summary"} and bool(rest)
    column = known_column(name, named.goals)
    values = _of(column, facts) if measured and all(key in facts for key in column.keys) else []
    present = [value for value in values if value is not None]
    return {
        "id": name,
        "numeric": column.numeric or (bool(present) and all(map(_is_number, present))),
        "goal": cast("Goal", goal),
        "same": measured and len({_alike(value) for value in values}) < 2,
    }


def _of(column: Column, facts: Mapping[Key, Sequence[Any]]) -> list[Any]:
    return list(map(column.of, *(facts[key] for key in column.keys)))


def _by_summary(groups: list[Any], values: Sequence[Any], *, falling: bool) -> list[Any]:
    """Groups by the mean of a column, or by the one value they share; what has neither comes last."""

    def key(places: Sequence[int]) -> tuple[int, Any] | None:
        found = summed([values[at] for at in places])
        if found["mean"] is not None:
            return 0, found["mean"]
        word = found["values"][0]
        return None if word is None else (1, str(word)) if found["kinds"] == 1 else (0, found["kinds"])

    keyed = [(key(places), (told, places)) for told, places in groups]
    present = [pair for pair in keyed if pair[0] is not None]
    present.sort(key=lambda pair: pair[0] or (), reverse=falling)
    return [group for _, group in present] + [group for key_of, group in keyed if key_of is None]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _told(value: Any) -> Scalar:
    return ", ".join(map(str, value)) if isinstance(value, list) else scalar(value)


def _alike(value: Any) -> str:
    """Equal for values that count as the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return repr(value)

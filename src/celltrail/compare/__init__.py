"""What differs between two or more runs: facts, parameters, data, metrics, environment and code."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from celltrail import contract
from celltrail.compare import parts, upstream
from celltrail.compare.changed import changed
from celltrail.compare.judging import Interval, judged
from celltrail.compare.line import Line
from celltrail.compare.repeats import repeats
from celltrail.compare.rows import Rows, rows_of
from celltrail.compare.words import said
from celltrail.contract import CodeDifference, CodeLine, Difference
from celltrail.errors import BadValue, NoRun, StoreError, nearest
from celltrail.model import Json, RunRecord, trained
from celltrail.query import RunSet, StoredRun, find, open_store, plain
from celltrail.query.columns import labels
from celltrail.query.detail import pieces
from celltrail.query.evaluation import evaluation_of
from celltrail.query.row import row, scalar

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store import Store

Ref = str | StoredRun | RunRecord
_PARTS = ("facts", "params", "data", "metrics", "environment")
_CONTEXT = 3
_MOST_SHOWN = 6  # runs whose outputs are put side by side
_WHOLE = 400  # a diff of more lines shows only what is near a change


class Comparison:
    """Two or more runs side by side; ``repr`` shows only what differs.

    Attributes:
        runs: the runs.
        repeats: for each of them its repeats, itself first; metrics are judged over these.
    """

    def __init__(
        self,
        runs: Sequence[StoredRun],
        groups: Sequence[Sequence[RunRecord]] | None = None,
        interval: Interval = "welch",
    ) -> None:
        self.runs = list(runs)
        self.repeats = [list(group) for group in (repeats(runs) if groups is None else groups)]
        records = [run.record for run in runs]
        self._lines: dict[str, list[Line]] = {
            "facts": parts.facts(records),
            "params": parts.family(
                [{name: param.value for name, param in record.params.items()} for record in records]
            ),
            "data": parts.data(runs),
            "metrics": judged(parts.metrics(records), self.runs, self.repeats, interval),
            "environment": parts.surroundings(runs),
        }
        self._code = [_code(run) for run in runs]
        first, *others = (upstream.cells(run) for run in runs)
        self._upstream = [list(upstream.differing(first, other)) for other in others]

    @property
    def facts(self) -> pd.DataFrame:
        """Status, duration, notebook and the like: a row per fact, a column per run."""
        return self._frame(self._lines["facts"])

    @property
    def params(self) -> pd.DataFrame:
        """The parameters: a row per name, a column per run."""
        return self._frame(self._lines["params"])

    @property
    def data(self) -> pd.DataFrame:
        """The data of the runs, as the first digits of digests: a row per file or value, a column per run."""
        return self._frame(self._lines["data"])

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics, last and best: a row per number, a column per run.

        Where runs were repeated, each but the first has one more column, with its verdicts in words.
        """
        return self._judged(self._lines["metrics"])

    @property
    def verdicts(self) -> pd.DataFrame:
        """Whether the differences in metrics are real: a row per metric and run that was repeated.

        Columns are ``metric`` and ``run``; over its repeats ``n``, ``mean``, ``low`` and ``high`` (95% interval); the
        difference from the first run ``by``, ``by_low`` and ``by_high``; ``p``, how likely that is by chance, corrected
        by Holm's method for all metrics compared with the first run at once; and ``verdict``: better, worse,
        higher, lower, not distinguishable (also where ``p`` is 0.05 or more), or "" if it cannot be told.
        """
        import pandas as pd

        columns = ["metric", "run", "n", "mean", "low", "high", "by", "by_low", "by_high", "p", "verdict"]
        return pd.DataFrame(list(self._told()), columns=columns)

    def rows(self, split: str | None = None, other: int = 1) -> Rows:
        """The first run and another one row by row, from `run.evaluate`: ``.fixed``, ``.broken``, ``.still_wrong``.

        Args:
            split: such as "val"; the one on which the first run was last evaluated unless given.
            other: the number of the other run, from 1.

        >>> import celltrail as ct
        >>> for name, guess in (("a", [0, 1, 1, 1]), ("b", [0, 1, 1, 0])):
        ...     with ct.start(name) as run:
        ...         found = run.evaluate([0, 1, 1, 0], guess, split="val")
        >>> rows = ct.compare("a", "b").rows("val")
        >>> len(rows.fixed), len(rows.broken)
        (1, 0)
        """
        if not 0 < other < len(self.runs):
            raise BadValue(f"there is no run {other} to hold against the first; they go from 1 to {len(self.runs) - 1}")
        first = evaluation_of(self.runs[0], split)
        return rows_of(first, evaluation_of(self.runs[other], first.split))

    @property
    def environment(self) -> pd.DataFrame:
        """Python, packages, git, seeds: a row per fact, a column per run."""
        return self._frame(self._lines["environment"])

    @property
    def code(self) -> str:
        """The code of each run as a unified diff against the first one's; "" if all are the same."""
        first = self.labels[0]
        diffs: list[str] = []
        for label, code in zip(self.labels[1:], self._code[1:], strict=True):
            lines = difflib.unified_diff(
                self._code[0].splitlines(), code.splitlines(), first, label, lineterm="", n=_CONTEXT
            )
            diffs.append("\n".join(lines))
        return "\n".join(diff for diff in diffs if diff)

    @property
    def labels(self) -> list[str]:
        """The names of the runs, with the end of the id where two have the same name."""
        return labels([run.record for run in self.runs])

    def lines(self, *, only_differing: bool = True) -> dict[str, list[Line]]:
        """All compared things by part: facts, params, data, metrics, environment."""
        return {
            part: [line for line in lines if line.differs or not only_differing] for part, lines in self._lines.items()
        }

    def df(self, only_differing: bool = True) -> pd.DataFrame:
        """Everything but the code in one frame, indexed by part and name, a column per run.

        >>> import celltrail as ct
        >>> for name, lr in (("a", 0.1), ("b", 0.3)):
        ...     with ct.start(name, {"lr": lr}): pass
        >>> ct.compare("a", "b").df().loc[("params", "lr")].tolist()
        [0.1, 0.3]
        """
        import pandas as pd

        lines = self.lines(only_differing=only_differing)
        frames = {
            part: self._judged(found) if part == "metrics" else self._frame(found) for part, found in lines.items()
        }
        return pd.concat(frames, names=["part", "name"])

    def payload(self) -> contract.Comparison:
        """The comparison as the front end gets it."""
        return contract.Comparison(
            runs=[row(run.record, run.store) for run in self.runs],
            facts=_differences(self._lines["facts"]),
            params=_differences(self._lines["params"]),
            data=_differences(self._lines["data"]),
            metrics=_differences(self._lines["metrics"]),
            environment=_differences(self._lines["environment"], said),
            code=[*self._own_code(), *self._upstream_code()],
            outputs=[pieces(run) for run in self.runs] if len(self.runs) <= _MOST_SHOWN else [],
            changed=self.changed,
        )

    @property
    def changed(self) -> list[str]:
        """What differs, one sentence each: the likeliest causes first, then the metrics."""
        cells = {name for differing in self._upstream for name, _, _ in differing}
        return [*self._sweeps(), *changed(self.lines(), len(set(self._code)) > 1, len(cells))]

    def _sweeps(self) -> Iterator[str]:
        """Which of the runs is only the head of others: what it came to is theirs, and differs in nothing here."""
        if any(trained(run.record) for run in self.runs):
            for run, label in zip(self.runs, self.labels, strict=True):
                if not trained(run.record) and (count := len(run.children)):
                    ref = run.name if label == run.name else run.id
                    below = f"{count} run{'s' * (count > 1)} below it: ct.run({ref!r})"
                    yield f"{label} has no metrics of its own, they are in the {below}.children"

    def _own_code(self) -> list[CodeDifference]:
        return [
            CodeDifference(run=run.id, cell="", lines=code_lines(self._code[0], code))
            for run, code in zip(self.runs[1:], self._code[1:], strict=True)
        ]

    def _upstream_code(self) -> list[CodeDifference]:
        return [
            CodeDifference(run=run.id, cell=name, lines=code_lines(old, new))
            for run, cells in zip(self.runs[1:], self._upstream, strict=True)
            for name, old, new in cells
        ]

    def __repr__(self) -> str:
        shown = {part: lines for part, lines in self.lines().items() if lines}
        blocks = [f"{len(self.runs)} runs: {', '.join(self.labels)}"]
        for part, lines in shown.items():
            cells = [[line.name, *(plain.clipped(_shown(line, value), 40) for value in line.values)] for line in lines]
            heads = [part, *self.labels]
            if any(line.is_tested for line in lines):
                heads += self._heads
                cells = [[*each, *_words(line)] for each, line in zip(cells, lines, strict=True)]
            blocks.append(plain.table(heads, cells, [False] * len(heads)))
        blocks.append(f"code\n{self.code}" if self.code else "code is the same")
        same = [part for part in _PARTS if part not in shown and self._lines[part]]
        if same:
            blocks.append(f"no difference in: {', '.join(same)}")
        return "\n\n".join(blocks)

    @property
    def _heads(self) -> list[str]:
        """What the columns of the words are called."""
        others = self.labels[1:]
        return ["verdict"] if len(others) == 1 else [f"verdict of {label}" for label in others]

    def _judged(self, lines: Sequence[Line]) -> pd.DataFrame:
        frame = self._frame(lines)
        if any(line.is_tested for line in lines):
            told = [_words(line) for line in lines]
            for at, head in enumerate(self._heads):
                frame[head] = [words[at] for words in told]
        return frame

    def _told(self) -> Iterator[tuple[Any, ...]]:
        for line in self._lines["metrics"]:
            for label, verdict in zip(self.labels, line.verdicts, strict=True):
                if verdict is not None:
                    gap = (verdict.gap.by, verdict.gap.low, verdict.gap.high) if verdict.gap else (math.nan,) * 3
                    around = verdict.n, verdict.mean, verdict.low, verdict.high
                    yield line.name, label, *around, *gap, verdict.p, verdict.word

    def _frame(self, lines: Sequence[Line]) -> pd.DataFrame:
        import pandas as pd

        index = pd.Index([line.name for line in lines], name="name", dtype="object")
        values = {i: [line.values[i] for line in lines] for i in range(len(self.runs))}
        frame = pd.DataFrame({i: pd.Series(column, dtype="object") for i, column in values.items()})
        frame.index, frame.columns = index, pd.Index(self.labels)
        return frame


def compare(
    *runs: Ref | Sequence[Ref] | RunSet, store: Store | None = None, interval: Interval = "welch"
) -> Comparison:
    """Show what differs between two or more runs; the others are compared with the first.

    Metrics are judged over the repeats of a run: finished runs that are alike in everything but their seeds. Repeats
    are found automatically, or given as a list in place of a run. Each metric gets a verdict: *better*, *worse*, or
    *not distinguishable (n=3)* if the 95% interval of the difference contains 0. Verdicts on several metrics hold for
    all of them together, by Holm's correction.

    Args:
        runs: names, ids, beginnings of ids or runs; one list or `RunSet` of them; or several lists, each of the
            repeats of one run.
        store: another trail; that of the working folder unless given.
        interval: "welch", which also suits few repeats, or "bootstrap", which assumes no normal distribution and
            needs ten repeats or more.

    Raises:
        NoRun: there is no such run; the error names the nearest.

    >>> import celltrail as ct
    >>> for lr, accs in {0.1: [0.91, 0.92, 0.93], 0.01: [0.95, 0.97, 0.96]}.items():
    ...     for seed, acc in enumerate(accs):
    ...         with ct.start("digits", {"lr": lr, "seed": seed}) as run:
    ...             run.log({"val/acc": acc})
    >>> ct.compare(ct.runs("params.lr == 0.1"), ct.runs("params.lr == 0.01")).metrics.verdict["val/acc"]
    'better by 0.04, 95% interval 0.01733 to 0.06267 (n=3)'
    """
    if interval not in ("welch", "bootstrap"):
        raise BadValue(
            f"no interval {interval!r}{nearest(interval, ('welch', 'bootstrap')) or ';'} there is welch and bootstrap"
        )
    refs: list[Any] = list(runs)
    if len(refs) == 1 and not isinstance(refs[0], str | StoredRun | RunRecord):
        refs = list(refs[0])
    if len(refs) < 2:
        raise BadValue(f"a comparison needs two runs or more, not {len(refs)}: ct.compare('baseline', 'sweep-1')")
    groups = [[found(one, store) for one in _group(ref)] for ref in refs]
    if all(isinstance(ref, str | StoredRun | RunRecord) for ref in refs):
        return Comparison([group[0] for group in groups], None, interval)
    return Comparison([group[0] for group in groups], [[run.record for run in group] for group in groups], interval)


def found(ref: Ref, store: Store | None) -> StoredRun:
    """The run that is meant."""
    return find(ref, None if isinstance(ref, StoredRun) else open_store(store))


def _group(ref: Any) -> list[Ref]:
    if isinstance(ref, str | StoredRun | RunRecord):
        return [ref]
    group = list(ref)
    if not group:
        raise BadValue("a list of repeats is empty; ct.runs() lists the runs there are")
    return group


def code_lines(old: str, new: str) -> list[CodeLine]:
    """The new text against the old, line by line; nothing where they are equal.

    >>> [line["mark"] + line["text"] for line in code_lines("a\\nb", "a\\nc")]
    [' a', '-b', '+c']
    """
    if old == new:
        return []
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    whole = len(before) + len(after) <= _WHOLE
    groups = [matcher.get_opcodes()] if whole else list(matcher.get_grouped_opcodes(_CONTEXT))
    lines: list[CodeLine] = []
    for group in groups:
        if lines:
            lines.append(CodeLine(mark=" ", text="…"))
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [CodeLine(mark=" ", text=text) for text in before[a:b]]
                continue
            lines += [CodeLine(mark="-", text=text) for text in before[a:b]]
            lines += [CodeLine(mark="+", text=text) for text in after[c:d]]
    return lines


def _code(run: StoredRun) -> str:
    try:
        return run.code
    except (StoreError, NoRun):
        return "(the code of this run cannot be read from the trail)\n"


def _differences(lines: Sequence[Line], words: Callable[[str], str] = str) -> list[Difference]:
    return [
        Difference(
            name=line.name,
            words="" if words(line.name) == line.name else words(line.name),
            values=[scalar(value) for value in line.values],
            differs=line.differs,
            goal=line.goal,
            verdicts=[verdict and verdict.payload() for verdict in line.verdicts] if line.is_judged else [],
        )
        for line in lines
    ]


def _words(line: Line) -> list[str]:
    """What is said of each run but the first."""
    return [verdict.text if verdict else "" for verdict in line.verdicts[1:]]


def _shown(line: Line, value: Json) -> str:
    if value is None:
        return "-"
    return plain.length(value) if line.name == "duration" else plain.shown(value)

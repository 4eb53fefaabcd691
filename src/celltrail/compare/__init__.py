"""What differs between two or more runs: facts, parameters, data, metrics, environment and code."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celltrail import contract
from celltrail.compare import upstream
from celltrail.compare.changed import changed
from celltrail.compare.line import Line
from celltrail.contract import CodeDifference, CodeLine, Difference, Goal
from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.model import Json, RunRecord
from celltrail.query import RunSet, StoredRun, find, open_store, plain, row
from celltrail.query.columns import labels
from celltrail.query.evaluate import aggregate_of, duration_of
from celltrail.query.inputs import data, values_of
from celltrail.query.row import scalar

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.store import Store

Ref = str | StoredRun | RunRecord
_PARTS = ("facts", "params", "data", "metrics", "environment")
_CONTEXT = 3
_WHOLE = 400  # a diff of more lines shows only what is near a change


class Comparison:
    """Two or more runs beside each other; ``repr`` shows only what differs."""

    def __init__(self, runs: Sequence[StoredRun]) -> None:
        self.runs = list(runs)
        records = [run.record for run in runs]
        self._lines: dict[str, list[Line]] = {
            "facts": _facts(records),
            "params": _family([{name: param.value for name, param in record.params.items()} for record in records]),
            "data": [*_files(runs), *_data(runs)],
            "metrics": _metrics(records),
            "environment": _surroundings(runs),
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
        """The files and values of the runs, by the first digits of their digests: a row per name, a column per run."""
        return self._frame(self._lines["data"])

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics, last and best: a row per number, a column per run."""
        return self._frame(self._lines["metrics"])

    @property
    def environment(self) -> pd.DataFrame:
        """Python, packages, git, seeds: a row per fact, a column per run."""
        return self._frame(self._lines["environment"])

    @property
    def code(self) -> str:
        """The code of each run against the first one's, as a unified diff; "" where all are the same."""
        first = self.labels[0]
        parts: list[str] = []
        for label, code in zip(self.labels[1:], self._code[1:], strict=True):
            lines = difflib.unified_diff(
                self._code[0].splitlines(), code.splitlines(), first, label, lineterm="", n=_CONTEXT
            )
            parts.append("\n".join(lines))
        return "\n".join(part for part in parts if part)

    @property
    def labels(self) -> list[str]:
        """The runs' names, with the end of the id where a name occurs twice."""
        return labels([run.record for run in self.runs])

    def lines(self, *, only_differing: bool = True) -> dict[str, list[Line]]:
        """All compared things by part: facts, params, data, metrics, environment."""
        return {
            part: [line for line in lines if line.differs or not only_differing] for part, lines in self._lines.items()
        }

    def df(self, only_differing: bool = True) -> pd.DataFrame:
        """Everything but the code in one frame, indexed by part and name, a column per run."""
        import pandas as pd

        frames = {part: self._frame(lines) for part, lines in self.lines(only_differing=only_differing).items()}
        return pd.concat(frames, names=["part", "name"])

    def payload(self) -> contract.Comparison:
        """The comparison as the front end gets it."""
        return contract.Comparison(
            runs=[row(run.record, run.store) for run in self.runs],
            facts=_differences(self._lines["facts"]),
            params=_differences(self._lines["params"]),
            data=_differences(self._lines["data"]),
            metrics=_differences(self._lines["metrics"]),
            environment=_differences(self._lines["environment"]),
            code=[*self._own_code(), *self._upstream_code()],
            changed=self.changed,
        )

    @property
    def changed(self) -> list[str]:
        """What differs, the likeliest causes first, then the metrics that differ; a sentence each."""
        cells = {name for differing in self._upstream for name, _, _ in differing}
        return changed(self.lines(), len(set(self._code)) > 1, len(cells))

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
        parts = [(part, lines) for part, lines in self.lines().items() if lines]
        right = [False, *(False for _ in self.runs)]
        blocks = [f"{len(self.runs)} runs: {', '.join(self.labels)}"]
        for part, lines in parts:
            cells = [[line.name, *(plain.clipped(_shown(line, value), 40) for value in line.values)] for line in lines]
            blocks.append(plain.table([part, *self.labels], cells, right))
        blocks.append(f"code\n{self.code}" if self.code else "code is the same")
        same = [part for part in _PARTS if part not in dict(parts) and self._lines[part]]
        if same:
            blocks.append(f"no difference in: {', '.join(same)}")
        return "\n\n".join(blocks)

    def _frame(self, lines: Sequence[Line]) -> pd.DataFrame:
        import pandas as pd

        index = pd.Index([line.name for line in lines], name="name", dtype="object")
        values = {i: [line.values[i] for line in lines] for i in range(len(self.runs))}
        frame = pd.DataFrame({i: pd.Series(column, dtype="object") for i, column in values.items()})
        frame.index, frame.columns = index, pd.Index(self.labels)
        return frame


def compare(*runs: Ref | Sequence[Ref] | RunSet, store: Store | None = None) -> Comparison:
    """Two or more runs, fact by fact; the first is what the others' code is compared with.

    Args:
        runs: names, ids, beginnings of ids, runs, or one list or `RunSet` of them.
        store: another trail than the one of the working folder.
    """
    if len(runs) == 1 and not isinstance(runs[0], str | StoredRun | RunRecord):
        refs: list[Any] = list(runs[0])
    else:
        refs = list(runs)
    if len(refs) < 2:
        raise BadValue(f"a comparison needs two runs or more, not {len(refs)}: ct.compare('baseline', 'sweep-1')")
    return Comparison([find(ref, None if isinstance(ref, StoredRun) else open_store(store)) for ref in refs])


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


def _facts(records: Sequence[RunRecord]) -> list[Line]:
    told: dict[str, Callable[[RunRecord], Json]] = {
        "status": lambda record: record.status,
        "error": lambda record: None if record.error is None else str(record.error),
        "duration": duration_of,
        "created": lambda record: _utc(record.created_us),
        "project": lambda record: record.project,
        "group": lambda record: record.group,
        "notebook": lambda record: record.notebook,
        "cell": lambda record: record.cell_id,
        "user": lambda record: record.user or None,
        "tags": lambda record: ", ".join(sorted(record.tags)) or None,
        "notes": lambda record: "\n".join(record.notes) or None,
    }
    lines = [Line(name, tuple(tell(record) for record in records)) for name, tell in told.items()]
    return [line for line in lines if any(value is not None for value in line.values)]


def _metrics(records: Sequence[RunRecord]) -> list[Line]:
    lines: list[Line] = []
    for name in _names(record.metrics for record in records):
        found = [record.metrics.get(name) for record in records]
        goals: list[Goal] = [metric.goal for metric in found if metric is not None and metric.goal != "none"]
        goal: Goal = goals[0] if goals else "none"
        last = tuple(None if metric is None else aggregate_of(metric, "last") for metric in found)
        lines.append(Line(name, last, goal))
        if goal != "none":
            best = tuple(None if metric is None else aggregate_of(metric, goal) for metric in found)
            lines.append(Line(f"best {name}", best, goal))
    return lines


def _family(found: Sequence[Mapping[str, Json]]) -> list[Line]:
    return [Line(name, tuple(each.get(name) for each in found)) for name in _names(found)]


def _data(runs: Sequence[StoredRun]) -> list[Line]:
    """The values that were read; nothing where one of the runs did not record them."""
    found = [data(run) for run in runs]
    return _family(found) if all(values_of(run) for run in runs) else []


def _files(runs: Sequence[StoredRun]) -> list[Line]:
    """The files of each run; one that was written stands for itself, beside one of its name that was read."""
    found: list[dict[str, Json]] = []
    if not all(run.record.executions and run.record.executions[-1].needs for run in runs):
        return []  # one of them did not record any
    for run in runs:
        try:
            files = run.files
        except (StoreError, NoRun):
            found.append({"files": "not readable"})
            continue
        held: dict[str, Json] = {}
        for file in files:
            name = f"{file.path} (written)" if file.mode == "write" else file.path
            held[name] = (file.before or file.hash)[:12] or f"{file.how}, {file.size} bytes"
            if file.mode == "both":
                held[f"{file.path} (written)"] = file.hash[:12]
        found.append(held)
    return _family(found)


def _surroundings(runs: Sequence[StoredRun]) -> list[Line]:
    """Python, system, git, hardware and seeds; of the packages, which are hundreds, those that differ."""
    found: list[dict[str, Json]] = []
    for run in runs:
        flat: dict[str, Json] = {}
        for part, facts in run.record.environment.items():
            _flatten("" if part == "env" else part, facts, flat)
        # a generator's state is a digest: two runs always differ in it, and it says nothing to a reader;
        # what recording cost is never the same twice either
        flat = {name: value for name, value in flat.items() if not name.startswith(("rng.", "overhead."))}
        if isinstance(flat.get("git.diff"), str):
            flat["git.diff"] = flat["git.diff"][:12]  # says whether uncommitted changes are the same
        for name, version in _packages(run, flat).items():
            flat.pop(name, None)
            flat[f"packages.{name}"] = version
        found.append(flat)
    return [line for line in _family(found) if line.differs or not line.name.startswith("packages.")]


def _packages(run: StoredRun, flat: dict[str, Json]) -> dict[str, Json]:
    """Takes out the reference to the list of packages and returns the list."""
    listing = flat.pop("packages", None)
    if not isinstance(listing, str):
        return {}
    try:
        return json.loads(run.store.blobs.get(listing))
    except (StoreError, NoRun, ValueError):
        return {"list": "not readable"}


def _flatten(name: str, value: Json, into: dict[str, Json]) -> None:
    if not isinstance(value, Mapping):
        into[name] = value
        return
    for key, part in value.items():
        _flatten(f"{name}.{key}" if name else str(key), part, into)


def _code(run: StoredRun) -> str:
    try:
        return run.code
    except (StoreError, NoRun):
        return "(the code of this run cannot be read from the trail)\n"


def _names(families: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for family in families for name in family))


def _differences(lines: Sequence[Line]) -> list[Difference]:
    return [
        Difference(
            name=line.name, values=[scalar(value) for value in line.values], differs=line.differs, goal=line.goal
        )
        for line in lines
    ]


def _shown(line: Line, value: Json) -> str:
    if value is None:
        return "-"
    return plain.length(value) if line.name == "duration" else plain.shown(value)


def _utc(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 1_000_000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

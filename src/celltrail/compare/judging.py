"""How a metric of runs is judged against the first run: by their repeats, else by the rows they were evaluated on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from celltrail import contract
from celltrail.compare.line import Line
from celltrail.compare.parts import value_of
from celltrail.compare.rows import rows_of
from celltrail.compare.verdict import Verdict
from celltrail.errors import BadValue, NoRun, StoreError
from celltrail.model import RunRecord
from celltrail.query import StoredRun
from celltrail.query.evaluation import Evaluated, evaluation_of
from celltrail.stats import Gap, bootstrap, holm, welch
from celltrail.stats.interval import mean_interval

Interval = Literal["welch", "bootstrap"]
_EVALUATED = ("accuracy", "mae", "ndcg")  # every evaluation has one of them
_TESTS = {"welch": welch, "bootstrap": bootstrap}


def verdicts(line: Line, groups: Sequence[Sequence[RunRecord]], how: Interval) -> tuple[Verdict | None, ...]:
    """For each run what its repeats say of a metric; None where it has none, or it cannot be told."""
    name = line.name.removeprefix("best ") if line.is_best else line.name
    goal = line.goal if line.is_best else "none"
    values = [_known(records, name, goal) for records in groups]
    told: list[Verdict | None] = []
    for place, mine in enumerate(values):
        if len(mine) < 2:
            told.append(None)
            continue
        mean, half = mean_interval(mine)
        half = math.nan if half is None else half
        gap = _TESTS[how](values[0], mine) if place else None
        word = gap.word(line.goal) if gap else ""
        told.append(Verdict(len(mine), "runs", mean, mean - half, mean + half, gap, word))
    return tuple(told)


def judged(
    lines: Sequence[Line], runs: Sequence[StoredRun], groups: Sequence[Sequence[RunRecord]], how: Interval
) -> list[Line]:
    """The metrics with what can be said of them: by repeats, else by the rows that the runs were evaluated on."""
    found = [replace(line, verdicts=verdicts(line, groups, how)) for line in lines]
    names = {line.name.rpartition("/") for line in lines if not line.is_best}
    splits = {split for split, _, metric in names if metric in _EVALUATED}
    evaluations = {split: [_evaluated(run, split) for run in runs] for split in splits}
    return together([by_rows(line, evaluations) for line in found])


def together(lines: Sequence[Line]) -> list[Line]:
    """The lines with their verdicts corrected for how many metrics a run is held against the first by at once.

    The last and the best values of the metrics are two such families: each says of every metric once.
    """
    found = list(lines)
    for is_best in (False, True):
        for run in range(len(lines[0].values) if lines else 0):
            told = [
                (at, verdict)
                for at, line in enumerate(found)
                if line.is_best == is_best and line.verdicts and (verdict := line.verdicts[run]) and verdict.gap
            ]
            corrected = holm([verdict.gap.p for _, verdict in told if verdict.gap])
            for (at, verdict), p in zip(told, corrected, strict=True):
                verdicts = list(found[at].verdicts)
                verdicts[run] = verdict.corrected(len(told), p) if len(told) > 1 else replace(verdict, p=p)
                found[at] = replace(found[at], verdicts=tuple(verdicts))
    return found


def _evaluated(run: StoredRun, split: str) -> Evaluated | None:
    try:
        return evaluation_of(run, split)
    except (NoRun, StoreError):
        return None


def by_rows(line: Line, evaluations: Mapping[str, Sequence[Evaluated | None]]) -> Line:
    """The line with what the rows say that its runs were evaluated on, unless repeats said something.

    Every metric of an evaluation has its interval; of those that are a mean over rows the difference is tested.

    Args:
        line: a metric.
        evaluations: by split, for each run.
    """
    split, _, metric = line.name.rpartition("/")
    if line.is_tested or line.is_best or split not in evaluations:
        return line
    told: list[Verdict | None] = []
    first = evaluations[split][0]
    for value, mine in zip(line.values, evaluations[split], strict=True):
        score = next((each for each in mine.scores if each.name == metric), None) if mine else None
        if mine is None or score is None or score.value != value:  # something else was logged under this name since
            told.append(None)
            continue
        gap = _gap(metric, first, mine) if first is not None and mine is not first else None
        word = gap.word(line.goal) if gap else ""
        told.append(Verdict(score.n, "rows", score.value, score.low, score.high, gap, word))
    return replace(line, verdicts=tuple(told))


def _gap(metric: str, first: Evaluated, other: Evaluated) -> Gap | None:
    try:
        rows = rows_of(first, other)
    except BadValue:  # other rows, another task: nothing to say here; .rows() says why
        return None
    return rows.gap if rows.metric == metric else None


def _known(records: Sequence[RunRecord], name: str, goal: contract.Goal) -> list[float]:
    found = (value_of(record, name, goal) for record in records)
    return [float(value) for value in found if value is not None and math.isfinite(value)]

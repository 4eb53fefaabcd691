"""Runs beside each other."""

from typing import Literal, TypedDict

from celltrail.contract.detail import Piece
from celltrail.contract.rows import RunRow
from celltrail.contract.words import Goal, Scalar


class CodeLine(TypedDict):
    """One line of a diff."""

    mark: Literal[" ", "-", "+"]
    text: str


class Verdict(TypedDict):
    """A metric of one run over its repeats or rows, and what can be said of it against the first run."""

    around: str  # where it lies, with its 95% interval
    word: str  # better, worse, higher, lower, not distinguishable, or "" where it cannot be told
    text: str  # all of it, in words


class Difference(TypedDict):
    """One fact with its value in each compared run, in the order of `Comparison.runs`."""

    name: str
    words: str  # what a reader is told in its place; "" where that is the name
    values: list[Scalar]
    differs: bool
    goal: Goal
    verdicts: list[Verdict | None]  # in the same order; empty where nothing was repeated


class CodeDifference(TypedDict):
    """The cell of one run against the cell of the first."""

    run: str
    cell: str  # "" for that of the run itself, else how a cell that it depends on is called
    lines: list[CodeLine]


class Comparison(TypedDict):
    """Two or more runs, fact by fact."""

    runs: list[RunRow]
    facts: list[Difference]  # status, duration, notebook ...
    params: list[Difference]
    data: list[Difference]  # what was read, with the beginnings of fingerprints
    metrics: list[Difference]
    environment: list[Difference]
    code: list[CodeDifference]  # of each run but the first; then of cells they depend on, where they differ
    outputs: list[list[Piece]]  # what each run's cell showed; empty where there are many runs
    changed: list[str]  # the likeliest causes first, then what came of it

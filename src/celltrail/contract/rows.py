"""Runs as rows: of the table, the side bar, the terminal."""

from typing import TypedDict

from celltrail.contract.words import Goal, Real, Scalar, Status


class MetricSummary(TypedDict):
    """One metric of one run, in a few numbers."""

    goal: Goal
    last: Real
    best: Real
    best_step: float | None
    min: Real
    max: Real
    count: int
    nan_count: int
    spark: list[float | None]  # at most 40 values over the whole series; null is a gap


class ParamValue(TypedDict):
    """One parameter and how celltrail came to know it."""

    value: Scalar
    rule: str  # assign, config, read, kwarg, scalar, declared or api
    line: int | None  # in the run's cell, from 1


class Completeness(TypedDict):
    """How much a run has of what its project asks."""

    met: int
    of: int
    text: str  # "4 of 5: no note"


class RunRow(TypedDict):
    """One run as the table, the side bar, the CLI and a report show it."""

    id: str
    name: str
    status: Status
    project: str
    created: float
    duration: float | None
    cell: str | None  # cell id
    execution_count: int | None
    notebook: str | None  # relative path or file name, never absolute
    tags: list[str]
    note: str
    error: str | None  # "ValueError: message", one line
    params: dict[str, ParamValue]
    metrics: dict[str, MetricSummary]
    totals: dict[str, float]  # what it used of the machine, as far as that is known: bytes, seconds, kWh, dollars
    parent: str | None
    came_of: str | None  # the parent's name, of a fork with the step it was forked at: "baseline @ 500"
    resumed: int  # how often it went on after its process had left it
    group: str | None
    complete: Completeness | None  # None: its project asks for nothing
    starred: bool
    archived: bool
    deleted: bool


class RowsPage(TypedDict):
    """The answer to a `Query`."""

    rows: list[RunRow]
    total: int
    hints: list[str]  # what is odd about the question, such as a name that no run has


class Head(TypedDict):
    """A column of a table of more runs than a panel holds."""

    id: str  # as in `RunSet.df`
    numeric: bool
    goal: Goal
    same: bool  # no two of the runs differ in it


class GroupOf(TypedDict):
    """Runs that are alike in what a table is grouped by."""

    values: list[Scalar]  # in the order of the columns it is grouped by
    size: int


class Extent(TypedDict):
    """All that a table of more runs than a panel holds can show; it comes once."""

    stamp: str  # by which it is known again
    runs: list[str]
    heads: list[Head]


class Listing(TypedDict):
    """The answer to a `List`: which runs in which order; what they say comes by `Fetch` as they come into view."""

    extent: Extent | None  # None where the panel has it
    places: str  # of the runs in the extent, as base64 of uint32; those of a group behind each other
    groups: list[GroupOf] | None  # None without groups
    hints: list[str]


class Summed(TypedDict):
    """What some runs have in a column: of numbers mean, half of its 95% interval and range, of the rest the values."""

    known: int  # runs with a finite number
    unknown: int  # runs with none
    mean: float | None
    half: float | None
    low: float | None
    high: float | None
    values: list[Scalar]  # at most 12 of them
    kinds: int  # how many different ones there are


class Sums(TypedDict):
    """The answer to a `Sum`."""

    groups: list[dict[str, Summed]]  # of each group by column
    best: dict[str, list[str]]  # the runs with the best value of all, by column; none where all tie

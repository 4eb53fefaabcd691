"""Points and what a chart draws beside them."""

from typing import Literal, TypedDict

from celltrail.contract.words import Goal, Real, Smoothing, Status


class Knob(TypedDict):
    """A number of a run that goes on, which its code lets people change."""

    name: str
    value: float  # that the code was given last
    wanted: float | None  # asked for since then
    low: float | None
    high: float | None
    whole: bool


class RunState(TypedDict):
    """What a live panel must know about a run besides its points."""

    run: str
    name: str
    status: Status
    step: float | None
    seconds: float  # since the run started
    started: float  # of the run
    axes: list[str]  # metrics that were declared as axes of others
    points: int  # logged so far, over all metrics
    last: dict[str, Real]
    goals: dict[str, Goal]
    earlier: int  # finished runs of the same cell that it is held against
    beaten: dict[str, float]  # the share of them that it is better than at its last step, by metric
    left: float | None  # seconds it will go on for, if it goes on as they did
    error: str | None
    asked_to: Literal["", "stop", "pause"]  # and does not do yet
    paused: bool
    knobs: list[Knob]


class Part(TypedDict):
    """One stretch of one series inside a `Points` message."""

    run: str
    metric: str
    start: int  # index of the first point among those sent for this series; 0 replaces what the panel has
    n: int


class Points(TypedDict):
    """Kernel to panel, at most one a tick. buffers[0] is float64 LE: per part n steps, n seconds, n values."""

    kind: Literal["points"]
    seq: int
    full: bool  # a complete snapshot: forget what you have
    parts: list[Part]
    runs: list[RunState]


class Mark(TypedDict):
    """A note on a place in a run."""

    run: str
    metric: str | None
    step: float | None
    text: str


class Flag(TypedDict):
    """Something that the run itself said of a place: an alert."""

    run: str
    metric: str | None
    step: float | None
    level: Literal["info", "warn", "error"]
    text: str


class SavedSeries(TypedDict):
    """One series at rest; NaN-safe and small."""

    run: str
    metric: str
    n: int  # points in the trail; the arrays may hold fewer
    step: str  # base64 of float64 LE
    seconds: str  # base64 of float32 LE
    value: str  # base64 of float32 LE; of float64 LE, by its length, where a finite one is beyond these


class Grouping(TypedDict):
    """A way in which runs belong together."""

    by: str
    of: dict[str, str]  # run id -> what its group is called


class Drawn(TypedDict):
    """The curves of some runs."""

    runs: list[RunState]
    groupings: list[Grouping]
    series: list[SavedSeries]
    omitted: int  # series left out


class ChartOptions(TypedDict):
    """How a chart is drawn: the panel owns it, the saved form keeps it."""

    x: str  # "step", "relative" (seconds since the start), "time" or a metric
    y: Literal["linear", "log", "symlog"]
    hidden: list[str]  # "run id/metric" of series switched off in the legend
    smooth: Smoothing
    weight: float  # of smoothing: 0 changes nothing, below 1
    group: str  # `Grouping.by` of which each group is one line; "" is a line for each run
    spread: Literal["interval", "range"]  # around the mean of a group: 95 % interval, or from least to most
    folded: list[str]  # prefixes of plots that are folded away


class Band(TypedDict):
    """Where earlier runs of the same cell stood, at each step their quartiles; or the ranks, their ends and mean."""

    metric: str
    runs: int
    step: str  # base64 of float64 LE
    low: str  # base64 of float32 LE, as are the others
    middle: str
    high: str

"""Every shape that leaves Python: to a panel, into a saved notebook, over HTTP or out of ``--json``.

``js/src/contract.ts`` is printed from this file by ``make print``; a test compares the two. Only
``TypedDict``, ``Literal``, ``X | None``, ``list`` and ``dict[str, X]`` are used, because that is what the
printer knows. Names are snake_case on both sides.

Times are seconds since the epoch (UTC) as float unless a field says otherwise; durations are seconds.
NaN and infinity have no JSON: a `Real` spells them as words, and series travel in float64 buffers.
"""

from typing import Literal, TypedDict

VERSION = 1

MIME = "application/vnd.celltrail.panel+json"

Status = Literal["running", "finished", "failed", "interrupted", "killed"]
Goal = Literal["min", "max", "none"]
PanelKind = Literal["chart", "table", "compare", "detail", "media"]
MediaKind = Literal["text", "image", "figure", "audio", "video", "table", "histogram"]

# by points, by the distance between them, or a running median
Smoothing = Literal["none", "ema", "time", "median"]

# A finite number, one of the three words, or null for "never logged".
Real = float | Literal["nan", "inf", "-inf"] | None
Scalar = str | float | int | bool | None


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
    parent: str | None
    group: str | None
    starred: bool
    archived: bool
    deleted: bool


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
    runs: list[str]


class Listing(TypedDict):
    """The answer to a `List`: which runs in which order; what they say comes by `Fetch` as they come into view."""

    runs: list[str]
    groups: list[GroupOf] | None  # the same runs again, those of a group behind each other; None without groups
    heads: list[Head]
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


class CodeLine(TypedDict):
    """One line of a diff."""

    mark: Literal[" ", "-", "+"]
    text: str


class Difference(TypedDict):
    """One fact with its value in each compared run, in the order of `Comparison.runs`."""

    name: str
    values: list[Scalar]
    differs: bool
    goal: Goal


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
    changed: list[str]  # the likeliest causes first, then what came of it


class Section(TypedDict):
    """One table of what is known of a run; every row has as many values as there are heads."""

    tab: str  # sections of one tab stand together, in this order
    title: str
    heads: list[str]
    rows: list[list[Scalar]]
    more: int  # rows left out


class Piece(TypedDict):
    """One thing that the cell showed, as it appeared."""

    kind: Literal["stdout", "stderr", "display", "result", "error"]
    media: str  # media type of `data`
    data: str  # text as it stood on the screen, or a picture in base64
    said: str  # what there is to say beside it: that it is not all, or what other forms it has


class Detail(TypedDict):
    """One run with everything that is known of it."""

    run: RunRow  # without its params and metrics: those are sections
    sections: list[Section]
    code: str
    outputs: list[Piece]
    traceback: str


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
    value: str  # base64 of float32 LE


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


class TableOptions(TypedDict):
    """How a table is shown: the panel owns it."""

    sort: list[str]  # column ids, "-" in front for descending
    filter: str
    selected: list[str]  # run ids
    columns: list[str] | None  # ids of the columns shown, in order; null: all there are
    differing: bool | None  # without columns of one value; null: where nobody chose columns and there are many
    pinned: list[str]  # ids of columns that stay at the left, beside the name
    widths: dict[str, float]  # px of the columns that somebody set
    group: list[str]  # column ids: runs that are alike in these stand together
    folded: list[str]  # groups that are closed, by their values
    baseline: str | None  # run id: the others show how they differ from it


class SavedView(TypedDict):
    """A question that got a name, for all who use the trail."""

    name: str
    where: str


class Proposal(TypedDict):
    """What may be written next: the characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str
    kind: str  # field, family, function, param, metric, summary, tag, value or word
    runs: int | None  # that have this name


class MediaItem(TypedDict):
    """One thing that a run kept beside numbers, without its bytes."""

    run: str
    number: int  # its place among the items of the run
    key: str
    kind: MediaKind
    step: float | None
    digest: str  # of its bytes where they are a blob, else ""
    said: str  # what is known of it, in words


class Content(TypedDict):
    """What is in an item: bytes beside it, or text, counts or rows; in `said` why nothing is, or what to know of it."""

    media: str  # media type of the bytes, "" without any
    said: str
    text: str | None
    counts: list[float]
    edges: list[float]  # one more than counts
    heads: list[str]
    rows: list[list[Scalar]]
    more: int  # rows left out


class Kept(TypedDict):
    """One item in the saved form."""

    run: str
    number: int
    content: Content
    data: str  # base64


class MediaShown(TypedDict):
    """What some runs kept beside numbers."""

    runs: dict[str, str]  # id -> name, in order
    items: list[MediaItem]
    omitted: int
    kept: list[Kept]  # in the saved form


class MediaOptions(TypedDict):
    """How media are shown: the panel owns it."""

    key: str  # "" is the first
    step: float | None  # null is the newest
    how: Literal["beside", "overlay", "difference"]
    first: str  # run ids that are laid over each other; "" are the first two
    second: str
    share: float  # of the second, from 0 to 1


class Answer(TypedDict):
    """Kernel to panel: exactly one of Answer or Fault for each intent. Parts come with a buffer as in `Points`."""

    kind: Literal["answer"]
    reply_to: str
    content: Content | None  # with its bytes as a buffer
    rows: RowsPage | None
    comparison: Comparison | None
    parts: list[Part] | None
    marks: list[Mark] | None
    said: str | None  # what was done, in words
    text: str | None  # what was asked for as text
    proposals: list[Proposal] | None
    views: list[SavedView] | None
    drawn: Drawn | None
    listing: Listing | None
    sums: Sums | None
    stale: dict[str, str] | None  # why, by run


class News(TypedDict):
    """Kernel to panel, at most once a second: how the runs of a table stand that go on or have just ended."""

    kind: Literal["news"]
    rows: list[RunRow]
    fresh: int  # runs that the question has found since; a `Renew` shows them


class Fault(TypedDict):
    """Kernel to panel: why an intent could not be answered."""

    kind: Literal["fault"]
    reply_to: str | None
    text: str


class Sync(TypedDict):
    """Panel to kernel: I (re)appeared or missed something, send a full `Points`."""

    kind: Literal["sync"]
    id: str


class Query(TypedDict):
    """Panel to kernel: the rows that match this expression; "" is all of the panel's runs."""

    kind: Literal["query"]
    id: str
    where: str


class List(TypedDict):
    """Panel to kernel: which of more runs than a panel holds are to be seen, in which order."""

    kind: Literal["list"]
    id: str
    where: str  # an expression
    words: str  # plain words, each of which a run has somewhere
    sort: list[str]  # columns, "-" in front for high to low
    group: list[str]


class Fetch(TypedDict):
    """Panel to kernel: the rows of these runs."""

    kind: Literal["fetch"]
    id: str
    runs: list[str]
    sparks: bool


class Sum(TypedDict):
    """Panel to kernel: these columns over all runs of a `List`, and of each of its groups."""

    kind: Literal["sum"]
    id: str
    where: str
    words: str
    group: list[str]
    sort: list[str]
    columns: list[str]


class Compare(TypedDict):
    """Panel to kernel: the comparison of these runs."""

    kind: Literal["compare"]
    id: str
    runs: list[str]


class Window(TypedDict):
    """Panel to kernel: this stretch of x again, with at most so many points a series."""

    kind: Literal["window"]
    id: str
    runs: list[str]
    metrics: list[str]
    x: str  # as in `ChartOptions`
    low: float
    high: float
    points: int


class Note(TypedDict):
    """Panel to kernel: keep this note on a point; answered by all marks."""

    kind: Literal["note"]
    id: str
    run: str
    metric: str
    step: float
    text: str


class Take(TypedDict):
    """Panel to kernel: one item of a run."""

    kind: Literal["take"]
    id: str
    run: str
    number: int


class Edit(TypedDict):
    """Panel to kernel: change what is said of these runs; the answer says what was done."""

    kind: Literal["edit"]
    id: str
    runs: list[str]
    do: Literal[
        "rename", "tag", "untag", "note", "rewrite", "star", "unstar", "archive", "unarchive", "delete", "undelete"
    ]  # rewrite: all notes as one text
    text: str  # the name, the tag or the note


class Renew(TypedDict):
    """Panel to kernel: ask the question of this table again; the state has the runs there are now."""

    kind: Literal["renew"]
    id: str


class Hold(TypedDict):
    """Panel to kernel: which of these runs do not hold any more."""

    kind: Literal["hold"]
    id: str
    runs: list[str]


class Undo(TypedDict):
    """Panel to kernel: take an `Edit` back."""

    kind: Literal["undo"]
    id: str
    edit: str  # the id of that intent


class Draw(TypedDict):
    """Panel to kernel: the curves of these runs."""

    kind: Literal["draw"]
    id: str
    runs: list[str]


class Views(TypedDict):
    """Panel to kernel: the saved views."""

    kind: Literal["views"]
    id: str


class OpenView(TypedDict):
    """Panel to kernel: show this view; "" is what the cell asked for. The state has its rows and options."""

    kind: Literal["open_view"]
    id: str
    name: str


class SaveView(TypedDict):
    """Panel to kernel: keep what is shown under a name."""

    kind: Literal["save_view"]
    id: str
    name: str
    where: str  # an expression that narrows the panel's question
    options: TableOptions


class DropView(TypedDict):
    """Panel to kernel: take a view back."""

    kind: Literal["drop_view"]
    id: str
    name: str


class Complete(TypedDict):
    """Panel to kernel: what may be written next in an expression."""

    kind: Literal["complete"]
    id: str
    where: str
    cursor: int


class Write(TypedDict):
    """Panel to kernel: these runs as text, in this order; with a value as its means over rows and columns."""

    kind: Literal["write"]
    id: str
    form: Literal["csv", "tsv", "markdown", "latex"]
    runs: list[str]
    columns: list[str]  # those of a table without a value
    rows: list[str]
    cols: list[str]
    value: str | None


FromKernel = Points | News | Answer | Fault
FromPanel = (
    Sync
    | Query
    | List
    | Fetch
    | Renew
    | Hold
    | Sum
    | Compare
    | Window
    | Note
    | Edit
    | Undo
    | Write
    | Complete
    | Views
    | OpenView
    | SaveView
    | DropView
    | Draw
    | Take
)


Asked = Note | Edit | Undo | SaveView | DropView  # what a server is asked to change; all else it is asked by address


class Trail(TypedDict):
    """A trail that a server shows."""

    id: str
    name: str  # of the folder it is in
    folder: str | None  # that folder below the server's root, with slashes; null where it is elsewhere
    live: int  # runs that go on


class Hello(TypedDict):
    """What a server says first."""

    version: str
    contract: int
    trails: list[Trail]


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


class DetailOptions(TypedDict):
    """How a run is shown."""

    tab: str  # "" is the first
    chart: ChartOptions
    media: MediaOptions


class Band(TypedDict):
    """Where earlier runs of the same cell stood: at each step their quartiles."""

    metric: str
    runs: int
    step: str  # base64 of float64 LE
    low: str  # base64 of float32 LE, as are the others
    middle: str
    high: str


class SavedPanel(TypedDict):
    """The payload of `MIME`: all a panel needs to be shown again without a kernel."""

    v: int
    kind: PanelKind
    trail: str
    title: str
    view: str | None  # id of the live widget model, while there is one
    runs: list[RunState]
    chart: ChartOptions | None
    table: TableOptions | None
    series: list[SavedSeries]
    marks: list[Mark]
    flags: list[Flag]
    bands: list[Band]
    groupings: list[Grouping]  # of the runs of a chart
    omitted: int  # series or rows left out to stay within the size budget
    rows: list[RunRow]
    hints: list[str]  # beside the rows, as in `RowsPage`
    comparison: Comparison | None
    detail: Detail | None
    media: MediaShown | None

"""What a panel asks of its kernel, or of the server in its place."""

from typing import Literal, TypedDict

from celltrail.contract.table import TableOptions


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
    stamp: str  # of the `Extent` that the panel has; "" for none
    first: int  # so many rows of those that come first are to be told with it,
    shown: list[str]  # of their params and metrics these columns,
    columns: list[str]  # and the sums of these


class Fetch(TypedDict):
    """Panel to kernel: the rows of these runs."""

    kind: Literal["fetch"]
    id: str
    runs: list[str]
    sparks: bool
    columns: list[str]  # of the params and metrics only these


class Learn(TypedDict):
    """Panel to kernel: somebody is about to look for words among more runs than the panel holds."""

    kind: Literal["learn"]
    id: str


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
    """Panel to kernel: keep this note on a point, or on a step of the run; answered by all marks."""

    kind: Literal["note"]
    id: str
    run: str
    metric: str | None
    step: float
    text: str


class Comment(TypedDict):
    """Panel to kernel: say this about a run; answered by all comments."""

    kind: Literal["comment"]
    id: str
    run: str
    text: str


class Steer(TypedDict):
    """Panel to kernel: what a run that goes on is to do; the answer says what will happen."""

    kind: Literal["steer"]
    id: str
    run: str
    do: Literal["stop", "pause", "resume", "turn"]
    knob: str  # that is turned, else ""
    value: float | None


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


class Trace(TypedDict):
    """Panel to kernel: what ran for this run, and in which order."""

    kind: Literal["trace"]
    id: str
    run: str


class Pick(TypedDict):
    """Panel to kernel: the rows behind a part of an evaluation; by labels, or by a range."""

    kind: Literal["pick"]
    id: str
    run: str
    split: str
    of: Literal["confusion", "calibration", "threshold", "residuals", "scatter"]
    truth: str  # of a calibration and a threshold the label that is predicted
    output: str
    low: float  # the threshold; of a scatter the range of truths
    high: float
    output_low: float  # of a scatter the range of predictions
    output_high: float


class Replay(TypedDict):
    """Panel to kernel: execute this run again in a process of its own, or stop that; the answer says what is done."""

    kind: Literal["replay"]
    id: str
    run: str
    do: Literal["start", "stop"]


FromPanel = (
    Sync
    | Query
    | List
    | Fetch
    | Learn
    | Renew
    | Hold
    | Sum
    | Compare
    | Window
    | Note
    | Comment
    | Steer
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
    | Pick
    | Trace
    | Replay
)
# what a server is asked to change; all else it is asked by address
Asked = Note | Comment | Steer | Edit | Undo | SaveView | DropView
# what it is asked in a body, since there is no room in an address for all that they may name
Question = Query | List | Fetch | Learn | Sum | Hold | Write | Pick | Trace

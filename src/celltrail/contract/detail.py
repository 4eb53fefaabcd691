"""One run with everything that is known of it."""

from typing import Literal, TypedDict

from celltrail.contract.evaluation import EvaluationOptions
from celltrail.contract.media import MediaOptions
from celltrail.contract.points import ChartOptions
from celltrail.contract.rows import RunRow
from celltrail.contract.words import Scalar


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


class ReplayVerdict(TypedDict):
    """What came of executing a run again, the last time."""

    verdict: Literal["reproduced", "within-tolerance", "drifted", "cannot-run"]
    text: str  # the same as a sentence, with where it first went another way
    at: float
    facts: list[str]  # what ran and how much of it was compared
    over: str  # what the causes are: "because" or "may explain it"
    causes: list[str]


class CommentShown(TypedDict):
    """What somebody said about a run."""

    by: str
    time: float
    text: str


class Detail(TypedDict):
    """One run with everything that is known of it."""

    run: RunRow  # without its params and metrics: those are sections
    sections: list[Section]
    code: str
    outputs: list[Piece]
    comments: list[CommentShown]  # oldest first
    traceback: str
    replay: ReplayVerdict | None
    replayable: bool  # whether a cell recorded it, and it is over


class DetailOptions(TypedDict):
    """How a run is shown."""

    tab: str  # "" is the first
    chart: ChartOptions
    media: MediaOptions
    evaluation: EvaluationOptions

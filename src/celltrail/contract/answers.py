"""What a kernel says to its panels."""

from typing import Literal, TypedDict

from celltrail.contract.comparison import Comparison
from celltrail.contract.detail import CommentShown
from celltrail.contract.executions import ExecutionMap
from celltrail.contract.media import Content
from celltrail.contract.points import Drawn, Mark, Part, Points
from celltrail.contract.rows import Listing, RowsPage, RunRow, Sums
from celltrail.contract.table import Proposal, SavedView


class Answer(TypedDict):
    """Kernel to panel: exactly one of Answer or Fault for each intent. Parts come with a buffer as in `Points`."""

    kind: Literal["answer"]
    reply_to: str
    content: Content | None  # with its bytes as a buffer
    rows: RowsPage | None
    comparison: Comparison | None
    parts: list[Part] | None
    marks: list[Mark] | None
    comments: list[CommentShown] | None
    said: str | None  # what was done, in words
    text: str | None  # what was asked for as text
    proposals: list[Proposal] | None
    views: list[SavedView] | None
    drawn: Drawn | None
    listing: Listing | None
    sums: Sums | None
    stale: dict[str, str] | None  # why, by run
    executions: ExecutionMap | None


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


class Replaying(TypedDict):
    """Kernel to panel: how far the replay of a run is; once it is over the panel's state has the verdict."""

    kind: Literal["replaying"]
    run: str
    text: str  # what is being done; of one that is over without a verdict why
    code: str  # the first line of the cell that runs
    done: int  # executions that have run
    total: int  # 0: nobody knows yet
    seconds: float  # since it began
    over: bool


FromKernel = Points | News | Answer | Fault | Replaying

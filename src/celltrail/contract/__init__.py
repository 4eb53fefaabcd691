"""Every shape that leaves Python: to a panel, into a saved notebook, over HTTP or out of ``--json``.

``js/src/contract.ts`` is printed from this room by ``make print``; a test compares the two. Only
``TypedDict``, ``Literal``, ``X | None``, ``list`` and ``dict[str, X]`` are used, because that is what the
printer knows. Names are snake_case on both sides.

Times are seconds since the epoch (UTC) as float unless a field says otherwise; durations are seconds.
NaN and infinity have no JSON: a `Real` spells them as words, and series travel in float64 buffers.
"""

from celltrail.contract.answers import Answer, Fault, FromKernel, News
from celltrail.contract.comparison import CodeDifference, CodeLine, Comparison, Difference, Verdict
from celltrail.contract.detail import Detail, DetailOptions, Piece, Section
from celltrail.contract.intents import (
    Asked,
    Compare,
    Complete,
    Draw,
    DropView,
    Edit,
    Fetch,
    FromPanel,
    Hold,
    List,
    Note,
    OpenView,
    Query,
    Renew,
    SaveView,
    Sum,
    Sync,
    Take,
    Undo,
    Views,
    Window,
    Write,
)
from celltrail.contract.media import Content, Kept, MediaItem, MediaOptions, MediaShown
from celltrail.contract.points import (
    Band,
    ChartOptions,
    Drawn,
    Flag,
    Grouping,
    Mark,
    Part,
    Points,
    RunState,
    SavedSeries,
)
from celltrail.contract.rows import GroupOf, Head, Listing, MetricSummary, ParamValue, RowsPage, RunRow, Summed, Sums
from celltrail.contract.saved import SavedPanel
from celltrail.contract.server import Hello, Trail
from celltrail.contract.table import Proposal, SavedView, TableOptions
from celltrail.contract.words import MIME, VERSION, Goal, MediaKind, PanelKind, Real, Scalar, Smoothing, Status

__all__ = [
    "MIME",
    "VERSION",
    "Answer",
    "Asked",
    "Band",
    "ChartOptions",
    "CodeDifference",
    "CodeLine",
    "Compare",
    "Comparison",
    "Complete",
    "Content",
    "Detail",
    "DetailOptions",
    "Difference",
    "Draw",
    "Drawn",
    "DropView",
    "Edit",
    "Fault",
    "Fetch",
    "Flag",
    "FromKernel",
    "FromPanel",
    "Goal",
    "GroupOf",
    "Grouping",
    "Head",
    "Hello",
    "Hold",
    "Kept",
    "List",
    "Listing",
    "Mark",
    "MediaItem",
    "MediaKind",
    "MediaOptions",
    "MediaShown",
    "MetricSummary",
    "News",
    "Note",
    "OpenView",
    "PanelKind",
    "ParamValue",
    "Part",
    "Piece",
    "Points",
    "Proposal",
    "Query",
    "Real",
    "Renew",
    "RowsPage",
    "RunRow",
    "RunState",
    "SaveView",
    "SavedPanel",
    "SavedSeries",
    "SavedView",
    "Scalar",
    "Section",
    "Smoothing",
    "Status",
    "Sum",
    "Summed",
    "Sums",
    "Sync",
    "TableOptions",
    "Take",
    "Trail",
    "Undo",
    "Verdict",
    "Views",
    "Window",
    "Write",
]

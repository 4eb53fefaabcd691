"""A panel at rest."""

from typing import TypedDict

from celltrail.contract.comparison import Comparison
from celltrail.contract.detail import Detail
from celltrail.contract.evaluation import EvaluationShown
from celltrail.contract.media import MediaShown
from celltrail.contract.points import Band, ChartOptions, Flag, Grouping, Mark, RunState, SavedSeries
from celltrail.contract.rows import RunRow
from celltrail.contract.table import TableOptions
from celltrail.contract.words import PanelKind


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
    evaluations: list[EvaluationShown]  # a split each

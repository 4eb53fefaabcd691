"""How the run table is shown, and what helps to ask it."""

from typing import TypedDict


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

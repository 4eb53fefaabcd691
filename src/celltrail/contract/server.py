"""What the server extension says of its trails."""

from typing import TypedDict

from celltrail.contract.rows import RunRow
from celltrail.contract.words import Status


class Trail(TypedDict):
    """A trail that a server shows."""

    id: str
    name: str  # of the folder it is in
    folder: str | None  # that folder below the server's root, with slashes; null where it is elsewhere
    live: int  # runs that go on


class TrailRows(TypedDict):
    """Runs of several trails, the newest first."""

    rows: list[RunRow]
    trails: list[str]  # of each row the id of the trail that it is in
    total: int


class CellRun(TypedDict):
    """The newest run of a cell of a notebook."""

    cell: str
    run: str
    name: str
    status: Status
    said: str  # what it came to, in a few words
    already: str  # that the same ran before, in words, or ""
    previous: str | None  # the run of the cell before it


class Hello(TypedDict):
    """What a server says first."""

    version: str
    contract: int
    trails: list[Trail]

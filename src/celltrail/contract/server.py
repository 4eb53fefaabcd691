"""What the server extension says of its trails."""

from typing import TypedDict


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

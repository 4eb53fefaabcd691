"""What runs keep beside numbers."""

from typing import Literal, TypedDict

from celltrail.contract.words import MediaKind, Scalar


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

"""What a run kept beside numbers, read back: texts, images, figures, audio, video, tables, histograms."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, Damaged, NoRun, StoreError, nearest
from celltrail.model import Json
from celltrail.query import picture
from celltrail.query.plain import number, shown
from celltrail.store.files.encoding import decode, encode

if TYPE_CHECKING:
    from celltrail.store import Blobs

KINDS = ("text", "image", "figure", "audio", "video", "table", "histogram")
_MOST_SHOWN = 8 << 20  # bytes put into a notebook; it would be saved with all of them
_ROWS_SHOWN = 20
_CHARACTERS_SHOWN = 20_000


@dataclass(frozen=True)
class Item:
    """One item that a run logged. In a notebook it shows itself: a picture as a picture, a table as a table.

    Attributes:
        name: the key it was logged with.
        kind: text, image, figure, audio, video, table or histogram.
        step: the step it belongs to.
        time: when it was logged, UTC.
        media: the media type of its bytes.
        size: how many bytes it has.
        facts: what is known without reading it, such as width and height, rate, rows or nan.
    """

    name: str
    kind: str
    step: int | None
    time: datetime
    media: str
    size: int
    facts: dict[str, Json]
    _record: Mapping[str, Json]
    _blobs: Blobs

    @property
    def digest(self) -> str:
        """The digest of its blob, "" where the bytes stand in the log itself."""
        return str(self._record.get("blob") or "")

    @cached_property
    def bytes(self) -> bytes:
        """The bytes, verified; `Damaged` when they are not what was kept, or are missing."""
        if self._record.get("lost"):
            raise Damaged(f"the bytes of {self.name!r} at step {self.step} were never written: the disk failed then")
        try:
            if "blob" in self._record:
                return self._blobs.get(str(self._record["blob"]))
            if "base64" in self._record:
                return base64.b64decode(self._record["base64"], validate=True)
        except (NoRun, ValueError, TypeError) as error:
            raise Damaged(f"the bytes of {self.name!r} at step {self.step} are missing: {error}") from error
        value = self._record.get("value")
        return value.encode("utf-8", "backslashreplace") if isinstance(value, str) else encode(value)

    @property
    def value(self) -> Any:
        """What was logged: text, an array for a PNG image, a DataFrame, counts and edges; else the bytes."""
        if self.kind == "text":
            return self.bytes.decode("utf-8", "replace")
        if self.kind == "histogram":
            return self._histogram()
        if self.kind == "table":
            return self._table()
        if self.media.endswith("+json"):
            return decode(self.bytes, f"the figure {self.name!r}")
        if self.kind == "image" and self.media == "image/png":
            return picture.pixels(self.bytes)
        return self.bytes

    def save(self, path: Path | str) -> None:
        """Write the bytes to a file; also of an item larger than memory."""
        if "blob" in self._record:
            self._blobs.save(str(self._record["blob"]), Path(path))
        else:
            Path(path).write_bytes(self.bytes)

    def _histogram(self) -> tuple[Any, Any]:
        import numpy as np

        found = decode(self.bytes, f"the histogram {self.name!r}")
        try:
            return np.asarray(found["counts"]), np.asarray(found["edges"], np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise Damaged(f"the histogram {self.name!r} is not readable: {error}") from error

    def _table(self, rows: int | None = None) -> Any:
        """The table, or only its first rows."""
        import pyarrow as pa
        from pyarrow import parquet

        try:
            file = parquet.ParquetFile(pa.BufferReader(self.bytes))
            if rows is None:
                return file.read().to_pandas()
            some = next(file.iter_batches(batch_size=rows), None)
            return (file.read() if some is None else pa.Table.from_batches([some])).to_pandas()
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, StoreError):
                raise
            raise Damaged(f"the table {self.name!r} is not readable: {error}") from error

    def __repr__(self) -> str:
        told = [f"{self.kind} {self.name!r}", f"step {self.step}", self.media, size(self.size)]
        told += [f"{name}={number(v) if isinstance(v, float) else shown(v)}" for name, v in self.facts.items()]
        return f"<{' · '.join(told)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What a notebook shows; what cannot be read is said in a sentence instead."""
        try:
            return {"text/plain": repr(self), **self._bundle()}
        except StoreError as error:
            said = f"{self!r}: {error}"
            return {"text/plain": said, "text/html": picture.paragraph(said)}

    def _bundle(self) -> dict[str, Any]:
        if self.kind == "histogram":
            return {"text/html": picture.bars(self.name, *self._histogram())}
        if self.kind == "table":
            more = f"{self.facts.get('rows', '?')} rows, {self.facts.get('columns', '?')} columns"
            return {"text/html": self._table(_ROWS_SHOWN).to_html(escape=True) + picture.paragraph(more)}
        if self.size > _MOST_SHOWN:
            said = f"{self!r}: too large to be shown; .save(path) writes it to a file"
            return {"text/html": picture.paragraph(said)}
        if self.kind == "text":
            return {"text/plain": self.value, "text/html": picture.preformatted(self.value, _CHARACTERS_SHOWN)}
        if self.media in ("image/png", "image/jpeg", "image/gif"):
            return {self.media: base64.b64encode(self.bytes).decode()}
        if self.media.endswith("+json"):
            return {self.media: self.value}
        shown_as = picture.embedded(self.kind, self.media, self.name, self.bytes)
        return {"text/html": shown_as} if shown_as else {}


def items(
    events: Iterable[Mapping[str, Json]], blobs: Blobs, name: str | None = None, kind: str | None = None
) -> list[Item]:
    """The items among the events of a run, in order: those of this name and kind.

    Raises:
        BadValue: there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise BadValue(f"no kind of item {kind!r}{nearest(kind, KINDS) or ';'} kinds are {', '.join(KINDS)}")
    return [
        _item(event, blobs)
        for event in events
        if event.get("kind") == "item"
        and event.get("type") in KINDS
        and name in (None, event.get("name"))
        and kind in (None, event["type"])
    ]


def counts(events: Iterable[Mapping[str, Json]]) -> dict[str, int]:
    """How many items of each kind there are."""
    kinds = [event.get("type") for event in events if event.get("kind") == "item"]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}


def size(count: int) -> str:
    """So many bytes, for people.

    >>> size(980), size(2048), size(3_500_000)
    ('980 B', '2 KB', '3.5 MB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= scale:
            return f"{count / scale:.2g} {unit}" if count < 10 * scale else f"{count / scale:.0f} {unit}"
    return f"{count} B"


def _item(event: Mapping[str, Json], blobs: Blobs) -> Item:
    facts, bytes_ = event.get("facts"), event.get("size")
    return Item(
        name=str(event.get("name")),
        kind=event["type"],
        step=event.get("step"),
        time=datetime.fromtimestamp(event.get("t", 0) / 1e6, tz=UTC),
        media=str(event.get("media", "")),
        size=bytes_ if isinstance(bytes_, int) else 0,
        facts=facts if isinstance(facts, dict) else {},
        _record=event,
        _blobs=blobs,
    )

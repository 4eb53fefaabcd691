"""What a run's cells showed, read back: text as it stood on the screen, displays as they were."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, overload

from celltrail.errors import BadValue, NoRun, StoreError, nearest
from celltrail.model import Output
from celltrail.query.items import size
from celltrail.screen import folded

if TYPE_CHECKING:
    from celltrail.store import Blobs

_PLAIN = "text/plain"
_MOST_SHOWN = 8 << 20  # bytes put into a notebook; it would be saved with all of them


@dataclass(frozen=True)
class Piece:
    """One thing a cell showed. In a notebook it shows itself as the cell did.

    Attributes:
        output: what the trail keeps of it; its blobs hold the text as it was printed, control characters and all.
    """

    output: Output
    _blobs: Blobs

    @property
    def kind(self) -> str:
        """stdout, stderr, display, result or error."""
        return self.output.kind

    @property
    def media(self) -> list[str]:
        """The media types it has, plain text last."""
        return sorted(self.output.data, key=lambda media: (media == _PLAIN, media))

    @property
    def truncated(self) -> bool:
        """Whether some of it was not kept; `Output.size` is the true size."""
        return self.output.truncated

    @cached_property
    def text(self) -> str:
        """It as text: what a terminal would show in the end, without colours; "" where it has no text."""
        return self.folded()

    def folded(self, *, colour: bool = False) -> str:
        """It as text, with its colours or without."""
        digest = self.output.data.get(_PLAIN)
        return folded(self._blobs.text(digest), colour=colour) if digest else ""

    def bytes(self, media: str) -> bytes:
        """One of its forms, as it was received: pictures decoded, text with all its control characters."""
        if media not in self.output.data:
            tail = nearest(media, self.media) or f"; it has {', '.join(self.media) or 'nothing that was kept'}"
            raise BadValue(f"this {self.kind} has no {media!r}{tail}")
        return self._blobs.get(self.output.data[media])

    def forms(self) -> str:
        """Its forms other than plain text, with their sizes.

        A form whose bytes are gone is named without a size.
        """
        return ", ".join(self._form(media) for media in self.media if media != _PLAIN)

    def _form(self, media: str) -> str:
        try:
            return f"{media} {size(self._blobs.size(self.output.data[media]))}"
        except (StoreError, NoRun):
            return media

    def __str__(self) -> str:
        """Text where it has some, else its forms."""
        return self.text or f"[{self.forms() or f'{self.kind} {size(self.output.size)}'}]"

    def __repr__(self) -> str:
        told = [self.kind, size(self.output.size), self.forms(), "not all kept" if self.truncated else ""]
        return f"<{' · '.join(filter(None, told))}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What the cell showed; what cannot be read is said in a sentence instead."""
        try:
            return self._bundle()
        except (StoreError, NoRun) as error:
            return {_PLAIN: f"{self!r}: {error}"}

    def _bundle(self) -> dict[str, Any]:
        bundle: dict[str, Any] = {_PLAIN: str(self)}
        if self.kind in ("display", "result"):
            for media in self.media[:-1] if _PLAIN in self.output.data else self.media:
                if self._blobs.size(self.output.data[media]) <= _MOST_SHOWN:
                    bundle[media] = _value(media, self.bytes(media))
        return bundle


class Shown(Sequence[Piece]):
    """All a run showed, in the order it was shown; as text by `text` or ``print``."""

    def __init__(self, outputs: Sequence[Output], blobs: Blobs) -> None:
        self._pieces = [Piece(output, blobs) for output in outputs]

    @overload
    def __getitem__(self, index: int) -> Piece: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Piece]: ...

    def __getitem__(self, index: int | slice) -> Piece | Sequence[Piece]:
        return self._pieces[index]

    def __len__(self) -> int:
        return len(self._pieces)

    def __iter__(self) -> Iterator[Piece]:
        return iter(self._pieces)

    @property
    def text(self) -> str:
        """Everything as text, one piece below the other; pictures and the like as a mark with their size."""
        texts = list(map(str, self._pieces))
        return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self._pieces))}]"

    def _repr_html_(self) -> str:
        """Text as text, pictures as pictures; never a script or markup of the run's."""
        return "".join(_html(piece) for piece in self._pieces)


def _html(piece: Piece) -> str:
    try:
        picture = next((media for media in piece.media if media in ("image/png", "image/jpeg", "image/gif")), "")
        if picture and piece.output.size <= _MOST_SHOWN:
            data = base64.b64encode(piece.bytes(picture)).decode()
            return f"<img alt='{escape(piece.kind)}' src='data:{picture};base64,{data}'>"
        return f"<pre>{escape(str(piece))}</pre>"
    except (StoreError, NoRun) as error:
        return f"<pre>{escape(f'{piece!r}: {error}')}</pre>"


def _value(media: str, data: bytes) -> Any:
    """A form as a front end takes it: bytes as base64, JSON as what it says, everything else as text."""
    import orjson

    if media.endswith("json"):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            return data.decode("utf-8", "replace")
    if media.startswith("text/") or "+xml" in media or media.endswith("javascript"):
        return data.decode("utf-8", "replace")
    return base64.b64encode(data).decode()

"""The media panel: what runs kept beside numbers, read from the trail one at a time when it is looked at."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any, cast

from celltrail import contract
from celltrail.contract import Answer, Content, MediaItem, MediaOptions, MediaShown, RunState, SavedPanel, Take
from celltrail.errors import BadValue, CelltrailError
from celltrail.panels import saved
from celltrail.panels.widget import Panel, Reply, answer
from celltrail.query.items import Item, size
from celltrail.query.media import Media, Place
from celltrail.query.plain import number, shown

OPTIONS: MediaOptions = {"key": "", "step": None, "how": "beside", "first": "", "second": "", "share": 0.5}
MOST_ITEMS = 5000
MOST_BYTES = 32 << 20  # of one item in a panel; it goes to the page as a whole
MOST_TEXT, MOST_ROWS, MOST_COLUMNS = 20_000, 200, 40
KEPT_BYTES, KEPT_EACH = 24_000, 9_000  # of all items, and of one, in the saved form
THUMBNAILS = (160, 96, 64)  # pixels; the first that fits

VEGALITE = "application/vnd.vegalite.v6+json"  # drawn by celltrail's extension of Jupyter
INLINE = {
    "image": ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"),
    "figure": ("image/png", "image/svg+xml"),
    "audio": ("audio/wav", "audio/mpeg", "audio/ogg", "audio/flac"),
    "video": ("video/mp4", "video/webm", "image/gif"),
}


class MediaPanel(Panel):
    """The widget: it holds what there is and asks for what is looked at."""

    def __init__(self, media: Media) -> None:
        self.media = media
        super().__init__("media", _payload(media, media=listing(media)), OPTIONS)

    def renew(self, media: Media) -> None:
        """There is more than before."""
        self.media = media
        self.state = {**cast("dict[str, Any]", self.state), "title": _title(media), "media": listing(media)}

    @property
    def answers(self) -> dict[str, Callable[[Any], Answer | Reply | None]]:
        """One item at a time."""
        return {"take": lambda asked: taken(self.media, asked)}


def _payload(found: Media, **parts: Any) -> SavedPanel:
    run = found.runs[0] if found.runs else None
    return saved.panel("media", run.store.id if run else "", _title(found), **parts)


def _title(media: Media) -> str:
    return ", ".join(media.keys[:3]) or "media"


def listing(media: Media) -> MediaShown:
    """What there is, without its bytes; the newest where there is very much."""
    items = [_listed(place) for place in media.places[-MOST_ITEMS:]]
    runs: dict[str, str] = {run.id: run.name for run in media.runs}
    return {"runs": runs, "items": items, "omitted": len(media.places) - len(items), "kept": []}


def taken(media: Media, asked: Take) -> Reply:
    """One item with its bytes, or the sentence why it cannot be shown."""
    for place in media.places:
        if place.run.id == asked["run"] and place.number == asked["number"]:
            content, data = content_of(place.item)
            return answer(asked["id"], content=content), [data]
    raise BadValue(f"run {asked['run']!r} kept no item {asked['number']} that this panel shows")


def content_of(item: Item) -> tuple[Content, bytes]:
    """An item as a panel takes it: bytes with their type, text, counts or rows; or why not, in words."""
    if item.size > MOST_BYTES:
        said = f"{size(item.size)} is too large to be shown here; .save(path) writes it to a file"
        return empty_but(said=said), b""
    try:
        match item.kind:
            case "text":
                text: str = item.value
                more = f"\n… and {len(text) - MOST_TEXT:,} more characters" if len(text) > MOST_TEXT else ""
                return empty_but(text=text[:MOST_TEXT] + more), b""
            case "histogram":
                counts, edges = item.value
                return empty_but(counts=counts.astype(float).tolist(), edges=edges.tolist()), b""
            case "table":
                return empty_but(**_table(item)), b""
            case "figure" if item.media == VEGALITE:
                return empty_but(media=item.media), item.bytes
            case _ if item.media in INLINE.get(item.kind, ()):
                return empty_but(media=item.media), item.bytes
            case _:
                said = f"{item.media} is not drawn here; display the item itself: run.items({item.name!r})"
                return empty_but(said=said), b""
    except CelltrailError as error:
        return empty_but(said=str(error)), b""


def empty_but(**parts: Any) -> Content:
    """The content of an item with everything that is not given left empty."""
    empty: Content = {
        "media": "", "said": "", "text": None, "counts": [], "edges": [], "heads": [], "rows": [], "more": 0,
    }  # fmt: skip
    return cast("Content", {**empty, **parts})


def _table(item: Item) -> dict[str, Any]:
    frame = item.value
    part = frame.iloc[:MOST_ROWS, :MOST_COLUMNS]
    return {
        "heads": [str(name) for name in part.columns],
        "rows": [[_cell(value) for value in row] for row in part.itertuples(index=False)],
        "more": max(0, len(frame) - MOST_ROWS),
    }


def _cell(value: Any) -> contract.Scalar:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    return shown(value)


_SAID = {"method": "{0}", "of": "from {0} rows"}  # facts that their own names tell badly


def _listed(place: Place) -> MediaItem:
    run, number_, item = place
    facts = item.facts
    told = [f"{facts['width']} x {facts['height']}"] if "width" in facts and "height" in facts else []
    told += [
        _SAID.get(name, "{} {}").format(number(value) if isinstance(value, float) else shown(value), name)
        for name, value in facts.items()
        if name not in ("width", "height") and value is not None
    ]
    step = None if item.step is None else float(item.step)
    return {
        "run": run.id,
        "number": number_,
        "key": item.name,
        "kind": cast("contract.MediaKind", item.kind),
        "step": step,
        "digest": str(item.digest),
        "said": ", ".join([*told, size(item.size)]),
    }


def bundle(media: Media, view: str | None, runs: Sequence[RunState] = ()) -> saved.Bundle:
    """What a cell that ends in media shows and keeps: the newest of each key and run, as small as they must be.

    Args:
        media: what there is.
        view: the id of the live widget.
        runs: how the runs stand, where what they still keep is to be added by whoever saves the notebook.
    """
    payload = _payload(media, runs=list(runs), media={**listing(media), "kept": _kept(media)})
    return saved.with_view(saved.media_bundle(payload, repr(media)), view)


def _kept(media: Media) -> list[contract.Kept]:
    newest = {(place.run.id, place.item.name): place for place in media.places}
    found: list[contract.Kept] = []
    room = KEPT_BYTES
    for place in newest.values():
        content, data = content_of(place.item)
        if content["media"].startswith("image/") and len(data) > KEPT_EACH * 3 // 4:
            content, data = _thumbnail(content, data)
        content["text"] = content["text"] and content["text"][:2000]
        content["rows"], more = content["rows"][:20], len(content["rows"][20:])
        content["more"] += more
        encoded = base64.b64encode(data).decode()
        cost = len(encoded) + len(str(content))
        if cost <= min(room, KEPT_EACH):
            room -= cost
            found.append({"run": place.run.id, "number": place.number, "content": content, "data": encoded})
    return found


def _thumbnail(content: Content, data: bytes) -> tuple[Content, bytes]:
    """A picture small enough for a file; nothing of it where Pillow is not installed."""
    try:
        from PIL import Image

        picture = Image.open(io.BytesIO(data)).convert("RGB")
        made = b""
        for pixels in THUMBNAILS:
            picture.thumbnail((pixels, pixels))
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=80)
            made = file.getvalue()
            if len(made) <= KEPT_EACH * 2 // 3:
                break
    except (ImportError, OSError, ValueError, SyntaxError):
        return content, data
    return {**content, "media": "image/jpeg", "said": "smaller than it was kept"}, made

"""The verbs by which a run keeps what is no number: text, images, figures, audio, video, tables, histograms, alerts."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celltrail.errors import BadValue, StoreError
from celltrail.model import LEVELS, Json, Level
from celltrail.run import media
from celltrail.run.alerting import Alerting
from celltrail.run.events import Alerted, Kept, tell
from celltrail.run.values import check_name, check_step, check_text, check_title, to_float
from celltrail.store.files.encoding import encode

INLINE_BYTES = 2048  # up to here a value stands in the log itself: a file of its own takes a block of the disk


class Items(Alerting):
    """What a run can be given beside numbers. `query.StoredRun.items` and `alerts` read it back.

    A value that is not allowed raises `BadValue` and changes nothing. When the disk fails, the cell goes on:
    the run says that the bytes of this item are missing.
    """

    step: int | None
    kept: Counter[str]

    def log_text(self, key: str, text: str, step: int | None = None) -> None:
        """Keep a text.

        Args:
            key: the item's name; items of one name are a series over the steps.
            text: plain text; it is shown as it is, never as HTML.
            step: where it belongs; that of the last `log` call when left out.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log_text("sample", "once upon a time", step=3)
        """
        self._keep(key, text, step, media.text)

    def log_image(self, key: str, value: Any, step: int | None = None) -> None:
        """Keep a picture.

        Args:
            key: the item's name.
            value: an array of uint8 or of float 0 to 1, H x W or H x W x 1, 3 or 4; a picture of PIL; a path or
                the bytes of a PNG, JPEG, GIF, WebP or SVG file. Pixels that are NaN become black and are counted.
            step: where it belongs; that of the last `log` call when left out.
        """
        self._keep(key, value, step, media.image)

    def log_figure(self, key: str, value: Any, step: int | None = None) -> None:
        """Keep a figure of matplotlib (as PNG), Altair or Plotly (as their JSON)."""
        self._keep(key, value, step, media.figure)

    def log_audio(self, key: str, value: Any, step: int | None = None) -> None:
        """Keep sound: a path or the bytes of a WAV, MP3, OGG or FLAC file, or ``(samples, rate)``."""
        self._keep(key, value, step, media.audio)

    def log_video(self, key: str, value: Any, step: int | None = None) -> None:
        """Keep a film: a path or the bytes of an MP4, WebM or GIF file."""
        self._keep(key, value, step, media.video)

    def log_table(self, key: str, value: Any, step: int | None = None) -> None:
        """Keep a table: a DataFrame, a list of dicts or a dict of lists."""
        self._keep(key, value, step, media.table)

    def log_histogram(self, key: str, value: Any, step: int | None = None) -> None:
        """Keep how values are spread: numbers, counted in 64 bins, or a tuple of counts and edges.

        NaN and infinities are in no bin and counted apart.
        """
        self._keep(key, value, step, media.histogram)

    def log_alert(
        self,
        title: str,
        text: str = "",
        *,
        level: Level = "warn",
        metric: str | None = None,
        value: float | None = None,
        step: int | None = None,
        rule: str = "",
    ) -> None:
        """Say that something happened which somebody should look at.

        Args:
            title: what, in a line.
            text: more of it, plain text.
            level: "info", "warn" or "error".
            metric: what it is about.
            value: what that was.
            step: where; that of the last `log` call when left out, none before the first.
            rule: what fired, where a rule did.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log({"train/loss": float("nan")}, step=37)
        ...     run.log_alert("loss is NaN", metric="train/loss", level="error")
        """
        if not self.is_running:
            self._refuse()
        if level not in LEVELS:
            raise BadValue(f"level {level!r} is not one of {', '.join(map(repr, LEVELS))}")
        alerted = Alerted(
            run=self,
            title=check_title(title),
            text=check_text("text", text),
            level=level,
            metric=None if metric is None else check_name(metric),
            step=self.step if step is None else check_step(step),
            value=None if value is None else to_float("value", value),
            rule=check_text("rule", rule),
        )
        self.writer.alert(
            title=alerted.title,
            text=alerted.text,
            level=level,
            metric=alerted.metric,
            value=alerted.value,
            step=alerted.step,
            rule=alerted.rule,
        )
        self.kept["alert"] += 1
        tell(alerted)

    def _keep(self, key: str, value: Any, step: int | None, read: Callable[[str, Any], media.Content]) -> None:
        name = check_name(key, "item")
        if not self.is_running:
            self._refuse()
        at = (self.step or 0) if step is None else check_step(step)
        content = read(name, value)
        held = self._held(name, content)
        more = {"facts": content.facts} if content.facts else {}
        self.writer.item(name, at, held.pop("value", None), type=content.kind, media=content.media, **held, **more)
        self.kept[content.kind] += 1
        tell(Kept(self, name, content.kind))

    def _held(self, name: str, content: media.Content) -> dict[str, Json]:
        """Where the bytes are: in the item itself or in a blob; nowhere when the disk does not take them."""
        data = content.data
        try:
            if isinstance(data, Path):
                digest = self.store.blobs.put_file(data)
                return {"blob": digest, "size": self.store.blobs.size(digest)}
            raw = _raw(data)
            if len(raw) > INLINE_BYTES:
                return {"blob": self.store.blobs.put(raw), "size": len(raw)}
        except StoreError as error:
            self.writer.trouble(f"the bytes of an item could not be written: {error}")
            return {"lost": True}
        except OSError as error:
            raise BadValue(
                f"{name!r} was given a file that cannot be read ({error.strerror or error}); allowed is one that "
                "this account may read; change its permissions or log a copy"
            ) from None
        if isinstance(data, bytes):
            return {"base64": base64.b64encode(raw).decode(), "size": len(raw)}
        return {"value": data, "size": len(raw)}


def _raw(data: bytes | Json) -> bytes:
    if isinstance(data, bytes):
        return data
    return data.encode("utf-8", "backslashreplace") if isinstance(data, str) else encode(data)

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
    """What a run can keep besides numbers. `query.StoredRun.items` and `alerts` read it back.

    A value that is not allowed raises `BadValue` and changes nothing. When the disk fails, the cell goes on:
    the run says that the bytes of this item are missing.
    """

    step: int | None
    kept: Counter[str]

    def log_text(self, key: str, text: str, step: int | None = None) -> None:
        """Log a text.

        Args:
            key: the item's name; items of one name are a series over the steps.
            text: plain text; it is shown as it is, never as HTML.
            step: the step it belongs to; that of the last `log` call when left out.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log_text("sample", "once upon a time", step=3)
        """
        self._keep(key, text, step, media.text)

    def log_image(self, key: str, value: Any, step: int | None = None) -> None:
        """Log a picture.

        Args:
            key: the item's name.
            value: an array of uint8, or of floats from 0 to 1, with shape (H, W) or (H, W, 1, 3 or 4); a PIL image;
                the path or the bytes of a PNG, JPEG, GIF, WebP or SVG file. NaN pixels become black and are counted.
            step: the step it belongs to; that of the last `log` call when left out.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log_image("noise", np.zeros((8, 8)), step=3)
        """
        self._keep(key, value, step, media.image)

    def log_figure(self, key: str, value: Any, step: int | None = None) -> None:
        """Log a figure of matplotlib (kept as PNG), Altair or Plotly (kept as their JSON).

        >>> import altair
        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log_figure("spread", altair.Chart({"values": [{"x": 1}]}).mark_tick().encode(x="x:Q"))
        """
        self._keep(key, value, step, media.figure)

    def log_audio(self, key: str, value: Any, step: int | None = None) -> None:
        """Log audio: the path or the bytes of a WAV, MP3, OGG or FLAC file, or ``(samples, rate)``.

        >>> from celltrail.run import start
        >>> with start("demo") as run:  # samples from -1 to 1, so many a second
        ...     run.log_audio("tone", (np.sin(np.arange(8000) / 10), 8000))
        """
        self._keep(key, value, step, media.audio)

    def log_video(self, key: str, value: Any, step: int | None = None) -> None:
        """Log a video: the path or the bytes of an MP4, WebM or GIF file."""
        self._keep(key, value, step, media.video)

    def log_table(self, key: str, value: Any, step: int | None = None) -> None:
        """Log a table: a DataFrame, a list of dicts or a dict of lists.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log_table("errors", {"row": [17, 42], "said": ["cat", "dog"]})
        """
        self._keep(key, value, step, media.table)

    def log_histogram(self, key: str, value: Any, step: int | None = None) -> None:
        """Log a histogram: numbers to count in 64 bins, or a tuple of counts (n) and edges (n + 1).

        NaN and infinities are in no bin and counted apart.

        >>> from celltrail.run import start
        >>> with start("demo") as run:
        ...     run.log_histogram("weights", np.linspace(-1, 1, 1000))
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
        """Raise an alert: something happened that somebody should look at.

        Args:
            title: what happened, in a line.
            text: the details, in plain text.
            level: "info", "warn" or "error".
            metric: the metric it is about.
            value: the value of that metric.
            step: the step it happened at; that of the last `log` call when left out, none before the first.
            rule: the rule that fired, if one did.

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
        with self._unsynced.writing():
            held = self._held(name, content)
        more = {"facts": content.facts} if content.facts else {}
        self.writer.item(name, at, held.pop("value", None), type=content.kind, media=content.media, **held, **more)
        self.kept[content.kind] += 1
        if self.is_over:
            self._flush(waits=False)  # who hears of it looks it up; of what is over the trail may know nothing yet
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

"""What wandb wraps before it is logged: pictures, tables, histograms, sound, film, pages."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import celltrail as ct
from celltrail.wandb.missing import left_out


class Media(Protocol):
    """Something that knows how it is kept in a run."""

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it under this name."""
        ...


class Image:
    """A picture: an array, a tensor (channels first), a picture of PIL, a figure of matplotlib, or a path."""

    def __init__(self, data_or_path: Any, mode: str | None = None, caption: str | None = None, **more: Any) -> None:
        left_out(name for name, value in more.items() if value)
        self._data, self.caption = data_or_path, caption

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it, and its caption as a text."""
        data = self._data
        if hasattr(data, "savefig"):
            run.log_figure(key, data, step)
        else:
            run.log_image(key, _pixels(data), step)
        if self.caption is not None:
            run.log_text(f"{key}.caption", str(self.caption), step)


class Table:
    """Rows and columns, added to until it is logged; pictures and the like in its cells are kept beside it."""

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Iterable[Sequence[Any]] | None = None,
        dataframe: Any = None,
        **_: Any,
    ) -> None:
        given: Any = data if data is not None else rows
        self._frame: Any = dataframe if dataframe is not None else given if hasattr(given, "to_dict") else None
        self._rows = [list(row) for row in given] if given is not None and self._frame is None else []
        width = len(self._rows[0]) if self._rows else 3
        known = ["Input", "Output", "Expected"][:width] if self._frame is None else list(self._frame.columns)
        self.columns = list(columns) if columns is not None else known

    @property
    def data(self) -> list[list[Any]]:
        """Its rows; from now on they are what is kept, and no longer the frame that they came from."""
        if self._frame is not None:
            self._rows, self._frame = _rows(self._frame), None
        return self._rows

    def add_data(self, *row: Any) -> None:
        """Add a row."""
        if len(row) != len(self.columns):
            named = ", ".join(map(str, self.columns))
            raise ct.BadValue(f"a row of {len(row)} values for {len(self.columns)} columns: {named}")
        self.data.append(list(row))

    def add_column(self, name: str, data: Iterable[Any]) -> None:
        """Add a column, with a value for each row."""
        values, rows = list(data), self.data
        if rows and len(values) != len(rows):
            raise ct.BadValue(f"the column {name!r} has {len(values)} values for {len(rows)} rows")
        self.columns = [*(self.columns if rows else []), name]
        self._rows = [[*row, value] for row, value in zip(rows or [[]] * len(values), values, strict=True)]

    def get_column(self, name: str, convert_to: str | None = None) -> Any:
        """The values of a column; ``convert_to="numpy"`` as an array."""
        if name not in self.columns:
            raise ct.BadValue(f"the table has no column {name!r}; it has {', '.join(map(str, self.columns))}")
        values = [row[self.columns.index(name)] for row in self.data]
        return import_module("numpy").asarray(values) if convert_to == "numpy" else values

    def get_dataframe(self) -> Any:
        """It as a DataFrame."""
        return import_module("pandas").DataFrame(self.data, columns=list(map(str, self.columns)))

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """Each row with its place."""
        yield from enumerate(self.data)

    def rows(self) -> list[dict[str, Any]]:
        """Its rows by the names of its columns; what is no plain value is its text."""
        names = [str(name) for name in self.columns]
        given = self._rows if self._frame is None else _rows(self._frame)
        return [dict(zip(names, map(_plain, row), strict=False)) for row in given]

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it; what is no plain value in a cell is kept as its text, a picture as an item that the cell names."""
        if self._frame is not None:
            run.log_table(key, self._frame, step)
            return
        rows = self.rows()
        for place, (row, given) in enumerate(zip(rows, self._rows, strict=True)):
            for name, value in zip(list(row), given, strict=False):
                if hasattr(value, "keep"):
                    row[name] = f"{key}/{name}/{place}"
                    value.keep(run, row[name], step)
        if rows:
            run.log_table(key, rows, step)


class Histogram:
    """How values are spread: the values, or counts and edges as NumPy gives them."""

    def __init__(self, sequence: Any = None, np_histogram: Any = None, num_bins: int = 64) -> None:
        self._spread = tuple(np_histogram) if np_histogram is not None else sequence

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it."""
        run.log_histogram(key, self._spread, step)


class Audio:
    """Sound: a path, or samples with their rate."""

    def __init__(self, data_or_path: Any, sample_rate: int | None = None, caption: str | None = None) -> None:
        self._data = data_or_path if sample_rate is None else (data_or_path, sample_rate)

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it."""
        run.log_audio(key, self._data, step)


class Video:
    """A film: a path, the bytes of a file, or pictures one after another, shape (time, channels, height, width)."""

    def __init__(self, data_or_path: Any, caption: str | None = None, fps: int | None = None, **_: Any) -> None:
        self._data, self._fps = data_or_path, fps or 4

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it; several films in one array beside each other, and pictures as a GIF."""
        data = self._data
        if hasattr(data, "detach"):
            data = data.detach().cpu().numpy()
        if getattr(data, "ndim", 0) in (4, 5):
            data = _gif(data if data.ndim == 4 else _beside(data), self._fps)
        run.log_video(key, data.getvalue() if isinstance(data, io.BytesIO) else data, step)


class Html:
    """A page, kept and shown as its text; given as text, as an open file, or as the path of a ``.html`` file."""

    def __init__(self, data: Any, data_is_not_path: bool = False, **_: Any) -> None:
        is_path = str(data).endswith(".html") and not data_is_not_path and Path(str(data)).is_file()
        self._data = data.read() if hasattr(data, "read") else Path(str(data)).read_text("utf-8") if is_path else data

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it."""
        run.log_text(key, str(self._data), step)


class Plotly:
    """A figure of Plotly."""

    def __init__(self, val: Any) -> None:
        self._figure = val

    def keep(self, run: ct.Run, key: str, step: int) -> None:
        """Keep it."""
        run.log_figure(key, self._figure, step)


def _rows(frame: Any) -> list[list[Any]]:
    """Those of a DataFrame, each value as its column has it."""
    return frame.astype(object).to_numpy().tolist()


def _pixels(data: Any) -> Any:
    """An array with its channels last; what is none stays what it is."""
    if not hasattr(data, "detach"):
        return data
    array = data.detach().cpu().numpy()
    return array.transpose(1, 2, 0) if array.ndim == 3 and array.shape[0] in (1, 3, 4) else array


def _beside(films: Any) -> Any:
    """Several films, shape (n, time, channels, height, width), as one that is n times as wide."""
    n, length, channels, height, width = films.shape
    return films.transpose(1, 2, 3, 0, 4).reshape(length, channels, height, n * width)


def _gif(frames: Any, fps: int) -> bytes:
    try:
        image: Any = import_module("PIL.Image")
    except ImportError as error:
        raise ct.CelltrailError(
            "a film made of pictures is written by Pillow: pip install 'celltrail[image]'"
        ) from error
    if frames.shape[1] not in (1, 3, 4):
        raise ct.BadValue(
            f"a film of shape {frames.shape} is not (time, channels, height, width) with 1, 3 or 4 channels"
        )
    if frames.dtype.kind == "f":
        frames = frames * (255 if frames.max(initial=0) <= 1 else 1)
    pictures = [
        image.fromarray(each[..., 0] if each.shape[-1] == 1 else each)
        for each in frames.clip(0, 255).astype("uint8").transpose(0, 2, 3, 1)
    ]
    made = io.BytesIO()
    pictures[0].save(
        made, "GIF", save_all=True, append_images=pictures[1:], duration=max(20, round(1000 / fps)), loop=0
    )
    return made.getvalue()


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)

"""Series put together from the logs of a run and from what is sealed of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from celltrail.model import is_of_machine
from celltrail.store.log.ranks import order_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store.log.rows import Rows

    Integers = NDArray[np.int64]
    Calls = tuple[Integers, Integers, Integers | None]

Window = tuple[float, float]  # first and last step, both included
Cuts = Mapping[str, int]  # writer -> the last step that counts; points beyond were superseded by a rewind


class Series(NamedTuple):
    """The points of one metric, in the order logged."""

    step: NDArray[np.int64]
    t_us: NDArray[np.int64]
    value: NDArray[np.float64]

    def within(self, window: Window | None) -> Series:
        """The points of these steps; all of them when None."""
        if window is None:
            return self
        return self.at((self.step >= window[0]) & (self.step <= window[1]))

    def at(self, places: NDArray[np.bool_] | NDArray[np.int64]) -> Series:
        """The points at these places, in their order."""
        return Series(self.step[places], self.t_us[places], self.value[places])


class Source(Protocol):
    """A place that holds points of a run: the log of a writer, or what was sealed together."""

    @property
    def names(self) -> Sequence[str]:
        """The metrics it has points of, in the order first seen."""
        ...

    def parts(self, name: str, window: Window | None) -> Iterator[tuple[str, Series]]:
        """The points of a metric, apart for each writer; with a window only its steps."""
        ...


class SeriesMapping(Mapping[str, Series]):
    """The series of one run by name; only what is asked for is gathered."""

    def __init__(self, sources: Sequence[Source], cuts: Cuts | None = None) -> None:
        self.sources = sources
        self.cuts = cuts or {}
        self.noted: dict[str, Any] = {}  # what a reader found out about a series and wants to know again
        self._made: dict[str, Series] = {}
        self._names = dict.fromkeys(name for source in sources for name in source.names)

    def __getitem__(self, name: str) -> Series:
        if name not in self._made:
            self._made[name] = self._gather(name, None)
        return self._made[name]

    def window(self, name: str, first_step: float, last_step: float) -> Series:
        """The points from one step to another, both included; of a sealed run little more than these is read."""
        window = first_step, last_step
        return self._made[name].within(window) if name in self._made else self._gather(name, window)

    def apart(self, name: str, superseded: bool = False) -> dict[str, Series]:
        """The points of a metric, apart for each writer that has some; on demand those too that a rewind superseded."""
        writers = self._parts(name, None, {} if superseded else self.cuts)
        return {writer: joined(writers[writer]) for writer in sorted(writers, key=order_of)}

    def forget(self, most: int) -> int:
        """Let go of the series put together first, beyond so many bytes; the bytes of those that are kept."""
        left = 0
        for name in reversed(list(self._made)):
            left += sum(column.nbytes for column in self._made[name])
            if left > most:
                left -= sum(column.nbytes for column in self._made.pop(name, ()))
                self.noted.pop(name, None)
        return left

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def _gather(self, name: str, window: Window | None) -> Series:
        writers = self._parts(name, window, self.cuts)
        return merged([joined(writers[writer]) for writer in sorted(writers, key=order_of)])

    def _parts(self, name: str, window: Window | None, cuts: Cuts) -> dict[str, list[Series]]:
        if name not in self._names:
            raise KeyError(name)
        writers: dict[str, list[Series]] = {}
        is_cut = bool(cuts) and not is_of_machine(name)  # what the machine did was done, whatever counts of it
        for source in self.sources:
            for writer, part in source.parts(name, window):
                if is_cut and writer in cuts:
                    part = part.at(counting(part, cuts[writer]))
                writers.setdefault(writer, []).append(part)
        return writers


def counting(part: Series, cut: int | None) -> NDArray[np.bool_]:
    """Which points of a writer count that was cut after this step."""
    import numpy as np

    return np.ones(len(part.step), dtype=bool) if cut is None else part.step <= cut


def joined(parts: Sequence[Series]) -> Series:
    """Several stretches behind each other."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    return Series(
        np.concatenate([part.step for part in parts]),
        np.concatenate([part.t_us for part in parts]),
        np.concatenate([part.value for part in parts]),
    )


def merged(parts: Sequence[Series]) -> Series:
    """The points of several writers: by step, and at one step by rank, which is the order of the parts."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
    whole = joined(parts)
    return whole.at(np.argsort(whole.step, kind="stable"))


class LogRows:
    """The points in the log of one writer."""

    def __init__(self, writer: str, rows: list[Rows]) -> None:
        self._writer = writer
        self._rows = rows
        self._calls: dict[tuple[int, ...], Calls] = {}
        self.names = list(dict.fromkeys(name for block in rows for name in block.names))

    def parts(self, name: str, window: Window | None) -> Iterator[tuple[str, Series]]:
        """The points of a metric, if it has any."""
        import numpy as np

        blocks = [number for number, block in enumerate(self._rows) if name in block.names]
        if not blocks:
            return
        step, t_us, order = self._calls_of(tuple(blocks))
        columns = [self._rows[number].values[:, self._rows[number].names.index(name)] for number in blocks]
        value = columns[0] if order is None else np.concatenate(columns)[order]
        yield self._writer, Series(step, t_us, value).within(window)

    def _calls_of(self, blocks: tuple[int, ...]) -> Calls:
        """Steps and times of the calls in these blocks, and their order; metrics logged together share them."""
        import numpy as np

        if blocks not in self._calls:
            rows = [self._rows[number] for number in blocks]
            if len(rows) == 1:
                self._calls[blocks] = rows[0].step, rows[0].t_us, None
            else:
                order = np.argsort(np.concatenate([each.order for each in rows]), kind="stable")
                step = np.concatenate([each.step for each in rows])
                t_us = np.concatenate([each.t_us for each in rows])
                self._calls[blocks] = step[order], t_us[order], order
        return self._calls[blocks]

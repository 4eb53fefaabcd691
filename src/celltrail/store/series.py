"""Series put together from the rows of logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from celltrail.store.reader import Rows


class Series(NamedTuple):
    """The points of one metric, in the order logged."""

    step: NDArray[np.int64]
    t_us: NDArray[np.int64]
    value: NDArray[np.float64]


class SeriesMapping(Mapping[str, Series]):
    """The series of one run by name; only what is asked for is gathered."""

    def __init__(self, logs: list[list[Rows]]) -> None:
        self._logs = logs  # one list of rows for each writer
        self._made: dict[str, Series] = {}
        names = (name for rows in logs for block in rows for name in block.names)
        self._names = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Series:
        if name not in self._made:
            if name not in self._names:
                raise KeyError(name)
            self._made[name] = self._gather(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def _gather(self, name: str) -> Series:
        import numpy as np

        parts = [part for rows in self._logs if (part := _of_one_writer(rows, name)) is not None]
        if len(parts) == 1:
            return parts[0]
        # ranks: by step, and at one step in the order of the writers
        order = np.argsort(np.concatenate([part.step for part in parts]), kind="stable")
        return Series(*(np.concatenate(columns)[order] for columns in zip(*parts, strict=True)))


def _of_one_writer(rows: list[Rows], name: str) -> Series | None:
    import numpy as np

    blocks = [(block, block.names.index(name)) for block in rows if name in block.names]
    if not blocks:
        return None
    step = np.concatenate([block.step for block, _ in blocks])
    t_us = np.concatenate([block.t_us for block, _ in blocks])
    value = np.concatenate([block.values[:, column] for block, column in blocks])
    if len(blocks) > 1:
        order = np.argsort(np.concatenate([block.order for block, _ in blocks]), kind="stable")
        return Series(step[order], t_us[order], value[order])
    return Series(step, t_us, value)

"""A set of runs as text: CSV, Markdown, LaTeX, a table for a terminal, and a value over two things varied."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import RunRecord
from celltrail.query import plain
from celltrail.query.columns import Column, short_columns
from celltrail.query.evaluate import Question

if TYPE_CHECKING:
    import pandas as pd

    from celltrail.query.crosstab import Crosstab

Names = str | Iterable[str]
_TOLD_BY = 200  # runs by which the columns of a short table are chosen


class Forms:
    """What a set of runs can be written as."""

    @abstractmethod
    def df(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A pandas frame, one row per run."""

    @abstractmethod
    def _read(self, most: int | None) -> list[RunRecord]:
        """The records of the first runs."""

    @abstractmethod
    def _ask(self, text: str) -> Question:
        """An expression, read."""

    @abstractmethod
    def _named(self, names: Sequence[str] | None, records: Sequence[RunRecord]) -> list[Column] | None:
        """The columns of these names, or those of this set; None where nobody named any."""

    def crosstab(self, rows: Names, cols: Names = (), *, value: str) -> Crosstab:
        """A value in rows and columns: the mean over the runs of each cell, with the 95% interval of Student's t.

        Args:
            rows: one or more columns as in `RunSet.df`, to go down; for a parameter, its name is enough.
            cols: the same, to go across; a single column unless given.
            value: a metric (its best, or its last if it has no direction), a column or an expression.

        Raises:
            BadValue: there is no such column, or no run has a number for the value.

        >>> import celltrail as ct
        >>> for lr, acc in ((0.1, 0.8), (0.3, 0.9)):
        ...     with ct.start("a", {"lr": lr}) as run:
        ...         run.log({"val/acc": acc})
        >>> print(ct.runs().crosstab("lr", value="val/acc").to_markdown().splitlines()[0])
        | lr | best val/acc |
        """
        from celltrail.query.crosstab import crosstab

        return crosstab(self._read(None), rows, cols, value, self._ask)

    def to_csv(
        self,
        path: str | Path | None = None,
        columns: Sequence[str] | None = None,
        *,
        rows: Names = (),
        cols: Names = (),
        value: str | None = None,
        sep: str = ",",
    ) -> str | None:
        """Comma-separated values with every digit: written to ``path``, or returned as text.

        With ``rows``, ``cols`` and ``value``, the cells of a `crosstab`, one a line. ``sep="\\t"`` separates by tabs,
        for spreadsheets.

        >>> import celltrail as ct
        >>> with ct.start("a", {"lr": 0.1}): pass
        >>> print(ct.runs().to_csv(columns=["name", "params.lr"]).strip())
        name,params.lr
        a,0.1
        """
        if value is not None or rows or cols:
            text = self._crosstab(rows, cols, value).to_csv()
            if path is None:
                return text
            Path(path).write_text(text, encoding="utf-8")
            return None
        frame = self.df(columns)
        if "tags" in frame:
            frame["tags"] = [", ".join(tags) for tags in frame["tags"]]
        return frame.to_csv(path, index=False, sep=sep)

    def to_markdown(
        self, columns: Sequence[str] | None = None, *, rows: Names = (), cols: Names = (), value: str | None = None
    ) -> str:
        """A Markdown table of these columns; by default, the few that tell the runs apart.

        With ``rows``, ``cols`` and ``value``, a `crosstab` with the best of each column in bold.
        """
        if value is not None or rows or cols:
            return self._crosstab(rows, cols, value).to_markdown()
        return plain.markdown(*self._texts(columns))

    def to_latex(
        self, columns: Sequence[str] | None = None, *, rows: Names = (), cols: Names = (), value: str | None = None
    ) -> str:
        """A LaTeX tabular (booktabs) of these columns; by default, the few that tell the runs apart.

        With ``rows``, ``cols`` and ``value``, a `crosstab` with the best of each column in bold.
        """
        if value is not None or rows or cols:
            return self._crosstab(rows, cols, value).to_latex()
        headers, lines, right = self._texts(columns)
        if "status" in headers:
            # the marks are not in every LaTeX font
            place = headers.index("status")
            lines = [[cell.split(" ", 1)[-1] if i == place else cell for i, cell in enumerate(line)] for line in lines]
        return plain.latex(headers, lines, right)

    def to_text(self, columns: Sequence[str] | None = None, most: int | None = None) -> str:
        """A plain table for a terminal, at most ``most`` rows."""
        headers, rows, right = self._texts(columns, most)
        rows = [[plain.clipped(cell, 40) for cell in line] for line in rows]
        return plain.table(headers, rows, right)

    def _crosstab(self, rows: Names, cols: Names, value: str | None) -> Crosstab:
        if value is None or not rows:
            raise BadValue("a table of rows x columns needs rows and a value: rows='params.lr', value='best.val/acc'")
        return self.crosstab(rows, cols, value=value)

    def _texts(
        self, names: Sequence[str] | None, most: int | None = None
    ) -> tuple[list[str], list[list[str]], list[bool]]:
        records = self._read(None if most is None else max(most, _TOLD_BY))
        columns = self._named(names, records) or short_columns(records)
        shown = records[:most]
        rows = [[column.text(record) for column in columns] for record in shown]
        right = [column.numeric or _is_numeric([column.value(record) for record in shown]) for column in columns]
        right = [flag and column.name != "created" for flag, column in zip(right, columns, strict=True)]
        return [column.title for column in columns], rows, right


def _is_numeric(values: Sequence[Any]) -> bool:
    present = [value for value in values if value is not None]
    return bool(present) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in present)

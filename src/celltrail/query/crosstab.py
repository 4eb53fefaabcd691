"""A metric over two things that were varied: means with intervals, as a paper prints them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue, nearest
from celltrail.model import RunRecord
from celltrail.query import plain
from celltrail.query.columns import Column, chosen_columns
from celltrail.query.evaluate import Question
from celltrail.stats.interval import mean_interval
from celltrail.store.catalogue.facts import Named

if TYPE_CHECKING:
    import pandas as pd

Label = tuple[Any, ...]
_NOTHING = "\u2013"


@dataclass(frozen=True, slots=True)
class Cell:
    """The runs of one row and one column: their mean and half of its 95% interval."""

    mean: float
    half: float | None  # None with fewer than two runs
    n: int
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class Crosstab:
    """A value in rows and columns; ``str()`` is a table for a terminal.

    Each cell is the mean over its runs with the 95% interval of Student's t; runs without the value are left
    out. The best mean of each column is marked if the metric has a direction.
    """

    row_names: tuple[str, ...]
    col_names: tuple[str, ...]
    value_name: str
    rows: tuple[Label, ...]
    cols: tuple[Label, ...]
    cells: dict[tuple[Label, Label], Cell]

    def to_markdown(self) -> str:
        """A Markdown table, the best in bold."""
        right = [False] * len(self.row_names) + [True] * len(self.cols)
        return plain.markdown(self._heads(), self._lines(lambda text: f"**{text}**"), right)

    def to_latex(self) -> str:
        """A LaTeX tabular (booktabs), the best in bold."""
        columns = "l" * len(self.row_names) + "r" * len(self.cols)
        names = [plain.tex(name) for name in self.row_names]
        heads = " & ".join([*names, *(plain.tex(_text(col)) for col in self.cols)])
        lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
        if self.col_names:
            first = len(names) + 1
            over = plain.tex(", ".join(self.col_names))
            lines.append(rf"{'& ' * len(names)}\multicolumn{{{len(self.cols)}}}{{c}}{{{over}}} \\")
            lines.append(rf"\cmidrule(lr){{{first}-{first + len(self.cols) - 1}}}")
        lines += [rf"{heads} \\", r"\midrule"]
        for row in self.rows:
            cells = [_tex_cell(self.cells.get((row, col))) for col in self.cols]
            lines.append(" & ".join([*(plain.tex(plain.shown(part)) for part in row), *cells]) + r" \\")
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])

    def to_csv(self) -> str:
        """One line for each cell, with every digit: its row, its column, mean, half of the interval, runs."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*self.row_names, *self.col_names, self.value_name, "interval", "runs"])
        for (row, col), cell in self.cells.items():
            place = (*row, *(col if self.col_names else ()))
            writer.writerow([*place, cell.mean, "" if cell.half is None else cell.half, cell.n])
        return file.getvalue()

    def df(self) -> pd.DataFrame:
        """A pandas frame of the means."""
        import pandas as pd

        means = [
            [cell.mean if (cell := self.cells.get((row, col))) else math.nan for col in self.cols] for row in self.rows
        ]
        frame = pd.DataFrame(means, columns=[_text(col) for col in self.cols])
        for place, name in enumerate(self.row_names):
            frame.insert(place, name, [row[place] for row in self.rows])
        return frame.set_index(list(self.row_names))

    def __str__(self) -> str:
        right = [False] * len(self.row_names) + [True] * len(self.cols)
        return plain.table(self._heads(), self._lines(lambda text: f"{text} *"), right)

    def _heads(self) -> list[str]:
        over = f"{', '.join(self.col_names)} = " if self.col_names else ""
        return [*self.row_names, *(over + _text(col) for col in self.cols)]

    def _lines(self, best: Callable[[str], str]) -> list[list[str]]:
        def told(cell: Cell | None) -> str:
            if cell is None:
                return _NOTHING
            mean, half = _digits(cell)
            text = mean if half is None else f"{mean} ± {half}"
            return best(text) if cell.is_best else text

        return [
            [*(plain.shown(part) for part in row), *(told(self.cells.get((row, col))) for col in self.cols)]
            for row in self.rows
        ]


def crosstab(
    records: Sequence[RunRecord],
    rows: str | Iterable[str],
    cols: str | Iterable[str],
    value: str,
    ask: Callable[[str], Question],
) -> Crosstab:
    """Means of a value over what rows and columns name."""
    named = Named.of(records)

    def column(name: str, *families: str) -> Column:
        """A column by its name; a parameter or a metric also without its family."""
        known = [f"{family}.{name}" for family in families if name in _names(named, family)]
        return chosen_columns([*known, name][:1], named, ask)[0]

    across = [column(name, "params") for name in _listed("rows", rows)]
    along = [column(name, "params") for name in _listed("cols", cols)]
    if not across:
        raise BadValue("rows names what stands at the left, such as rows='params.lr'")
    measured = column(value, "best", "metrics")
    for each in (*across, *along):
        if all(each.value(record) is None for record in records):
            known = [f"params.{name}" for name in named.params]
            raise BadValue(f"no run has {each.name!r}{nearest(each.name, known)}")
    found: dict[tuple[Label, Label], list[float]] = {}
    for record in records:
        number = measured.value(record)
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            place = (_label(across, record), _label(along, record) or (measured.title,))
            found.setdefault(place, []).append(float(number))
    if not found:
        raise BadValue(f"no run has a number for {value!r}; name a metric, such as value='best.val/acc'")
    cells = {place: Cell(*mean_interval(numbers), len(numbers)) for place, numbers in found.items()}
    goal = named.goals.get(measured.name.partition(".")[2], "none")
    return Crosstab(
        tuple(each.title for each in across),
        tuple(each.title for each in along),
        measured.title,
        _ordered(row for row, _ in cells),
        _ordered(col for _, col in cells),
        _marked(cells, goal),
    )


def _names(named: Named, family: str) -> Iterable[str]:
    return named.params if family == "params" else named.goals if family == "best" else named.metrics


def _listed(what: str, names: str | Iterable[str]) -> list[str]:
    found = [names] if isinstance(names, str) else list(names)
    if not all(isinstance(name, str) and name for name in found):
        raise BadValue(f"{what} takes names of columns, such as 'params.lr', not {names!r}")
    return found


def _label(columns: Sequence[Column], record: RunRecord) -> Label:
    values = (column.value(record) for column in columns)
    return tuple(", ".join(map(str, value)) if isinstance(value, list) else value for value in values)


def _ordered(labels: Iterable[Label]) -> tuple[Label, ...]:
    """Numbers by size, other things in the order of the runs; what is missing last."""
    found = list(dict.fromkeys(labels))

    def numbers(place: int) -> bool:
        parts = [label[place] for label in found if label[place] is not None]
        return all(isinstance(part, int | float) for part in parts)

    places = range(len(found[0]))
    seen = [{part: at for at, part in enumerate(dict.fromkeys(label[place] for label in found))} for place in places]
    numeric = [numbers(place) for place in places]

    def key(label: Label) -> tuple[tuple[bool, float], ...]:
        return tuple(
            (part is None, 0.0 if part is None else float(part) if numeric[place] else seen[place][part])
            for place, part in enumerate(label)
        )

    return tuple(sorted(found, key=key))


def _marked(cells: dict[tuple[Label, Label], Cell], goal: str) -> dict[tuple[Label, Label], Cell]:
    if goal not in {"min", "max"}:
        return cells
    best: dict[Label, float] = {}
    counts: dict[Label, int] = {}
    for (_, col), cell in cells.items():
        better = min if goal == "min" else max
        best[col] = better(best.get(col, cell.mean), cell.mean)
        counts[col] = counts.get(col, 0) + 1
    return {
        (row, col): Cell(cell.mean, cell.half, cell.n, cell.mean == best[col] and counts[col] > 1)
        for (row, col), cell in cells.items()
    }


def _digits(cell: Cell) -> tuple[str, str | None]:
    """The mean to the second digit of its interval; without one, or with none to speak of, in four."""
    if not cell.half or not math.isfinite(cell.half):
        return plain.number(cell.mean), None if cell.half is None else plain.number(cell.half)
    places = 1 - math.floor(math.log10(cell.half))
    if not -3 <= places <= 9:
        return f"{cell.mean:.4g}", f"{cell.half:.2g}"
    return f"{cell.mean:.{max(0, places)}f}", f"{cell.half:.{max(0, places)}f}"


def _tex_cell(cell: Cell | None) -> str:
    if cell is None:
        return "--"
    mean, half = _digits(cell)
    shown = rf"\mathbf{{{mean}}}" if cell.is_best else mean
    return f"${shown}$" if half is None else rf"${shown} \pm {half}$"


def _text(label: Label) -> str:
    return ", ".join(plain.shown(part) or _NOTHING for part in label)

"""The charts of a set of runs, as its verbs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import RunRecord
from celltrail.query.columns import telling_metrics, varying

if TYPE_CHECKING:
    import altair as alt

    from celltrail.query.evaluate import Question
    from celltrail.query.stored import StoredRun

_MOST_PARAMS = 7  # of the axes chosen unasked


class Drawing:
    """The charts of a set of runs: Altair, with their data inside (at most 5,000 rows), yours to restyle.

    Each stays interactive in the saved notebook, without a kernel and without a network. ``chart.data`` is what it
    draws, as a frame.
    """

    @property
    def records(self) -> list[RunRecord]:
        """The records of the runs: all of them are read."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[StoredRun]:
        raise NotImplementedError

    def _ask(self, text: str) -> Question:
        raise NotImplementedError

    def chart(self, y: str, x: str = "step", color: str | None = None) -> alt.Chart:
        """A metric over steps, one line per run, or over a parameter, one point per run.

        Args:
            y: a metric; over parameters also any expression.
            x: "step", "time" (seconds since the start), "axis" (as the metric was declared) or another metric,
                such as ``"epoch"``, draws a line per run; anything else, such as ``"params.lr"`` or ``"created"``,
                draws a point per run, at the metric's best value.
            color: what to colour by, such as ``"params.optimizer"``; each line has its own colour unless given.

        >>> import celltrail as ct
        >>> with ct.start("a", {"lr": 0.1}) as run:
        ...     for step in range(3):
        ...         run.log({"val/acc": step / 3}, step=step)
        >>> ct.runs().chart("val/acc").mark.type, ct.runs().chart("val/acc", x="params.lr").mark.type
        ('line', 'circle')
        """
        from celltrail.query.figure.axes import axis_of
        from celltrail.query.figure.lines import SECONDS, lines
        from celltrail.query.figure.points import points

        records = self.records
        by = None if color is None else axis_of(color, records, self._ask)
        if x in {"step", "axis", *SECONDS} or any(x in record.metrics for record in records):
            return lines(list(self), y, x, by)
        return points(records, axis_of(x, records, self._ask), axis_of(y, records, self._ask), by)

    def parallel(self, *columns: str, color: str | None = None) -> alt.LayerChart:
        """Parallel coordinates: a line per run across params and metrics, numbers and words.

        Drag along an axis to keep the runs that pass there; each axis has its own brush, and a double click clears
        them all.

        Args:
            columns: the axes from left to right: metrics (their best value), ``"params.lr"``, or any expression;
                by default the params that vary and the metric that tells most.
            color: the column that colours the lines; the last axis unless given.
        """
        from celltrail.query.figure.axes import axes_of, axis_of
        from celltrail.query.figure.parallel import parallel

        records = self.records
        axes = axes_of(columns or self._telling(records, 1), records, self._ask)
        return parallel(records, axes, axes[-1] if color is None else axis_of(color, records, self._ask))

    def scatter(
        self, *columns: str, color: str | None = None, contour: str | None = None
    ) -> alt.Chart | alt.VConcatChart | alt.LayerChart:
        """A point per run over two columns, or over each pair of more columns.

        Drag in any plot to mark the runs in all of them.

        Args:
            columns: as in `parallel`, up to six.
            color: the column that colours the points.
            contour: a metric drawn as a surface over the two columns, which must be numbers: smoothed as far as it
                foretells runs that are left out, and blank where no run is near.
        """
        from celltrail.query.figure.axes import axes_of, axis_of
        from celltrail.query.figure.contour import contour as surface
        from celltrail.query.figure.points import MOST_AXES, scatter

        records = self.records
        axes = axes_of(columns or self._telling(records, 1)[-MOST_AXES:], records, self._ask)
        if contour is None:
            return scatter(records, axes, None if color is None else axis_of(color, records, self._ask))
        if len(axes) != 2:
            raise BadValue(f"a contour of {contour} goes over two columns and was given {len(axes)}")
        return surface(records, axes[0], axes[1], axis_of(contour, records, self._ask))

    def importance(self, metric: str, *params: str) -> alt.HConcatChart:
        """Which params a metric depends on: permutation importance over a random forest, beside plain correlation.

        Both come with 95 % intervals, and the title says how far to trust them: how well the forest predicts unseen
        runs, whether there are too few runs, which params cannot be told apart. Dependence is not cause.

        Args:
            metric: a metric (its best value) or any expression that gives a number.
            params: only these; all params that vary unless given.

        Raises:
            MissingExtra: scikit-learn is not installed; ``pip install 'celltrail[ml]'`` has it.
            BadValue: fewer than 6 runs have the metric, or nothing varies.
        """
        from celltrail.query.figure.importance import importance_chart

        return importance_chart(self.records, metric, params, self._ask)

    def _telling(self, records: Sequence[RunRecord], metrics: int) -> list[str]:
        """The params that vary and so many metrics: the axes of those who name none."""
        found: list[Any] = [f"params.{name}" for name in varying(records)][:_MOST_PARAMS]
        found += telling_metrics(records, metrics)
        if len(found) < 2:
            raise BadValue(f"{len(records)} runs have too little that varies; name the columns to draw")
        return [name.removeprefix("best.").removeprefix("metrics.") for name in found]

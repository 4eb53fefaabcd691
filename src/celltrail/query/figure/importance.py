"""What a metric depends on: importance of parameters beside their correlation, each with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from celltrail.errors import BadValue
from celltrail.model import RunRecord
from celltrail.query.columns import varying
from celltrail.query.figure.axes import Ask, axis_of
from celltrail.query.figure.style import frame, many, title, tooltip
from celltrail.query.palette import PALETTE
from celltrail.query.plain import shown
from celltrail.stats import FEWEST_ROWS, RELIABLE, Forest, Importance, importance
from celltrail.store.catalogue.facts import Named

if TYPE_CHECKING:
    import altair as alt

_MOST_RUNS, _MOST_PARAMS = 2_000, 30
_WIDE, _HIGH = 250, 26
_KINDS = ("rank correlation", "correlation ratio (words)")


def importance_chart(records: Sequence[RunRecord], metric: str, params: Sequence[str], ask: Ask) -> alt.HConcatChart:
    """Bars of importance with intervals, and dots of correlation with theirs; the data is a row per parameter."""
    axis = axis_of(metric, records, ask)
    if axis.kind != "Q":
        raise BadValue(f"importance explains a number, and {axis.title} holds words such as {axis.words[:1]}")
    there = [at for at, value in enumerate(axis.values) if value is not None][:_MOST_RUNS]
    if len(there) < FEWEST_ROWS:
        raise BadValue(
            f"{axis.title} is known of {many(len(there))} of {len(records)}: importance needs {FEWEST_ROWS} at least, "
            f"and {RELIABLE} to be relied on"
        )
    chosen = [records[at] for at in there]
    values = [axis.values[at] for at in there]
    if len(set(values)) == 1:
        raise BadValue(f"{axis.title} is {shown(values[0])} in all {many(len(there))}: there is nothing to explain")
    names = [name.removeprefix("params.") for name in params] or varying(chosen)
    unknown = set(names) - set(Named.of(chosen).params)
    if unknown:
        raise BadValue(f"no run has the param {sorted(unknown)[0]!r}; they have {', '.join(Named.of(chosen).params)}")
    if not names:
        raise BadValue(
            f"all {many(len(there))} have the same params: there is nothing that {axis.title} could depend on"
        )
    found = importance({name: [_plain(record, name) for record in chosen] for name in names[:_MOST_PARAMS]}, values)
    return _drawn(found, axis.title, len(records))


def sentence(found: Forest, metric: str) -> str:
    """The result in words, with how far it can be trusted."""
    first = found.columns[0]
    if found.explained <= 0:
        return f"nothing recorded predicts {metric}"
    if first.low <= 0:
        return f"no param is shown to matter for {metric}"
    clear = [column.name for column in found.columns if column.low > 0]
    return f"{metric} depends on {', '.join(clear)}"


def doubts(found: Forest, count: int) -> list[str]:
    """What keeps the result from being trusted, a sentence each."""
    said = [] if found.rows == count else [f"{found.rows} of {many(count)} have it"]
    if found.rows < RELIABLE:
        said.append(f"only {many(found.rows)}; at least {RELIABLE} are needed for a reliable result")
    share = max(0.0, found.explained)
    tail = "" if found.explained > 0 else ", so these importances mean nothing"
    said.append(f"the forest explains {share:.0%} of the variance of runs it was not fitted on{tail}")
    said += [f"{' and '.join(group)} vary together: these runs cannot tell which of them matters"
             for group in found.together]  # fmt: skip
    return said


def _drawn(found: Forest, metric: str, count: int) -> alt.HConcatChart:
    import altair as alt

    data = frame([_row(column) for column in found.columns])
    order = [column.name for column in found.columns]
    param = alt.Y("param:N", sort=order, title=None, axis=alt.Axis(labelLimit=180, grid=False))
    bare = alt.Y("param:N", sort=order, title=None, axis=None)
    told = [tooltip("param", "N"), tooltip("importance", "Q"), *_ends("low", "high")]
    size: dict[str, Any] = {"width": _WIDE, "height": max(2, len(order)) * _HIGH}
    bars = alt.Chart(data).encode(y=param)
    grown = alt.X("importance:Q", title="increase in squared error when shuffled")
    left = alt.layer(
        bars.mark_bar(color=PALETTE[0], opacity=0.75, height=14).encode(x=grown, tooltip=told),
        bars.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q"), x2="high:Q", tooltip=told),
    ).properties(**size)
    of = alt.X("correlation:Q", title=f"correlation with {metric}", scale=alt.Scale(domain=[-1, 1]))
    told = [tooltip("param", "N"), tooltip("kind", "N"), tooltip("correlation", "Q")]
    told += _ends("correlation_low", "correlation_high")
    hue = alt.Color("kind:N", title=None, scale=alt.Scale(domain=list(_KINDS), range=[PALETTE[1], PALETTE[2]]),
                    legend=alt.Legend(orient="bottom", labelLimit=240))  # fmt: skip
    dots = alt.Chart(data).encode(y=bare)
    right = alt.layer(
        alt.Chart(data).mark_rule(strokeDash=[3, 3], opacity=0.6).encode(x=alt.datum(0)),
        dots.mark_rule(strokeWidth=2).encode(
            x=alt.X("correlation_low:Q"), x2="correlation_high:Q", color=hue, tooltip=told
        ),
        dots.mark_point(size=70, filled=True, opacity=1).encode(
            x=of, color=hue, shape=alt.Shape("kind:N", title=None, scale=alt.Scale(domain=list(_KINDS))), tooltip=told
        ),
    ).properties(**size)
    told_first = sentence(found, metric)
    return alt.hconcat(
        left,
        right,
        data=data,
        title=title(told_first[0].upper() + told_first[1:], *doubts(found, count)),
        description=f"{told_first}; {'; '.join(doubts(found, count))}",
    )


def _ends(low: str, high: str) -> list[Any]:
    return [tooltip(low, "Q", title="from"), tooltip(high, "Q", title="to")]


def _row(column: Importance) -> dict[str, Any]:
    of = column.association
    return {
        "param": column.name,
        "importance": _short(column.value),
        "low": _short(column.low),
        "high": _short(column.high),
        "kind": _KINDS[0] if column.ordered else _KINDS[1],
        "correlation": _short(of.value),
        "correlation_low": _short(of.low),
        "correlation_high": _short(of.high),
    }


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _plain(record: RunRecord, name: str) -> Any:
    """A param as a number, a flag or a text; None where the run has none."""
    param = record.params.get(name)
    if param is None or param.value is None or isinstance(param.value, int | float | str):
        return None if param is None else param.value
    return shown(param.value)

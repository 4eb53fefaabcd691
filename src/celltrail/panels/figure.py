"""The still picture of a chart: an SVG that reads on white and on black, and the PNG made of it.

It stands in the saved notebook, where no script runs. Text and lines have a contrast of at least 3:1 on
#ffffff and on #111111; the background is transparent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import escape
from typing import Literal

import numpy as np

from celltrail.contract import Smoothing
from celltrail.model import parts_of
from celltrail.panels.columns import Floats, thin
from celltrail.panels.places import PLAIN, moments
from celltrail.panels.smooth import smooth
from celltrail.query.palette import PALETTE, run_colours
from celltrail.query.plain import length, number
from celltrail.query.ticks import log_ticks, symlog_ticks, ticks

DASHES = ("", "5 3", "2 2.5", "8 3 2 3")
INK, RULE = "#7a7a7a", "#9a9a9a"
PINS = {"note": "#1976d2", "info": INK, "warn": "#b26a00", "error": "#d1242f"}

PLOT_W, PLOT_H, TITLE_H, LEFT, BOTTOM, GAP = 344, 132, 22, 46, 20, 16
SYMLOG_DECADES = 1e4  # below the largest value by so much, a symmetric logarithm is linear; as in plot/scale.ts
MOST_PLOTS, MOST_POINTS, ALL_POINTS = 8, 100, 1500
SHORT = 0.25  # of all of x: a plot whose lines end before it says so; as in ui/card.ts
ROOM = 0.5  # of the height of the lines is left above and below them for a band of earlier runs


@dataclass(frozen=True, slots=True)
class Line:
    """One series of the picture: points of shape (3, n) in the rows step, seconds, value, of ``total`` logged.

    What is handed to `svg` has places on the x axis in the first row, as `places.placed` puts them there.
    """

    run: str
    label: str
    metric: str
    points: Floats
    total: int = 0
    band: Floats | None = None  # around a mean: places, lower and upper end, shape (3, n)


_BOOKKEEPING = re.compile(
    r"(.+/)?(lr|learning_rate|momentum|weight_decay|grad_?norm.*|.*_per_s|.*_per_sec(ond)?|time|seconds|.*_(time|s))(/.+)?",
    re.IGNORECASE,
)
_LAYER = re.compile(r"(.+/)?(weight_norm|grad_norm|update_ratio)/.+")
_COUNTED = re.compile(r"(.+/)?(epochs?|steps?|iter(ation)?s?|global_step)", re.IGNORECASE)


def standing(plot: str) -> int:
    """Where a plot stands: what a model comes to, rates and speeds, what only counts, single layers; as in names.ts.

    >>> [standing(plot) for plot in ("loss", "grad_norm", "opt1_lr", "epoch", "weight_norm/head.bias")]
    [0, 1, 0, 2, 3]
    """
    if _LAYER.fullmatch(plot):
        return 3
    if _COUNTED.fullmatch(plot):
        return 2
    return 1 if _BOOKKEEPING.fullmatch(plot) else 0


@dataclass(frozen=True, slots=True)
class Look:
    """How the lines of a picture are drawn: what of `contract.ChartOptions` bears on it."""

    x: str = "step"  # how the places of the lines are to be read; "number" is what no run counts
    y: Literal["linear", "log", "symlog"] = "linear"
    smooth: Smoothing = "none"
    weight: float = 0.0


LOOK = Look()


@dataclass(frozen=True, slots=True)
class Pin:
    """A note or an alert at a place of the x axis; of one metric, or of all."""

    metric: str | None
    x: float
    level: str  # note, info, warn or error


@dataclass(frozen=True, slots=True)
class Beside:
    """What a picture shows beside its lines."""

    bands: Mapping[str, Floats] = field(default_factory=dict)  # of earlier runs: x, low, middle, high
    pins: Sequence[Pin] = ()


BARE = Beside()


def svg(
    lines: Sequence[Line],
    look: Look = LOOK,
    most: int = MOST_PLOTS,
    beside: Beside = BARE,
) -> str:
    """The picture as an SVG document: small multiples, one plot for each of the first ``most`` metric names."""
    plots: dict[str, list[Line]] = {}
    for line in lines:
        plots.setdefault(parts_of(line.metric)[0], []).append(line)
    for group in plots.values():
        if len({line.run for line in group}) == 1:
            group.sort(key=_learns_first)
    shown = sorted(plots.items(), key=lambda plot: standing(plot[0]))[:most]
    columns = min(2, max(1, len(shown)))
    rows = math.ceil(len(shown) / columns) if shown else 0
    width = columns * PLOT_W + (columns - 1) * GAP
    height = max(1, rows * (PLOT_H + TITLE_H + BOTTOM))
    colours = run_colours([line.run for line in lines])
    each = min(MOST_POINTS, ALL_POINTS // max(1, sum(len(group) for _, group in shown)))
    each = max(16, each if look.smooth == "none" else each // 2)  # the raw line stays behind
    shown = [(name, [_thinned(line, each) for line in group]) for name, group in shown]
    ends = _ends(lines)
    body = "".join(
        f'<g transform="translate({i % columns * (PLOT_W + GAP)},{i // columns * (PLOT_H + TITLE_H + BOTTOM)})">'
        f"{_plot(name, group, colours, look, beside, _told(_ends(group), ends, look))}</g>"
        for i, (name, group) in enumerate(shown)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui,Helvetica,Arial,DejaVu Sans,sans-serif" font-size="10.5" fill="{INK}">{body}</svg>'
    )


def _thinned(line: Line, most: int) -> Line:
    band = line.band
    if band is not None and band.shape[1] > most:
        band = band[:, np.linspace(0, band.shape[1] - 1, most).astype(np.int64)]
    return replace(line, points=thin(line.points, most), band=band)


def _learns_first(line: Line) -> bool:
    """Train before the others in the legend, whichever was logged first; as in ui/strands.ts."""
    return parts_of(line.metric)[1] not in ("", "train")


def png(picture: str, zoom: float = 1) -> bytes:
    """The SVG as a PNG with a transparent background, ``zoom`` pixels to a unit."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=zoom))


def _ends(lines: Sequence[Line]) -> tuple[float, float]:
    """The first and the last place of any line."""
    held = [line.points[0, [0, -1]] for line in lines if line.points.shape[1]]
    return (float(np.min(held)), float(np.max(held))) if held else (0.0, 0.0)


def _told(own: tuple[float, float], every: tuple[float, float], look: Look) -> str:
    """What stands behind the name of a plot that ends long before others: every plot has its own x axis here."""
    if look.x not in PLAIN or own[0] == own[1] or own[1] >= every[0] + SHORT * (every[1] - every[0]):
        return ""
    said = {"step": f"step {number(own[1])}", "relative": length(own[1])}.get(look.x)
    return f" · own x axis, to {said or datetime.fromtimestamp(own[1]).strftime('%H:%M:%S')}"


def _plot(name: str, lines: Sequence[Line], colours: dict[str, int], look: Look, beside: Beside, told: str = "") -> str:
    strokes = _strokes(lines, colours)
    earlier = next((beside.bands[metric] for metric in _metrics(lines) if metric in beside.bands), None)
    across = _scale(lines, 0, LEFT, PLOT_W - 4, "linear")
    up = _scale(lines, 2, TITLE_H + PLOT_H, TITLE_H + 4, look.y, earlier)
    floor = TITLE_H + PLOT_H
    parts = [
        f'<text x="{LEFT}" y="14" font-size="12" font-weight="600">{escape(name)}'
        f'<tspan font-size="10.5" font-weight="400">{told}</tspan></text>',
        _legend(name + told, lines, strokes),
    ]
    for value in up.marks:
        at = up(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{PLOT_W}" stroke="{RULE}" stroke-opacity=".3"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 3.5:.1f}" text-anchor="end">{number(value)}</text>')
    parts += [
        f'<text x="{across(value):.1f}" y="{floor + 14}" text-anchor="middle">{word}</text>'
        for value, word in _words(lines, across, look)
    ]
    parts += [] if earlier is None else [_earlier(earlier, across, up)]
    parts += [
        _pin(across(pin.x), pin.level)
        for pin in beside.pins
        if (pin.metric is None or pin.metric in _metrics(lines)) and LEFT <= across(pin.x) <= PLOT_W
    ]
    for line, stroke in zip(lines, strokes, strict=True):
        if line.band is not None:
            parts.append(_area(line.band, across, up, stroke.colour))
        drawn = _path(line, across, up, stroke, floor)
        if look.smooth != "none":
            parts.append(f'<g opacity=".3">{drawn}</g>')
            drawn = _path(_smoothed(line, look), across, up, stroke, floor)
        parts.append(drawn)
    return "".join(parts)


def _words(lines: Sequence[Line], across: _Scale, look: Look) -> list[tuple[float, str]]:
    """The ticks of the x axis and what stands below them."""
    if look.x != "time":
        return [(value, number(value)) for value in across.marks]
    ends = [end for line in lines if line.points.shape[1] for end in (line.points[0, 0], line.points[0, -1])]
    return moments(min(ends), max(ends)) if ends else []


def _smoothed(line: Line, look: Look) -> Line:
    points = line.points.copy()
    points[2] = smooth(points[0], points[2], look.smooth, look.weight, max(line.total, points.shape[1]))
    return replace(line, points=points[:, np.isfinite(points[2])])


@dataclass(frozen=True, slots=True)
class _Stroke:
    colour: str
    dash: str

    def __str__(self) -> str:
        return f'stroke="{self.colour}"' + (f' stroke-dasharray="{self.dash}"' if self.dash else "")


def _strokes(lines: Sequence[Line], colours: dict[str, int]) -> list[_Stroke]:
    """The colour says which run, the dash which split."""
    metrics = _metrics(lines)
    return [_Stroke(PALETTE[colours[line.run]], DASHES[metrics.index(line.metric) % len(DASHES)]) for line in lines]


def _legend(name: str, lines: Sequence[Line], strokes: Sequence[_Stroke]) -> str:
    at, parts = float(PLOT_W), []
    for line, stroke in reversed(list(zip(lines, strokes, strict=True))[:4]):
        label = line.label if len(line.label) <= 18 else line.label[:17] + "…"
        parts.append(f'<text x="{at:.0f}" y="14" text-anchor="end">{escape(label)}</text>')
        at -= 5.6 * len(label) + 22
        parts.append(f'<path d="M{at:.0f} 10.5h16" {stroke} stroke-width="2"/>')
        at -= 10
        if at < LEFT + 7 * len(name) + 60:
            break
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    place: Callable[[float], float]
    marks: list[float]
    is_log: bool = False
    low: float = -math.inf

    def __call__(self, value: float) -> float:
        return self.place(value)


def _scale(
    lines: Sequence[Line], row: int, start: float, end: float, kind: str, earlier: Floats | None = None
) -> _Scale:
    held = [line.points[row] for line in lines]
    held += [end for line in lines if row == 2 and line.band is not None for end in line.band[1:]]
    values = np.concatenate(held) if held else np.empty(0)
    values = values[np.isfinite(values)]
    if kind == "log":
        values = values[values > 0]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if earlier is not None and low < high:
        low, high = _with_band(low, high, _beside(earlier, lines), kind == "log")
    if kind == "log" and values.size:
        if low == high:
            low, high = low / 2, high * 2
        span = math.log10(high) - math.log10(low)
        marks = log_ticks(low, high)
        return _Scale(
            lambda v: start + (end - start) * (math.log10(v) - math.log10(low)) / span, marks, is_log=True, low=low
        )
    if kind == "symlog" and low != high:
        near = max(abs(low), abs(high)) / SYMLOG_DECADES
        floor, span = math.asinh(low / near), math.asinh(high / near) - math.asinh(low / near)
        marks = symlog_ticks(low, high, near)
        return _Scale(lambda v: start + (end - start) * (math.asinh(v / near) - floor) / span, marks)
    if low == high:
        margin = abs(low) * 0.1 or 0.5
        low, high = low - margin, high + margin
    return _Scale(lambda v: start + (end - start) * (v - low) / (high - low), ticks(low, high))


def _beside(band: Floats, lines: Sequence[Line]) -> Floats:
    """The lower and upper ends of a band where there are lines."""
    places = np.concatenate([line.points[0] for line in lines])
    return band[1::2, (band[0] >= places.min()) & (band[0] <= places.max())]


def _with_band(low: float, high: float, ends: Floats, is_log: bool) -> tuple[float, float]:
    """The ends of an axis with a band on it, which must not make the lines flat; as in plot/scene.ts."""
    ends = ends[np.isfinite(ends) & (ends > 0 if is_log else True)]
    if not ends.size:
        return low, high
    if is_log:
        least, most = low * (low / high) ** ROOM, high * (high / low) ** ROOM
    else:
        least, most = low - (high - low) * ROOM, high + (high - low) * ROOM
    return min(low, max(least, float(ends.min()))), max(high, min(most, float(ends.max())))


def _metrics(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(line.metric for line in lines))


def _earlier(band: Floats, across: _Scale, up: _Scale) -> str:
    """The middle half of earlier runs, cut to the plot, and the line in the middle of it."""
    x = [across(each) for each in band[0].tolist()]
    inside = [i for i, at in enumerate(x) if LEFT <= at <= PLOT_W and (not up.is_log or band[1, i] > 0)]
    if len(inside) < 2:
        return ""

    def at(row: int, i: int) -> str:
        return f"{x[i]:.1f} {min(max(up(float(band[row, i])), TITLE_H), TITLE_H + PLOT_H):.1f}"

    edge = "L".join([*(at(3, i) for i in inside), *(at(1, i) for i in reversed(inside))])
    middle = "L".join(at(2, i) for i in inside)
    return (
        f'<path d="M{edge}Z" fill="{INK}" fill-opacity=".2"/>'
        f'<path d="M{middle}" fill="none" stroke="{INK}" stroke-dasharray="2 3"/>'
    )


def _pin(x: float, level: str) -> str:
    colour = PINS.get(level, INK)
    top = TITLE_H + 2
    shape = f"M{x:.1f} {top}h8l-8 7z" if level == "note" else f"M{x - 5:.1f} {top + 8}h10l-5 -8z"
    return (
        f'<path d="M{x:.1f} {top}V{TITLE_H + PLOT_H}" stroke="{colour}" stroke-opacity=".5"/>'
        f'<path d="{shape}" fill="{colour}"/>'
    )


def _area(band: Floats, across: _Scale, up: _Scale, colour: str) -> str:
    """A band as areas between its gaps; on a logarithmic scale it ends where that does."""
    stretches: list[list[tuple[float, float, float]]] = [[]]
    for x, low, high in band.T.tolist():
        low = max(low, up.low) if up.is_log and low == low else low
        if math.isfinite(low) and math.isfinite(high) and (not up.is_log or high > 0):
            stretches[-1].append((across(x), up(low), up(high)))
        elif stretches[-1]:
            stretches.append([])
    moves = [
        "M"
        + "L".join(
            f"{x:.1f} {at:.1f}"
            for x, at in [*((x, high) for x, _, high in each), *((x, low) for x, low, _ in reversed(each))]
        )
        + "Z"
        for each in stretches
        if len(each) > 1
    ]
    return f'<path d="{"".join(moves)}" fill="{colour}" fill-opacity=".2"/>'


def _path(line: Line, across: _Scale, up: _Scale, stroke: _Stroke, floor: float) -> str:
    moves, pen, strange = [], "M", []
    for at, value in zip(line.points[0], line.points[2], strict=True):
        if not math.isfinite(at):
            continue
        if not math.isfinite(value) or (up.is_log and value <= 0):
            strange.append(f"M{across(at):.1f} {floor}v-7")
            pen = "M"
            continue
        moves.append(f"{pen}{across(at):.1f} {up(value):.1f}")
        pen = "L"
    if len(moves) == 1:
        x, y = moves[0][1:].split(" ")
        return f'<circle cx="{x}" cy="{y}" r="2.5" fill="{stroke.colour}"/>'
    parts = f'<path d="{"".join(moves)}" fill="none" {stroke} stroke-width="1.6" stroke-linejoin="round"/>'
    if strange:
        parts += f'<path d="{"".join(strange)}" stroke="#d1242f" stroke-width="1.6"/>'
    return parts

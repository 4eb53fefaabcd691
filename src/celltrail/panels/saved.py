"""The form of a panel that outlives the kernel: our MIME type, HTML without scripts, PNG and text.

Facts measured in JupyterLab that shape it: an output that still holds a widget view shows "model not
found" when reopened, inline SVG is dropped from an untrusted notebook, and nbformat accepts a JSON object
only under a name that ends in ``+json``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, cast

import numpy as np

from celltrail import contract
from celltrail.contract import (
    Band,
    ChartOptions,
    Comparison,
    Detail,
    Flag,
    Grouping,
    Mark,
    PanelKind,
    Piece,
    RowsPage,
    RunRow,
    RunState,
    SavedPanel,
    SavedSeries,
    TableOptions,
)
from celltrail.model import is_of_machine, parts_of
from celltrail.panels import html
from celltrail.panels.abridging import within_share
from celltrail.panels.columns import thin
from celltrail.panels.earlier import decoded
from celltrail.panels.figure import BARE, MOST_PLOTS, Beside, Line, Look, Pin, png, standing, svg
from celltrail.panels.narrowing import narrowed
from celltrail.panels.places import PLAIN, placed, places
from celltrail.panels.pools import pooled
from celltrail.query.plain import length, shown

BUDGET = 60_000  # bytes of one output in the saved notebook, all MIME types together
DEPTH, ENVELOPE = 6, 400  # levels of JSON above a bundle in the file, and what stands around it there
PAYLOAD_SHARE = 18_000
FEW_ROWS, ROWS_SHARE = 12, 20_000  # rows that a table keeps sooner than all of their columns; their JSON is indented
MOST_MARKS = 40
MOST_RUNS = 30  # of a chart; a cell may start a thousand
_NARROWER = ((html.MOST_ROWS, MOST_PLOTS), (12, MOST_PLOTS), (12, 4), (12, 2), (6, 2), (3, 1), (1, 1), (1, 0))  # rows
FEW = 40  # points of a series of the machine
BYTES_A_POINT, BYTES_A_SERIES = 22, 130  # 8 + 4 + 4 bytes in base64, and what stands around them

Bundle = dict[str, Any]


def panel(kind: PanelKind, trail: str, title: str, **parts: Any) -> SavedPanel:
    """A payload with everything that is not given left empty."""
    empty: SavedPanel = {
        "v": contract.VERSION,
        "kind": kind,
        "trail": trail,
        "title": title,
        "view": None,
        "runs": [],
        "chart": None,
        "table": None,
        "series": [],
        "marks": [],
        "flags": [],
        "bands": [],
        "groupings": [],
        "omitted": 0,
        "rows": [],
        "hints": [],
        "comparison": None,
        "detail": None,
        "media": None,
        "evaluations": [],
    }
    return cast("SavedPanel", {**empty, **parts})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a chart at rest tells beside its lines."""

    states: list[RunState]
    marks: Sequence[Mark] = ()
    flags: Sequence[Flag] = ()
    bands: Sequence[Band] = ()
    groupings: Sequence[Grouping] = ()


def chart_bundle(
    trail: str, title: str, lines: Sequence[Line], totals: Sequence[int], options: ChartOptions, facts: Facts
) -> Bundle:
    """A chart at rest. ``totals`` are the points each line has in the trail."""
    states, held = facts.states[:MOST_RUNS], {state["run"] for state in facts.states[:MOST_RUNS]}
    told = [(line, total) for line, total in zip(lines, totals, strict=False) if line.run in held]
    lines = [line for line, _ in told]
    series = packed(lines, [total for _, total in told])
    omitted = len(lines) - len(series)
    payload = panel("chart", trail, title, runs=states, chart=options, series=series, omitted=omitted)
    payload["marks"], payload["bands"] = list(facts.marks)[:MOST_MARKS], list(facts.bands)
    payload["flags"] = list(facts.flags)[:MOST_MARKS]
    payload["groupings"] = [
        {**each, "of": {run: label for run, label in each["of"].items() if run in held}} for each in facts.groupings
    ]
    sentence, above = chart_sentence(states), ""
    alt = escape(html.short(sentence, 600))  # all of it is the text beside
    if len(facts.states) > len(states):
        left = f"the first {len(states)} of {len(facts.states):,} runs; the trail has all: ct.runs()"
        payload["hints"], above, sentence = [left], html.line(left), f"{left}\n{sentence}"
    below = html.marks_list([*payload["marks"], *payload["flags"]])
    bundle: Bundle = {contract.MIME: payload, "text/html": "", "text/plain": sentence}
    has_picture = not all(is_of_machine(line.metric) for line in lines)
    drawn = _drawn(lines, options, payload) if has_picture else []
    beside = _beside(lines, options, payload) if has_picture else BARE
    for rows, plots in _NARROWER:  # what only those see who have no celltrail, until the lines of the panel have room
        image = ""
        if has_picture and plots:
            source = base64.b64encode(svg(drawn, _look(options), plots, beside).encode()).decode()
            image = f'<img src="data:image/svg+xml;base64,{source}" alt="{alt}" style="max-width:100%">'
            image = f'<figure style="margin:0">{image}</figure>'
        bundle["text/html"] = image + above + html.states_table(states, omitted, rows) + below
        if size(bundle) <= BUDGET:
            break
    return within_budget(bundle)


def packed(lines: Sequence[Line], totals: Sequence[int], room: int = PAYLOAD_SHARE) -> list[SavedSeries]:
    """As many of the lines, what a model comes to first, and as many points of each, as a payload has room for."""
    told = sorted(zip(lines, totals, strict=False), key=lambda each: _standing(each[0]))
    told = told[: max(1, room // (BYTES_A_POINT * 12 + BYTES_A_SERIES))]
    lengths = [line.points.shape[1] for line, _ in told if not is_of_machine(line.metric)]
    room -= (len(told) - len(lengths)) * FEW * BYTES_A_POINT + len(told) * BYTES_A_SERIES
    each = max(12, min(400, _shared(room // BYTES_A_POINT, lengths)))
    return [_series(line, total, FEW if is_of_machine(line.metric) else each) for line, total in told]


def _shared(points: int, lengths: Sequence[int]) -> int:
    """How many of so many points each line gets where short ones leave the long ones what they need not."""
    for place, own in enumerate(left := sorted(lengths)):
        each = points // (len(left) - place)
        if each < own:
            return each
        points -= own
    return max(lengths, default=0)


def _standing(line: Line) -> int:
    return 2 if is_of_machine(line.metric) else standing(parts_of(line.metric)[0])


def with_png(bundle: Bundle, lines: Sequence[Line], options: ChartOptions) -> Bundle:
    """The bundle and a PNG, as much of the picture as the budget lets it be.

    It takes a tenth of a second or more, most of it for finding fonts: nothing to do while a cell waits.
    """
    room = BUDGET - size(bundle) - 20
    payload: SavedPanel = bundle[contract.MIME]
    drawn, beside = _drawn(lines, options, payload), _beside(lines, options, payload)
    for plots, zoom in ((8, 1), (4, 1), (4, 0.75), (2, 0.75), (1, 0.75), (1, 0.5)):
        data = base64.b64encode(png(svg(drawn, _look(options), plots, beside), zoom)).decode()
        if len(data) <= room:
            return {**bundle, "image/png": data}
    return bundle


def _drawn(lines: Sequence[Line], options: ChartOptions, payload: SavedPanel) -> list[Line]:
    """The lines of the picture where they stand on its axis, else by step; those of a group as one.

    What the machine did is not in it: the panel has it, folded away.
    """
    lines = [line for line in lines if not is_of_machine(line.metric) or line.metric == options["x"]]
    hidden = set(options["hidden"])
    axes = {axis for state in payload["runs"] for axis in state["axes"]}  # that draw others need no plot of their own
    lines = [line for line in lines if line.metric not in axes or line.metric == options["x"]] or lines
    grouping = next((each for each in payload["groupings"] if each["by"] == options["group"]), None)
    for x in (options["x"], "step"):
        found = placed(lines, x, {state["run"]: state["started"] for state in payload["runs"]})
        shown = [line for line in found if f"{line.run}/{line.metric}" not in hidden and line.metric != x]
        if any(line.points.shape[1] for line in shown):
            pools = pooled(shown, grouping, options["spread"])
            return [pool for pool in pools if f"group:{pool.run}/{pool.metric}" not in hidden]
    return []


def _beside(lines: Sequence[Line], options: ChartOptions, payload: SavedPanel) -> Beside:
    """Where earlier runs stood, known by step only, and the places of notes and flags on the axis."""
    x = options["x"] if options["x"] in PLAIN else "step"
    bands = {each["metric"]: decoded(each) for each in payload["bands"]} if options["x"] == "step" else {}
    started = {state["run"]: state["started"] for state in payload["runs"]}
    pins: list[Pin] = []
    if options["x"] in PLAIN:
        for told, level in [
            *((mark, "note") for mark in payload["marks"]),
            *((flag, flag["level"]) for flag in payload["flags"]),
        ]:
            line = next((each for each in lines if each.run == told["run"] and each.points.shape[1]), None)
            if line is not None and told["step"] is not None:
                row = line.points[:, np.argmin(np.abs(line.points[0] - told["step"]))].copy()
                row[0] = told["step"]
                at = places(row[:, None], x, started.get(told["run"], 0.0), None)[0]
                pins.append(Pin(told["metric"], float(at), level))
    return Beside(bands, pins)


def _look(options: ChartOptions) -> Look:
    return Look(options["x"], options["y"], options["smooth"], options["weight"])


def marked(bundle: Bundle, text: str) -> Bundle:
    """The bundle with a line above it, such as why the run no longer holds; without one where there is no text."""
    if text:
        bundle[contract.MIME]["hints"].insert(0, text)
        bundle["text/html"] = html.line(text) + bundle["text/html"]
        bundle["text/plain"] = f"{text}\n{bundle['text/plain']}"
    return bundle


def table_bundle(trail: str, title: str, page: RowsPage, options: TableOptions, text: str) -> Bundle:
    """A run table at rest."""
    rows, hints = page["rows"], page["hints"]
    omitted = page["total"] - len(rows)
    payload = panel("table", trail, title, rows=rows, hints=hints, omitted=omitted, table=options)
    return within_budget(
        {contract.MIME: payload, "text/html": html.rows_table(rows, omitted, hints), "text/plain": text}
    )


def compare_bundle(trail: str, title: str, comparison: Comparison, text: str) -> Bundle:
    """A comparison at rest."""
    payload = panel("compare", trail, title, comparison=comparison)
    return within_budget({contract.MIME: payload, "text/html": html.comparison_tables(comparison), "text/plain": text})


def detail_bundle(payload: SavedPanel, text: str) -> Bundle:
    """All of a run at rest; pictures and long tables stay in the trail where the budget has no room."""
    kept = cast("SavedPanel", json.loads(json.dumps(payload)))
    if detail := kept["detail"]:
        kept["evaluations"] = within_share(kept["evaluations"])
        return within_budget({contract.MIME: kept, "text/html": html.detail_tables(detail), "text/plain": text})
    return {"text/plain": text}


def media_bundle(payload: SavedPanel, text: str) -> Bundle:
    """Media at rest: what there is as a table, with the few that there is room for."""
    made: Bundle = {contract.MIME: payload, "text/plain": text}
    if media := payload["media"]:
        made["text/html"] = html.media_table(media)
        while size(made) > BUDGET and media["kept"]:
            media["kept"].pop()
            made["text/html"] = html.media_table(media)
        while size(made) > BUDGET and media["items"]:
            gone = max(1, len(media["items"]) // 3)
            media["items"], media["omitted"] = media["items"][gone:], media["omitted"] + gone
            made["text/html"] = html.media_table(media)
    made["text/plain"] = text[:8000]
    return made


def with_view(bundle: Bundle, view: str | None) -> Bundle:
    """The bundle with the id of its live widget, by which celltrail's extension finds it."""
    bundle[contract.MIME]["view"] = view
    return bundle


def chart_sentence(states: Sequence[RunState]) -> str:
    """A chart in words, for screen readers and terminals."""
    parts = []
    for state in states:
        last = ", ".join(f"{name} {shown(value)}" for name, value in list(state["last"].items())[:6])
        steps = f"{shown(state['step'])} steps" if state["step"] is not None else "no points"
        parts.append(
            f"{state['name']} {state['status']} after {length(state['seconds'])}, {steps}: {last}".rstrip(": ")
        )
    return "; ".join(parts) or "no runs yet"


def within_budget(bundle: Bundle) -> Bundle:
    """The bundle in at most `BUDGET` bytes: sparks go first, then rows and what a run showed, then series."""
    payload: SavedPanel = bundle[contract.MIME]
    rows = payload["rows"]
    if rows and (_fitting(rows) < len(rows) or size(bundle) > BUDGET):
        plain = [_without_sparks(row) for row in rows]
        few = min(len(plain), FEW_ROWS)
        if (table := payload["table"]) and _fitting(plain, ROWS_SHARE) < few:
            asked = [*(table["columns"] or ()), *table["sort"], *table["group"]]
            plain, told = narrowed(plain, asked, lambda rows: _fitting(rows, ROWS_SHARE) >= few)
            payload["hints"] = [*payload["hints"], told]
        _first_rows(bundle, payload, plain, _fitting(plain))
    while size(bundle) > BUDGET and (count := len(payload["rows"])) > 1:
        _first_rows(bundle, payload, payload["rows"], count - max(1, count // 8))
    if payload["detail"]:
        _abridge(bundle, payload["detail"])
    while size(bundle) > BUDGET and payload["series"]:
        payload["omitted"] += 1
        payload["series"].pop()
    if payload["comparison"]:
        _shorten(bundle, payload["comparison"])
    bundle["text/plain"] = bundle["text/plain"][:8000]
    return bundle


def _first_rows(bundle: Bundle, payload: SavedPanel, rows: list[RunRow], keep: int) -> None:
    payload["omitted"] += len(rows) - keep
    payload["rows"] = rows[:keep]
    bundle["text/html"] = html.rows_table(payload["rows"], payload["omitted"], payload["hints"])


def _fitting(rows: Sequence[RunRow], room: int = BUDGET) -> int:
    """How many of the rows have room even where nothing else is kept; one at least. No more than those are weighed."""
    for at, row in enumerate(rows):
        room -= len(json.dumps(row))
        if room < 0:
            return max(1, at)
    return len(rows)


def size(bundle: Bundle) -> int:
    """Bytes the bundle takes in the notebook file, which is JSON indented by depth."""
    text = json.dumps(bundle, indent=1)
    return len(text) + DEPTH * text.count("\n") + ENVELOPE


def _series(line: Line, total: int, limit: int) -> SavedSeries:
    points = thin(line.points, limit)

    def packed(row: int, kind: str) -> str:
        return base64.b64encode(points[row].astype(kind).tobytes()).decode()

    values = np.abs(points[2])
    # a loss on its way to infinity: in 32 bits it would be there already, and counted so
    is_wide = bool((values[np.isfinite(values)] > np.finfo(np.float32).max).any())
    return {
        "run": line.run,
        "metric": line.metric,
        "n": total,
        "step": packed(0, "<f8"),
        "seconds": packed(1, "<f4"),
        "value": packed(2, "<f8" if is_wide else "<f4"),
    }


def _without_sparks(row: RunRow) -> RunRow:
    return {**row, "metrics": {name: {**metric, "spark": []} for name, metric in row["metrics"].items()}}


def _abridge(bundle: Bundle, detail: Detail) -> None:
    """What the trail has anyway goes out of the file: pictures, then long outputs, tables and code."""
    if size(bundle) > BUDGET:
        detail["outputs"] = [_small(piece, len(piece["data"])) for piece in detail["outputs"]]
    for most in (4_000, 800, 200):
        if size(bundle) <= BUDGET:
            return
        detail["outputs"] = [{**piece, "data": _middle(piece["data"], most)} for piece in detail["outputs"][:most]]
        detail["code"] = _middle(detail["code"], most * 4)
        detail["traceback"] = _middle(detail["traceback"], most)
        for section in detail["sections"]:
            rows = section["rows"]
            section |= {"rows": rows[: most // 20], "more": section["more"] + len(rows[most // 20 :])}
        bundle["text/html"] = html.detail_tables(detail)


def _small(piece: Piece, most: int) -> Piece:
    """A piece without its picture, its text in so many characters."""
    if piece["media"] != "text/plain":
        return {**piece, "media": "text/plain", "data": "", "said": "the picture is in the trail"}
    return {**piece, "data": _middle(piece["data"], most)}


def _middle(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}\n⋯\n{text[-most // 2 :]}"


def _shorten(bundle: Bundle, comparison: Comparison) -> None:
    """What does not differ goes first, then the rows of the runs, then the end of long parts."""
    for most in (2_000, 300):
        if size(bundle) > BUDGET:
            comparison["outputs"] = [[_small(piece, most) for piece in shown[:20]] for shown in comparison["outputs"]]
    if size(bundle) > BUDGET:
        comparison["outputs"] = []
    if size(bundle) > BUDGET:
        comparison["environment"] = [fact for fact in comparison["environment"] if fact["differs"]][:100]
        comparison["params"] = [fact for fact in comparison["params"] if fact["differs"]][:200]
        comparison["runs"] = [{**row, "params": {}, "metrics": {}} for row in comparison["runs"]]
        bundle["text/html"] = html.comparison_tables(comparison)
    for most in (200, 100, 50, 25, 12):
        if size(bundle) <= BUDGET:
            return
        bundle[contract.MIME]["hints"] = [f"of each part the first {most} rows are kept here; the trail has all"]
        for part in ("facts", "params", "data", "metrics", "environment"):
            comparison[part] = comparison[part][:most]
        for code in comparison["code"]:
            code["lines"] = code["lines"][:most]
        bundle["text/html"] = html.comparison_tables(comparison)
